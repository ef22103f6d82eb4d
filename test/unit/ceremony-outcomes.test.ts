/** The track of ceremonies: how steps and ceremonies end, are settled and gone on with. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { noteActivation } from "../../src/ceremony/ceremony-record.ts";
import { CeremonyTrack } from "../../src/ceremony/ceremony-track.ts";
import { StepItems } from "../../src/ceremony/step-items.ts";
import { Course, PLAN, VOCABULARY } from "../support/course.ts";
import { CEREMONY, plainEntry, timeAt } from "../support/plain-entry.ts";

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
