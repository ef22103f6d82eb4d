/** The authority of a step: what its entries must say of what was agreed to, and which facts that bears. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Action } from "../../src/ceremony/action.ts";
import type { Attending } from "../../src/ceremony/custody.ts";
import type { Fact } from "../../src/ceremony/facts.ts";
import type { StepInDoubt } from "../../src/ceremony/history.ts";
import {
  authorityProblem,
  isSettling,
  readBegun,
  readFacts,
  readSettling,
  STEP_PURPOSES,
  subjectDigest,
  type BegunStep,
  type OpenedStep,
  type StepContext,
} from "../../src/ceremony/step-authority.ts";
import { StepItems } from "../../src/ceremony/step-items.ts";
import type { Role } from "../../src/ceremony/words.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { FACT } from "../support/copies-desk.ts";
import { action, as, begunBy, CUSTODY, opened, STEP } from "../support/plain-authority.ts";
import { plainEntry } from "../support/plain-entry.ts";

test("the purposes of a step, and which of them settle an earlier attempt", () => {
  assert.deepEqual(STEP_PURPOSES, ["step", "adopt", "abandon", "resume", "finish", "undo"]);
  assert.deepEqual(STEP_PURPOSES.filter(isSettling), ["finish", "undo"]);
  assert.equal(isSettling(undefined), false);
});

test("what begins a step says what was shown and agreed to, or nothing where nothing was added", () => {
  const intent = { key: "k", candidate: { person: "fay", card: "c" } };
  const subject = subjectDigest(intent, ["a line"]);
  const begun = (data: JsonObject, step: OpenedStep): BegunStep | string =>
    readBegun(plainEntry("step.begun", 9, { data }), step, as("ana"));
  const read = {
    seq: 9,
    decision: "agree",
    agreed: as("ana"),
    items: new StepItems(),
    admits: null,
  };
  const candidate = { person: "fay", card: "c" };
  assert.deepEqual(begun({ intent }, opened({ subject })), { ...read, intent, candidate });
  assert.deepEqual(begun({}, opened()), { ...read, intent: {}, candidate: null });
  assert.deepEqual(begun({ intent: "none" }, opened()), { ...read, intent: {}, candidate: null });
  const other = "its intent is not what was shown and agreed to";
  assert.equal(begun({ intent }, opened()), other);
  assert.equal(begun({}, opened({ subject })), other);
  assert.equal(begun({ intent }, opened({ subject, shown: [] })), other);
  assert.equal(begun({ intent: { ...intent, key: "l" } }, opened({ subject })), other);
});

for (const candidate of ["fay", { person: "fay" }, { card: "c" }, { person: 7, card: "c" }]) {
  test(`a candidate like ${JSON.stringify(candidate)} is none`, () => {
    const intent: JsonObject = { candidate };
    const step = opened({ subject: subjectDigest(intent, ["a line"]) });
    const begun = readBegun(plainEntry("step.begun", 9, { data: { intent } }), step, []);
    assert.ok(typeof begun === "object");
    assert.equal(begun.candidate, null);
  });
}

test("what settles a step says of which attempt, what was found, and what was decided", () => {
  const intent = { key: "k" };
  const doubt = { begunSeq: 5, intent } as unknown as StepInDoubt;
  const settled = { there: 1 };
  const about = { begun: 5, intent, settled };
  const subject = subjectDigest(about, ["a line"]);
  const items = new StepItems();
  const settling = (data: JsonObject, changes: Partial<OpenedStep> = {}): BegunStep | string => {
    const entry = plainEntry("step.begun", 9, { data: { ...about, decision: "undo", ...data } });
    const step = opened({ subject, purpose: "undo", ...changes });
    return readSettling(entry, step, as("ana"), doubt, items);
  };
  const read = { seq: 9, decision: "undo", agreed: as("ana"), intent, items };
  assert.deepEqual(settling({}), { ...read, candidate: null, admits: null });
  assert.deepEqual(settling({ decision: "finish" }, { purpose: "finish" }), {
    ...{ ...read, decision: "finish" },
    ...{ candidate: null, admits: null },
  });
  const elsewhere = "the step was opened for something else";
  assert.equal(settling({ decision: "finish" }), elsewhere);
  assert.equal(settling({ decision: "step" }, { purpose: "step" }), elsewhere);
  const another = "it settles another attempt than the one that is in doubt";
  assert.equal(settling({ begun: 4 }), another);
  assert.equal(settling({ intent: { key: "l" } }), another);
  assert.equal(settling({ intent: "none" }), another);
  const shown = "its data is not what was shown and agreed to";
  assert.equal(settling({ settled: { there: 2 } }), shown);
  assert.equal(settling({ settled: 7 }), shown);
  assert.equal(settling({}, { shown: [] }), shown);
});

test("facts of an entry are all well formed, or the first that is not is told", () => {
  const fact = { ...FACT.locked("root-g1") };
  const read = (...facts: readonly object[]): unknown =>
    readFacts(plainEntry("step.completed", 9, { facts: facts as never }));
  assert.deepEqual(read(fact, fact), [fact, fact]);
  assert.deepEqual(read(), []);
  assert.equal(read(fact, { kind: "no.such" }, { kind: 7 }), "kind: there is no fact no.such");
  assert.equal(read({ kind: 7 }), "kind: it is no text");
});

const LOCKED = FACT.locked("root-g1");
const ATTESTED: Fact = { kind: "clock.attested", source: "radio", offsetSeconds: 0 };
const ENROLLED: Fact = {
  kind: "person.enrolled",
  person: "fay",
  card: "c",
  roles: ["custodian"],
  reference: "r",
};
const present = (attending: readonly Attending[], bindings = "b"): Fact =>
  ({ kind: "people.present", attending, bindings }) as unknown as Fact;
const STEP_BY = { ...STEP, by: ["ceremony-administrator", "internal-witness"] as const };

/** Why a completion by ana and eve, unless others are given, has no authority. */
function problem(
  facts: readonly Fact[],
  of: Partial<Action> | null = {},
  begun = begunBy(as("ana", "eve")),
  context: Partial<StepContext> = {},
): string | undefined {
  return authorityProblem(STEP_BY, begun, facts, {
    at: "2026-11-23T09:30:00.000Z",
    ...{ custody: CUSTODY, clockGap: false, bindings: "b", profiles: {} },
    vocabulary: new Map(of === null ? [] : [["generate-key", action(of)]]),
    attachment: () => undefined,
    ...context,
  });
}

const ROLL = {
  name: "call",
  control: "everyone",
  facts: ["people.present", "clock.attested", "key.locked"],
} as const;
const everyone = begunBy(as("ana", "eve"));
const gap = { clockGap: true };
const JUMPED = "the clock jumped more than 30 days and nobody attested it";

/** What a completion of `make` claims, and why it is given no authority. */
const CLAIMS: readonly (readonly [what: string, problem: string | undefined, said?: string])[] = [
  ["what the action may establish, by those it calls for", problem([LOCKED])],
  ["nothing", problem([])],
  ["an action that there is not", problem([LOCKED], null), "there is no action generate-key"],
  ["another kind of fact", problem([ATTESTED]), "act cannot establish clock.attested"],
  ["facts of a statement", problem([LOCKED], { control: "none" }), "act establishes no facts"],
  ["a statement", problem([], { control: "none" })],
  ["a fact after a jump of the clock", problem([LOCKED], {}, everyone, gap), JUMPED],
  ["nothing after a jump of the clock", problem([], {}, everyone, gap)],
  [
    "the clock after a jump of it",
    problem([ATTESTED], { facts: ["clock.attested"] }, everyone, gap),
  ],
  ["more than the clock after a jump", problem([ATTESTED, LOCKED], ROLL, everyone, gap), JUMPED],
  ["too few people", problem([LOCKED], {}, begunBy(as("ana"))), "1 of 2 different people agreed"],
  [
    "others than it calls for",
    problem([LOCKED], {}, begunBy(as("ana", "ben"))),
    "nobody agreed as internal-witness",
  ],
  [
    "facts of what was to be undone",
    problem([LOCKED], {}, begunBy(as("ana", "eve"), { decision: "undo" })),
    "people agreed to undo the step",
  ],
  [
    "other facts than were agreed to",
    problem([LOCKED], { admitting: () => () => false }),
    "key.locked is not what people agreed to",
  ],
  [
    "a roll call of others than the custody knows",
    problem([present([...as("ana", "eve"), { person: "zoe", role: "custodian" }])], ROLL),
    "zoe does not hold the role custodian",
  ],
  [
    "a roll call that names somebody twice",
    problem([present(as("ana", "eve", "ana"))], ROLL),
    "ana is on the roll twice",
  ],
  [
    "a roll call under another site.yaml",
    problem([present(as("ana", "eve"), "c")], ROLL),
    "the roll was called under another site.yaml than the plan's",
  ],
  ["a roll call", problem([present(as("ana", "eve"))], ROLL)],
];

for (const [what, found, said] of CLAIMS) {
  test(`authority of a completion with ${what}`, () => {
    assert.equal(found, said);
  });
}

test("a newcomer is enrolled with the card that was agreed to, when they proved that they hold its keys", () => {
  const of = { facts: ["person.enrolled"] } as const;
  const both = [...as("ana", "eve"), { person: "fay", role: "candidate" as Role }];
  const enrol = (
    agreed: readonly Attending[],
    candidate: BegunStep["candidate"],
  ): string | undefined => problem([ENROLLED], of, begunBy(agreed, { candidate }));
  assert.equal(enrol(both, { person: "fay", card: "c" }), undefined);
  const nobody = "nobody agreed to enrol fay with this card";
  assert.equal(enrol(both.slice(0, 2), null), nobody);
  assert.equal(enrol(both, { person: "fay", card: "d" }), nobody);
  assert.equal(enrol(as("ana", "eve"), { person: "gil", card: "c" }), nobody);
  const unproved = "fay did not prove possession of their keys";
  assert.equal(enrol(as("ana", "eve"), { person: "fay", card: "c" }), unproved);
});

test("what is agreed to is judged once a step, with its parameters and its intent", () => {
  const asked: unknown[] = [];
  const admitting: Action["admitting"] = (params, intent) => {
    asked.push([params, intent]);
    return () => true;
  };
  const begun = begunBy(as("ana", "eve"), { intent: { key: "k" } });
  assert.equal(problem([LOCKED, LOCKED], { admitting }, begun), undefined);
  assert.equal(problem([LOCKED], { admitting }, begun), undefined);
  assert.deepEqual(asked, [[{}, { key: "k" }]]);
});
