/** Ceremonies that the owner of the host ended short of what the script, the policy or people had asked for. */

import { test } from "node:test";
import { keyListBytes } from "../../src/ceremony/key-list.ts";
import { sha256Hex, utf8 } from "../../src/lib/encoding.ts";
import { refused } from "../support/forged-ceremony.ts";
import { as, Hand } from "../support/hand.ts";
import { keysToMake } from "../support/make-keys.ts";
import { script, STEP } from "../support/stage-scripts.ts";
import { stageTests } from "../support/stage-tests.ts";
import type { Stage } from "../support/stage.ts";

const fork = await stageTests();
const DRILL = script([STEP.clock, STEP.deviation, `${STEP.attest}, always: true`], ["drill: true"]);

function refusal(hand: Hand, step: string, code: string): number {
  const { n } = hand.step(step);
  const data = { n, code, message: "no" };
  return hand.append({ type: "step.refused", outcome: "refused", step, data });
}

test("C14: a drill is closed although a step of it never ended", (t) => {
  const stage = fork(t);
  const hand = Hand.upTo(stage, DRILL, "clock");
  refused(stage, `missing-step deviation 3 ${hand.close()}`);
});

test("C14: a drill leaves a step out although nothing had failed", (t) => {
  const stage = fork(t);
  const hand = Hand.upTo(stage, DRILL, "clock");
  const left = refusal(hand, "deviation", "halted.step-skipped");
  hand.perform("attest");
  hand.close();
  refused(stage, `missing-step deviation 3 ${left}`);
});

test("C14: a drill that failed leaves out what it always performs", (t) => {
  const stage = fork(t);
  const hand = Hand.upTo(stage, DRILL, "clock");
  refusal(hand, "deviation", "people.declined");
  const left = refusal(hand, "attest", "halted.step-skipped");
  hand.close();
  refused(stage, `missing-step attest 4 ${left}`);
});

test("C14: a drill that failed performs what is left out then", (t) => {
  const stage = fork(t);
  const hand = Hand.upTo(stage, DRILL, "roll-call");
  refusal(hand, "clock", "people.declined");
  const { begun } = hand.perform("deviation");
  hand.perform("attest");
  hand.close();
  refused(stage, `order deviation 3 ${begun - 1}`);
});

test("C14: a step is refused after it was completed", (t) => {
  const stage = fork(t);
  const hand = Hand.upTo(stage, script([STEP.clock]), "clock");
  const late = refusal(hand, "clock", "people.declined");
  hand.close();
  refused(stage, `order clock 2 ${late}`);
});

test("C14: a batch is done with fewer items than people agreed to", (t) => {
  const stage = fork(t);
  const hand = Hand.upTo(stage, script([STEP.deviation]), "roll-call");
  const bytes = keyListBytes(keysToMake(2));
  hand.attach({ mediaType: "application/json", bytes });
  const data = { rule: "none", reason: "none", keyList: sha256Hex(bytes), keys: 2 };
  const opening = hand.open("deviation", { data });
  const notes = as("ana", "eve").map(({ person, role }) => hand.sign(opening, person, role));
  hand.begin(opening, notes);
  const facts = [{ kind: "deviation.recorded", rule: "none", reason: "none" }];
  const completed = hand.complete(opening, facts);
  hand.close();
  refused(stage, `batch deviation 2 ${completed}`);
});

test("C14: nobody was called in a role that the policy wants at a ceremony of this class", (t) => {
  const stage = fork(t);
  const plain = script([STEP.clock.replace("internal-witness", "custodian")]).replace(
    ", internal-witness: 1",
    "",
  );
  const other = plain.replace("caClass: none", "caClass: root");
  const sha256 = attached(stage, other);
  const hand = new Hand(stage, plain, (plan) => plan.replaceAll(sha256Hex(utf8(plain)), sha256), {
    script: sha256,
    caClass: "root",
  });
  const { openedSeq = 0 } = stage.history.open ?? {};
  hand.callRoll(as("ana", "ben", "cleo", "dan"));
  hand.adoptTail(openedSeq - 1, openedSeq, as("ana", "ben"));
  hand.perform("clock", { who: as("ana", "ben") });
  refused(stage, `roles - - ${hand.close(["ana", "ben"])}`);
});

/** Puts a document into the ledger, with an entry that says nothing. */
function attached(stage: Stage, text: string): string {
  const bytes = utf8(text);
  const noise = { type: "auth.failed", outcome: "failure", description: "Noise." } as const;
  stage.append(noise, [{ mediaType: "application/yaml", bytes }]);
  return sha256Hex(bytes);
}
