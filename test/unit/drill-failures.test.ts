/** With which failure a drill ends: the first that is on record, or else what its report says. */

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import type { CeremonyRecord } from "../../src/ceremony/history.ts";
import type { DrillCustody } from "../../src/ceremony/custody-copies.ts";
import { hasFailed, recordedFailure, verdictFailure } from "../../src/ceremony/drill.ts";
import { foundedStage, script, STEP } from "../support/stage-scripts.ts";

type Outcome = "begun" | "completed" | "failed" | "refused";
type Course = Readonly<Record<string, readonly [Outcome, code?: string, message?: string]>>;

const stage = await foundedStage();
after(() => {
  stage.remove();
});
const STEPS = [STEP.clock, STEP.attest, STEP.deviation];
const DRILL = stage.plan(script(STEPS, ["drill: true"]));
const NO_DRILL = stage.plan(script(STEPS));

/** What is on record of steps that went like this. */
function recorded(course: Course): Pick<CeremonyRecord, "steps" | "progress"> {
  const entries = Object.entries(course);
  const never = { openedAt: null, begunAt: null, endedAt: null };
  return {
    steps: new Map(entries.map(([id, [outcome]]) => [id, outcome])),
    progress: new Map(
      entries.map(([id, [, code = null, message = null]]) => [id, { ...never, code, message }]),
    ),
  };
}

describe("the failure that is on record", () => {
  const said = (course: Course, plan = DRILL): string | undefined => {
    const failure = recordedFailure(recorded(course), plan);
    if (failure !== undefined) assert.equal(failure.code, "hsm.drill-failed");
    return failure?.message;
  };

  test("of a drill is that of its first failed step, in the order of the plan", () => {
    const course: Course = {
      deviation: ["refused", "people.declined", "dan declined"],
      attest: ["failed", "hsm.call-failed", "the token is gone"],
      clock: ["completed"],
    };
    assert.equal(said(course), "step 3 (attest) failed: the token is gone");
    assert.equal(
      said({ deviation: ["refused", "people.declined", "dan declined"] }),
      "step 4 (deviation) failed: dan declined",
    );
  });

  test("is told without a reason where none is on record", () => {
    assert.equal(said({ clock: ["failed"] }), "step 2 (clock) failed: it failed");
  });

  test("is none while every step that ended was completed, or was undone", () => {
    assert.equal(said({}), undefined);
    assert.equal(said({ clock: ["completed"], attest: ["begun"] }), undefined);
    const undone: Course = { clock: ["failed", "halted.undone", "it was undone"] };
    assert.equal(said(undone), undefined);
    assert.equal(hasFailed(recorded(undone), "clock"), false);
  });

  test("is none in a ceremony that is no drill: that ends at once", () => {
    const course: Course = { clock: ["failed", "hsm.call-failed", "the token is gone"] };
    assert.equal(said(course, NO_DRILL), undefined);
    assert.equal(hasFailed(recorded(course), "clock"), true);
  });

  test("a refusal cannot be undone: the step counts as failed", () => {
    assert.equal(hasFailed(recorded({ clock: ["refused", "halted.undone"] }), "clock"), true);
    assert.equal(hasFailed(recorded({ clock: ["completed"] }), "clock"), false);
    assert.equal(hasFailed(recorded({}), "clock"), false);
  });
});

describe("the failure that a report says", () => {
  const concluded = (ceremony: string, reasons: readonly string[] | null): DrillCustody => ({
    drill: "drill",
    verdict: reasons === null ? "pass" : "fail",
    token: "beta",
    backup: "backup-1",
    keys: 1,
    seconds: 60,
    reasons: [...(reasons ?? [])],
    report: "ab".repeat(32),
    ceremony,
    at: "2026-11-23T09:00:00.000Z",
  });
  const failure = (...drills: readonly DrillCustody[]) => verdictFailure({ drills }, "this");

  test("is the first reason; the others are hints", () => {
    const found = failure(concluded("this", ["key a is missing", "key b is another"]));
    assert.equal(found?.code, "hsm.drill-failed");
    assert.equal(found.message, "the drill has failed: key a is missing");
    assert.deepEqual(found.hints, ["key b is another"]);
    const alone = failure(concluded("this", []));
    assert.equal(alone?.message, "the drill has failed: no reason is given");
    assert.deepEqual(alone.hints, []);
  });

  test("is that of this ceremony, and of its newest report", () => {
    assert.equal(failure(), undefined);
    assert.equal(failure(concluded("other", ["x"])), undefined);
    assert.equal(failure(concluded("this", null), concluded("other", ["x"])), undefined);
    assert.equal(failure(concluded("this", ["x"]), concluded("this", null)), undefined);
    const later = failure(concluded("this", null), concluded("this", ["late"]));
    assert.equal(later?.message, "the drill has failed: late");
  });
});
