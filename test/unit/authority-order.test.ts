/** Entries out of their order: repeated, missing, of another ceremony, over a doubt, after a jump of time. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { sha256Hex } from "../../src/lib/encoding.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { as, Hand } from "../support/hand.ts";
import { HONEST } from "../support/hand-steps.ts";
import { script, STEP } from "../support/stage-scripts.ts";
import { assertFound, believed, stageTests } from "../support/stage-tests.ts";
import type { Stage } from "../support/stage.ts";

const YAML = script([STEP.clock, STEP.adopt, STEP.deviation]);
const DAY = 86_400_000;
const fork = await stageTests();

function facts(stage: Stage, step: string): readonly JsonObject[] {
  return HONEST[step]?.(stage).facts ?? [];
}

/** Id of the step that was begun and has no outcome. */
function doubtOf(stage: Stage): string | undefined {
  return stage.history.open?.doubt?.id;
}

test("a completion without a beginning is refused, also of a step that is open", (t) => {
  const stage = fork(t);
  const hand = Hand.upTo(stage, YAML, "clock");
  const before = believed(stage);
  const opening = hand.open("adopt", { data: {} });
  const completed = hand.complete(opening, HONEST["adopt"]?.(stage).facts ?? []);
  assert.equal(believed(stage), before);
  assertFound(stage, completed, /completes a step that was not begun/);
});

test("a repeated completion is refused, with the same facts and with others", (t) => {
  const stage = fork(t);
  const hand = Hand.upTo(stage, YAML, "adopt");
  const before = believed(stage);
  const opening = {
    step: hand.step("adopt"),
    seq: 0,
    data: {},
    expected: hand.open("deviation").expected,
  };
  const again = hand.complete(opening, HONEST["adopt"]?.(stage).facts ?? []);
  const other = hand.complete(
    opening,
    facts(stage, "adopt").map((f) => ({ ...f, token: "alpha" })),
  );
  assert.equal(believed(stage), before);
  assertFound(stage, again, /completes a step that was not begun/);
  assertFound(stage, other, /completes a step that was not begun/);
});

test("the completion of one step does not complete another", (t) => {
  const stage = fork(t);
  const hand = Hand.upTo(stage, YAML, "clock");
  const { data = {}, who = [] } = HONEST["deviation"]?.(stage) ?? {};
  const opening = hand.open("deviation", { data });
  hand.begin(
    opening,
    who.map(({ person, role }) => hand.sign(opening, person, role)),
  );
  const before = believed(stage);
  const completed = hand.complete(
    { ...opening, step: hand.step("adopt") },
    HONEST["adopt"]?.(stage).facts ?? [],
  );
  assert.equal(believed(stage), before);
  assertFound(stage, completed, /completes a step that was not begun/);
});

test("a refusal does not end what has begun: the doubt stays", (t) => {
  const stage = fork(t);
  const hand = inDoubt(stage);
  hand.append({ type: "step.refused", outcome: "refused", step: "adopt" });
  assert.equal(doubtOf(stage), "adopt");
});

/** A ceremony whose adoption of a token was begun and has no outcome. */
function inDoubt(stage: Stage): Hand {
  const hand = Hand.upTo(stage, YAML, "clock");
  const { data = {}, who = [] } = HONEST["adopt"]?.(stage) ?? {};
  const opening = hand.open("adopt", { data });
  hand.begin(
    opening,
    who.map(({ person, role }) => hand.sign(opening, person, role)),
  );
  assert.equal(doubtOf(stage), "adopt");
  return hand;
}

test("a ceremony cannot be closed over a doubt", (t) => {
  const stage = fork(t);
  const hand = inDoubt(stage);
  const closed = hand.close();
  assert.equal(doubtOf(stage), "adopt");
  assertFound(stage, closed, /closes a ceremony that cannot be closed/);
  assert.equal(doubtOf(stage), "adopt");
});

test("another step cannot be performed over a doubt, and the doubt is not forgotten", (t) => {
  const stage = fork(t);
  const hand = inDoubt(stage);
  const { begun, completed } = hand.perform("deviation");
  assert.equal(doubtOf(stage), "adopt");
  assertFound(stage, begun, /begins a step that is not open/);
  assertFound(stage, completed, /completes a step that was not begun/);
  assert.equal(doubtOf(stage), "adopt");
});

test("opening another ceremony does not abandon the one that is in doubt", (t) => {
  const stage = fork(t);
  const hand = inDoubt(stage);
  const seq = hand.openCeremony(stage.ceremonyId("staged"));
  assert.equal(stage.history.open?.id, hand.ceremony);
  assert.equal(doubtOf(stage), "adopt");
  assertFound(stage, seq, /a ceremony is opened while .* is open/);
  assert.equal(stage.history.open.id, hand.ceremony);
});

test("abandoning takes two people once something has begun", (t) => {
  const stage = fork(t);
  const hand = inDoubt(stage);
  const nobody = hand.append({ type: "ceremony.abandoned", step: "adopt" });
  const data = { finding: ["in doubt"] };
  const opening = hand.open("adopt", { data, purpose: "abandon", decision: "abandon" });
  const alone = [hand.sign(opening, "ana", "ceremony-administrator")];
  const one = hand.append({ type: "ceremony.abandoned", step: "adopt", agreements: alone, data });
  const twice = [...alone, ...alone];
  const same = hand.append({ type: "ceremony.abandoned", step: "adopt", agreements: twice, data });
  assert.equal(stage.history.open?.id, hand.ceremony);
  assertFound(stage, nobody, /0 of 2 different people agreed/);
  assertFound(stage, one, /1 of 2 different people agreed/);
  assertFound(stage, same, /one person agreed twice/);
  assert.equal(stage.history.open.id, hand.ceremony);
});

test("agreements to a step do not abandon the ceremony, nor those to abandon it perform the step", (t) => {
  const stage = fork(t);
  const hand = Hand.upTo(stage, YAML, "clock");
  const { data = {}, facts: adopted = [] } = HONEST["adopt"]?.(stage) ?? {};
  const step = hand.open("adopt", { data });
  const agreed = as("ana", "eve").map(({ person, role }) => hand.sign(step, person, role));
  const abandoned = hand.append({
    type: "ceremony.abandoned",
    step: "adopt",
    agreements: agreed,
    data,
  });
  assert.equal(stage.history.open?.id, hand.ceremony);
  const decision = hand.open("adopt", { data, purpose: "abandon" });
  const before = believed(stage);
  const notes = as("ana", "eve").map(({ person, role }) => hand.sign(decision, person, role));
  const begun = hand.begin(decision, notes);
  hand.complete(decision, adopted);
  assert.equal(believed(stage), before);
  assertFound(stage, abandoned, /for another decision/);
  assertFound(stage, begun, /begins a step that is not open/);
});

test("what two people abandon is what they were shown", (t) => {
  const stage = fork(t);
  const hand = inDoubt(stage);
  const shown = { finding: ["in doubt"] };
  const opening = hand.open("adopt", { data: shown, purpose: "abandon", decision: "abandon" });
  const agreements = as("ana", "eve").map(({ person, role }) => hand.sign(opening, person, role));
  const data = { finding: ["nothing is in doubt"] };
  const seq = hand.append({ type: "ceremony.abandoned", step: "adopt", agreements, data });
  assert.equal(stage.history.open?.id, hand.ceremony);
  assertFound(stage, seq, /not what was shown and agreed to/);
  const honest = hand.append({
    type: "ceremony.abandoned",
    step: "adopt",
    agreements,
    data: shown,
  });
  assert.equal(stage.history.open, null);
  assert.deepEqual(
    stage.findings.filter((finding) => finding.startsWith(`${honest} `)),
    [],
  );
});

for (const type of [
  "step.opened",
  "step.begun",
  "step.completed",
  "step.failed",
  "ceremony.closed",
  "ceremony.abandoned",
] as const) {
  test(`an entry ${type} of another ceremony does nothing to the open one`, (t) => {
    const stage = fork(t);
    const hand =
      type === "step.opened" || type === "step.begun"
        ? Hand.upTo(stage, YAML, "clock")
        : inDoubt(stage);
    const honest = HONEST["adopt"]?.(stage);
    const { data = {}, facts: adopted = [] } = honest ?? {};
    const opening = type === "step.begun" ? hand.open("adopt", { data }) : undefined;
    const agreements =
      opening === undefined
        ? []
        : as("ana", "eve").map(({ person, role }) => hand.sign(opening, person, role));
    const before = believed(stage);
    const open = JSON.stringify([stage.history.open?.doubt, ...(stage.history.open?.steps ?? [])]);
    const foreign = hand.append({
      type,
      ceremony: "20261123-foreign-aaaa",
      step: "adopt",
      agreements,
      facts: type === "step.completed" ? adopted : [],
      data:
        type === "step.opened"
          ? { purpose: "step", n: 3, nonce: "0".repeat(32), subject: null, shown: [] }
          : { n: 3, intent: data },
    });
    assert.equal(believed(stage), before);
    assert.equal(
      JSON.stringify([stage.history.open?.doubt, ...(stage.history.open?.steps ?? [])]),
      open,
    );
    assertFound(stage, foreign, /it belongs to no ceremony that is open/);
    assert.equal(believed(stage), before);
  });
}

test("a ceremony id is never used again", (t) => {
  const stage = fork(t);
  const hand = Hand.upTo(stage, YAML, "deviation");
  hand.close();
  const seq = hand.openCeremony(hand.ceremony);
  assertFound(stage, seq, /order: .* id/);
});

test("a closing that states another custody is found", (t) => {
  const stage = fork(t);
  const hand = Hand.upTo(stage, YAML, "deviation");
  const data = { custody: sha256Hex("another custody") };
  const closed = hand.append({ type: "ceremony.closed", step: "close", data });
  assertFound(stage, closed, /custody/);
});

test("I07: after 30 days of silence nothing is believed before the clock is attested", (t) => {
  const stage = fork(t);
  stage.clock.time += 30 * DAY + 1;
  const hand = new Hand(stage, script([STEP.adopt, STEP.clock, STEP.deviation]));
  hand.perform("roll-call");
  const before = believed(stage);
  const { completed } = hand.perform("adopt");
  assert.equal(believed(stage), before);
  assertFound(stage, completed, /the clock jumped more than 30 days and nobody attested it/);
  const attested = fork(t);
  attested.clock.time += 30 * DAY + 1;
  const again = new Hand(attested, script([STEP.adopt, STEP.clock, STEP.deviation]));
  for (const step of ["roll-call", "clock", "adopt"]) again.perform(step);
  assert.equal(attested.history.custody.tokens.has("beta"), true);
});

test("C14: a completed step cannot be opened anew: nothing is performed twice because the host says so", (t) => {
  const stage = fork(t);
  const hand = new Hand(stage, script([STEP.clock, STEP.adopt]));
  for (const step of ["roll-call", "clock", "adopt"]) hand.perform(step);
  const { begun } = hand.perform("adopt");
  assertFound(stage, begun - 1, /it opens no step of the plan/);
  assert.equal(stage.history.open?.steps.get("adopt"), "completed");
});

test("I07: noise in between does not walk the clock over the gap", (t) => {
  const stage = fork(t);
  for (let week = 0; week < 5; week += 1) {
    stage.clock.time += 7 * DAY;
    stage.append({ type: "auth.failed", outcome: "failure", description: "Noise." });
  }
  const { explained, size } = stage.history;
  const hand = new Hand(stage, script([STEP.adopt]));
  hand.perform("roll-call");
  hand.adoptTail(explained, size);
  const before = believed(stage);
  const { completed } = hand.perform("adopt");
  assert.equal(believed(stage), before);
  assertFound(stage, completed, /nobody attested it/);
});

test("I07: 30 days of silence are no jump", (t) => {
  const stage = fork(t);
  const last = Date.parse(stage.history.lastTime ?? "");
  stage.clock.time = last + 30 * DAY;
  Hand.upTo(stage, script([STEP.adopt]), "adopt");
  assert.deepEqual(stage.findings, []);
});
