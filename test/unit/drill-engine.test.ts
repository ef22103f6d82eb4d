/** A drill goes on after a failure: what is marked `always` is performed, the rest is left out on record. */

import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { ACTIONS } from "../../src/actions/index.ts";
import { defineAction, type StepProgress } from "../../src/ceremony/action.ts";
import { KeyriteError } from "../../src/lib/errors.ts";
import { z } from "../../src/lib/schema.ts";
import { conformed, newest } from "../support/conformed.ts";
import { keysToMake, makeKeys, newDevice, type Device } from "../support/make-keys.ts";
import { CAST, INITIALIZE, script, STEP } from "../support/stage-scripts.ts";
import { objections, stageTests } from "../support/stage-tests.ts";
import type { Stage } from "../support/stage.ts";

const TWO = "[ceremony-administrator, internal-witness]";
const MAKE = `id: make, action: make-keys, by: ${TWO}, with: { token: alpha, count: 4 }`;
const LOOK = "id: look, action: look-back, by: [ceremony-administrator], always: true";
const DRILL = script(
  [STEP.activate, MAKE, STEP.inspect, LOOK, `${STEP.deactivate}, always: true`],
  ["drill: true"],
);
const fork = await stageTests();

interface Drill {
  readonly stage: Stage;
  readonly device: Device;
  /** What `look-back` was told of the steps so far. */
  readonly seen: StepProgress[][];
}

async function drill(t: TestContext): Promise<Drill> {
  const stage = fork(t);
  await stage.run(INITIALIZE, CAST);
  const device = newDevice();
  const seen: StepProgress[][] = [];
  const lookBack = defineAction({
    name: "look-back",
    control: "single",
    params: () => z.strictObject({}),
    facts: [],
    instruction: () => "Look back.",
    forecast: () => ({}),
    run(_, room) {
      seen.push([...room.progress()]);
      return Promise.resolve({});
    },
  });
  stage.actions = [...ACTIONS, makeKeys(device), lookBack];
  stage.judge();
  return { stage, device, seen };
}

/** `step outcome code` of the newest ceremony. */
function outcomes(stage: Stage): readonly string[] {
  const { steps, progress } = stage.judge().ceremonies.at(-1) ?? assert.fail();
  return [...steps].map(([id, outcome]) =>
    `${id} ${outcome} ${progress.get(id)?.code ?? ""}`.trim(),
  );
}

test("a drill in which nothing fails ends without failure", async (t) => {
  const { stage } = await drill(t);
  const { failure } = await stage.run(DRILL, CAST);
  assert.equal(failure, undefined);
  assert.ok(outcomes(stage).every((outcome) => outcome.endsWith("completed")));
  assert.deepEqual(stage.findings, []);
});

test("a failed step of a drill: the rest is left out, what is always done is done, and it is closed", async (t) => {
  const { stage, device, seen } = await drill(t);
  device.refuses.add(keysToMake(4)[2]?.spki ?? "");
  const { failure } = await stage.run(DRILL, CAST);
  assert.equal(failure?.code, "hsm.call-failed");
  assert.deepEqual(outcomes(stage), [
    "roll-call completed",
    "activate completed",
    "make failed hsm.call-failed",
    "inspect refused halted.step-skipped",
    "look completed",
    "deactivate completed",
  ]);
  assert.equal(stage.history.ceremonies.at(-1)?.state, "closed");
  assert.deepEqual(stage.findings, []);
  const [progress = []] = seen;
  const make = progress.find(({ id }) => id === "make");
  assert.equal(make?.code, "hsm.call-failed");
  assert.match(make.message ?? "", /CKR_DEVICE_ERROR/);
  assert.ok(make.openedAt !== null && make.begunAt !== null && make.endedAt !== null);
  const look = progress.find(({ id }) => id === "look");
  assert.deepEqual([look?.outcome, look?.endedAt], ["begun", null]);
  assert.equal(
    progress.find(({ id }) => id === "deactivate"),
    undefined,
  );
});

test("a refused step of a drill stops no step that is always performed", async (t) => {
  const { stage, device } = await drill(t);
  const { failure } = await stage.run(DRILL, {
    ...CAST,
    agrees: ({ step, to }) => step !== "make" || to.person !== "eve",
  });
  assert.equal(failure?.code, "people.declined");
  assert.equal(device.objects.size, 0);
  assert.ok(outcomes(stage).includes("make refused people.declined"));
  assert.equal(stage.history.ceremonies.at(-1)?.state, "closed");
});

test("what is always performed may fail too, and the first failure is what the drill ends with", async (t) => {
  const { stage } = await drill(t);
  const { failure } = await stage.run(DRILL, {
    ...CAST,
    agrees: ({ step }) => step !== "activate" && step !== "look",
  });
  assert.match(failure?.message ?? "", /declined step activate/);
  assert.deepEqual(outcomes(stage), [
    "roll-call completed",
    "activate refused people.declined",
    "make refused halted.step-skipped",
    "inspect refused halted.step-skipped",
    "look refused people.declined",
    "deactivate refused script.refused",
  ]);
  assert.equal(stage.history.open, null);
});

test("outside a drill a failed step stops the ceremony", async (t) => {
  const { stage, device } = await drill(t);
  device.refuses.add(keysToMake(4)[2]?.spki ?? "");
  const yaml = script([STEP.activate, MAKE, STEP.deactivate]);
  await assert.rejects(stage.run(yaml, CAST), /CKR_DEVICE_ERROR/);
  assert.equal(stage.history.open?.steps.get("deactivate"), undefined);
});

test("a drill is not closed when it is interrupted or nobody cosigns", async (t) => {
  const { stage } = await drill(t);
  await assert.rejects(
    stage.run(DRILL, { ...CAST, agrees: ({ step }) => step !== "close" }),
    /people can cosign the head/,
  );
  assert.notEqual(stage.history.open, null);
});

test("a drill that was cut off goes on: what had failed is not repeated", async (t) => {
  const { stage, device } = await drill(t);
  device.refuses.add(keysToMake(4)[2]?.spki ?? "");
  let left = 3;
  const interrupted = (): boolean => (left -= 1) < 0;
  await assert.rejects(stage.run(DRILL, CAST, { hall: { interrupted } }), /interrupted/);
  assert.equal(stage.history.open?.steps.get("make"), "failed");
  device.refuses.clear();
  const { failure } = await stage.resume(CAST);
  assert.equal(failure?.code, "hsm.drill-failed");
  assert.match(failure.message, /make.*CKR_DEVICE_ERROR/);
  assert.ok(outcomes(stage).includes("inspect refused halted.step-skipped"));
  assert.equal(device.objects.size, 3);
  assert.equal(stage.history.ceremonies.at(-1)?.state, "closed");
});

const DEVICE_ERROR = new KeyriteError("hsm.call-failed", "CKR_DEVICE_ERROR");

/** Makes the device fail behind its work: at its nth item, and whenever something is taken back if asked. */
function failing(device: Device, nth: number, undoing = false): void {
  let acted = 0;
  device.cut = (at) => {
    if (at === "acted" && (acted += 1) === nth) throw DEVICE_ERROR;
    if (at === "undone" && undoing) throw DEVICE_ERROR;
  };
}

test("C03: what a failed step of a drill left is taken back before the drill goes on", async (t) => {
  const { stage, device } = await drill(t);
  failing(device, 2);
  const { failure } = await stage.run(DRILL, CAST);
  assert.equal(failure?.code, "hsm.call-failed");
  assert.equal(device.made.size, 2);
  assert.deepEqual([...device.objects], []);
  assert.deepEqual(stage.judge().findings, []);
  assert.equal(stage.history.custody.keys.size, 0);
  const make = outcomes(stage).find((one) => one.startsWith("make"));
  assert.equal(make, "make failed hsm.call-failed", "why it failed stays on record");
  assert.ok(stage.console.asked.filter((one) => one === "make agree eve").length === 2);
  const { verdict, violations } = newest(conformed(stage));
  assert.deepEqual([verdict, violations], ["CONFORMS WITH DEVIATIONS", []]);
});

test("C03, H02: a drill whose token does not answer stays open until what it left is settled", async (t) => {
  const { stage, device } = await drill(t);
  failing(device, 2, true);
  await assert.rejects(stage.run(DRILL, CAST), /CKR_DEVICE_ERROR/);
  assert.equal(device.objects.size, 2);
  assert.ok(stage.judge().open?.unsettled.has("make"));
  assert.equal(stage.history.open?.steps.has("inspect"), false, "nothing else is done before");
  await assert.rejects(stage.resume(CAST), /CKR_DEVICE_ERROR/);
  device.cut = () => undefined;
  const { failure } = await stage.resume(CAST);
  assert.equal(failure?.code, "hsm.drill-failed");
  assert.match(failure.message, /make.*CKR_DEVICE_ERROR/);
  assert.deepEqual([...device.objects], []);
  assert.deepEqual(stage.judge().findings, []);
  assert.ok(outcomes(stage).includes("make failed hsm.call-failed"));
  assert.ok(outcomes(stage).includes("inspect refused halted.step-skipped"));
  assert.ok(outcomes(stage).includes("look completed"));
  assert.equal(stage.history.ceremonies.at(-1)?.state, "closed");
});

test("always is of drills alone, and part of what people agree to", async (t) => {
  const { stage } = await drill(t);
  const [problem = ""] = objections(stage, DRILL.replace("drill: true", "drill: false"));
  assert.match(problem, /step "look" says always, but the script is no drill/);
  const with_ = stage.plan(DRILL);
  const without = stage.plan(
    DRILL.replace("[ceremony-administrator], always: true", "[ceremony-administrator]"),
  );
  const digests = [with_, without].map(
    ({ steps }) => steps.find(({ id }) => id === "look")?.sha256,
  );
  assert.notEqual(digests[0], digests[1]);
  assert.equal(with_.document["drill"], true);
});
