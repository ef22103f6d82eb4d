/** Courses of a ceremony that a verdict has to tell apart: how it was opened, and how it was given up. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { ACTIONS } from "../../src/actions/index.ts";
import type { Exception } from "../../src/ceremony/conformance.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { conformed, newest } from "../support/conformed.ts";
import { performed, refused, YAML } from "../support/forged-ceremony.ts";
import { as, Hand } from "../support/hand.ts";
import { HONEST } from "../support/hand-steps.ts";
import { makeKeys, newDevice } from "../support/make-keys.ts";
import { CAST, INITIALIZE, script, STEP } from "../support/stage-scripts.ts";
import { stageTests } from "../support/stage-tests.ts";
import type { Stage } from "../support/stage.ts";

const TWO = "[ceremony-administrator, internal-witness]";
const GIVE_UP = { present: { ana: "ceremony-administrator", eve: "internal-witness" } };
const fork = await stageTests();

function texts(stage: Stage, kind: Exception["kind"]): readonly string[] {
  const { exceptions, violations } = newest(conformed(stage));
  assert.deepEqual(violations, []);
  return exceptions.filter((one) => one.kind === kind).map(({ text }) => text);
}

test("C14: a step that is opened with the digest of another", (t) => {
  const stage = fork(t);
  const hand = performed(stage, ["roll-call"]);
  const nonce = "1".repeat(32);
  const data = { purpose: "step", n: 2, step: "0".repeat(64), nonce, subject: null, shown: [] };
  const opened = hand.append({ type: "step.opened", outcome: "pending", step: "clock", data });
  refused(stage, `plan clock 2 ${opened}`);
});

test("an entry of a type that no engine writes into a ceremony", (t) => {
  const stage = fork(t);
  const hand = performed(stage, ["roll-call"]);
  refused(stage, `order clock 2 ${hand.append({ type: "clock.attested", step: "clock" })}`);
});

test("C17: an opening that quotes an older head of this very ledger deviates", async (t) => {
  const stage = fork(t);
  const older = stage.history.cosigned;
  await stage.run(script([STEP.clock]), CAST);
  const { cosigned } = stage.history;
  const hand = new Hand(stage, script([STEP.clock]), undefined, {
    previous: stage.ledger.checkpoint(older) ?? assert.fail("no checkpoint"),
  });
  hand.perform("roll-call");
  hand.perform("clock");
  hand.close();
  assert.deepEqual(texts(stage, "older-head"), [
    `it quotes the head of size ${older}, the newest cosigned one is of size ${cosigned}`,
  ]);
  assert.equal(newest(conformed(stage)).verdict, "CONFORMS WITH DEVIATIONS");
});

test("a ceremony that ended before anything had begun says why", (t) => {
  const stage = fork(t);
  const hand = new Hand(stage, YAML);
  const data = { reason: "nobody attends as custodian" };
  hand.append({ type: "ceremony.abandoned", outcome: "refused", data });
  assert.deepEqual(texts(stage, "abandonment"), [
    "it was ended before anything had begun: nobody attends as custodian",
  ]);
});

test("an abandoned ceremony names the steps that were not performed, as runs", async (t) => {
  const stage = fork(t);
  const stop = { ...CAST, answers: { again: "stop" } };
  await assert.rejects(stage.run(YAML, { ...stop, agrees: ({ step }) => step !== "adopt" }));
  await stage.abandon(GIVE_UP);
  assert.deepEqual(texts(stage, "abandonment"), ["it was abandoned; not performed: steps 4 to 5"]);
});

test("what an abandoned ceremony left in doubt was never settled", async (t) => {
  const stage = fork(t);
  await stage.run(INITIALIZE, CAST);
  const device = newDevice();
  stage.actions = [...ACTIONS, makeKeys(device)];
  stage.judge();
  let size = 0;
  device.cut = (at) => {
    if (at !== "acted") return;
    size = stage.ledger.size;
    throw new Error("the power is gone");
  };
  const make = `id: make, action: make-keys, by: ${TWO}, with: { token: alpha, count: 4 }`;
  await assert.rejects(stage.run(script([STEP.activate, make, STEP.deactivate]), CAST));
  stage.rewrite(stage.entries().slice(0, size));
  await stage.abandon(GIVE_UP);
  const begun = stage.entries().find(({ type, step }) => type === "step.begun" && step === "make");
  assert.deepEqual(texts(stage, "doubt"), [
    `step 3 (make), begun at entry ${begun?.seq ?? -1}, was never settled`,
  ]);
  assert.deepEqual(texts(stage, "abandonment"), ["it was abandoned; not performed: steps 3 to 4"]);
});

/** A ceremony whose step `adopt` has begun, honestly, and has no outcome. */
function inDoubt(stage: Stage): { hand: Hand; begun: number; intent: JsonObject } {
  const hand = performed(stage, ["roll-call", "clock", "attest"]);
  const { data = {}, who = [], attached = [] } = HONEST["adopt"]?.(stage) ?? {};
  const opening = hand.open("adopt", { data });
  for (const one of attached) hand.attach(one);
  const notes = who.map(({ person, role }) => hand.sign(opening, person, role));
  return { hand, begun: hand.begin(opening, notes), intent: data };
}

const REFUSAL = { type: "step.refused", outcome: "refused", step: "adopt" } as const;

test("C14: a step is refused after it had begun", (t) => {
  const stage = fork(t);
  const over = inDoubt(stage).hand.append(REFUSAL);
  refused(stage, `order adopt 4 ${over}`);
  const { violations } = newest(conformed(stage));
  assert.ok(violations.some(({ text }) => text === "step 4 is refused after it had begun"));
});

test("what a refused look after a failed step leaves is the failure", (t) => {
  const stage = fork(t);
  const { hand } = inDoubt(stage);
  const data = { n: 4, code: "hsm.token-absent", message: "the token is gone" };
  hand.append({ type: "step.failed", outcome: "failure", step: "adopt", data });
  hand.append({ ...REFUSAL, data: { n: 4, code: "hsm.token-absent", message: "still gone" } });
  assert.deepEqual(texts(stage, "failure"), ["step 4 failed: hsm.token-absent: the token is gone"]);
  assert.deepEqual(texts(stage, "refusal"), ["step 4 was refused: hsm.token-absent: still gone"]);
  const adopt = newest(conformed(stage)).steps.find(({ id }) => id === "adopt");
  assert.equal(adopt?.outcome, "failed");
});

test("a decision about a step in doubt that was not taken leaves it in doubt", (t) => {
  const stage = fork(t);
  const { hand } = inDoubt(stage);
  hand.open("adopt", { data: {}, purpose: "undo", decision: "undo" });
  hand.append({ ...REFUSAL, data: { n: 4, code: "people.declined", message: "eve declined" } });
  assert.deepEqual(texts(stage, "refusal"), [
    "a decision to undo was not taken: people.declined: eve declined",
  ]);
});

for (const [decision, kind] of [
  ["undo", "undone"],
  ["finish", "finished"],
] as const) {
  test(`a decision to ${decision} what a step had left is named with who took it`, (t) => {
    const stage = fork(t);
    const { hand, ...doubt } = inDoubt(stage);
    const data = { ...doubt, settled: {} };
    const opening = hand.open("adopt", { data, purpose: decision, decision });
    const people = as("ana", "eve");
    const notes = people.map(({ person, role }) => hand.sign(opening, person, role));
    hand.begin(opening, notes, { data: { n: 4, decision, ...data } });
    assert.deepEqual(texts(stage, kind), [
      `two people decided to ${decision} what step 4 had left`,
    ]);
    const { exceptions } = newest(conformed(stage));
    const found = exceptions.find((one) => one.kind === kind);
    assert.deepEqual(
      found?.people.map(({ person }) => person),
      ["ana", "eve"],
    );
  });
}
