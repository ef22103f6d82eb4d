/** Heads that people bring: what the ledger must hold of them, and whose hand must be on them. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { cosignersOf, isCosigned, isCosignedBy } from "../../src/ceremony/heads.ts";
import { bindingsChange, checkHead, standingOf } from "../../src/ceremony/standing.ts";
import { parseNote } from "../../src/lib/note.ts";
import { sha256Hex, utf8 } from "../../src/lib/encoding.ts";
import { Hand } from "../support/hand.ts";
import { CAST, script, STEP } from "../support/stage-scripts.ts";
import { BINDINGS } from "../support/stage-site.ts";
import { stageTests } from "../support/stage-tests.ts";
import type { Stage } from "../support/stage.ts";

const YAML = script([STEP.clock]);
const fork = await stageTests();

/** The head that somebody carries. */
const carried = (stage: Stage, person: string): string =>
  stage.medium(person).readHead(stage.site.genesis.origin) ?? assert.fail(`${person} has none`);

const WHEN = "when it was looked at";

/** What is said of a head that somebody brings to a ledger that came with so many entries. */
function brought(stage: Stage, note: string, holder = "ana", entries = stage.ledger.size): unknown {
  return checkHead(stage.hall(), stage.recorder(), { entries, when: WHEN }, note, holder);
}

/** The line with which somebody cosigns the head of that size. */
function cosignature(stage: Stage, person: string, size?: number, seconds = 1_800_000_000): string {
  const { text } = parseNote(stage.ledger.checkpoint(size) ?? "");
  return stage.person(person).opened.signer.cosign(text, seconds);
}

test("a head that the ledger extends, cosigned by who brings it, is its size and root", (t) => {
  const stage = fork(t);
  const { size, root } = stage.recorder().head();
  const note = carried(stage, "ana");
  assert.deepEqual(brought(stage, note), { size, root });
  stage.append({ type: "auth.failed", outcome: "failure", description: "Noise." });
  assert.deepEqual(brought(stage, note), { size, root });
  assert.deepEqual(brought(stage, note, "ana", size), { size, root });
});

test("a head larger than what the ledger came with shows that entries were cut off", (t) => {
  const stage = fork(t);
  const { size } = stage.ledger;
  const hints = ["stop: entries were cut off or an older copy was put in place; call the auditor"];
  const code = "ledger.shorter-than-head";
  for (const entries of [size - 1, size - 3]) {
    assert.throws(() => brought(stage, carried(stage, "ana"), "ana", entries), {
      code,
      message: `the ledger had ${entries} entries ${WHEN}, the head carried by ana has ${size}: entry ${entries} is the first missing one`,
      hints,
    });
  }
});

test("a head of another past is a fork, and says between which entries", async (t) => {
  const stage = fork(t);
  const { size } = stage.ledger;
  const before = stage.entries();
  await stage.run(YAML, CAST);
  const longer = stage.ledger.size;
  stage.rewrite(before);
  stage.clock.time += 1000;
  for (let i = size; i < longer; i += 1) {
    stage.append({ type: "auth.failed", outcome: "failure", description: "Noise." });
  }
  assert.throws(
    () => brought(stage, carried(stage, "ana")),
    (error: Error & { code?: string; hints?: unknown }) => {
      assert.equal(error.code, "ledger.forked");
      const pattern = new RegExp(
        `^the ledger is not the one whose head of size ${longer} ana carries: the first differing entry is one of (\\d+) to (\\d+)$`,
      );
      const [, from, to] = pattern.exec(error.message) ?? assert.fail(error.message);
      assert.ok(Number(from) <= size && size <= Number(to));
      assert.deepEqual(error.hints, [
        "stop: the ledger was rewritten or replaced; call the auditor",
      ]);
      return true;
    },
  );
});

test("a head that its holder has not cosigned, or of somebody who is not on the roster, was put there", (t) => {
  const stage = fork(t);
  const note = carried(stage, "ana");
  const bare = stage.ledger.checkpoint() ?? "";
  for (const [head, holder] of [
    [note, "olga"],
    [note, "mallory"],
    [bare, "ana"],
    [`${bare}${cosignature(stage, "ben")}\n`, "ana"],
  ] as const) {
    assert.throws(() => brought(stage, head, holder), {
      code: "people.medium",
      message: `the head carried by ${holder} does not bear a cosignature of ${holder}`,
      hints: ["somebody else put it on the medium: call the auditor"],
    });
  }
  assert.ok(brought(stage, `${bare}${cosignature(stage, "ana")}\n`));
});

test("what is no head of this ledger is told, with the reason", (t) => {
  const stage = fork(t);
  const note = carried(stage, "ana");
  for (const other of ["nothing", note.replace("example.org/dc1/test", "example.org/dc9/test")]) {
    assert.throws(
      () => brought(stage, other),
      (error: Error & { code?: string; hints?: unknown }) => {
        assert.equal(error.code, "people.medium");
        assert.match(error.message, /^the head carried by ana is no head of this ledger: ./);
        assert.deepEqual(error.hints, [
          "somebody changed the medium, or it belongs to another site",
        ]);
        return true;
      },
    );
  }
});

test("at the roll call what this ceremony appended does not pass for what somebody cosigned", async (t) => {
  const stage = fork(t);
  const before = stage.entries();
  await stage.run(YAML, CAST);
  const note = carried(stage, "ana");
  stage.rewrite(before);
  const { plan } = new Hand(stage, YAML);
  const standing = standingOf(stage.hall(), stage.recorder(), plan);
  assert.deepEqual(
    [standing.bindings, standing.bindingsChange, standing.tail, standing.roles],
    [sha256Hex(BINDINGS), [], null, plan.script.roles],
  );
  assert.throws(() => standing.checkHead(note, "ana"), {
    code: "ledger.shorter-than-head",
    message: new RegExp(`^the ledger had ${before.length} entries when this ceremony was opened, `),
  });
});

test("without an open ceremony a head is held against the whole ledger", (t) => {
  const stage = fork(t);
  const { size, root } = stage.recorder().head();
  const standing = standingOf(stage.hall(), stage.recorder(), stage.plan(YAML));
  assert.deepEqual(standing.checkHead(carried(stage, "ana"), "ana"), { size, root });
});

test("what changed in site.yaml since a roll call agreed to it", (t) => {
  const stage = fork(t);
  const hall = stage.hall();
  const changed = (text: string, recorder = stage.recorder()): readonly string[] => {
    const bindings = { ...hall.bindings, bytes: utf8(text), sha256: sha256Hex(text) };
    return bindingsChange({ ...hall, bindings }, recorder);
  };
  assert.deepEqual(changed(BINDINGS), []);
  assert.deepEqual(changed(`${BINDINGS}vaults: {}\n`), ["+ vaults: {}"]);
  const recorder = stage.recorder();
  Object.defineProperty(recorder, "ledger", { value: { attachment: () => undefined } });
  assert.deepEqual(changed("other", recorder), [
    "the site.yaml agreed to before is not attached to the ledger",
  ]);
});

test("who cosigned a head: enrolled people whose signature fits it, each once", (t) => {
  const stage = fork(t);
  const hand = new Hand(stage, YAML);
  const { size } = stage.ledger;
  const people = [...stage.history.custody.people.values()];
  const lines = [
    cosignature(stage, "ben", size, 5),
    cosignature(stage, "ana", size, 6),
    cosignature(stage, "mallory", size, 7),
    cosignature(stage, "eve", size - 1, 8),
    cosignature(stage, "ben", size, 9),
  ];
  const source = {
    checkpoint: (of: number) => stage.ledger.checkpoint(of),
    cosignatures: (of: number) => (of === size ? lines : []),
  };
  const found = [
    { person: "ana", time: 6 },
    { person: "ben", time: 9 },
  ];
  assert.deepEqual(cosignersOf(size, people, source), found);
  assert.deepEqual(cosignersOf(size, people, source, 1), found.slice(0, 1));
  assert.deepEqual(cosignersOf(size - 1, people, source), []);
  assert.deepEqual(cosignersOf(size, people, { ...source, checkpoint: () => undefined }), []);
  assert.deepEqual(
    [isCosigned(size, people, source), isCosigned(size - 1, people, source)],
    [true, false],
  );
  const alone = { ...source, cosignatures: () => lines.slice(1).filter((_, i) => i < 2) };
  assert.equal(isCosigned(size, people, alone), false);
  const note = `${stage.ledger.checkpoint(size) ?? ""}${lines.slice(0, 1).join("")}\n`;
  const cards = ["ana", "ben"].map((person) => stage.person(person).card);
  assert.deepEqual(
    cards.map((card) => isCosignedBy(note, card)),
    [false, true],
  );
  assert.equal(hand.ceremony, stage.history.open?.id);
});
