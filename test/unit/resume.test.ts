/** Going on after an interruption: what was active, what is in doubt, and what is left, each in its turn. */

import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { ACTIONS } from "../../src/actions/index.ts";
import type { Conducted } from "../../src/ceremony/conduct.ts";
import { keysToMake, makeKeys, newDevice, type Cut, type Device } from "../support/make-keys.ts";
import { CAST, INITIALIZE, script, STEP } from "../support/stage-scripts.ts";
import { stageTests } from "../support/stage-tests.ts";
import type { Cast, Stage } from "../support/stage.ts";

const MAKE =
  "id: make, action: make-keys, by: [ceremony-administrator, internal-witness], with: { token: alpha, count: 8 }";
const YAML = script([STEP.activate, MAKE, STEP.deactivate]);
const fork = await stageTests();

/** The process is gone: nothing is recorded any more and nothing is caught. */
class PowerCut extends Error {
  override readonly name = "PowerCut";
}

/** A stage that knows `make-keys`, with a token of its own. */
async function ready(t: TestContext, device: Device): Promise<Stage> {
  const stage = fork(t);
  await stage.run(INITIALIZE, CAST);
  stage.actions = [...ACTIONS, makeKeys(device)];
  stage.judge();
  return stage;
}

/** Runs until the power goes; whatever the engine writes after that instant never reached the disk. */
async function cutOff(stage: Stage, device: Device, cut: Cut, yaml = YAML): Promise<void> {
  let size: number | undefined;
  device.cut = (at, item) => {
    try {
      cut(at, item);
    } catch (error) {
      size = stage.ledger.size;
      throw error;
    }
  };
  await assert.rejects(stage.run(yaml, CAST), PowerCut);
  device.cut = () => undefined;
  assert.ok(size !== undefined);
  stage.rewrite(stage.entries().slice(0, size));
}

/** Goes when the device has done with its nth item. */
function after(n: number): Cut {
  let count = 0;
  return (at) => {
    if (at === "acted" && (count += 1) === n) throw new PowerCut();
  };
}

const FINISH: Cast = { ...CAST, answers: { settle: "finish" } };
const UNDO: Cast = { ...CAST, answers: { settle: "undo" } };

function assertAllMadeOnce(stage: Stage, device: Device, conducted: Conducted): void {
  const { custody, findings, open } = stage.judge();
  assert.equal(open, null);
  assert.deepEqual(findings, []);
  assert.deepEqual(
    keysToMake(8).map(({ spki }) => [custody.keys.has(spki), device.made.get(spki)]),
    keysToMake(8).map(() => [true, 1]),
  );
  assert.equal(conducted.failure, undefined);
}

for (const n of [1, 3, 4, 8]) {
  test(`a batch cut off after item ${n} of 8 is finished: nothing twice, nothing missing`, async (t) => {
    const device = newDevice();
    const stage = await ready(t, device);
    await cutOff(stage, device, after(n));
    assert.equal(stage.history.open?.doubt?.id, "make");
    assert.equal(stage.history.open.doubt.done.size, Math.floor((n - 1) / 3) * 3);
    const conducted = await stage.resume(FINISH);
    assertAllMadeOnce(stage, device, conducted);
    const resumed = stage.history.ceremonies.at(-1);
    assert.equal(resumed?.resumptions, 1);
    assert.equal(resumed.state, "closed");
  });
}

test("a batch cut off before the device heard of its group is finished", async (t) => {
  const device = newDevice();
  const stage = await ready(t, device);
  await cutOff(stage, device, (at) => {
    if (at === "intended") throw new PowerCut();
  });
  assert.equal(stage.history.open?.doubt?.group?.items.length, 3);
  assertAllMadeOnce(stage, device, await stage.resume(FINISH));
});

test("a batch is cut off again while it is finished, and finished all the same", async (t) => {
  const device = newDevice();
  const stage = await ready(t, device);
  await cutOff(stage, device, after(4));
  let size = 0;
  const cut = after(1);
  device.cut = (at, item) => {
    size = stage.ledger.size;
    cut(at, item);
  };
  await assert.rejects(stage.resume(FINISH), PowerCut);
  device.cut = () => undefined;
  stage.rewrite(stage.entries().slice(0, size));
  assert.equal(stage.history.open?.doubt?.done.size, 3);
  assertAllMadeOnce(stage, device, await stage.resume(FINISH));
});

test("what is undone is performed anew, and what had an outcome stays", async (t) => {
  const device = newDevice();
  const stage = await ready(t, device);
  await cutOff(stage, device, after(2));
  assert.equal(device.objects.size, 2);
  device.made.clear();
  assertAllMadeOnce(stage, device, await stage.resume(UNDO));
  const codes = stage.entries().map(({ data }) => data["code"]);
  assert.ok(codes.includes("halted.undone"));
});

test("an undo that fails leaves the step in doubt, to be undone again", async (t) => {
  const device = newDevice();
  const stage = await ready(t, device);
  await cutOff(stage, device, after(2));
  device.made.clear();
  device.cut = (at) => {
    if (at === "undone") throw new PowerCut();
  };
  await assert.rejects(stage.resume(UNDO), PowerCut);
  device.cut = () => undefined;
  assert.ok(stage.judge().open?.unsettled.has("make"));
  assertAllMadeOnce(stage, device, await stage.resume(UNDO));
});

test("a step that failed after it had begun is finished when its cause is put right", async (t) => {
  const device = newDevice();
  const stage = await ready(t, device);
  device.refuses.add(keysToMake(8)[4]?.spki ?? "");
  await assert.rejects(stage.run(YAML, CAST), /CKR_DEVICE_ERROR/);
  assert.equal(stage.history.open?.doubt, null);
  assert.equal(stage.history.open.unsettled.get("make")?.done.size, 7);
  device.refuses.clear();
  assertAllMadeOnce(stage, device, await stage.resume(FINISH));
});

test("a room that stops, declines or mistypes loses nothing", async (t) => {
  const device = newDevice();
  const stage = await ready(t, device);
  await cutOff(stage, device, after(4));
  await assert.rejects(stage.resume(CAST), /stays as it was found/);
  await assert.rejects(
    stage.resume({ ...FINISH, agrees: ({ step, to }) => step !== "make" || to.person !== "eve" }),
    /eve declined step make/,
  );
  await assert.rejects(
    stage.resume({ ...FINISH, agrees: ({ step }) => step !== "resume" }),
    /declined step resume/,
  );
  await assert.rejects(
    stage.resume({ ...FINISH, passphrase: (who) => (who === "eve" ? "wrong" : `${who} drill`) }),
    /could not open their identity/,
  );
  assert.equal(device.objects.size, 4);
  assertAllMadeOnce(stage, device, await stage.resume(FINISH));
});

test("one person, or two who only look on, cannot resume", async (t) => {
  const device = newDevice();
  const stage = await ready(t, device);
  await cutOff(stage, device, after(4));
  const { size } = stage.ledger;
  for (const present of [
    { ana: "ceremony-administrator" },
    { olga: "auditor", xan: "external-witness" },
    { ana: "ceremony-administrator", olga: "auditor" },
    { ana: "ceremony-administrator", eve: "ceremony-administrator" },
  ]) {
    await assert.rejects(
      stage.resume({ ...FINISH, present }),
      /needs two different people|was not called to this ceremony/,
    );
    assert.equal(stage.judge().open?.resumptions, 0);
  }
  assert.ok(stage.ledger.size >= size);
  assertAllMadeOnce(stage, device, await stage.resume(FINISH));
});

test("tokens are activated anew by their own step before anything is settled", async (t) => {
  const device = newDevice();
  const stage = await ready(t, device);
  await cutOff(stage, device, after(4));
  await stage.resume(FINISH);
  const { asked } = stage.console;
  const activated = asked.findIndex((question) => question.startsWith("activate agree"));
  assert.ok(activated > 0);
  assert.ok(activated < asked.indexOf("make settle room"));
  assert.equal(
    stage.entries().filter(({ type, step }) => type === "step.completed" && step === "activate")
      .length,
    2,
  );
});

test("a step whose action cannot tell is not resumed: people are told to abandon", async (t) => {
  const device = newDevice();
  const stage = await ready(t, device);
  const { settle, ...stubborn } = { ...makeKeys(device), settles: false, settle: 0 };
  assert.equal(settle, 0);
  await cutOff(stage, device, after(4));
  stage.actions = [...ACTIONS, stubborn];
  await assert.rejects(
    stage.resume(FINISH),
    (error: Error & { hints?: readonly string[]; code?: string }) => {
      assert.match(error.message, /make-keys cannot tell what became of it/);
      assert.equal(error.code, "halted.in-doubt");
      assert.match(error.hints?.join("\n") ?? "", /--abandon/);
      return true;
    },
  );
  await stage.abandon({ present: { ana: "ceremony-administrator", eve: "internal-witness" } });
  assert.equal(stage.judge().open, null);
});

test("a ceremony that stopped between two steps goes on where it stopped", async (t) => {
  const stage = fork(t);
  const yaml = script([STEP.clock, STEP.deviation]);
  const answers = { rule: "the camera records", reason: "it was full" };
  let left = 2;
  await assert.rejects(
    stage.run(yaml, { ...CAST, answers }, { hall: { interrupted: () => (left -= 1) < 0 } }),
    /interrupted between two steps/,
  );
  await stage.resume({ ...CAST, answers });
  assert.equal(stage.judge().ceremonies.at(-1)?.state, "closed");
  assert.deepEqual(stage.findings, []);
  const completed = stage
    .entries()
    .filter(
      ({ type, ceremony }) =>
        type === "step.completed" && ceremony === stage.history.ceremonies.at(-1)?.id,
    );
  assert.deepEqual(
    completed.map(({ step }) => step),
    ["roll-call", "clock", "deviation"],
  );
});

test("somebody who carries a longer head stops the resumption", async (t) => {
  const device = newDevice();
  const stage = await ready(t, device);
  await cutOff(stage, device, after(1));
  const interrupted = stage.entries();
  await stage.resume(FINISH);
  stage.rewrite(interrupted);
  await assert.rejects(
    stage.resume(FINISH),
    /the head carried by ana has .* is the first missing one/,
  );
  assert.equal(stage.history.open?.resumptions, 0);
});
