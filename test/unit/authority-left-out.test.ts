/** People agreed to a step: the host says that it is done and leaves out what it made true. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { ACTIONS } from "../../src/actions/index.ts";
import { conformed, newest } from "../support/conformed.ts";
import { Hand } from "../support/hand.ts";
import { HONEST } from "../support/hand-steps.ts";
import { script, STEP, STEPS_TO } from "../support/stage-scripts.ts";
import { assertFound, believed, stageTests } from "../support/stage-tests.ts";

const LEFT_OUT = /no authority: it leaves out /;
const fork = await stageTests();

for (const [id, steps] of Object.entries(STEPS_TO)) {
  test(`C14: step ${id} is said to be done without any of its facts`, (t) => {
    const stage = fork(t);
    const hand = new Hand(stage, script(steps));
    for (const { id: before } of hand.recorded.steps) {
      if (before === id) break;
      hand.perform(before);
    }
    const before = believed(stage);
    assertFound(stage, hand.perform(id, { facts: [] }).completed, LEFT_OUT);
    assert.equal(believed(stage), before);
  });
}

test("C14: a token is initialized with one share set on record in the place of two", (t) => {
  const stage = fork(t);
  const hand = Hand.upTo(stage, script([STEP.initialize]), "roll-call");
  const { facts = [] } = HONEST["initialize"]?.(stage) ?? {};
  const few = facts.filter(({ purpose }) => purpose !== "security-officer");
  assertFound(stage, hand.perform("initialize", { facts: few }).completed, LEFT_OUT);
  assert.equal(stage.history.custody.tokens.size, 0);
});

test("C14: somebody whom people agreed to revoke stays on the roster: that does not conform", (t) => {
  const stage = fork(t);
  const hand = Hand.upTo(stage, script([STEP.revoke]), "roll-call");
  const { completed } = hand.perform("revoke", { facts: [] });
  const closed = hand.close();
  const { verdict, violations } = newest(conformed(stage));
  assert.equal(verdict, "DOES NOT CONFORM");
  assert.deepEqual(
    violations.map(({ code, step, seq }) => `${code} ${step ?? "-"} ${seq ?? "-"}`),
    [`authority revoke ${completed}`, `missing-step revoke ${closed}`],
  );
});

test("what a step owes hangs on what was agreed to, and is all it may establish when that cannot be read", () => {
  const owed = (name: string, params: object, intent: object): readonly string[] =>
    ACTIONS.find((action) => action.name === name)?.owed({ ...params }, { ...intent }) ?? [];
  const kek = { kek: "backup-kek", token: "alpha" };
  assert.deepEqual(owed("establish-kek", kek, { shareSet: null }), ["kek.established"]);
  assert.deepEqual(owed("rotate-kek", { ...kek, escrow: true }, { shareSet: {} }), [
    "share-set.made",
    "kek.established",
    "kek.escrowed",
  ]);
  assert.deepEqual(owed("load-kek", kek, { adopt: null }), ["kek.loaded"]);
  assert.deepEqual(owed("load-kek", kek, { adopt: {} }), ["kek.adopted", "kek.loaded"]);
  const everywhere = { key: "root-g1", everywhere: true };
  assert.deepEqual(owed("destroy-key", everywhere, { onToken: null }), ["key.destroyed"]);
  const there = { token: "alpha", keys: "root-g1" };
  assert.deepEqual(owed("destroy-key", there, { onToken: { count: 1 } }), ["copy.destroyed"]);
  assert.deepEqual(owed("destroy-key", there, { onToken: { count: 0 } }), []);
  assert.deepEqual(owed("load-kek", {}, {}), ["kek.adopted", "kek.loaded"]);
});
