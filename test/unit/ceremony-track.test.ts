/** The track of ceremonies: what an entry opens and begins, and what stays when it does not. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { CeremonyTrack } from "../../src/ceremony/ceremony-track.ts";
import type { EntryType } from "../../src/ledger/entry.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { Course, PLAN, ROOT, STEPS, VOCABULARY } from "../support/course.ts";
import { CEREMONY, plainEntry, plainPlan, timeAt } from "../support/plain-entry.ts";

test("a ceremony begins as its opening and its plan tell it", () => {
  const { record } = new Course();
  assert.deepEqual(record, {
    ...{ id: CEREMONY, title: "A title", script: "staged", version: "1.0.0", openedSeq: 0 },
    ...{
      openedAt: timeAt(0),
      plan: PLAN,
      state: "open",
      closedAt: null,
      endedSeq: null,
      unjudged: false,
      attending: [],
    },
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
