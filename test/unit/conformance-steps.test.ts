/** The steps of one ceremony as its entries tell them: what is out of the plan's order, and what each came to. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { ACTIONS } from "../../src/actions/index.ts";
import { vocabularyOf } from "../../src/ceremony/action.ts";
import {
  CeremonySteps,
  itemsAgreed,
  stepReport,
  whyEnded,
  withExpiry,
  type StepState,
} from "../../src/ceremony/conformance-steps.ts";
import type { Json, JsonObject } from "../../src/lib/json.ts";
import { plainEntry, plainPlan, plainStep, timeAt } from "../support/plain-entry.ts";

const PLAN = plainPlan([
  plainStep(1, "roll-call", "roll-call"),
  plainStep(2, "attest", "attest"),
  plainStep(3, "inspect", "inspect-token"),
  plainStep(4, "make", "generate-key"),
  plainStep(5, "juggle", "juggle"),
  plainStep(6, "close", "close"),
]);
const VOCABULARY = vocabularyOf(ACTIONS);
const at = (seq: number): { seq: number; time: string } => ({ seq, time: timeAt(seq) });

/** The steps of the plan, of which these came to that, in order; those with a code ended with it. */
function after(outcomes: readonly string[], document: JsonObject = {}): CeremonySteps {
  const steps = new CeremonySteps(PLAN, document, VOCABULARY);
  outcomes.forEach((outcome, index) => {
    const step = steps.all[index] ?? assert.fail("no such step");
    const [what, code] = outcome.split(" ") as unknown as [
      StepState["outcome"],
      string | undefined,
    ];
    steps.open(step, at(index), true);
    step.outcome = what;
    step.code = code ?? null;
  });
  return steps;
}

const stepOf = (steps: CeremonySteps, id: string): StepState => steps.get(id) ?? assert.fail(id);

test("a step begins as its plan says it, under the control of its action", () => {
  const steps = after([], {
    steps: [{ n: 2, always: true }, { n: 3, always: false }, 4, { n: "5", always: true }],
  });
  assert.deepEqual(
    steps.all.map(({ planned: { id }, control, always }) => [id, control, always]),
    [
      ["roll-call", "everyone", false],
      ["attest", "none", true],
      ["inspect", "single", false],
      ["make", "dual", false],
      ["juggle", "unknown", false],
      ["close", "everyone", false],
    ],
  );
  const { planned, control, always, ...rest } = stepOf(steps, "make");
  assert.deepEqual([planned, control, always], [PLAN.steps[3], "dual", false]);
  assert.deepEqual(rest, {
    ...{ outcome: "not performed", attempts: 0, opened: null, begun: null, ended: null },
    ...{ people: [], facts: new Set(), items: null, batch: null, code: null },
  });
  assert.deepEqual([steps.get(null), steps.get("nothing")], [undefined, undefined]);
  assert.deepEqual(new CeremonySteps(undefined, { steps: "none" }, VOCABULARY).all, []);
});

for (const [drill, said] of [
  [true, true],
  ["true", false],
  [undefined, false],
] as const) {
  test(`a plan whose drill is ${String(drill)}`, () => {
    const steps = new CeremonySteps(PLAN, drill === undefined ? {} : { drill }, VOCABULARY);
    assert.equal(steps.drill, said);
  });
}

test("a step that is opened once more starts from nothing", () => {
  const steps = after(["completed"]);
  const step = stepOf(steps, "attest");
  assert.deepEqual(steps.open(step, at(4), false), []);
  step.begun = at(5);
  step.ended = at(6);
  step.people = [{ person: "ana", role: "custodian", expires: null }];
  step.outcome = "failed";
  assert.deepEqual(steps.open(step, at(7), false), []);
  assert.deepEqual(
    [step.attempts, step.opened, step.begun, step.ended, step.outcome, step.people],
    [2, at(7), null, null, "opened", []],
  );
});

const BEFORE = "step 4 (make) was opened before step 3 (inspect), which was";
const FAILED = "step 4 (make) was performed although the drill had failed before it";

/** What the steps before came to, whether it is a drill, and what is out of order about opening the fourth. */
const ORDER: readonly (readonly [
  outcomes: readonly string[],
  drill: boolean,
  problems: readonly (readonly [code: string, text: string])[],
])[] = [
  [["completed", "completed", "completed"], false, []],
  [["completed", "completed"], false, [["reordered-step", `${BEFORE} not performed`]]],
  [["completed", "completed", "failed"], false, [["reordered-step", `${BEFORE} failed`]]],
  [["completed", "completed", "refused"], false, [["reordered-step", `${BEFORE} refused`]]],
  [["completed", "completed", "skipped"], false, [["reordered-step", `${BEFORE} skipped`]]],
  [["completed", "completed", "opened"], true, [["reordered-step", `${BEFORE} opened`]]],
  [["completed", "completed", "skipped"], true, []],
  [["completed", "completed", "failed"], true, [["order", FAILED]]],
  [["completed", "refused", "completed"], true, [["order", FAILED]]],
  [["completed", "completed", "failed halted.undone"], true, []],
  [["completed", "completed", "completed", "completed"], true, []],
  [
    ["completed", "completed", "completed", "failed", "completed"],
    false,
    [["repeated-step", "step 4 (make) was opened once more after step 5; it was failed"]],
  ],
  [["completed", "completed", "completed", "failed halted.undone", "completed"], false, []],
];

for (const [outcomes, drill, problems] of ORDER) {
  test(`opening step 4 of a ${drill ? "drill" : "ceremony"} after ${outcomes.join(", ")}`, () => {
    const steps = after(outcomes, { drill });
    const found = steps.open(stepOf(steps, "make"), at(9), false);
    assert.deepEqual(
      found,
      problems.map(([code, text]) => ({ code, text })),
    );
    assert.deepEqual(steps.open(stepOf(steps, "make"), at(10), true), []);
  });
}

test("a failed drill still performs what its script always performs", () => {
  const steps = after(["completed", "failed", "completed"], {
    drill: true,
    steps: [{ n: 4, always: true }],
  });
  assert.deepEqual(steps.open(stepOf(steps, "make"), at(9), false), []);
});

test("why a step may be left out, or not", () => {
  const document = { drill: true, steps: [{ n: 3, always: true }] };
  const why = (steps: CeremonySteps, id: string): string | undefined =>
    steps.whyNotSkipped(stepOf(steps, id));
  const was = (n: number, id: string): string => `step ${n} (${id}) was left out`;
  assert.equal(
    why(after(["completed", "failed"]), "make"),
    `${was(4, "make")}, which only a drill may do`,
  );
  const failed = after(["completed", "failed"], document);
  assert.equal(why(failed, "inspect"), `${was(3, "inspect")} although the script says always`);
  assert.equal(why(failed, "make"), undefined);
  const none = "although no step before it had failed";
  assert.equal(why(failed, "attest"), `${was(2, "attest")} ${none}`);
  for (const outcome of ["completed", "skipped", "failed halted.undone"]) {
    assert.equal(why(after(["completed", outcome], document), "make"), `${was(4, "make")} ${none}`);
  }
  assert.equal(why(after(["completed", "refused"], document), "make"), undefined);
});

test("what was not performed by the close: in a drill a failure counts as ended", () => {
  const outcomes = ["completed", "failed", "refused", "skipped"];
  const ids = (drill: boolean): readonly string[] =>
    after(outcomes, { drill })
      .unperformed()
      .map(({ planned }) => planned.id);
  assert.deepEqual(ids(false), ["attest", "inspect", "make", "juggle"]);
  assert.deepEqual(ids(true), ["juggle"]);
});

test("why the fold did not open a step", () => {
  const steps = after(["completed", "failed"]);
  const why = (step: string | null, n: Json): string =>
    steps.whyNotOpened(plainEntry("step.opened", 9, { step, data: { n } }));
  assert.equal(why("nothing", 1), "extra-step");
  assert.equal(why(null, 1), "extra-step");
  assert.equal(why("roll-call", 2), "extra-step");
  assert.equal(why("roll-call", 1), "repeated-step");
  assert.equal(why("attest", 2), "order");
});

test("a step as reports state it, and when it is concluded nothing else is kept", () => {
  const steps = after(["completed"]);
  const step = stepOf(steps, "make");
  const { n, id, action, instruction, by } = step.planned;
  const planned = { n, id, action, instruction, by, control: "dual" } as const;
  assert.deepEqual(stepReport(step), {
    ...planned,
    ...{ outcome: "not performed", attempts: 0, openedSeq: null, begunSeq: null, endedSeq: null },
    ...{ openedAt: null, begunAt: null, endedAt: null, people: [], facts: [], items: null },
  });
  steps.open(step, at(2), true);
  step.begun = at(3);
  step.ended = at(4);
  step.facts.add("key.generated").add("key.locked");
  step.items = { completed: 1, failed: 2, expected: null };
  const report = {
    ...planned,
    ...{ outcome: "opened", attempts: 1, openedSeq: 2, begunSeq: 3, endedSeq: 4, people: [] },
    ...{ openedAt: timeAt(2), begunAt: timeAt(3), endedAt: timeAt(4) },
    ...{
      facts: ["key.generated", "key.locked"],
      items: { completed: 1, failed: 2, expected: null },
    },
  };
  assert.deepEqual(stepReport(step), report);
  assert.deepEqual(steps.conclude()[3], report);
  assert.deepEqual([steps.all, steps.get("make")], [[], undefined]);
});

test("people stand with the time at which their own agreement expired", () => {
  const note = (person: string, expires: string): string =>
    `x\nperson ${person}\nexpires ${expires}\n\n— s\n`;
  const notes = [
    note("ana", "T1"),
    note("ben", "T1"),
    "x\nperson cleo\n\n— s\n",
    note("dan", "T2"),
  ];
  const agreed = ["ana", "ben", "cleo", "dan", "eve"].map((person) => ({
    person,
    role: "custodian",
  }));
  assert.deepEqual(
    withExpiry(agreed, notes),
    [
      ["ana", "T1"],
      ["ben", "T1"],
      ["cleo", null],
      ["dan", "T2"],
      ["eve", null],
    ].map(([person, expires]) => ({ person, role: "custodian", expires })),
  );
  assert.deepEqual(withExpiry([], notes), []);
});

/** Intents, and how many items people agreed to by them. */
const INTENTS: readonly (readonly [intent: Json, items: number | null])[] = [
  ["none", null],
  [{}, null],
  [{ count: 3 }, null],
  [{ keyList: 7, count: 3 }, null],
  [{ keyList: "d", keys: 2, count: 3 }, 2],
  [{ keyList: "d", keys: "2", count: 3 }, 3],
  [{ keyList: "d", count: "3" }, null],
  [{ token: "alpha", part: { keyList: "d", keys: 4 } }, 4],
  [{ keyList: "d", part: { keyList: "e", count: 5 } }, 5],
];

for (const [intent, items] of INTENTS) {
  test(`${JSON.stringify(intent)} is agreed to for ${items ?? "nobody says how many"}`, () => {
    assert.equal(itemsAgreed(plainEntry("step.begun", 1, { data: { intent } })), items);
  });
}

test("why a step ended is its code and message, as far as there are such", () => {
  const why = (data: JsonObject): string => whyEnded(plainEntry("step.failed", 1, { data }));
  assert.equal(why({ code: "hsm.call-failed", message: "no" }), "hsm.call-failed: no");
  assert.equal(why({ code: 7 }), "no code: no message");
});
