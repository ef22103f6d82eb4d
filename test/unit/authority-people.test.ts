/** People are counted, in the roles they hold and attend in: too few, too often or the wrong ones do not do. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Attending } from "../../src/ceremony/custody.ts";
import { sha256Hex } from "../../src/lib/encoding.ts";
import { as, Hand } from "../support/hand.ts";
import { script, STEP } from "../support/stage-scripts.ts";
import { assertFound, believed, stageTests } from "../support/stage-tests.ts";

const fork = await stageTests();

const one = (person: string, role: string): Attending => ({
  person,
  role: role as Attending["role"],
});
const ANA = as("ana");
const EVE = as("eve");

const WRONG: Readonly<Record<string, readonly [who: readonly Attending[], problem: RegExp]>> = {
  nobody: [[], /0 of 2 different people agreed/],
  "one person": [ANA, /1 of 2 different people agreed/],
  "one person twice": [[...ANA, ...ANA], /one person agreed twice/],
  "one person in both roles": [[...ANA, one("ana", "internal-witness")], /one person agreed twice/],
  "two people, but not in the roles of the step": [
    as("ana", "ben"),
    /nobody agreed as internal-witness/,
  ],
  "two people of one role": [as("ben", "cleo"), /nobody agreed as ceremony-administrator/],
  "a person in a role they do not hold": [
    [...ANA, one("ben", "internal-witness")],
    /ben attends as custodian/,
  ],
  "a person in another role than at the roll call": [
    [...ANA, ...EVE, one("ben", "security-officer")],
    /ben attends as custodian, not as security-officer/,
  ],
};

for (const [what, [who, problem]] of Object.entries(WRONG)) {
  test(`Q08: a dual step with the agreement of ${what} is given no authority`, (t) => {
    const stage = fork(t);
    const hand = Hand.upTo(stage, script([STEP.adopt]), "roll-call");
    const before = believed(stage);
    const { completed } = hand.perform("adopt", { who });
    assert.equal(believed(stage), before);
    assertFound(stage, completed, problem);
    assert.equal(believed(stage), before);
  });
}

test("Q08: the agreement of somebody who is not at the roll call voids a step", (t) => {
  const stage = fork(t);
  const hand = new Hand(stage, script([STEP.adopt]));
  const attending = as("ana", "ben", "cleo", "eve");
  hand.callRoll(attending);
  const before = believed(stage);
  const { completed } = hand.perform("adopt", { who: [...ANA, ...EVE, ...as("dan")] });
  assert.equal(believed(stage), before);
  assertFound(stage, completed, /dan is not at the roll call/);
});

const ALL = as("ana", "ben", "cleo", "dan", "eve");
const ROLLS: Readonly<
  Record<
    string,
    readonly [attending: readonly Attending[], who: readonly Attending[], problem: RegExp]
  >
> = {
  "on which one person did not sign": [ALL, as("ana", "ben", "cleo", "dan"), /eve did not agree/],
  "that nobody signed": [ALL, [], /0 of 2 different people agreed/],
  "that somebody signed who is not on it": [
    as("ana", "eve"),
    as("ana", "eve", "ben"),
    /ben is not at the roll call/,
  ],
  "of one person": [ANA, ANA, /1 of 2 different people agreed/],
  "with one person twice": [
    [...ALL, one("ana", "internal-witness")],
    ALL,
    /ana does not hold the role internal-witness|ana is on the roll twice/,
  ],
  "with one person twice in the same role": [[...ALL, ...ANA], ALL, /ana is on the roll twice/],
  "with somebody in a role they do not hold": [
    [...ANA, one("ben", "internal-witness")],
    [...ANA, one("ben", "internal-witness")],
    /ben does not hold the role internal-witness/,
  ],
  "with a stranger": [
    [...ALL, one("mallory", "custodian")],
    [...ALL, one("mallory", "custodian")],
    /mallory does not hold the role custodian/,
  ],
};

for (const [what, [attending, who, problem]] of Object.entries(ROLLS)) {
  test(`Q08: a roll call ${what} is no roll call`, (t) => {
    const stage = fork(t);
    const hand = new Hand(stage, script([STEP.adopt]));
    const before = believed(stage);
    const completed = hand.callRoll(attending, who);
    assert.equal(believed(stage), before);
    const step = hand.perform("adopt").completed;
    assert.equal(believed(stage), before);
    assertFound(stage, completed, problem);
    assertFound(stage, step, /is not at the roll call/);
  });
}

for (const [what, facts] of Object.entries({
  "somebody more": [...ALL, one("olga", "auditor")],
  "somebody less": as("ana", "ben", "eve"),
  "somebody in another role": [...as("ana", "ben", "cleo", "dan"), one("eve", "auditor")],
})) {
  test(`Q12: a roll with ${what} than was signed is no roll`, (t) => {
    const stage = fork(t);
    const hand = new Hand(stage, script([STEP.adopt]));
    const before = believed(stage);
    const completed = hand.callRoll(ALL, ALL, facts);
    assert.equal(believed(stage), before);
    assertFound(stage, completed, /no authority/);
  });
}

test("Q12: a roll called under another site.yaml than the plan's is no roll", (t) => {
  const stage = fork(t);
  const hand = new Hand(stage, script([STEP.adopt]));
  const before = believed(stage);
  const bindings = sha256Hex("another site.yaml");
  const people = ALL.map((person) => ({ ...person }));
  const data = { attending: people, heads: [], bindings, bindingsChange: [], tail: null };
  const facts = [{ kind: "people.present", attending: people, bindings }];
  const { completed } = hand.perform("roll-call", { who: ALL, data, facts });
  assert.equal(believed(stage), before);
  assertFound(stage, completed, /under another site\.yaml than the plan's/);
});

test("Q09: auditor and external witness authorise nothing, whatever the plan says", (t) => {
  for (const [onlooker, role] of [
    ["olga", "auditor"],
    ["xan", "external-witness"],
  ] as const) {
    const stage = fork(t);
    const yaml = script([STEP.adopt]);
    const hand = new Hand(stage, yaml, (plan) =>
      plan.replaceAll('or","internal-witness"]', `or","${role}"]`),
    );
    const attending = [...as("ana", "ben"), one(onlooker, role)];
    hand.callRoll(attending);
    assert.deepEqual(stage.findings, []);
    const before = believed(stage);
    const { completed } = hand.perform("adopt", { who: [...ANA, one(onlooker, role)] });
    assert.equal(believed(stage), before);
    assertFound(stage, completed, /1 of 2 different people agreed/);
  }
});
