/** The record of a ceremony's screen: kept line by line, whole after an interruption, and bounded. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Transcript } from "../../src/console/transcript.ts";
import { fromUtf8 } from "../../src/lib/encoding.ts";

function clockFrom(time: number): { now: () => number } {
  let now = time - 1000;
  return { now: () => (now += 1000) };
}

test("every line has its time, also each of a text of several", () => {
  const transcript = new Transcript(clockFrom(Date.UTC(2026, 10, 24, 4, 5, 6)));
  transcript.record("Step 1\n  one");
  transcript.record("");
  assert.equal(
    fromUtf8(transcript.bytes()),
    "2026-11-24T04:05:06Z  Step 1\n2026-11-24T04:05:06Z    one\n2026-11-24T04:05:07Z\n",
  );
});

test("what was said before the ceremony had a name is kept with it, after what an earlier process left", () => {
  const transcript = new Transcript(clockFrom(0));
  transcript.record("before");
  const kept: string[] = [];
  transcript.keepWith((text) => kept.push(text), "earlier one\nearlier two\n");
  transcript.record("after");
  assert.deepEqual(kept, ["1970-01-01T00:00:00Z  before\n", "1970-01-01T00:00:01Z  after\n"]);
  assert.equal(fromUtf8(transcript.bytes()), `earlier one\nearlier two\n${kept.join("")}`);
});

test("a record that grows without end says where it stopped", () => {
  const transcript = new Transcript(clockFrom(0));
  for (let i = 0; i < 1000; i += 1) transcript.record("x".repeat(10_000));
  const bytes = transcript.bytes();
  assert.ok(bytes.length < (4 << 20) + 20_000);
  assert.match(fromUtf8(bytes), /nothing more is kept of this ceremony's screen\n$/);
});
