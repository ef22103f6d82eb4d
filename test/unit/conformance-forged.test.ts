/**
 * Ledgers that the owner of the host wrote with the ledger's own key, without following the engine's rules:
 * none conforms, and ceremony, step and entry are named.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { sha256Hex } from "../../src/lib/encoding.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { conformed, newest } from "../support/conformed.ts";
import { ALL, openedBefore, performed, refused, YAML } from "../support/forged-ceremony.ts";
import { as, Hand } from "../support/hand.ts";
import { HONEST } from "../support/hand-steps.ts";
import { script, STEP } from "../support/stage-scripts.ts";
import { stageTests } from "../support/stage-tests.ts";

const fork = await stageTests();

test("what is written by hand, but as the script says, conforms: the forgeries differ in one thing", (t) => {
  const stage = fork(t);
  performed(stage).close();
  const report = conformed(stage);
  assert.equal(report.verdict, "CONFORMS", JSON.stringify(newest(report), null, 1));
  assert.deepEqual(report.violations, []);
  assert.deepEqual(
    newest(report).steps.map(({ id, outcome }) => `${id} ${outcome}`),
    [...ALL.map((id) => `${id} completed`), "close closed"],
  );
});

for (const left of ALL) {
  test(`C14: step ${left} is missing`, (t) => {
    const stage = fork(t);
    const hand = performed(
      stage,
      ALL.filter((step) => step !== left),
    );
    const closed = hand.close();
    refused(stage, `missing-step ${left} ${ALL.indexOf(left) + 1} ${closed}`);
  });
}

test("C14: all steps are missing", (t) => {
  const stage = fork(t);
  const closed = performed(stage, []).close();
  refused(stage, ...ALL.map((step, index) => `missing-step ${step} ${index + 1} ${closed}`));
});

for (const [first, second] of [
  ["clock", "attest"],
  ["attest", "adopt"],
  ["adopt", "policy"],
] as const) {
  test(`C14: steps ${first} and ${second} are performed the other way round`, (t) => {
    const stage = fork(t);
    const at = ALL.indexOf(first);
    const hand = performed(stage, ALL.slice(0, at));
    const { begun } = hand.perform(second);
    hand.perform(first);
    for (const step of ALL.slice(at + 2)) hand.perform(step);
    hand.close();
    refused(stage, `reordered-step ${second} ${at + 2} ${openedBefore(stage, second, begun)}`);
  });
}

for (const step of ALL) {
  test(`C14: step ${step} is performed twice`, (t) => {
    const stage = fork(t);
    const hand = performed(stage, ALL);
    const { begun, completed } = hand.perform(step);
    hand.close();
    const n = ALL.indexOf(step) + 1;
    const opened = openedBefore(stage, step, begun);
    refused(stage, `repeated-step ${step} ${n} ${opened}`, `authority ${step} ${n} ${completed}`);
  });
}

test("C14: a step that the plan does not have", (t) => {
  const stage = fork(t);
  const hand = performed(stage);
  const opened = hand.append({
    type: "step.opened",
    step: "extra",
    data: {
      purpose: "step",
      n: 9,
      step: "0".repeat(64),
      nonce: "1".repeat(32),
      subject: null,
      shown: [],
    },
  });
  const refusal = hand.append({ type: "step.refused", outcome: "refused", step: "extra" });
  hand.close();
  refused(stage, `extra-step extra - ${opened}`, `extra-step extra - ${refusal}`);
});

test("a statement in the name of nobody, or of somebody who was not called so", (t) => {
  for (const stated of [
    [],
    [{ person: "ben", role: "custodian" } as const],
    [{ person: "zoe", role: "internal-witness" } as const],
  ]) {
    const stage = fork(t);
    const hand = performed(stage, ["roll-call", "clock"]);
    const { completed } = hand.perform("attest", { stated });
    hand.perform("adopt");
    hand.perform("policy");
    hand.close();
    refused(stage, `roles attest 3 ${completed}`);
  }
});

test("a step that is opened and left without an outcome", (t) => {
  const stage = fork(t);
  const hand = performed(stage, ["roll-call", "clock"]);
  hand.open("attest");
  const { begun } = hand.perform("attest");
  hand.perform("adopt");
  hand.perform("policy");
  hand.close();
  refused(stage, `order attest 3 ${begun - 1}`);
});

test("a step that is refused after it was completed, and one that is left out as in a drill", (t) => {
  const stage = fork(t);
  const hand = performed(stage, ALL.slice(0, -1));
  const over = hand.append({ type: "step.refused", outcome: "refused", step: "adopt" });
  const data = { n: 5, code: "halted.step-skipped", message: "left out" };
  const skipped = hand.append({ type: "step.refused", outcome: "refused", step: "policy", data });
  const closed = hand.close();
  refused(
    stage,
    `order adopt 4 ${over}`,
    `missing-step policy 5 ${skipped}`,
    `missing-step policy 5 ${closed}`,
  );
});

test("a close that lies about custody, and one in another step", (t) => {
  const stage = fork(t);
  const custody = sha256Hex("another custody");
  const hand = performed(stage);
  const closed = hand.append({ type: "ceremony.closed", step: "policy", data: { custody } });
  hand.cosign(["ana", "ben", "cleo", "dan", "eve"]);
  refused(stage, `custody policy 5 ${closed}`, `order close 6 ${closed}`);
  const { custody: stated } = newest(conformed(stage));
  assert.deepEqual([stated?.claimed, stated?.agrees], [custody, false]);
  assert.notEqual(stated?.derived, custody);
});

test("fewer people at the roll call than the script wants", (t) => {
  const stage = fork(t);
  const hand = new Hand(stage, YAML);
  const who = as("ana", "ben", "eve");
  const honest = HONEST["roll-call"]?.(stage) ?? assert.fail();
  const few = (one: JsonObject): JsonObject => ({ ...one, attending: who.map((a) => ({ ...a })) });
  hand.perform("roll-call", { who, data: few(honest.data ?? {}), facts: honest.facts.map(few) });
  for (const step of ALL.slice(1)) hand.perform(step);
  const closed = hand.close(["ana", "ben", "eve"]);
  refused(stage, `roles - - ${closed}`);
  assert.deepEqual(
    newest(conformed(stage)).roles.find(({ role }) => role === "custodian"),
    { role: "custodian", needed: 3, present: 1 },
  );
});

test("C14: what was slipped into a ceremony is not among the entries that the next one adopts", (t) => {
  const stage = fork(t);
  const hand = performed(stage);
  const facts = [{ kind: "policy.adopted", sha256: "0".repeat(64) }];
  const slipped = stage.append({ type: "step.completed", description: "Adopted.", facts });
  hand.close();
  const from = stage.history.size;
  stage.append({ type: "auth.failed", outcome: "failure", description: "Noise." });
  const next = new Hand(stage, script([STEP.clock]));
  next.perform("roll-call");
  const adopted = next.adoptTail(from, from + 1);
  next.perform("clock");
  next.close();
  assert.ok(stage.findings.every((finding) => !finding.startsWith(`${adopted} `)));
  const report = conformed(stage);
  assert.deepEqual(new Set(report.violations.map(({ seq }) => seq)), new Set([slipped]));
  assert.equal(report.verdict, "DOES NOT CONFORM");
});

test("C14: no amount of adopted noise hides a ceremony of another script", (t) => {
  const stage = fork(t);
  const from = stage.history.size;
  for (let n = 0; n < 1001; n += 1) {
    stage.append({ type: "step.refused", outcome: "refused", description: "Noise." });
  }
  const hand = new Hand(stage, script([STEP.clock]), undefined, { title: "Nothing much" });
  hand.perform("roll-call");
  hand.adoptTail(from, from + 1001);
  hand.perform("clock");
  hand.close();
  refused(stage, `script - - ${from + 1001}`);
});
