/** What the policy forbids, and a host whose engine did not ask: it is agreed to, done and on record. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Fact } from "../../src/ceremony/facts.ts";
import { readPolicy } from "../../src/ceremony/policy.ts";
import { againstPolicy } from "../../src/ceremony/policy-facts.ts";
import { sha256Hex, utf8 } from "../../src/lib/encoding.ts";
import { conformed, newest } from "../support/conformed.ts";
import { Hand } from "../support/hand.ts";
import { script, STEP } from "../support/stage-scripts.ts";
import { POLICY } from "../support/stage-site.ts";
import { assertFound, stageTests } from "../support/stage-tests.ts";
import type { Stage } from "../support/stage.ts";

const fork = await stageTests();

/** Adopts the policy with `to` in the place of `from`, then performs what a plan under the old one foresaw. */
function under(stage: Stage, from: string, to: string, steps: readonly string[]): Hand {
  const bytes = utf8(POLICY.replace(from, to));
  const sha256 = sha256Hex(bytes);
  const hand = Hand.upTo(stage, script([STEP.policy, ...steps]), "roll-call");
  hand.perform("policy", {
    data: { sha256, text: "the new policy" },
    facts: [{ kind: "policy.adopted", sha256 }],
    attached: [{ mediaType: "application/yaml", bytes }],
  });
  return hand;
}

const OTHER_MAKER = ['"Keyrite tests"', '"Example"'] as const;

test("Q10: a key of an algorithm that the policy does not allow", (t) => {
  const stage = fork(t);
  const steps = [STEP.initialize, STEP.activate, STEP.generate, STEP.deactivate];
  const hand = under(stage, "[p-256, p-384]", "[p-384]", steps);
  for (const step of ["initialize", "activate"]) hand.perform(step);
  const { completed } = hand.perform("generate");
  assertFound(stage, completed, /key\.generated is not taken: the policy does not allow p-256/);
  hand.perform("deactivate");
  hand.close();
  assert.equal(newest(conformed(stage)).verdict, "DOES NOT CONFORM");
});

test("Q10: a token that is not on the policy's list, adopted", (t) => {
  const stage = fork(t);
  const { completed } = under(stage, ...OTHER_MAKER, [STEP.adopt]).perform("adopt");
  assertFound(stage, completed, /token\.bound is not taken: .* is not on the policy's list/);
});

test("Q10: a token that is not on the policy's list, initialized", (t) => {
  const stage = fork(t);
  const { completed } = under(stage, ...OTHER_MAKER, [STEP.initialize]).perform("initialize");
  assertFound(stage, completed, /token\.bound is not taken: .* is not on the policy's list/);
});

test("Q10: share sets of which fewer open than the policy wants", (t) => {
  const stage = fork(t);
  const weak = "activation: { threshold: 2, holders: 3 }, security-officer: { threshold: 2";
  const strong = "activation: { threshold: 2, holders: 3 }, security-officer: { threshold: 3";
  const { completed } = under(stage, weak, strong, [STEP.initialize]).perform("initialize");
  const said = /share-set\.made is not taken: the policy wants 3 of 3 shares, it is made of 2 of 3/;
  assertFound(stage, completed, said);
});

const POLICY_ONE = readPolicy(utf8(POLICY), "policy.yaml");
const SHARES = {
  ...{ kind: "share-set.made", set: "skek", generation: 1, token: "alpha" },
  ...{ sha256: "0".repeat(64), sealed: "0".repeat(64) },
};
const KEK = {
  ...{ kind: "kek.established", kek: "backup-kek", generation: 1, token: "alpha", ckaId: "07" },
  ...{ checkValue: "0".repeat(16), envelopes: [] },
};
const TOKEN = {
  ...{ kind: "token.bound", token: "alpha", module: "0".repeat(64), serial: "1", label: "alpha" },
  ...{ manufacturer: "Keyrite tests", model: "fake", firmware: "1", activation: "sealed" },
};

/** Facts, with what the policy says of them. */
const RULES: readonly (readonly [string, object, string | undefined])[] = [
  ["an escrowed KEK", { ...KEK, mode: "escrowed" }, "the policy forbids an escrowed KEK"],
  ["a KEK that stays inside", { ...KEK, mode: "hsm-to-hsm" }, undefined],
  [
    "shares of a KEK, as of the officers where no rule is its own",
    { ...SHARES, purpose: "kek", threshold: 2, holders: ["ben", "cleo"] },
    "the policy wants 2 of 3 shares, it is made of 2 of 2",
  ],
  [
    "shares as the policy wants them",
    { ...SHARES, purpose: "activation", threshold: 2, holders: ["ben", "cleo", "dan"] },
    undefined,
  ],
  ["a token of the list", { ...TOKEN, profile: "generic" }, undefined],
];

for (const [what, fact, problem] of RULES) {
  test(`Q10: ${what}`, () => {
    assert.equal(againstPolicy(POLICY_ONE, fact as Fact, "test"), problem);
    assert.equal(againstPolicy(null, fact as Fact, "test"), undefined);
  });
}

test("Q10: a software token on a production site, whatever the list says", () => {
  const fact = { ...TOKEN, profile: "softhsm" } as Fact;
  assert.match(againstPolicy(POLICY_ONE, fact, "production") ?? "", /is a software token/);
});
