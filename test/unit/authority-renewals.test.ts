/** Who is renewed, by whom and to what: as people were shown it and agreed to it, and by nobody whose own dates are over. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject } from "../../src/lib/json.ts";
import { utf8, sha256Hex } from "../../src/lib/encoding.ts";
import { finishClose } from "../../src/ceremony/finish-close.ts";
import { cardDigest } from "../../src/people/card.ts";
import { as, Hand } from "../support/hand.ts";
import type { HandStep } from "../support/hand-steps.ts";
import { CAST, script, STEP } from "../support/stage-scripts.ts";
import { POLICY } from "../support/stage-site.ts";
import { assertFound, believed, stageTests } from "../support/stage-tests.ts";
import { StageConsole, type Cast } from "../support/stage-console.ts";
import { ended, endIn } from "../support/unfinished-close.ts";
import type { Stage } from "../support/stage.ts";

const LAST = "2026-11-25";
const ON_TIME = `${LAST}T23:50:00.000Z`;
const LATE = "2026-11-26T00:00:00.000Z";
const GONE = new RegExp(`the vetting of eve was good until ${LAST}`);
const UNTIL = "2027-11-30";

/** Eve, the only internal witness, is vetted until a day. */
const fork = await stageTests(async (stage) => {
  const renewed = STEP.renew.replace("ben, vettedUntil: 2027-11-30", `eve, vettedUntil: ${LAST}`);
  await stage.run(script([STEP.clock, renewed]), CAST);
});

/** The renewal of Ben, as honest people agree to it. */
function renewal(stage: Stage, intent: JsonObject = {}, fact: JsonObject = {}): Partial<HandStep> {
  const card = cardDigest(stage.person("ben").card);
  const said = { person: "ben", reference: "file 4713", vettedUntil: UNTIL };
  return {
    who: as("ana", "eve"),
    data: { ...said, card, ...intent },
    facts: [{ kind: "person.renewed", ...said, ...fact }],
  };
}

/** Performs a renewal by hand, after a roll call in time. */
function renewed(
  stage: Stage,
  step: Partial<HandStep>,
  time = ON_TIME,
): ReturnType<Hand["perform"]> {
  stage.clock.time = Date.parse(ON_TIME);
  const hand = Hand.upTo(stage, script([STEP.renew]), "roll-call");
  stage.clock.time = Date.parse(time);
  return hand.perform("renew", step);
}

test("Q10: a renewal by hand counts as one by the engine does", (t) => {
  const stage = fork(t);
  renewed(stage, renewal(stage));
  assert.deepEqual(stage.findings, []);
  assert.equal(stage.history.custody.people.get("ben")?.vettedUntil, UNTIL);
});

const NOBODY_AGREED: Readonly<Record<string, readonly [JsonObject, JsonObject?]>> = {
  "an earlier date was shown": [{ vettedUntil: "2026-12-24" }],
  "no date was shown": [{ vettedUntil: null }],
  "a second date was shown": [{ trainedUntil: UNTIL }],
  "another person was shown": [{ person: "cleo" }],
  "another document was shown": [{ reference: "file 1" }],
  "the fact names another person": [{}, { person: "cleo" }],
  "the fact names another document": [{}, { reference: "file 1" }],
  "the fact states a second date": [{}, { trainedUntil: UNTIL }],
};

for (const [what, [intent, fact]] of Object.entries(NOBODY_AGREED)) {
  test(`Q10: nobody is renewed when ${what}`, (t) => {
    const stage = fork(t);
    const { completed } = renewed(stage, renewal(stage, intent, fact));
    assertFound(stage, completed, /person.renewed is not what people agreed to/);
    for (const person of ["ben", "cleo"]) {
      assert.equal(stage.history.custody.people.get(person)?.vettedUntil, undefined);
    }
  });
}

test("Q10: a date is a day of the calendar in its one form, or the fact is none", (t) => {
  for (const day of [
    "2026-02-30",
    "2026-11-31",
    "2026-11-00",
    "10000-01-01",
    "+02027-11-30",
    " 2027-11-30",
    "2027-11-30\n",
    "2027-11-30T00:00:00.000Z",
    "2027-11-3\u0660",
    "never",
  ]) {
    const stage = fork(t);
    const { completed } = renewed(stage, renewal(stage, {}, { vettedUntil: day }));
    assertFound(stage, completed, /a fact is malformed: vettedUntil/);
    assert.equal(stage.history.custody.people.get("ben")?.vettedUntil, undefined);
  }
});

const TOO_FEW: Readonly<Record<string, readonly [HandStep["who"], string?]>> = {
  "nobody agreed": [[]],
  "one person agreed": [as("ana")],
  "one person agreed twice": [as("ana", "ana")],
  "one of two was out of date": [as("ana", "eve"), LATE],
};

for (const [what, [who, time]] of Object.entries(TOO_FEW)) {
  test(`Q10: nobody is renewed, and no policy adopted, when ${what}`, (t) => {
    const stage = fork(t);
    const { completed } = renewed(stage, { ...renewal(stage), who }, time);
    assertFound(stage, completed, /it is given no authority/);
    assert.equal(stage.history.custody.people.get("ben")?.vettedUntil, undefined);
    const other = fork(t);
    const { policy } = other.history.custody;
    other.clock.time = Date.parse(ON_TIME);
    const hand = Hand.upTo(other, script([STEP.policy]), "roll-call");
    if (time !== undefined) other.clock.time = Date.parse(time);
    const bytes = utf8(`${POLICY}people: { vetting: required }\n`);
    const sha256 = sha256Hex(bytes);
    const adopted = hand.perform("policy", {
      who,
      data: { sha256, text: "the new policy" },
      facts: [{ kind: "policy.adopted", sha256 }],
      attached: [{ mediaType: "application/yaml", bytes }],
    });
    assertFound(other, adopted.completed, /it is given no authority/);
    assert.equal(other.history.custody.policy, policy);
    assert.deepEqual(other.judge().custody.requiredDates, []);
  });
}

test("Q10: somebody out of date does not renew themselves", (t) => {
  const stage = fork(t);
  stage.clock.time = Date.parse(ON_TIME);
  const alter = (plan: string): string => plan.replace('"person":"ben"', '"person":"eve"');
  const hand = new Hand(stage, script([STEP.renew]), alter);
  hand.perform("roll-call");
  stage.clock.time = Date.parse(LATE);
  const { begun, completed } = hand.perform(
    "renew",
    renewal(stage, { person: "eve" }, { person: "eve" }),
  );
  assertFound(stage, begun, GONE);
  assertFound(stage, completed, /1 of 2 different people agreed/);
  assert.equal(stage.history.custody.people.get("eve")?.vettedUntil, LAST);
});

test("Q10: whoever was taken off the roster is not renewed, although everybody agreed", async (t) => {
  const stage = fork(t);
  await stage.run(script([STEP.clock, STEP.revoke]), CAST);
  const alter = (plan: string): string => plan.replace('"person":"ben"', '"person":"olga"');
  const hand = new Hand(stage, script([STEP.renew]), alter);
  hand.perform("roll-call");
  const before = believed(stage);
  const { completed } = hand.perform(
    "renew",
    renewal(stage, { person: "olga" }, { person: "olga" }),
  );
  assertFound(stage, completed, /olga was taken off the roster/);
  assert.equal(believed(stage), before);
});

test("Q10: no entry is put back before midnight once one is behind it", (t) => {
  const stage = fork(t);
  stage.clock.time = Date.parse(ON_TIME);
  const hand = Hand.upTo(stage, script([STEP.renew]), "roll-call");
  stage.clock.time = Date.parse(LATE);
  hand.append({ type: "auth.failed", outcome: "failure" });
  stage.clock.time -= 1;
  const { size } = stage.ledger;
  assert.throws(() => hand.perform("renew"), { code: "site.clock" });
  assert.equal(stage.ledger.size, size);
});

test("Q10: past midnight two others of the roll go on, and anybody else of the roster ends what they cannot", async (t) => {
  const stage = fork(t);
  stage.clock.time = Date.parse(`${LAST}T22:30:00.000Z`);
  let steps = 0;
  const interrupted = (): boolean => (steps += 1) > 2;
  const stopped = stage.run(script([STEP.clock, STEP.deviation]), CAST, { hall: { interrupted } });
  await assert.rejects(stopped, { code: "halted.interrupted" });
  stage.clock.time = Date.parse(LATE);
  const { size } = stage.ledger;
  const late = { present: { ana: "ceremony-administrator", eve: "internal-witness" } };
  await assert.rejects(stage.resume(late), { code: "people.quorum-not-met", message: GONE });
  assert.equal(stage.ledger.size, size);
  const others = { present: { ana: "ceremony-administrator", ben: "custodian" } };
  await assert.rejects(stage.resume(others), { message: "nobody attends as internal-witness" });
  await stage.abandon(others);
  const { open, cosigned, ceremonies } = stage.judge();
  assert.deepEqual([open, cosigned, stage.findings], [null, stage.ledger.size, []]);
  assert.equal(ceremonies.at(-1)?.state, "abandoned");
});

test("Q10: a close is finished past midnight by whoever it called in time", async (t) => {
  const stage = fork(t);
  stage.clock.time = Date.parse(ON_TIME);
  ended(stage, ["ana"]);
  stage.clock.time = Date.parse(LATE);
  const agrees: Cast["agrees"] = ({ to }) => to.person === "eve";
  stage.console = new StageConsole({ ...CAST, agrees });
  const closing = await finishClose(stage.hall(), stage.recorder(), endIn(stage), []);
  assert.deepEqual(closing.cosigned, ["ana", "eve"]);
  assert.equal(stage.judge().cosigned, stage.ledger.size);
  assert.deepEqual(stage.findings, []);
});
