/** The watch on the clock: what counts as a jump, and what does not hide one. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { ClockWatch } from "../../src/ceremony/clock-watch.ts";
import { plainEntry } from "../support/plain-entry.ts";

test("the clock has jumped when more than 30 days lie behind what people last agreed to", () => {
  const day = 24 * 60;
  const watch = new ClockWatch();
  watch.take(plainEntry("auth.failed", 90 * day));
  assert.equal(watch.gap, false);
  watch.agreed(plainEntry("step.begun", 0));
  watch.take(plainEntry("auth.failed", 30 * day));
  assert.equal(watch.gap, false);
  // Noise in between is no agreement.
  watch.take(plainEntry("auth.failed", 30 * day + 1));
  assert.equal(watch.gap, true);
  watch.agreed(plainEntry("step.begun", 30 * day + 1));
  assert.equal(watch.gap, true);
  watch.attested();
  assert.equal(watch.gap, false);
  watch.agreed(plainEntry("step.begun", 0, { time: "no time" }));
  watch.take(plainEntry("auth.failed", 0, { time: "no time" }));
  watch.take(plainEntry("auth.failed", 60 * day + 1));
  assert.equal(watch.gap, false);
});
