/** Adding an action is one definition and one line in a list: the engine learns nothing about it. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { ACTIONS } from "../../src/actions/index.ts";
import { defineAction } from "../../src/ceremony/action.ts";
import { tokenIsActive } from "../../src/ceremony/conditions.ts";
import { line } from "../../src/ceremony/words.ts";
import { z } from "../../src/lib/schema.ts";
import { Hand } from "../support/hand.ts";
import { CAST, INITIALIZE, script, STEP } from "../support/stage-scripts.ts";
import { assertFound, stageTests } from "../support/stage-tests.ts";
import type { Stage } from "../support/stage.ts";

/** Declares an exception for good: what an author writes, and no more. */
const waiveRule = defineAction({
  name: "waive-rule",
  control: "dual",
  params: () => z.strictObject({ token: line, rule: line }),
  facts: ["deviation.recorded"],
  instruction: (p) => `Waive ${p.rule} while token ${p.token} is active.`,
  requires: (p) => [tokenIsActive(p.token)],
  forecast: () => ({ reason: "planned" }),
  establishes: (p, { reason }) => [{ kind: "deviation.recorded", rule: p.rule, reason }],
  admits: (p, { reason }: { readonly reason: string }, fact) =>
    fact.kind === "deviation.recorded" && fact.rule === p.rule && fact.reason === reason,
  async subject(_, room) {
    const [first] = room.people.performers;
    assert.ok(first);
    const to = { person: first.person, name: first.card.name };
    const reason = await room.console.ask({ id: "reason", to, text: "why" });
    return { data: { reason }, shown: [`Reason: ${reason}`] };
  },
  run: (_, __, { subject }) => Promise.resolve(subject),
});

const WAIVE =
  "id: waive, action: waive-rule, by: [ceremony-administrator, internal-witness], with: { token: alpha, rule: no phones }";
const YAML = script([STEP.activate, WAIVE, STEP.deactivate]);
const fork = await stageTests();

/** The one line in the list; engine and verifier read it when they start. */
function teach(stage: Stage): void {
  stage.actions = [...ACTIONS, waiveRule];
  stage.judge();
}

test("a new action is planned, agreed to, performed, recorded and verified", async (t) => {
  const stage = fork(t);
  teach(stage);
  await stage.run(INITIALIZE, CAST);
  await stage.run(YAML, { ...CAST, answers: { reason: "the doctor is called" } });
  const completed = stage
    .entries()
    .find(({ step, type }) => step === "waive" && type === "step.completed");
  assert.deepEqual(completed?.facts, [
    { kind: "deviation.recorded", rule: "no phones", reason: "the doctor is called" },
  ]);
  assert.ok(stage.console.shown.includes("Waive no phones while token alpha is active."));
  stage.judge();
  assert.deepEqual(stage.findings, []);
  assert.equal(stage.history.ceremonies.at(-1)?.deviations, 1);
});

test("a new action's requirements, parameters and name are objected to like any other's", async (t) => {
  const stage = fork(t);
  teach(stage);
  await stage.run(INITIALIZE, CAST);
  const texts = (yaml: string): readonly string[] => {
    const planning = stage.planning(yaml);
    return planning.ok ? [] : planning.objections.map(({ text, hint }) => `${text} ${hint ?? ""}`);
  };
  assert.match(texts(script([WAIVE])).join(), /step waive: token alpha is not active by then/);
  assert.match(texts(YAML.replace("rule:", "rules:")).join(), /did you mean "rule"/);
  assert.match(
    texts(YAML.replace("waive-rule", "waive-rules")).join(),
    /did you mean "waive-rule"/,
  );
});

test("a new action's facts have no authority for a verifier that does not know it", async (t) => {
  const stage = fork(t);
  teach(stage);
  await stage.run(INITIALIZE, CAST);
  await stage.run(YAML, { ...CAST, answers: { reason: "none" } });
  const completed = stage
    .entries()
    .findIndex(({ step, type }) => step === "waive" && type === "step.completed");
  stage.actions = ACTIONS;
  stage.judge();
  assert.ok(stage.findings.some((finding) => finding.startsWith(`${completed} authority`)));
  assert.ok(stage.findings.some((finding) => finding.includes("there is no action waive-rule")));
  assert.equal(stage.history.ceremonies.at(-1)?.deviations, 0);
});

test("a new action cannot establish what it does not list, nor what it does not admit", (t) => {
  const stage = fork(t);
  teach(stage);
  const steps = [STEP.initialize, STEP.activate, WAIVE, STEP.deactivate];
  for (const [facts, problem] of [
    [
      [{ kind: "policy.adopted", sha256: "0".repeat(64) }],
      /waive-rule cannot establish policy.adopted/,
    ],
    [[{ kind: "deviation.recorded", rule: "no guns", reason: "r" }], /not what people agreed to/],
  ] as const) {
    const forked = stage.fork();
    t.after(() => {
      forked.remove();
    });
    forked.actions = stage.actions;
    forked.judge();
    const hand = Hand.upTo(forked, script(steps), "activate");
    const who = [
      { person: "ana", role: "ceremony-administrator" },
      { person: "eve", role: "internal-witness" },
    ] as const;
    const { completed } = hand.perform("waive", { who, data: { reason: "r" }, facts });
    assertFound(forked, completed, problem);
  }
});
