/** The owner of the host signs entries with the ledger's key: order is all that this key can say. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject } from "../../src/lib/json.ts";
import { sha256Hex } from "../../src/lib/encoding.ts";
import { cardDigest, formatCard } from "../../src/people/card.ts";
import { ENTRY_TYPES, type EntryType } from "../../src/ledger/entry.ts";
import type { Attached } from "../../src/ceremony/recorder.ts";
import { Hand } from "../support/hand.ts";
import { HONEST, type HandStep } from "../support/hand-steps.ts";
import { makePerson } from "../support/identities.ts";
import { script, STEP } from "../support/stage-scripts.ts";
import { assertFound, believed, stageTests } from "../support/stage-tests.ts";
import type { Stage } from "../support/stage.ts";

const JOB = script([STEP.clock, STEP.initialize, STEP.activate, STEP.generate, STEP.deactivate]);
const replaced = await makePerson("ana", "test", "another stick");

// Everything that the forged facts build on is there: authority is all they lack.
const fork = await stageTests((stage) => {
  stage.clock.time += 60_000;
  Hand.upTo(stage, JOB, "deactivate").close();
});

interface Forgery {
  readonly step: string;
  /** Steps of a script in which the forgery could have come about. */
  readonly steps: readonly string[];
  readonly change?: JsonObject;
  readonly attached?: readonly Attached[];
}

const TWO_PEOPLE = [
  { person: "ana", role: "ceremony-administrator" },
  { person: "eve", role: "internal-witness" },
];

const FORGERIES: Readonly<Record<string, Forgery>> = {
  "an enrolment": { step: "enroll", steps: [STEP.enroll] },
  "a replaced identity": {
    step: "enroll",
    steps: [STEP.enroll],
    change: { person: "ana", card: cardDigest(replaced.card) },
    attached: [{ mediaType: "application/json", bytes: formatCard(replaced.card) }],
  },
  "a share set": {
    step: "initialize",
    steps: [STEP.initialize.replaceAll("alpha", "beta")],
    change: { set: "sother" },
  },
  "a policy": { step: "policy", steps: [STEP.policy] },
  "a token": { step: "adopt", steps: [STEP.adopt] },
  "a key": {
    step: "generate",
    steps: [STEP.activate, STEP.generate.replace("root-g1", "other"), STEP.deactivate],
    change: { spki: sha256Hex("another key"), label: "other" },
  },
  "a certificate": { step: "certify", steps: [STEP.activate, STEP.certify, STEP.deactivate] },
  "a roll call": {
    step: "roll-call",
    steps: [STEP.clock],
    change: { attending: TWO_PEOPLE, bindings: sha256Hex("other bindings") },
  },
  "an active token": { step: "activate", steps: [STEP.activate, STEP.deactivate] },
  "an attested clock": { step: "clock", steps: [STEP.clock] },
  "a deviation": { step: "deviation", steps: [STEP.deviation] },
};

function forged(stage: Stage, { step, change, attached }: Omit<Forgery, "steps">): HandStep {
  const honest = HONEST[step]?.(stage);
  const fact = honest?.facts.at(-1);
  assert.ok(honest !== undefined && fact !== undefined);
  return {
    ...honest,
    who: [],
    facts: [{ ...fact, ...change }],
    attached: attached ?? honest.attached ?? [],
  };
}

for (const [what, forgery] of Object.entries(FORGERIES)) {
  test(`${what} in an entry that the ledger's key alone signed is given no authority`, (t) => {
    const stage = fork(t);
    const before = believed(stage);
    const { facts, attached = [] } = forged(stage, forgery);
    const description = "Agreed by all.";
    const alone = stage.append({ type: "step.completed", description, facts }, attached);
    assert.equal(believed(stage), before);
    assertFound(stage, alone, /authority: .* belongs to no ceremony that is open/);
    assert.equal(believed(stage), before);
  });

  test(`${what} at the end of a forged ceremony is given no authority`, (t) => {
    const stage = fork(t);
    const before = believed(stage);
    const hand = new Hand(stage, script(forgery.steps));
    const { completed } = hand.perform(forgery.step, forged(stage, forgery));
    assert.equal(believed(stage), before);
    assertFound(stage, completed, /authority: .* no authority: 0 of 2 different people agreed/);
    assert.equal(believed(stage), before);
  });
}

for (const type of ENTRY_TYPES.filter((t) => t !== "step.completed" && t !== "ledger.created")) {
  test(`facts in an entry of type ${type} are a finding and nothing else`, (t) => {
    const stage = fork(t);
    const before = believed(stage);
    const { facts, attached = [] } = forged(stage, { step: "enroll" });
    const seq = stage.append({ type, description: "By hand.", facts }, attached);
    assert.equal(believed(stage), before);
    assertFound(stage, seq, /authority: .* claims facts, which it cannot establish/);
  });
}

test("a second founding is void", (t) => {
  const stage = fork(t);
  const before = believed(stage);
  const [first] = stage.entries();
  assert.ok(first);
  const { description, agreements, facts, data } = first;
  const type: EntryType = "ledger.created";
  const seq = stage.append({ type, description, agreements, facts, data });
  const { attached = [] } = forged(stage, { step: "policy" });
  const more = [...facts, { kind: "policy.adopted", sha256: sha256Hex(attached[0]?.bytes ?? "") }];
  stage.append({ type, description, agreements, facts: more, data }, attached);
  assert.equal(believed(stage), before);
  assertFound(stage, seq, /authority: .* founding is void: it is not entry 0/);
  assertFound(stage, seq + 1, /authority: .* founding is void: it is not entry 0/);
});
