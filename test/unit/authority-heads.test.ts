/** Heads that people carry: today's ledger extends every one of them, or nothing begins. */

import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { test } from "node:test";
import { lastCosigned } from "../../src/ceremony/heads.ts";
import { signCheckpoint } from "../../src/ledger/checkpoint.ts";
import { signingKeyFromSeed } from "../../src/lib/ed25519.ts";
import { KeyriteError } from "../../src/lib/errors.ts";
import { ledgerKey, ORIGIN } from "../support/ledger-fixture.ts";
import { CAST, DEVIATION } from "../support/stage-scripts.ts";
import { stageTests } from "../support/stage-tests.ts";
import type { Stage } from "../support/stage.ts";

const other = signingKeyFromSeed(new Uint8Array(32).fill(1));
const TWO = { ana: "ceremony-administrator", eve: "internal-witness" };
const fork = await stageTests();

/** Runs a ceremony that has to stop at the roll call, before anybody agreed. */
async function refused(stage: Stage, code: string): Promise<KeyriteError> {
  const { size, custody } = stage.history;
  let thrown: unknown;
  await assert.rejects(stage.run(DEVIATION, CAST), (error) => {
    thrown = error;
    return true;
  });
  assert.ok(thrown instanceof KeyriteError);
  assert.equal(thrown.code, code, thrown.message);
  assert.ok(stage.console.asked.every((question) => !question.includes(" agree ")));
  const types = stage
    .entries()
    .slice(size)
    .map(({ type }) => type);
  assert.deepEqual(types, ["ceremony.opened", "step.refused", "ceremony.abandoned"]);
  assert.equal(stage.history.custody, custody);
  return thrown;
}

for (const lost of [1, 3, 8]) {
  test(`C17: a ledger cut back by ${lost} entries into a ceremony is not abandoned and cosigned`, async (t) => {
    const stage = fork(t);
    await stage.run(DEVIATION, CAST);
    const { size } = stage.history;
    stage.rewrite(stage.entries().slice(0, size - lost));
    assert.notEqual(stage.history.open, null);
    const head = stage.medium("ana").readHead(ORIGIN);
    await assert.rejects(stage.abandon({ present: TWO }), {
      code: "ledger.shorter-than-head",
      message: new RegExp(
        `the head carried by ana has ${size}: entry ${size - lost} is the first missing one`,
      ),
    });
    assert.equal(stage.history.size, size - lost);
    assert.equal(stage.medium("ana").readHead(ORIGIN), head);
  });
}

test("C17: an older copy of the whole ledger, put back in one piece, is found", async (t) => {
  const stage = fork(t);
  const before = stage.entries();
  await stage.run(DEVIATION, CAST);
  stage.rewrite(before);
  assert.deepEqual(stage.findings, []);
  const error = await refused(stage, "ledger.shorter-than-head");
  assert.match(error.message, /carried by ana/);
});

test("C11: a ledger rewritten as a whole is a fork of every head", async (t) => {
  const stage = fork(t);
  await stage.run(DEVIATION, CAST);
  const entries = stage.entries();
  const at = entries.findLastIndex(({ type }) => type === "ceremony.closed");
  stage.rewrite(
    entries.map((entry, seq) => (seq === at ? { ...entry, description: "Rewritten." } : entry)),
  );
  const error = await refused(stage, "ledger.forked");
  assert.match(error.message, new RegExp(`entry is one of \\d+ to ${entries.length - 1}`));
});

test("C11: of two copies that both went on, neither extends the heads of the other", async (t) => {
  const stage = fork(t);
  const copy = fork(t);
  await stage.run(DEVIATION, CAST);
  await copy.run(DEVIATION, { ...CAST, answers: { rule: "another rule" } });
  assert.notDeepEqual(stage.entries(), copy.entries());
  copy.medium("eve").writeHead(ORIGIN, stage.medium("eve").readHead(ORIGIN) ?? "");
  const error = await refused(copy, "ledger.forked");
  assert.match(error.message, /eve carries/);
});

const root = new Uint8Array(32).fill(9);
const FOREIGN: Readonly<Record<string, string>> = {
  "of another ledger": signCheckpoint({ origin: "example.org/dc2/test", size: 3, root }, ledgerKey),
  "that another key signed": signCheckpoint({ origin: ORIGIN, size: 3, root }, other),
  "that is no note": "nothing",
};

for (const [what, note] of Object.entries(FOREIGN)) {
  test(`C11: a head ${what} is refused, and its holder named`, async (t) => {
    const stage = fork(t);
    stage.medium("cleo").writeHead(ORIGIN, note);
    const error = await refused(stage, "people.medium");
    assert.match(error.message, /the head carried by cleo is no head of this ledger/);
  });
}

test("C11: a head that the host's owner signed is refused for want of the holder's cosignature", async (t) => {
  const stage = fork(t);
  const note = stage.ledger.checkpoint(3) ?? "";
  const [line] = stage.ledger.cosignatures(stage.history.size).map((one) => one.line);
  for (const head of [note, `${note}${line ?? ""}\n`]) {
    stage.medium("cleo").writeHead(ORIGIN, head);
    const error = await refused(stage, "people.medium");
    assert.match(error.message, /cleo/);
  }
});

test("C17: a medium without a head is a newcomer's, or was emptied: the roll call says which and goes on", async (t) => {
  const stage = fork(t);
  const { size } = stage.history;
  rmSync(`${stage.medium("dan").folder}/heads`, { recursive: true });
  await stage.run(DEVIATION, CAST);
  const emptied = `  dan: NONE on this medium, although a head of size ${size} was cosigned: ask where that one is`;
  assert.ok(stage.console.shown.includes(emptied), stage.console.shown.join("\n"));
});

test("C17: the newest head that somebody cosigned is told by their own signature alone", (t) => {
  const { history, ledger } = fork(t);
  const { size, custody } = history;
  const dan = custody.people.get("dan") ?? assert.fail("dan is on the roster");
  const checkpoint = (at: number): string | undefined => ledger.checkpoint(at);
  const all = ledger.cosignatures();
  assert.equal(lastCosigned(dan, { checkpoint, cosignatures: () => all }), size);
  assert.equal(lastCosigned(dan, { checkpoint, cosignatures: () => [] }), undefined);
  const others = all.filter(({ line }) => !line.includes("/dan "));
  assert.ok(others.length > 0 && others.length < all.length);
  assert.equal(lastCosigned(dan, { checkpoint, cosignatures: () => others }), undefined);
  const moved = all.map(({ line }) => ({ size: 3, line }));
  assert.equal(lastCosigned(dan, { checkpoint, cosignatures: () => moved }), undefined);
});

test("the next ceremony quotes the cosigned head, cosignatures and all", async (t) => {
  const stage = fork(t);
  await stage.run(DEVIATION, CAST);
  const head = stage.medium("ana").readHead(ORIGIN);
  await stage.run(DEVIATION, CAST);
  const opened = stage
    .entries()
    .filter(({ type }) => type === "ceremony.opened")
    .at(-1);
  assert.equal(opened?.data["previous"], head);
});
