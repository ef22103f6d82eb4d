/** Vetting and training run out at midnight, UTC: from then on somebody's word counts for nothing; what they did before stays good. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Attending } from "../../src/ceremony/custody.ts";
import { cardDigest, formatCard } from "../../src/people/card.ts";
import { evidenceOf } from "../../src/report/evidence.ts";
import { as, Hand } from "../support/hand.ts";
import { judged, problemsOf } from "../support/report-page.ts";
import { CAST, ROLL, script, STEP } from "../support/stage-scripts.ts";
import { assertFound, believed, objections, stageTests } from "../support/stage-tests.ts";
import type { Stage } from "../support/stage.ts";

const LAST = "2026-11-25";
const ON_TIME = `${LAST}T23:59:59.999Z`;
const LATE = "2026-11-26T00:00:00.000Z";

const WITNESS = STEP.enroll.replace(
  "[custodian], reference: file 4711",
  `[internal-witness], reference: file 4711, vettedUntil: ${LAST}, trainedUntil: 2027-05-31`,
);
const RENEW = STEP.renew.replace("ben, vettedUntil: 2027-11-30", "fay, vettedUntil: 2026-12-24");
const WITHOUT_EVE = Object.fromEntries(Object.entries(ROLL).filter(([person]) => person !== "eve"));
const WITH_FAY = { ...WITHOUT_EVE, fay: "internal-witness" };
const FAY: Attending = { person: "fay", role: "internal-witness" };
const ANA = as("ana");
const OTHERS = as("ana", "ben", "cleo", "dan");
const GONE = new RegExp(`the vetting of fay was good until ${LAST}: hold ceremony renew-person`);

/** Fay joined as a second witness, vetted until a day, and agreed to a deviation before it was over. */
const fork = await stageTests(async (stage) => {
  await stage.run(script([WITNESS]), CAST);
  await stage.run(script([STEP.clock, STEP.deviation]), { present: WITH_FAY });
});

function moveTo(stage: Stage, time: string): void {
  stage.clock.time = Date.parse(time);
}

test("Q10: dates are on record with the enrolment, and in custody only where they were stated", (t) => {
  const stage = fork(t);
  assert.deepEqual(stage.findings, []);
  const { people } = stage.judge().custody;
  const { vettedUntil, trainedUntil, renewed } = people.get("fay") ?? {};
  assert.deepEqual([vettedUntil, trainedUntil, renewed], [LAST, "2027-05-31", undefined]);
  assert.equal(Object.hasOwn(people.get("ana") ?? {}, "vettedUntil"), false);
});

test("Q10: on the last day somebody is called; on the next they are not, and the room is told why", async (t) => {
  const stage = fork(t);
  moveTo(stage, `${LAST}T20:00:00.000Z`);
  await stage.run(script([STEP.deviation]), { present: WITH_FAY });
  moveTo(stage, `${LAST}T23:00:00.000Z`);
  await assert.rejects(stage.run(script([STEP.deviation]), { present: WITH_FAY }), {
    code: "people.quorum-not-met",
    message: "the script needs 1 × internal-witness, 0 are present",
  });
  const { asked, shown } = stage.console;
  assert.deepEqual(
    asked.filter((question) => question.includes("fay")),
    [],
  );
  assert.ok(
    shown.some(
      (line) =>
        line.includes("may not act: ") &&
        line.includes("the vetting of fay was good until 2026-11-25: hold ceremony renew-person"),
    ),
  );
});

test("Q10: a forged roll call with somebody out of date is no roll call, and nothing rests on it", (t) => {
  const stage = fork(t);
  moveTo(stage, LATE);
  const hand = new Hand(stage, script([STEP.adopt]));
  const before = believed(stage);
  const roll = hand.callRoll([...OTHERS, FAY]);
  const { completed } = hand.perform("adopt", { who: [...ANA, FAY] });
  assert.equal(believed(stage), before);
  assertFound(stage, roll - 1, GONE);
  assertFound(stage, roll, /no authority: .*fay/);
  assertFound(stage, completed, /is not at the roll call|different people agreed/);
});

test("Q10: an agreement counts until midnight and not at it, in a ceremony that began before", (t) => {
  for (const [time, counts] of [
    [ON_TIME, true],
    [LATE, false],
  ] as const) {
    const stage = fork(t);
    moveTo(stage, `${LAST}T23:50:00.000Z`);
    const hand = new Hand(stage, script([STEP.adopt]));
    hand.callRoll([...OTHERS, FAY]);
    assert.deepEqual(stage.findings, []);
    const before = believed(stage);
    moveTo(stage, time);
    const { begun, completed } = hand.perform("adopt", { who: [...ANA, FAY] });
    if (counts) assert.deepEqual(stage.findings, []);
    else {
      assert.equal(believed(stage), before);
      assertFound(stage, begun, GONE);
      assertFound(stage, completed, /1 of 2 different people agreed/);
    }
  }
});

test("Q10: who was on the roll in time finishes the ceremony after midnight, and no other head", (t) => {
  const stage = fork(t);
  moveTo(stage, `${LAST}T23:50:00.000Z`);
  const hand = new Hand(stage, script([STEP.adopt]));
  hand.callRoll([...OTHERS, FAY]);
  hand.perform("adopt", { who: [...ANA, FAY] });
  moveTo(stage, LATE);
  hand.close(["ana", "fay"]);
  assert.deepEqual(stage.findings, []);
  assert.equal(stage.judge().cosigned, stage.ledger.size);
  moveTo(stage, "2026-11-26T08:00:00.000Z");
  const next = Hand.upTo(stage, script([STEP.clock]), "clock");
  const { cosigned } = stage.history;
  next.close(["ana", "fay"]);
  assert.equal(stage.judge().cosigned, cosigned);
  next.cosign(["eve"]);
  assert.equal(stage.judge().cosigned, stage.ledger.size);
});

test("Q10: the engine stops at the step that nobody in date can perform; two others end the ceremony", async (t) => {
  const stage = fork(t);
  moveTo(stage, `${LAST}T22:59:59.000Z`);
  let steps = 0;
  const midnight = (): boolean => {
    steps += 1;
    if (steps === 3) moveTo(stage, LATE);
    return false;
  };
  const run = stage.run(
    script([STEP.clock, STEP.deviation]),
    { present: WITH_FAY },
    { hall: { interrupted: midnight } },
  );
  await assert.rejects(run, {
    code: "people.quorum-not-met",
    message: "nobody attends as internal-witness",
  });
  assert.ok(
    stage.console.shown.some((text) =>
      text.includes("the vetting of fay was good until 2026-11-25: hold ceremony renew-person"),
    ),
  );
  await stage.abandon({ present: { ana: "ceremony-administrator", ben: "custodian" } });
  const { history } = stage;
  assert.deepEqual([history.open, history.cosigned, stage.findings], [null, history.size, []]);
});

test("Q10: nobody goes on with a ceremony, or gives it up, who is out of date by then", async (t) => {
  const stage = fork(t);
  moveTo(stage, `${LAST}T23:50:00.000Z`);
  const hand = new Hand(stage, script([STEP.clock, STEP.deviation]));
  hand.callRoll([...OTHERS, FAY]);
  hand.perform("clock", { who: [...ANA, FAY] });
  moveTo(stage, LATE);
  const data = { reason: "by hand" };
  const opening = hand.open("deviation", { data, purpose: "abandon", decision: "abandon" });
  const agreements = [...ANA, FAY].map(({ person, role }) => hand.sign(opening, person, role));
  const parts = { type: "ceremony.abandoned", step: "deviation", agreements, data } as const;
  assertFound(stage, hand.append(parts), GONE);
  assert.equal(stage.history.open?.id, hand.ceremony);
  const two = { present: { ana: "ceremony-administrator", fay: "internal-witness" } };
  await assert.rejects(stage.abandon(two), { code: "people.quorum-not-met", message: GONE });
});

test("Q10: nobody is enrolled by the vouching of somebody out of date", (t) => {
  const stage = fork(t);
  moveTo(stage, LATE);
  const { card } = stage.person("mallory");
  const hand = new Hand(stage, script([STEP.enroll.replace("fay", "mallory")]));
  hand.perform("roll-call");
  const before = believed(stage);
  const candidate = { person: "mallory", card: cardDigest(card) };
  const data = { candidate, roles: ["custodian"], reference: "file 4711" };
  const { roles, reference } = data;
  const { begun, completed } = hand.perform("enroll", {
    who: [...ANA, FAY, ...as("mallory")],
    data,
    facts: [{ kind: "person.enrolled", ...candidate, roles, reference }],
    attached: [{ mediaType: "application/json", bytes: formatCard(card) }],
  });
  assert.equal(believed(stage), before);
  assertFound(stage, begun, GONE);
  assertFound(stage, completed, /1 of 2 different people agreed/);
});

test("Q10: a report's page judges the same: no word after midnight but the roll's on its own head", async (t) => {
  const stage = fork(t);
  const problems = async (): Promise<readonly string[]> => {
    const { size } = stage.ledger;
    return problemsOf(await judged(evidenceOf(stage.ledger, { first: 0, size, authority: [] })));
  };
  moveTo(stage, `${LAST}T23:50:00.000Z`);
  const first = new Hand(stage, script([STEP.clock]));
  first.callRoll([...OTHERS, FAY]);
  first.perform("clock", { who: [...ANA, FAY] });
  moveTo(stage, LATE);
  first.close(["ana", "fay"]);
  const ofFay = async (): Promise<readonly string[]> =>
    (await problems()).filter((text) => text.includes("could not act"));
  assert.deepEqual(await ofFay(), []);
  const hand = Hand.upTo(stage, script([STEP.adopt]), "roll-call");
  const { begun } = hand.perform("adopt", { who: [...ANA, FAY] });
  hand.close(["ana", "fay"]);
  // What a hand writes lacks more than this: of the others nothing is asked here.
  assert.deepEqual((await ofFay()).toSorted(), [
    `agreements: entry ${begun}: fay, who agrees, could not act any more: vetting was good until ${LAST}`,
    `cosignatures: a cosignature on the checkpoint of ${stage.ledger.size} entries is by ${stage.person("fay").card.keyName}, who could not act any more`,
  ]);
});

test("Q10: two others renew somebody whose dates have run out, and they act again; what they did meanwhile stays void", async (t) => {
  const stage = fork(t);
  moveTo(stage, "2026-11-26T08:00:00.000Z");
  const hand = Hand.upTo(stage, script([STEP.adopt]), "roll-call");
  const { begun } = hand.perform("adopt", { who: [...ANA, FAY] });
  hand.close();
  const found = stage.findings;
  assertFound(stage, begun, GONE);
  await stage.run(script([STEP.clock, RENEW]), CAST);
  const { vettedUntil, trainedUntil, renewed } = stage.history.custody.people.get("fay") ?? {};
  assert.deepEqual([vettedUntil, trainedUntil], ["2026-12-24", "2027-05-31"]);
  assert.equal(renewed?.reference, "file 4713");
  await stage.run(script([STEP.deviation]), { present: WITH_FAY });
  stage.judge();
  assert.deepEqual(stage.findings, found);
});

test("Q10: a date that is taken back stops somebody from the next entry on", async (t) => {
  const stage = fork(t);
  await stage.run(script([RENEW.replace("2026-12-24", "2026-11-22")]), CAST);
  const hand = Hand.upTo(stage, script([STEP.adopt]), "roll-call");
  const { begun } = hand.perform("adopt", { who: [...ANA, FAY] });
  assertFound(stage, begun, /the vetting of fay was good until 2026-11-22/);
});

/** A renewal of somebody that another plan than ours foresaw: what it says is judged by the fold alone. */
function forged(stage: Stage, renewal: Readonly<Record<string, string>>): number {
  const hand = Hand.upTo(stage, script([STEP.renew]), "roll-call");
  const card = cardDigest(stage.person("ben").card);
  const data = { person: "ben", card, vettedUntil: "2027-11-30", reference: "file 4713" };
  const facts = [{ kind: "person.renewed", person: "ben", reference: "file 4713", ...renewal }];
  return hand.perform("renew", { data, facts }).completed;
}

test("Q10: no date is believed that the calendar does not have, that is none, or that nobody agreed to", (t) => {
  for (const day of ["2027-02-29", "2027-13-01", "2027-1-1", "27-01-01", "", "unstated"]) {
    const stage = fork(t);
    assertFound(stage, forged(stage, { vettedUntil: day }), /a fact is malformed: vettedUntil/);
    assert.equal(stage.history.custody.people.get("ben")?.vettedUntil, undefined);
  }
  const stage = fork(t);
  assertFound(stage, forged(stage, { vettedUntil: "2028-02-29" }), /not what people agreed to/);
});

test("Q10: whom the site needs is not stopped, nor somebody renewed who is off the roster or without a date", async (t) => {
  const stage = fork(t);
  const said = (at: Stage, steps: readonly string[]): readonly string[] =>
    objections(at, script(steps)).map((text) => text.replace(/^\d+:\d+ /, ""));
  const renews = (at: Stage, dates: string): readonly string[] =>
    said(at, [STEP.renew.replace("ben, vettedUntil: 2027-11-30", dates)]);
  assert.deepEqual(renews(stage, "mallory, vettedUntil: 2027-11-30"), [
    "step renew: mallory is not on the roster",
  ]);
  for (const dates of ["ben", "ben, vettedUntil: unstated"]) {
    assert.deepEqual(renews(stage, dates), ["step renew: it states no date: give one, or both"]);
  }
  assert.match(renews(stage, "ben, vettedUntil: 2027-02-30").join(), /a day that the calendar has/);
  assert.deepEqual(renews(stage, "eve, vettedUntil: 2026-11-22"), []);
  const revoke = STEP.revoke.replace("olga", "fay");
  await stage.run(script([STEP.clock, revoke]), CAST);
  assert.match(
    renews(stage, "fay, vettedUntil: 2027-11-30").join(),
    /fay was taken off the roster/,
  );
  assert.deepEqual(renews(stage, "eve, vettedUntil: 2026-11-22"), [
    "step renew: eve is the last internal-witness, whom the policy wants at ceremonies; enrol another first",
  ]);
});
