/** Digests as the room reads them: every group of hex and every word, in lines that can be read aloud. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { digestLines } from "../../src/ceremony/spoken.ts";
import { spokenWords } from "../../src/lib/words.ts";

test("a digest is its name, two lines of eight groups of hex and four lines of eight words", () => {
  const bytes = Uint8Array.from({ length: 32 }, (_, i) => i * 7);
  const digest = Buffer.from(bytes).toString("hex");
  const words = spokenWords(bytes);
  assert.equal(words.length, 32);
  const row = (from: number): string => `    ${words.slice(from, from + 8).join(" ")}`;
  assert.deepEqual(digestLines("Head of here", digest), [
    "Head of here:",
    "    0007 0e15 1c23 2a31 383f 464d 545b 6269",
    "    7077 7e85 8c93 9aa1 a8af b6bd c4cb d2d9",
    row(0),
    row(8),
    row(16),
    row(24),
  ]);
});

test("what is no hex has no words", () => {
  assert.deepEqual(digestLines("A name", "wxyz"), ["A name:", "    wxyz"]);
});
