/** The plan with which an open ceremony goes on: what people agreed to, or a refusal that names what to do. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { vocabularyOf } from "../../src/ceremony/action.ts";
import type { Hall } from "../../src/ceremony/hall.ts";
import { planOfOpen, rebuildPlan } from "../../src/ceremony/plan-rebuild.ts";
import type { Plan } from "../../src/ceremony/plan.ts";
import { fromUtf8, sha256Hex } from "../../src/lib/encoding.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { performed } from "../support/forged-ceremony.ts";
import { stageTests } from "../support/stage-tests.ts";
import type { Stage } from "../support/stage.ts";

const fork = await stageTests();
const ABANDON = "two people end the ceremony with keyrite run --abandon";

type Open = NonNullable<Stage["history"]["open"]>;

/** A stage with an open ceremony, and its plan on a hall that differs. */
function opened(stage: Stage): {
  readonly open: Open;
  readonly planWith: (hall?: Partial<Hall>, record?: Partial<Open>) => Plan;
} {
  performed(stage, ["roll-call", "clock"]);
  const { open } = stage.history;
  assert.ok(open);
  const planned = stage.ledger.attachment(open.plan?.sha256 ?? "")?.bytes ?? assert.fail("no plan");
  const { modules } = JSON.parse(fromUtf8(planned)) as { modules: Record<string, string> };
  const planWith = (hall: Partial<Hall> = {}, record: Partial<Open> = {}): Plan =>
    planOfOpen({ ...stage.hall(), ...hall }, stage.recorder(), { ...open, ...record }, modules);
  return { open, planWith };
}

const otherBuild = (stage: Stage): Pick<Hall, "software"> => ({
  software: { ...stage.hall().software, sha256: sha256Hex("another build") },
});
const without = (stage: Stage, name: string): Pick<Hall, "vocabulary"> => ({
  vocabulary: vocabularyOf(stage.actions.filter((action) => action.name !== name)),
});

test("on the same machine the plan is the recorded one, and nothing is amended", (t) => {
  const stage = fork(t);
  const { open, planWith } = opened(stage);
  const plan = planWith();
  assert.equal(plan.sha256, open.plan?.sha256);
  assert.equal(plan.amended, undefined);
});

test("with another build it is the recorded one too, and what differs is said", (t) => {
  const stage = fork(t);
  const { open, planWith } = opened(stage);
  const hall = otherBuild(stage);
  const plan = planWith(hall);
  assert.equal(plan.sha256, open.plan?.sha256);
  assert.equal(plan.amended?.software, hall.software.sha256);
});

test("with another build the sentences are those that people heard", (t) => {
  const stage = fork(t);
  const { open, planWith } = opened(stage);
  const vocabulary = vocabularyOf(
    stage.actions.map((action) => ({
      ...action,
      bind: (values: Parameters<typeof action.bind>[0]) => ({
        ...action.bind(values),
        instruction: "another sentence",
      }),
    })),
  );
  assert.equal(planWith({ ...otherBuild(stage), vocabulary }).sha256, open.plan?.sha256);
  assert.throws(() => planWith({ vocabulary }), { code: "ledger.damaged" });
});

test("a build without an action of the script cannot go on, and says which build can", (t) => {
  const stage = fork(t);
  const { open, planWith } = opened(stage);
  assert.throws(() => planWith({ ...otherBuild(stage), ...without(stage, "attest-clock") }), {
    code: "usage.refused",
    message: `this build of keyrite makes another plan of the script of ceremony ${open.id}`,
    hints: [`go on with the build it was begun with, or ${ABANDON}`],
  });
});

test("another plan from the very build that made it is damage", (t) => {
  const stage = fork(t);
  const { open, planWith } = opened(stage);
  assert.throws(() => planWith(without(stage, "attest-clock")), {
    code: "ledger.damaged",
    message: `another plan than the recorded one comes out of the script of ceremony ${open.id}`,
    hints: [ABANDON],
  });
});

test("a plan or a script that the ledger does not hold is damage", (t) => {
  const stage = fork(t);
  const { open, planWith } = opened(stage);
  const { plan } = open;
  assert.ok(plan);
  const gone = sha256Hex("gone");
  for (const record of [
    { plan: undefined },
    { plan: { ...plan, sha256: gone } },
    { plan: { ...plan, script: { ...plan.script, sha256: gone } } },
  ] as readonly Partial<Open>[]) {
    assert.throws(() => planWith({}, record), {
      code: "ledger.damaged",
      message: `the plan of ceremony ${open.id} is missing`,
    });
  }
});

test("a document that is none makes no plan, and one without sentences has our own", (t) => {
  const stage = fork(t);
  const { planWith } = opened(stage);
  const { script, document, sha256 } = planWith();
  const { vocabulary } = stage.hall();
  const rebuilt = (change: JsonObject): Plan | undefined =>
    rebuildPlan(script, { ...document, ...change }, vocabulary, "recorded");
  assert.equal(rebuilt({ params: [] }), undefined);
  assert.equal(rebuilt({ modules: "none" }), undefined);
  assert.deepEqual(rebuilt({ modules: { alpha: 7, beta: "x" } })?.modules, {
    alpha: "",
    beta: "x",
  });
  for (const steps of ["none", [], [{ instruction: 7 }, null]]) {
    assert.equal(rebuilt({ steps })?.sha256, sha256);
  }
});
