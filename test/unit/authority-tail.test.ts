/** Entries that nobody cosigned stop the next ceremony until the people in it have adopted them. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { parseNote } from "../../src/lib/note.ts";
import type { Attending } from "../../src/ceremony/custody.ts";
import { as, Hand } from "../support/hand.ts";
import { CAST, DEVIATION, ROLL, script, STEP } from "../support/stage-scripts.ts";
import { assertFound, believed, stageTests } from "../support/stage-tests.ts";
import type { Stage } from "../support/stage.ts";

const YAML = script([STEP.adopt]);
const fork = await stageTests();

/** Noise of the host's owner, then a ceremony whose roll is called. */
function overNoise(stage: Stage): { hand: Hand; from: number; to: number } {
  const from = stage.history.size;
  stage.append({ type: "auth.failed", outcome: "failure", description: "Noise." });
  stage.append({ type: "step.refused", outcome: "refused", description: "More noise." });
  const to = stage.history.size;
  const hand = new Hand(stage, YAML);
  hand.perform("roll-call");
  return { hand, from, to };
}

const ONLOOKERS: readonly Attending[] = [
  { person: "olga", role: "auditor" },
  { person: "xan", role: "external-witness" },
];

/** A signature line with another digit in its signature. */
function altered(line: string): string {
  const digit = line.at(-20);
  return `${line.slice(0, -20)}${digit === "A" ? "B" : "A"}${line.slice(-19)}`;
}

const ADOPTERS: Readonly<Record<string, readonly [who: readonly Attending[], problem: RegExp]>> = {
  nobody: [[], /0 of 2 different people agreed/],
  "one person": [as("ana"), /1 of 2 different people agreed/],
  "one person twice": [as("ana", "ana"), /one person agreed twice/],
  "one person and an auditor": [[...as("ana"), ...ONLOOKERS.slice(0, 1)], /1 of 2 different/],
  "two onlookers": [ONLOOKERS, /0 of 2 different people agreed/],
  "somebody in a role they do not hold": [
    [...as("ana"), { person: "eve", role: "custodian" }],
    /eve does not hold the role custodian/,
  ],
};

for (const [what, [who, problem]] of Object.entries(ADOPTERS)) {
  test(`a tail adopted by ${what} is not adopted: nothing goes on`, (t) => {
    const stage = fork(t);
    const { hand, from, to } = overNoise(stage);
    const adopted = hand.adoptTail(from, to, who);
    const before = believed(stage);
    const { begun, completed } = hand.perform("adopt");
    const closed = hand.close();
    assert.equal(believed(stage), before);
    assert.equal(stage.history.explained, from);
    assertFound(stage, adopted, problem);
    assertFound(stage, begun, new RegExp(`entries ${from} to ${to - 1} were not adopted`));
    assertFound(stage, completed, /completes a step that was not begun/);
    assertFound(stage, closed, /closes a ceremony that cannot be closed/);
    assert.equal(stage.history.explained, from);
  });
}

test("a tail adopted by two people is explained, and adopted once", (t) => {
  const stage = fork(t);
  const { hand, from, to } = overNoise(stage);
  hand.adoptTail(from, to);
  assert.equal(stage.history.explained, to);
  hand.perform("adopt");
  assert.equal(stage.history.custody.tokens.has("beta"), true);
  const again = hand.adoptTail(from, to);
  hand.close();
  assert.equal(stage.history.explained, stage.history.size);
  assertFound(stage, again, /adopts entries that nobody has to adopt/);
  assert.equal(stage.history.explained, stage.history.size);
});

for (const [what, shift] of [
  ["fewer", -1],
  ["more", 1],
] as const) {
  test(`people who adopted ${what} entries than there are adopted nothing`, (t) => {
    const stage = fork(t);
    const { hand, from, to } = overNoise(stage);
    const adopted = hand.adoptTail(from, to + shift);
    assert.equal(stage.history.explained, from);
    assertFound(stage, adopted, /adopts entries that nobody has to adopt/);
  });
}

test("people who read no more than the end of a tail have adopted nothing", (t) => {
  const stage = fork(t);
  const { hand, from, to } = overNoise(stage);
  const adopted = hand.adoptTail(from + 1, to);
  assert.equal(stage.history.explained, from);
  assertFound(stage, adopted, /adopts entries that nobody has to adopt/);
});

test("what people adopt is what they were shown", (t) => {
  const stage = fork(t);
  const { hand, from, to } = overNoise(stage);
  const data = { from, to, shown: "the noise" };
  const options = { data, purpose: "adopt", decision: `adopt ${to}` } as const;
  const opening = hand.open("roll-call", options);
  const agreements = as("ana", "eve").map(({ person, role }) => hand.sign(opening, person, role));
  const other = { ...data, shown: "nothing" };
  const adopted = hand.append({ type: "tail.adopted", step: "roll-call", agreements, data: other });
  assert.equal(stage.history.explained, from);
  assertFound(stage, adopted, /not what was shown and agreed to/);
});

test("abandoning a ceremony and cosigning its head adopts no tail", async (t) => {
  const stage = fork(t);
  const { from } = overNoise(stage);
  await stage.abandon({ present: { ana: "ceremony-administrator", eve: "internal-witness" } });
  assert.equal(stage.history.open, null);
  assert.equal(stage.history.cosigned, stage.history.size);
  assert.equal(stage.history.explained, from);
  stage.judge();
  assert.equal(stage.history.explained, from);
});

test("the engine shows the tail, has it adopted by everybody, and goes on", async (t) => {
  const stage = fork(t);
  const [from, facts] = [stage.history.size, [{ kind: "policy.adopted", sha256: "0".repeat(64) }]];
  stage.append({ type: "step.completed", description: "Adopted \u202ea policy.", facts });
  await stage.run(DEVIATION, CAST);
  const { shown, asked } = stage.console;
  assert.ok(shown.some((line) => line.startsWith("1 entry after the last cosigned head")));
  assert.ok(shown.some((line) => line.includes(`${from}  `) && line.includes("Adopted")));
  assert.ok(
    shown.every((line) => !line.includes("\u202e")),
    "untrusted text is escaped",
  );
  assert.ok(
    shown.some((line) => line.includes("NOT BELIEVED: ")),
    "the finding is shown",
  );
  const agreed = asked.filter((question) => question.startsWith("roll-call agree "));
  assert.equal(agreed.length, 2 * Object.keys(ROLL).length);
  stage.judge();
  assert.deepEqual(
    stage.findings.filter((finding) => !finding.startsWith(`${from} `)),
    [],
  );
  assert.equal(stage.history.explained, stage.history.size);
  await stage.run(DEVIATION, CAST);
  assert.ok(stage.console.shown.every((line) => !line.includes("after the last cosigned head")));
});

test("a tail that one person will not adopt stops the ceremony, and the next one too", async (t) => {
  const stage = fork(t);
  const from = stage.history.size;
  stage.append({ type: "auth.failed", outcome: "failure", description: "Noise." });
  let asked = 0;
  const agrees = ({ to }: { to: { person: string } }): boolean =>
    to.person !== "eve" || (asked += 1) === 1;
  await assert.rejects(stage.run(DEVIATION, { ...CAST, agrees }), { code: "people.declined" });
  assert.equal(stage.history.open?.steps.get("clock"), undefined);
  await stage.abandon({ present: { ana: "ceremony-administrator", eve: "internal-witness" } });
  assert.equal(stage.history.explained, from);
  await stage.run(DEVIATION, CAST);
  assert.ok(stage.console.shown.some((line) => line.includes(`  ${from}  `)));
  assert.equal(stage.history.explained, stage.history.size);
});

test("cosignatures of a stranger, of one person twice and on another head do not count", (t) => {
  const stage = fork(t);
  const hand = Hand.upTo(stage, script([STEP.deviation]), "deviation");
  const { cosigned, explained } = stage.history;
  hand.close(["ana", "mallory"]);
  const seconds = Math.floor(stage.clock.time / 1000);
  const older = parseNote(stage.ledger.checkpoint(stage.history.size - 1) ?? "").text;
  const newest = parseNote(stage.ledger.checkpoint() ?? "").text;
  const signer = (name: string): ReturnType<Stage["person"]>["opened"]["signer"] =>
    stage.person(name).opened.signer;
  stage
    .recorder()
    .addCosignatures([
      signer("ana").cosign(newest, seconds + 1),
      signer("eve").cosign(older, seconds),
      signer("fay").cosign(newest, seconds),
      altered(signer("eve").cosign(newest, seconds)),
    ]);
  assert.deepEqual([stage.history.cosigned, stage.history.explained], [cosigned, explained]);
  stage.judge();
  assert.deepEqual([stage.history.cosigned, stage.history.explained], [cosigned, explained]);
  hand.cosign(["eve"]);
  assert.equal(stage.history.cosigned, stage.history.size);
  stage.judge();
  assert.equal(stage.history.cosigned, stage.history.size);
});
