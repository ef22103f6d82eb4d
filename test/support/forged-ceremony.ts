/** A ceremony that is written by hand, and what must be said of its forgeries. */

import assert from "node:assert/strict";
import { conformed, newest, violated } from "./conformed.ts";
import { Hand } from "./hand.ts";
import { HONEST } from "./hand-steps.ts";
import { script, STEP } from "./stage-scripts.ts";
import type { Stage } from "./stage.ts";

/** A ceremony of one step of each control. */
export const YAML = script([STEP.clock, STEP.attest, STEP.adopt, STEP.policy]);
/** Its steps, the close apart. */
export const ALL = ["roll-call", "clock", "attest", "adopt", "policy"];
/** The ceremony with these steps performed, all honest. */
export function performed(stage: Stage, steps: readonly string[] = ALL): Hand {
  const hand = new Hand(stage, YAML);
  for (const step of steps) hand.perform(step);
  return hand;
}

/** Asserts the verdict, and that these violations are named: `code step n seq`. */
export function refused(stage: Stage, ...named: readonly string[]): void {
  const found = violated(stage);
  for (const one of named)
    assert.ok(found.includes(one), `no "${one}" in ${JSON.stringify(found)}`);
  assert.equal(newest(conformed(stage)).verdict, "DOES NOT CONFORM");
  assert.equal(conformed(stage).verdict, "DOES NOT CONFORM");
}

/** Index of the entry that opened a step; what the step attaches stands between. */
export function openedBefore(stage: Stage, step: string, begun: number): number {
  return begun - 1 - (HONEST[step]?.(stage).attached ?? []).length;
}
