/** A ceremony is paused on purpose and gone on with weeks later: the clock, tokens and people all anew. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { standsAt } from "../../src/ceremony/finding.ts";
import { conformed, newest } from "../support/conformed.ts";
import { CAST, INITIALIZE, script, STEP } from "../support/stage-scripts.ts";
import { stageTests } from "../support/stage-tests.ts";
import type { Stage } from "../support/stage.ts";

const DAY = 24 * 3_600_000;
const fork = await stageTests();

/** Stops between two steps, before step `n`. */
async function pausedBefore(stage: Stage, yaml: string, n: number): Promise<void> {
  let left = n - 1;
  const interrupted = (): boolean => (left -= 1) < 0;
  await assert.rejects(stage.run(yaml, CAST, { hall: { interrupted } }), /between two steps/);
}

function kinds(stage: Stage): readonly string[] {
  const { verdict, violations, exceptions } = newest(conformed(stage));
  assert.deepEqual(violations, []);
  assert.equal(verdict, "CONFORMS WITH DEVIATIONS");
  return exceptions.map(({ kind, step }) => `${kind} ${step ?? "-"}`);
}

test("paused, it says at which step and since when", async (t) => {
  const stage = fork(t);
  await pausedBefore(stage, script([STEP.clock, STEP.deviation]), 3);
  const { open, lastTime } = stage.judge();
  assert.ok(open);
  assert.deepEqual(standsAt(open), { n: 3, id: "deviation", since: lastTime });
});

test("weeks later the clock is attested once more before a token is activated, and all of it is believed", async (t) => {
  const stage = fork(t);
  await stage.run(INITIALIZE, CAST);
  const yaml = script([STEP.clock, STEP.activate, STEP.generate, STEP.deactivate]);
  await pausedBefore(stage, yaml, 4);
  stage.clock.time += 40 * DAY;
  await stage.resume(CAST);
  const { asked } = stage.console;
  const at = (question: string): number => asked.findIndex((one) => one.startsWith(question));
  assert.ok(at("resume agree") < at("clock agree") && at("clock agree") < at("activate agree"));
  assert.ok(at("activate passphrase") > 0 && at("activate agree") < at("generate agree"));
  const { open, findings, custody } = stage.judge();
  assert.deepEqual([open, findings], [null, []]);
  assert.equal(custody.keys.size, 1);
  assert.deepEqual(kinds(stage), [
    "resumption generate",
    "reactivation clock",
    "reactivation activate",
  ]);
});

test("within 30 days the clock is not attested again", async (t) => {
  const stage = fork(t);
  await pausedBefore(stage, script([STEP.clock, STEP.deviation]), 3);
  stage.clock.time += 20 * DAY;
  await stage.resume(CAST);
  assert.ok(!stage.console.asked.some((one) => one.startsWith("clock agree")));
  assert.deepEqual(stage.judge().findings, []);
  assert.deepEqual(kinds(stage), ["resumption deviation", "deviation deviation"]);
});

test("the clock is attested again once, and no other completed step with it", async (t) => {
  const stage = fork(t);
  await pausedBefore(stage, script([STEP.clock, STEP.attest, STEP.deviation]), 4);
  stage.clock.time += 40 * DAY;
  const declines = { ...CAST, agrees: ({ step }: { step: string }) => step !== "deviation" };
  await assert.rejects(
    stage.resume({ ...declines, answers: { again: "stop" } }),
    /declined step deviation/,
  );
  await stage.resume(CAST);
  assert.ok(!stage.console.asked.some((one) => one.startsWith("clock agree")));
  const { id } = stage.judge().ceremonies.at(-1) ?? assert.fail("no ceremony");
  const completed = stage
    .entries()
    .filter(({ type, ceremony }) => type === "step.completed" && ceremony === id)
    .map(({ step }) => step);
  assert.deepEqual(completed, ["roll-call", "clock", "attest", "clock", "deviation"]);
  assert.deepEqual(stage.judge().findings, []);
});

test("a script that attests no clock cannot be gone on with after so long: it is told, and nothing is acted on", async (t) => {
  const stage = fork(t);
  await pausedBefore(stage, script([STEP.deviation, STEP.attest]), 2);
  stage.clock.time += 40 * DAY;
  await assert.rejects(stage.resume(CAST), /nobody attested it|attests the clock/);
  await stage.abandon({ present: { ana: "ceremony-administrator", eve: "internal-witness" } });
  assert.equal(stage.judge().open, null);
});
