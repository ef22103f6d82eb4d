/** A step begins by people: an attempt that too few agreed to is none, so nobody can be led to finish or undo it. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { sha256Hex, utf8 } from "../../src/lib/encoding.ts";
import { as, Hand } from "../support/hand.ts";
import { script, STEP } from "../support/stage-scripts.ts";
import { POLICY } from "../support/stage-site.ts";
import { assertFound, believed, stageTests } from "../support/stage-tests.ts";

const fork = await stageTests();
const TEXT = POLICY.replace("minutes: 10", "minutes: 60");
const INTENT = { sha256: sha256Hex(utf8(TEXT)), text: TEXT };

for (const [what, who] of [
  ["nobody", []],
  ["one person", as("ana")],
] as const) {
  for (const choice of ["finish", "undo"] as const) {
    test(`Q08: two people ${choice} no attempt that ${what} had agreed to`, (t) => {
      const stage = fork(t);
      const hand = Hand.upTo(stage, script([STEP.policy]), "roll-call");
      const before = believed(stage);
      hand.attach({ mediaType: "application/yaml", bytes: utf8(TEXT) });
      const attempt = hand.open("policy", { data: INTENT });
      const notes = who.map(({ person, role }) => hand.sign(attempt, person, role));
      const begun = hand.begin(attempt, notes);
      assert.equal(stage.history.open?.unsettled.size, 0);
      const data = { begun, intent: INTENT, settled: {} };
      const opening = hand.open("policy", { data, purpose: choice, decision: choice });
      const both = as("ana", "eve").map(({ person, role }) => hand.sign(opening, person, role));
      const said = { n: opening.step.n, decision: choice, ...data };
      const settled = hand.begin(opening, both, { data: said });
      const facts = [{ kind: "policy.adopted", sha256: INTENT.sha256 }];
      const completed = hand.complete(opening, facts);
      assertFound(stage, begun, new RegExp(`${who.length} of 2 different people agreed`));
      assertFound(stage, settled, /settles a step that is not in doubt/);
      assertFound(stage, completed, /completes a step that was not begun/);
      assert.equal(believed(stage), before);
    });
  }
}

test("Q08: an act that one person began and that failed is a finding, whatever its outcome", (t) => {
  const stage = fork(t);
  const hand = Hand.upTo(stage, script([STEP.deviation]), "roll-call");
  const { data } = { data: { rule: "none", reason: "none" } };
  const opening = hand.open("deviation", { data });
  const begun = hand.begin(opening, [hand.sign(opening, "ana", "ceremony-administrator")]);
  hand.append({
    type: "step.failed",
    outcome: "failure",
    step: "deviation",
    data: { n: opening.step.n, code: "hsm.call-failed", message: "no" },
  });
  assertFound(stage, begun, /1 of 2 different people agreed/);
});
