/** How long records are kept: dates by the rules, and none while a key lives. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { retentionOf, type RetainedKey } from "../../src/ceremony/retention.ts";

const LAST = "2026-11-24T04:00:00.000Z";
const KEY: RetainedKey = {
  spki: "ab",
  label: "root-g1",
  destroyedAt: null,
  retained: false,
  certificateEnd: null,
  relyingEnd: null,
};
const until = (...keys: readonly Partial<RetainedKey>[]): string | null =>
  retentionOf(
    keys.map((key) => ({ ...KEY, ...key })),
    LAST,
  ).until;
const DEAD = { destroyedAt: "2030-01-01T00:00:00.000Z" };

test("LG-11: without any key, two years after the newest record", () => {
  assert.equal(until(), "2028-11-24T04:00:00.000Z");
});

test("LG-11: a live key, and one of which a copy is retained, have no date", () => {
  assert.equal(until({}), null);
  assert.equal(until({ certificateEnd: "2027-01-01T00:00:00Z" }), null);
  assert.equal(until({ ...DEAD, retained: true }), null);
  assert.equal(until(DEAD, {}), null);
});

test("LG-11: two years count from the later of destruction and the last certificate's end", () => {
  assert.equal(until(DEAD), "2032-01-01T00:00:00.000Z");
  const early = retentionOf([{ ...KEY, ...DEAD, certificateEnd: "2029-06-01T00:00:00Z" }], LAST);
  const late = retentionOf([{ ...KEY, ...DEAD, certificateEnd: "2040-06-01T00:00:00Z" }], LAST);
  const br = (found: typeof early): string | null =>
    found.rules.find(({ rule }) => rule === "BR:5.4.3")?.until ?? null;
  assert.equal(br(early), "2032-01-01T00:00:00.000Z");
  assert.equal(br(late), "2042-06-01T00:00:00.000Z");
});

test("LG-12: seven years count from the last certificate that relies on the key", () => {
  const own = { ...DEAD, certificateEnd: "2029-06-01T00:00:00Z" };
  assert.equal(until(own), "2036-06-01T00:00:00.000Z");
  assert.equal(until({ ...own, relyingEnd: "2033-06-01T00:00:00Z" }), "2040-06-01T00:00:00.000Z");
  assert.equal(until({ ...own, relyingEnd: "2028-06-01T00:00:00Z" }), "2036-06-01T00:00:00.000Z");
});

test("the latest of all keys counts, and no date is ever early", () => {
  const old = { destroyedAt: "2020-02-29T12:00:00.000Z" };
  assert.equal(until(old), "2028-11-24T04:00:00.000Z");
  const rule = retentionOf([{ ...KEY, ...old }], LAST).rules.find(
    ({ about }) => about === "key root-g1",
  );
  assert.equal(rule?.until, "2022-03-01T12:00:00.000Z");
  assert.equal(until(old, DEAD), "2032-01-01T00:00:00.000Z");
});
