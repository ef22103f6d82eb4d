/** The track of ceremonies: what an entry opens, begins and ends, and what stays when it does not. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { ACTIONS } from "../../src/actions/index.ts";
import { vocabularyOf } from "../../src/ceremony/action.ts";
import { noteActivation } from "../../src/ceremony/ceremony-record.ts";
import { CeremonyTrack } from "../../src/ceremony/ceremony-track.ts";
import type { CeremonyRecord } from "../../src/ceremony/history.ts";
import type { BegunStep, OpenedStep } from "../../src/ceremony/step-authority.ts";
import { StepItems } from "../../src/ceremony/step-items.ts";
import type { Entry, EntryType } from "../../src/ledger/entry.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { CEREMONY, plainEntry, plainPlan, plainStep, timeAt } from "../support/plain-entry.ts";

const STEPS = [
  plainStep(1, "roll-call", "roll-call"),
  plainStep(2, "clock", "attest-clock"),
  plainStep(3, "activate", "activate-token"),
  plainStep(4, "make", "generate-key"),
  plainStep(5, "deactivate", "deactivate-token"),
] as const;
const PLAN = plainPlan(STEPS);
const VOCABULARY = vocabularyOf(ACTIONS);
const ROOT = new Uint8Array([1, 2, 3]);
const ACTIVATED = {
  kind: "token.activated",
  token: "alpha",
  people: [],
  set: "s",
  generation: 1,
} as const;

/** A track with the entries that move it; each has the next index. */
class Course {
  readonly track = new CeremonyTrack(VOCABULARY);
  seq = 0;

  constructor(plan: typeof PLAN | undefined = PLAN) {
    this.begin(CEREMONY, plan);
  }

  entry(type: EntryType, changes: Partial<Entry> = {}): Entry {
    const entry = plainEntry(type, this.seq, changes);
    this.seq += 1;
    return entry;
  }

  begin(ceremony: string | null, plan: typeof PLAN | undefined = PLAN): void {
    const data = { title: "A title" };
    this.track.begin(this.entry("ceremony.opened", { ceremony, data }), plan);
  }

  open(id: string, data: JsonObject = {}): boolean {
    const n = STEPS.find((step) => step.id === id)?.n ?? 0;
    const nonce = `nonce ${this.seq}`;
    const entry = this.entry("step.opened", {
      step: id,
      data: { n, purpose: "step", nonce, ...data },
    });
    return this.track.openStep(entry, () => ROOT);
  }

  beginStep(
    id: string,
    decision: BegunStep["decision"] = "agree",
    items = new StepItems(),
  ): number {
    const entry = this.entry("step.begun", { step: id });
    const begun = { seq: entry.seq, decision, items, admits: null, agreed: [], candidate: null };
    this.track.beginStep(entry, { ...begun, intent: { key: "k" } });
    return entry.seq;
  }

  end(id: string, outcome: "completed" | "failed" | "refused", data: JsonObject = {}): void {
    this.track.endStep(this.entry(`step.${outcome}`, { step: id, data }), outcome);
  }

  /** Performs a step from its opening to its completion. */
  perform(...ids: readonly string[]): void {
    for (const id of ids) {
      assert.ok(this.open(id), id);
      this.beginStep(id);
      this.end(id, "completed");
    }
  }

  /** A token was activated by the newest entry of this step. */
  activated(step: string | null): void {
    noteActivation(this.record, step, ACTIVATED);
  }

  why(id: string): unknown {
    const to = this.track.toBegin(plainEntry("step.begun", this.seq, { step: id }));
    return typeof to === "string" ? to : to.step.id;
  }

  get record(): CeremonyRecord {
    return this.track.open ?? assert.fail("no ceremony is open");
  }

  get opened(): OpenedStep {
    return this.track.step ?? assert.fail("no step is open");
  }

  get outcomes(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.record.steps);
  }
}

test("a ceremony begins as its opening and its plan tell it", () => {
  const { record } = new Course();
  assert.deepEqual(record, {
    ...{ id: CEREMONY, title: "A title", script: "staged", version: "1.0.0", openedSeq: 0 },
    ...{ openedAt: timeAt(0), plan: PLAN, state: "open", closedAt: null, attending: [] },
    ...{ steps: new Map(), progress: new Map(), deviations: 0, unsettled: new Map(), doubt: null },
    ...{ activations: new Map(), again: new Set(), resumptions: 0 },
  });
});

test("a ceremony whose opening has no title and whose plan is missing has empty names", () => {
  const track = new CeremonyTrack(VOCABULARY);
  track.begin(plainEntry("ceremony.opened", 0, { ceremony: null }), undefined);
  const { id, title, script, version, plan } = track.open ?? assert.fail("none is open");
  assert.deepEqual([id, title, script, version, plan], ["", "", "", "", undefined]);
  const step = plainEntry("step.opened", 1, {
    step: "clock",
    data: { n: 2, purpose: "step", nonce: "a" },
  });
  assert.equal(
    track.openStep(step, () => ROOT),
    false,
  );
});

test("why an entry begins no ceremony", () => {
  const course = new Course();
  const why = (ceremony: string | null): string | undefined =>
    course.track.whyNotBegun(plainEntry("ceremony.opened", 9, { ceremony }));
  assert.equal(why(null), "it opens a ceremony without an id");
  assert.equal(why("20261123-other-abcd"), `a ceremony is opened while ${CEREMONY} is open`);
  course.track.end(course.entry("ceremony.closed"), "closed");
  assert.equal(why(CEREMONY), `the ceremony id ${CEREMONY} was used before`);
  assert.equal(why("20261123-other-abcd"), undefined);
});

const BELONGS: Readonly<Record<EntryType, readonly [own: boolean, other: boolean]>> = {
  "ledger.created": [true, true],
  "ceremony.opened": [true, true],
  "ceremony.closed": [true, false],
  "ceremony.abandoned": [true, false],
  "step.opened": [true, false],
  "step.begun": [true, false],
  "step.completed": [true, false],
  "step.failed": [true, false],
  "step.refused": [true, false],
  "auth.failed": [true, true],
  "tail.adopted": [true, false],
  "deviation.recorded": [true, false],
  "plan.amended": [true, false],
  "clock.attested": [true, true],
};

for (const [name, [own, other]] of Object.entries(BELONGS)) {
  test(`whether ${name} may do something: of the open ceremony, of another, of none`, () => {
    const course = new Course();
    const type = name as EntryType;
    const belongs = (ceremony: string | null): boolean =>
      course.track.belongs(plainEntry(type, 1, { ceremony }));
    assert.deepEqual([CEREMONY, "other", null].map(belongs), [own, other, other]);
    course.track.end(course.entry("ceremony.closed"), "closed");
    assert.deepEqual([CEREMONY, null].map(belongs), [other, other]);
  });
}

test("a step is opened with all that agreements to it bind", () => {
  const course = new Course();
  assert.ok(course.open("roll-call", { subject: "digest", shown: ["a line", 7], nonce: "aa" }));
  assert.deepEqual(course.track.step, {
    ...{ seq: 1, size: 2, root: "010203", nonce: "aa", step: STEPS[0], purpose: "step" },
    ...{ subject: "digest", shown: ["a line", "7"], begun: null },
  });
  assert.deepEqual(course.outcomes, { "roll-call": "opened" });
  assert.ok(course.open("clock", { shown: "none" }));
  assert.deepEqual(course.opened.shown, []);
  assert.equal(course.opened.subject, null);
});

const UNOPENED: Readonly<Record<string, JsonObject>> = {
  "a number that the plan does not have": { n: 6 },
  "the number before the first": { n: 0 },
  "the number of another step": { n: 2 },
  "a number that is none": { n: "1" },
  "no purpose that there is": { purpose: "wish" },
  "no nonce": { nonce: 7 },
};

for (const [what, data] of Object.entries(UNOPENED)) {
  test(`a step is not opened with ${what}: what is open stays open`, () => {
    const course = new Course();
    assert.ok(course.open("clock"));
    const before = course.track.step;
    assert.equal(course.open("roll-call", data), false);
    assert.equal(course.track.step, before);
    assert.deepEqual(course.outcomes, { clock: "opened" });
  });
}

test("a step is found by its number, also where the plan's steps do not stand in their order", () => {
  const course = new Course(plainPlan([...STEPS].reverse()));
  for (const { id } of STEPS) assert.ok(course.open(id), id);
  assert.equal(course.open("roll-call", { n: 5 }), false);
});

test("a nonce opens once, also for another step, and a refused opening uses none", () => {
  const course = new Course();
  assert.ok(course.open("roll-call", { nonce: "one" }));
  assert.equal(course.open("clock", { nonce: "one" }), false);
  assert.equal(course.open("clock", { nonce: "two", n: 9 }), false);
  assert.ok(course.open("clock", { nonce: "two" }));
});

test("a completed step is not opened to be performed again, but a decision may open it", () => {
  const course = new Course();
  course.perform("roll-call");
  assert.equal(course.open("roll-call"), false);
  for (const purpose of ["adopt", "abandon", "resume", "finish", "undo"]) {
    assert.ok(course.open("roll-call", { purpose }), purpose);
    assert.equal(course.track.step?.purpose, purpose);
    assert.deepEqual(course.outcomes, { "roll-call": "completed" });
  }
});

test("over a doubt nothing is opened but a decision, or what was active before it", () => {
  const course = new Course();
  course.perform("roll-call", "clock", "activate");
  course.activated("activate");
  assert.ok(course.open("make"));
  course.beginStep("make");
  for (const id of ["make", "deactivate", "activate"]) assert.equal(course.open(id), false, id);
  assert.ok(course.open("make", { purpose: "resume" }));
  course.track.resume(PLAN, false);
  for (const id of ["make", "deactivate", "clock"]) assert.equal(course.open(id), false, id);
  assert.ok(course.open("activate"));
  assert.deepEqual(course.record.activations.get("alpha"), { step: "activate", lasts: false });
});

test("a failed step leaves no doubt: another may be opened, and it stays unsettled", () => {
  const course = new Course();
  assert.ok(course.open("make"));
  course.beginStep("make");
  assert.equal(course.record.doubt?.id, "make");
  course.end("make", "failed", { code: "hsm.call-failed", message: "no" });
  assert.equal(course.record.doubt, null);
  assert.deepEqual([...course.record.unsettled.keys()], ["make"]);
  assert.ok(course.open("deactivate"));
  assert.deepEqual(course.record.progress.get("make"), {
    ...{ openedAt: timeAt(1), begunAt: timeAt(2), endedAt: timeAt(3) },
    ...{ code: "hsm.call-failed", message: "no" },
  });
  assert.ok(course.open("make"));
  assert.deepEqual(course.record.progress.get("make"), {
    ...{ openedAt: timeAt(5), begunAt: null, endedAt: null, code: null, message: null },
  });
});

test("what keeps a step from being begun", () => {
  const course = new Course();
  const notOpen = "it begins a step that is not open";
  assert.equal(course.why("clock"), notOpen);
  assert.ok(course.open("clock"));
  assert.equal(course.why("make"), notOpen);
  assert.equal(course.why("clock"), "clock");
  course.beginStep("clock");
  assert.equal(course.why("clock"), notOpen);
  course.end("clock", "completed");
  assert.equal(course.why("clock"), notOpen);
  for (const purpose of ["adopt", "abandon", "resume"]) {
    assert.ok(course.open("make", { purpose }));
    assert.equal(course.why("make"), notOpen);
  }
  for (const purpose of ["finish", "undo"]) {
    assert.ok(course.open("make", { purpose }));
    assert.equal(course.why("make"), "it settles a step that is not in doubt");
  }
  assert.ok(course.open("make"));
  course.beginStep("make");
  for (const purpose of ["finish", "undo"]) {
    assert.ok(course.open("make", { purpose }));
    assert.equal(course.why("make"), "make");
    assert.equal(course.track.unsettled?.id, "make");
  }
  assert.ok(course.open("deactivate", { purpose: "undo" }));
  assert.equal(course.track.unsettled, undefined);
});

test("over a tail only the roll call is begun until it is adopted", () => {
  const course = new Course();
  course.track.end(course.entry("ceremony.closed"), "closed");
  course.track.explain(2);
  course.seq = 5;
  course.begin("20261123-next-abcd");
  assert.deepEqual(course.track.tail, { from: 2, to: 5 });
  assert.ok(course.open("clock"));
  assert.equal(course.why("clock"), "entries 2 to 4 were not adopted before it");
  assert.ok(course.open("roll-call"));
  assert.equal(course.why("roll-call"), "roll-call");
  course.track.explain(4);
  assert.equal(course.track.explained, 2);
  course.track.adoptTail();
  assert.deepEqual([course.track.explained, course.track.tail], [5, null]);
  course.track.adoptTail();
  assert.equal(course.track.explained, 5);
  course.track.explain(7);
  assert.equal(course.track.explained, 7);
  assert.ok(course.open("clock"));
  assert.equal(course.why("clock"), "clock");
});

test("no tail stands before what was explained to the entry, nor before the founding's own ceremony", () => {
  const track = new CeremonyTrack(VOCABULARY);
  track.found(plainEntry("ledger.created", 0));
  track.begin(plainEntry("ceremony.opened", 1), PLAN);
  assert.deepEqual([track.tail, track.explained], [null, 0]);
  track.end(plainEntry("ceremony.closed", 2), "closed");
  track.explain(3);
  track.begin(plainEntry("ceremony.opened", 3, { ceremony: "next" }), PLAN);
  assert.equal(track.tail, null);
});

test("an undo, and only the code of one, ends the doubt of a step that people agreed to undo", () => {
  for (const [decision, code, left] of [
    ["undo", "halted.undone", 0],
    ["undo", "hsm.call-failed", 1],
    ["finish", "halted.undone", 1],
    ["agree", "halted.undone", 1],
  ] as const) {
    const course = new Course();
    assert.ok(course.open("make"));
    course.beginStep("make");
    if (decision !== "agree") {
      assert.ok(course.open("make", { purpose: decision }));
      course.beginStep("make", decision);
    }
    course.end("make", "failed", { code });
    assert.equal(course.record.unsettled.size, left, `${decision} ${code}`);
    assert.deepEqual([course.outcomes, course.track.step], [{ make: "failed" }, null]);
  }
});

test("a refusal ends what was opened, not what has begun", () => {
  const course = new Course();
  assert.ok(course.open("make"));
  course.end("make", "refused", { code: "people.declined" });
  assert.deepEqual([course.outcomes, course.track.step], [{ make: "refused" }, null]);
  assert.equal(course.track.acted, false);
  assert.ok(course.open("make"));
  course.beginStep("make");
  assert.equal(course.track.acted, true);
  course.end("make", "refused", { code: "people.declined" });
  assert.deepEqual(course.outcomes, { make: "begun" });
  assert.equal(course.track.step?.step.id, "make");
});

test("a refusal of a step that was not opened is noted of the plan's steps, and takes nothing back", () => {
  const course = new Course();
  course.perform("roll-call");
  assert.ok(course.open("clock"));
  const { step } = course.track;
  const refuse = (id: string | null): void => {
    course.track.endStep(course.entry("step.refused", { step: id }), "refused");
  };
  for (const id of ["make", "roll-call", "nothing", null]) refuse(id);
  course.end("deactivate", "failed");
  course.end("activate", "completed");
  assert.deepEqual(course.outcomes, { "roll-call": "completed", clock: "opened", make: "refused" });
  assert.equal(course.track.step, step);
});

test("a decision that was refused leaves the step's outcome as it was", () => {
  const course = new Course();
  course.perform("roll-call");
  assert.ok(course.open("roll-call", { purpose: "adopt" }));
  course.end("roll-call", "refused");
  assert.deepEqual([course.outcomes, course.track.step], [{ "roll-call": "completed" }, null]);
  assert.ok(course.open("clock"));
  assert.ok(course.open("roll-call", { purpose: "adopt" }));
  course.track.endDecision();
  assert.equal(course.track.step, null);
});

test("a batch goes on with its items when people settle it, and anew when they perform the step", () => {
  const course = new Course();
  const items = new StepItems();
  assert.notEqual(course.track.itemsToBegin(), items);
  assert.ok(course.open("make"));
  course.beginStep("make", "agree", items);
  assert.notEqual(course.track.itemsToBegin(), items);
  assert.ok(course.open("make", { purpose: "finish" }));
  assert.equal(course.track.itemsToBegin(), items);
  assert.ok(course.open("deactivate", { purpose: "finish" }));
  assert.notEqual(course.track.itemsToBegin(), items);
  assert.ok(course.open("make", { purpose: "finish" }));
  course.beginStep("make", "finish", items);
  course.end("make", "completed");
  assert.ok(course.open("make", { purpose: "finish" }));
  assert.notEqual(course.track.itemsToBegin(), items);
});

test("going on: another plan, one more resumption, no session, and a roll call in doubt called nobody", () => {
  const course = new Course();
  assert.ok(course.open("roll-call"));
  course.beginStep("roll-call");
  course.activated("activate");
  const plan = { ...PLAN, software: "another" };
  course.track.resume(plan, false);
  const { record } = course;
  assert.deepEqual([record.plan, record.resumptions, record.doubt], [plan, 1, null]);
  assert.deepEqual([[...record.unsettled], course.outcomes], [[], { "roll-call": "opened" }]);
  assert.deepEqual([...record.activations], [["alpha", { step: "activate", lasts: false }]]);
  assert.equal(course.track.step, null);
  assert.ok(course.open("roll-call"));
  course.track.resume(plan, false);
  assert.equal(record.resumptions, 2);
});

test("after a long pause the completed step that attests the clock is performed once more", () => {
  for (const [long, performed, again] of [
    [true, ["roll-call", "clock"], ["clock"]],
    [false, ["roll-call", "clock"], []],
    [true, ["roll-call"], []],
  ] as const) {
    const course = new Course();
    course.perform(...performed);
    course.track.resume(PLAN, long);
    assert.deepEqual([...course.record.again], again);
    assert.equal(course.open("clock"), again.length > 0 || performed.length === 1);
    noteActivation(course.record, "clock", {
      kind: "clock.attested",
      source: "radio",
      offsetSeconds: 0,
    });
    assert.deepEqual([...course.record.again], []);
  }
});

test("tokens in use are those that a step activated and none took out of use", () => {
  const course = new Course();
  course.activated(null);
  assert.equal(course.record.activations.size, 0);
  for (const fact of [
    { kind: "token.deactivated", token: "alpha" },
    { kind: "token.retired", token: "alpha", serial: "1", reason: "old" },
  ] as const) {
    course.activated("activate");
    assert.deepEqual(course.record.activations.get("alpha"), { step: "activate", lasts: true });
    noteActivation(course.record, "deactivate", { ...fact, token: "beta" });
    assert.equal(course.record.activations.size, 1);
    noteActivation(course.record, "deactivate", fact);
    assert.equal(course.record.activations.size, 0);
  }
});

test("what is given up: the ceremony, and the items of steps that are not completed", () => {
  const track = new CeremonyTrack(VOCABULARY);
  assert.deepEqual(track.givenUp, { id: "", openedAt: "", left: [] });
  assert.equal(track.acted, false);
  const course = new Course();
  const items = new StepItems();
  assert.ok(course.open("make"));
  course.beginStep("make", "agree", items);
  items.intend(9, 1, [
    { item: "a", ckaId: "01" },
    { item: "b", ckaId: "02" },
  ]);
  items.end("a", true);
  items.end("b", false);
  assert.deepEqual(course.track.givenUp, { id: CEREMONY, openedAt: timeAt(0), left: ["a"] });
});

for (const state of ["closed", "abandoned"] as const) {
  test(`of a ceremony that is ${state} stays how each step ended, and why one did not succeed`, () => {
    const course = new Course();
    course.perform("roll-call");
    assert.ok(course.open("clock"));
    course.end("clock", "refused", { code: "people.declined", message: "no" });
    const { record } = course;
    const at = course.seq;
    course.track.end(course.entry(`ceremony.${state}`), state);
    assert.deepEqual([record.state, record.closedAt], [state, timeAt(at)]);
    assert.deepEqual(
      [...record.steps],
      [
        ["roll-call", "completed"],
        ["clock", "refused"],
      ],
    );
    assert.deepEqual([...record.progress.keys()], ["clock"]);
    assert.deepEqual([course.track.open, course.track.step], [null, null]);
    assert.deepEqual(course.track.ceremonies, [record]);
  });
}

test("without an open ceremony nothing begins, ends, goes on or closes", () => {
  const track = new CeremonyTrack(VOCABULARY);
  const entry = plainEntry("step.completed", 1, { step: "clock" });
  const items = new StepItems();
  const begun = {
    seq: 1,
    decision: "agree",
    items,
    admits: null,
    agreed: [],
    candidate: null,
  } as const;
  track.beginStep(entry, { ...begun, intent: {} });
  track.endStep(entry, "completed");
  track.resume(PLAN, true);
  track.end(entry, "closed");
  assert.deepEqual([track.open, track.step, track.ceremonies], [null, null, []]);
});
