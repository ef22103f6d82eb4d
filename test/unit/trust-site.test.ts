/** Adopting another site: what two people compare aloud, and every folder that is refused. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { writeGenesis } from "../../src/ceremony/genesis.ts";
import { formatCheckpoint, signCheckpoint } from "../../src/ledger/checkpoint.ts";
import { sha256, sha256Hex } from "../../src/lib/encoding.ts";
import { KeyriteError, type ErrorCode } from "../../src/lib/errors.ts";
import { formatVerifierKey, parseNote, verifierKey } from "../../src/lib/note.ts";
import { makePerson } from "../support/identities.ts";
import { ledgerKey, ORIGIN } from "../support/ledger-fixture.ts";
import { CAST, DEVIATION, script } from "../support/stage-scripts.ts";
import type { Cast, Stage } from "../support/stage.ts";
import {
  handOver,
  OTHER_ORIGIN,
  otherSite,
  papersOf,
  peerOf,
  proveNewest,
  siteWithBackup,
} from "../support/two-sites.ts";

const dc1 = await siteWithBackup();
const dc2 = await otherSite();

function trust(origin = ORIGIN, from = "offsite"): string {
  const by = "[ceremony-administrator, internal-witness]";
  const values = `with: { origin: "${origin}", from: ${from} }`;
  return script([`id: trust, action: trust-site, by: ${by}, ${values}`]);
}

/** dc2 once more, with dc1's folder in its vault. */
function handedOver(t: TestContext): { readonly stage: Stage; readonly peer: string } {
  const stage = dc2.fork();
  stage.clock.time = dc1.clock.time;
  t.after(() => {
    stage.remove();
  });
  return { stage, peer: handOver(dc1, stage) };
}

async function refused(
  stage: Stage,
  yaml: string,
  code: ErrorCode,
  words: RegExp,
  cast: Cast = CAST,
): Promise<void> {
  await assert.rejects(stage.run(yaml, cast), (error) => {
    assert.ok(error instanceof KeyriteError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, words);
    return true;
  });
  assert.equal(stage.entries().at(-1)?.type, "step.refused");
  await stage.abandon(CAST);
  assert.deepEqual([...stage.history.custody.peers], []);
}

test("a peer is adopted after two people said by name that the words are those of the sheet", async (t) => {
  const { stage } = handedOver(t);
  await stage.run(trust(), CAST);
  assert.deepEqual(stage.findings, []);
  const peer = stage.history.custody.peers.get(ORIGIN);
  const { checkpoint } = papersOf(dc1).proofs;
  assert.deepEqual(peer, { ...peerOf(dc1, checkpoint), checkpoint: sha256Hex(checkpoint) });
  const heard = stage.console.asked.filter((asked) => asked.startsWith("trust words-heard"));
  assert.deepEqual(heard, ["trust words-heard ana", "trust words-heard eve"]);
  const shown = stage.console.shown.join("\n");
  assert.match(shown, new RegExp(`Genesis of ${ORIGIN}`));
  assert.match(shown, /cosigned by .*fay/);
  for (const cited of [peer.genesis, peer.checkpoint]) {
    assert.ok(stage.ledger.attachment(cited) !== undefined, "what was adopted is attached");
  }
  assert.deepEqual(stage.judge().findings, []);
  await stage.run(DEVIATION, CAST);
});

for (const person of ["ana", "eve"]) {
  test(`nothing is adopted when ${person} does not confirm the words`, async (t) => {
    const { stage } = handedOver(t);
    const answers = { "words-heard": person === "ana" ? ["no"] : ["yes", "no"] };
    await refused(stage, trust(), "people.declined", new RegExp(`${person} did not confirm`), {
      ...CAST,
      answers: { ...answers, again: "stop" },
    });
  });
}

type Spoil = (peer: string) => unknown;
const file = (peer: string, name: string): string => join(peer, name);
const proofs = (peer: string): readonly string[] =>
  readdirSync(peer).filter((name) => name.endsWith(".tlog-proof"));

/** A genesis of an origin with people of an assurance. */
async function genesisOf(origin: string, assurance: "production" | "test"): Promise<Uint8Array> {
  const people = [await makePerson("ana", assurance), await makePerson("eve", assurance)];
  return writeGenesis({
    ...{ origin, assurance, created: "2026-11-23T08:00:00.000Z", policy: sha256Hex("policy") },
    ledgerKey: formatVerifierKey(verifierKey(origin, "ed25519", ledgerKey.publicKey)),
    founders: people.map(({ card }) => ({
      person: card.person,
      roles: ["ceremony-administrator"],
      card,
    })),
  });
}

const SPOILT: Readonly<Record<string, readonly [Spoil, ErrorCode, RegExp]>> = {
  "without a folder": [
    (peer) => {
      rmSync(peer, { recursive: true });
    },
    "usage.bad-file",
    /there is no backup/,
  ],
  "with a link for a folder": [
    (peer) => {
      rmSync(peer, { recursive: true });
      symlinkSync("/etc", peer);
    },
    "usage.bad-file",
    /is not a folder/,
  ],
  "without a genesis": [
    (peer) => {
      rmSync(file(peer, "genesis.json"));
    },
    "ledger.backup-damaged",
    /there is no genesis.json/,
  ],
  "without a checkpoint": [
    (peer) => {
      rmSync(file(peer, "checkpoint"));
    },
    "ledger.backup-damaged",
    /there is no checkpoint/,
  ],
  "with another site's genesis": [
    async (peer) => {
      writeFileSync(file(peer, "genesis.json"), await genesisOf("example.org/dc3/test", "test"));
    },
    "ledger.not-trusted",
    /genesis of example.org\/dc3\/test, not of example.org\/dc1\/test/,
  ],
  "with an altered genesis": [
    (peer) => {
      const path = file(peer, "genesis.json");
      writeFileSync(path, readFileSync(path, "utf8").replace('"eve"', '"eva"'));
    },
    "usage.bad-file",
    /the card is refused/,
  ],
  "with a checkpoint that nobody cosigned": [
    (peer) => {
      const path = file(peer, "checkpoint");
      writeFileSync(path, `${readFileSync(path, "utf8").split("\n").slice(0, 5).join("\n")}\n`);
      for (const name of proofs(peer)) rmSync(file(peer, name));
    },
    "ledger.not-trusted",
    /nobody of its proven roster cosigned/,
  ],
  "with a checkpoint of another size": [
    (peer) => {
      const path = file(peer, "checkpoint");
      writeFileSync(path, readFileSync(path, "utf8").replace(/\n(\d+)\n/, "\n1$1\n"));
      for (const name of proofs(peer)) rmSync(file(peer, name));
    },
    "ledger.not-trusted",
    /the signature of .* is wrong/,
  ],
  "with a proof of an enrolment that lacks its agreements": [
    (peer) => {
      for (const name of proofs(peer)) {
        const extra = /\nextra (\S+)/.exec(readFileSync(file(peer, name), "utf8"))?.[1] ?? "";
        if (Buffer.from(extra, "base64").includes('"type":"step.begun"')) rmSync(file(peer, name));
      }
    },
    "ledger.not-trusted",
    /enrolment of fay: the entries that show who agreed/,
  ],
};

for (const [what, [spoil, code, words]] of Object.entries(SPOILT)) {
  test(`a peer ${what} is refused before anybody agrees`, async (t) => {
    const { stage, peer } = handedOver(t);
    await spoil(peer);
    await refused(stage, trust(), code, words, { ...CAST, answers: { again: "stop" } });
  });
}

test("a site does not adopt itself, nor a site of production", async (t) => {
  const { stage, peer } = handedOver(t);
  writeFileSync(file(peer, "genesis.json"), stage.site.genesisBytes);
  // Planning knows the site's own origin and what a test site may adopt.
  assert.equal(stage.planning(trust(OTHER_ORIGIN)).ok, false);
  assert.equal(stage.planning(trust("example.org/dc3")).ok, false);
  await refused(stage, trust(), "ledger.not-trusted", /genesis of example.org\/dc2\/test, not of/);
});

test("a later head is adopted, an earlier or another one of the same size is not", async (t) => {
  const { stage, peer } = handedOver(t);
  await stage.run(trust(), CAST);
  const first = stage.history.custody.peers.get(ORIGIN);
  assert.ok(first);
  await dc1.run(DEVIATION, CAST);
  await proveNewest(dc1);
  handOver(dc1, stage);
  stage.clock.time = dc1.clock.time;
  await stage.run(trust(), CAST);
  const second = stage.history.custody.peers.get(ORIGIN);
  assert.ok(second && second.size > first.size);
  assert.match(stage.console.shown.join("\n"), /Not proven: that it extends the head of size/);

  const ana = await makePerson("ana");
  const eve = await makePerson("eve");
  /** A head that the ledger's key and two founders signed: a history beside the first. */
  const forge = (size: number): void => {
    const forged = { origin: ORIGIN, size, root: sha256("another history") };
    const { text } = parseNote(signCheckpoint(forged, ledgerKey));
    assert.equal(text, formatCheckpoint(forged));
    const lines = [ana, eve].map(({ opened }) => `${opened.signer.cosign(text, 1_795_600_000)}\n`);
    for (const name of proofs(peer)) rmSync(file(peer, name));
    writeFileSync(file(peer, "checkpoint"), signCheckpoint(forged, ledgerKey) + lines.join(""));
  };
  for (const [size, words] of [
    [second.size, /of size \d+ is not the one adopted before/],
    [second.size - 1, /adopted before has \d+/],
  ] as const) {
    forge(size);
    const run = stage.run(trust(), CAST);
    await assert.rejects(run, (error) => {
      assert.ok(error instanceof KeyriteError);
      assert.equal(error.code, "ledger.forked");
      assert.match(error.message, words);
      return true;
    });
    await stage.abandon(CAST);
    assert.deepEqual(stage.history.custody.peers.get(ORIGIN), second);
  }
});
