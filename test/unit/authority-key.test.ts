/** The public key on record is of the algorithm that people agreed to: nothing weaker stands under its name. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { sha256Hex } from "../../src/lib/encoding.ts";
import { Hand } from "../support/hand.ts";
import { HONEST } from "../support/hand-steps.ts";
import { softKey } from "../support/pki.ts";
import { script, STEP } from "../support/stage-scripts.ts";
import { assertFound, stageTests } from "../support/stage-tests.ts";
import type { Stage } from "../support/stage.ts";

const YAML = script([STEP.initialize, STEP.activate, STEP.generate, STEP.deactivate]);
const fork = await stageTests();

/** Generates a key of p-256, as agreed, and records this public key; returns the index of its outcome. */
function generated(stage: Stage, bytes: Uint8Array): number {
  const hand = Hand.upTo(stage, YAML, "activate");
  const { facts = [] } = HONEST["generate"]?.(stage) ?? {};
  const spki = sha256Hex(bytes);
  const attached = [{ mediaType: "application/pkix-spki", bytes }];
  const told = facts.map((fact) => ({ ...fact, spki }));
  return hand.perform("generate", { facts: told, attached }).completed;
}

test("a key of the algorithm that was agreed to is taken", (t) => {
  const stage = fork(t);
  generated(stage, softKey("p-256").spki);
  assert.deepEqual(stage.findings, []);
});

for (const [what, bytes] of [
  ["of another curve", softKey("p-384").spki],
  ["of another algorithm", softKey("ed25519").spki],
  ["that is none", new Uint8Array(8)],
] as const) {
  test(`Q12: the public key on record is one ${what}`, (t) => {
    const stage = fork(t);
    const said = /key\.generated is not taken: the attached public key is no p-256 key/;
    assertFound(stage, generated(stage, bytes), said);
    assert.equal(stage.history.custody.keys.size, 0);
  });
}
