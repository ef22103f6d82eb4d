/** What a verdict is told of a hostile record stays bounded, and says how much was left off. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Found, MOST_FOUND, NO_STEP } from "../../src/ceremony/conformance-lists.ts";

const entry = { seq: 7, time: "2026-11-23T09:00:00Z" };
const about = { step: "clock", n: 2 };

test("violations beyond the first thousand are counted", () => {
  const found = new Found();
  for (let seq = 0; seq < MOST_FOUND; seq += 1) found.violation("order", seq, about, "again");
  assert.equal(found.violations.length, MOST_FOUND);
  for (const seq of [1000, 1001, 1002]) found.violation("order", seq, about, "again");
  assert.equal(found.violations.length, MOST_FOUND + 1);
  assert.deepEqual(found.violations.at(-1), {
    ...{ code: "order", seq: null, ...NO_STEP, text: "3 more left off" },
  });
});

test("exceptions beyond the first thousand are counted, and one of them alone makes it deviate", () => {
  const found = new Found();
  for (let at = 0; at < MOST_FOUND; at += 1) {
    found.exception("authentication", entry, about, "mistyped", { deviates: false });
  }
  assert.equal(found.deviates, false);
  assert.equal(found.exceptions.length, MOST_FOUND);
  found.exception("deviation", entry, about, "no camera");
  assert.equal(found.deviates, true, "what is left off the list still counts");
  const last = found.exceptions.at(-1);
  assert.deepEqual(
    [last?.text, last?.deviates, last?.step, last?.people],
    ["1 more left off", true, null, []],
  );
});

test("what is lacking is said once, however often it is missed, and no more than a thousand times", () => {
  const found = new Found();
  const lack = (text: string): void => {
    found.lacks({ code: "attachment", seq: 7, text, remedy: "ask for it" });
  };
  lack("the card is not attached");
  lack("the card is not attached");
  assert.equal(found.missing.length, 1);
  for (let at = 0; at <= MOST_FOUND; at += 1) lack(`attachment ${at} is missing`);
  assert.equal(found.missing.length, MOST_FOUND);
});
