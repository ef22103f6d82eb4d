/** Ceremonies that two people went on with, written by hand as the engine would: all of it is believed, by both verifiers. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { sha256Hex } from "../../src/lib/encoding.ts";
import { as, Hand } from "../support/hand.ts";
import { HONEST } from "../support/hand-steps.ts";
import { script, STEP } from "../support/stage-scripts.ts";
import { assertFound, stageTests } from "../support/stage-tests.ts";

const DAY = 24 * 3600 * 1000;
const YAML = script([STEP.clock, STEP.deviation]);
const fork = await stageTests();

/** Two people go on at a step, with this build; returns the index of the entry. */
function resume(hand: Hand, id: string, software = hand.recorded.software): number {
  const { bindings } = hand.stage.hall();
  const data = { finding: ["stopped"], doubt: null, software, bindings: bindings.sha256 };
  const opening = hand.open(id, { data, purpose: "resume" });
  const agreements = as("ana", "eve").map(({ person, role }) =>
    hand.sign(opening, person, role, { software }),
  );
  return hand.append({ type: "plan.amended", step: id, agreements, data });
}

test("with another build, which every later agreement names", (t) => {
  const stage = fork(t);
  const software = sha256Hex("another build");
  const hand = Hand.upTo(stage, YAML, "clock");
  resume(hand, "deviation", software);
  const { data = {}, facts = [], who = [] } = HONEST["deviation"]?.(stage) ?? {};
  const opening = hand.open("deviation", { data });
  const notes = who.map(({ person, role }) => hand.sign(opening, person, role, { software }));
  hand.begin(opening, notes);
  hand.complete(opening, facts);
  hand.close();
  assert.deepEqual(stage.findings, []);
  assert.equal(stage.history.ceremonies.at(-1)?.state, "closed");
});

test("Q11: with another build, an agreement that names the one before counts for nothing", (t) => {
  const stage = fork(t);
  const hand = Hand.upTo(stage, YAML, "clock");
  resume(hand, "deviation", sha256Hex("another build"));
  const { begun } = hand.perform("deviation");
  assertFound(stage, begun, /for another build of the software/);
});

test("before the roll was called to its end, which is called anew", (t) => {
  const stage = fork(t);
  const hand = new Hand(stage, YAML);
  const { data = {}, who = [] } = HONEST["roll-call"]?.(stage) ?? {};
  const opening = hand.open("roll-call", { data });
  hand.begin(
    opening,
    who.map(({ person, role }) => hand.sign(opening, person, role)),
  );
  resume(hand, "roll-call");
  for (const id of ["roll-call", "clock", "deviation"]) hand.perform(id);
  hand.close();
  assert.deepEqual(stage.findings, []);
});

test("after more than thirty days, when the clock is attested once more", (t) => {
  const stage = fork(t);
  const hand = Hand.upTo(stage, YAML, "clock");
  stage.clock.time += 31 * DAY;
  resume(hand, "deviation");
  for (const id of ["clock", "deviation"]) hand.perform(id);
  hand.close();
  assert.deepEqual(stage.findings, []);
});
