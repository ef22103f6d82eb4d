/**
 * Our YAML against the package yaml, which reads all of YAML 1.2: whatever ours accepts, that one takes
 * for the same value at the same place.
 */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { agree } from "../support/yaml-oracle.ts";

const CEREMONIES = join(import.meta.dirname, "..", "..", "ceremonies");

const shipped = readdirSync(CEREMONIES, { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".yaml"))
  .map((path) => readFileSync(join(CEREMONIES, path), "utf8"));

test("every shipped file is read alike", () => {
  assert.ok(shipped.length > 5);
  for (const text of shipped) assert.ok(agree(text), text.slice(0, 60));
});

const marks = fc.constantFrom(
  ...["", " ", "  ", "\n", "\n\n", "\n  ", "\n    ", "# c\n", " # c", "- ", "-", ": ", ":"],
  ...["'", '"', "[", "]", "{", "}", ", ", ",", "|\n", "|-\n", "|+\n", ">\n", ">-\n", "a", "x y"],
  ...["a: ", "a: b\n", "- a: 1\n", "'x'", '"y"', "1", "-1", "true", "null", "~", "? ", "é"],
  ...["---\n", "--- ", "...\n", "%", "&a ", "*a", "!t ", "@", "\\n", "\\x41"],
);

/** Millions, once, while the reader is being changed: YAML_CASES=2000000. */
const CASES = Number(process.env["YAML_CASES"] ?? 5000);

test("whatever scraps of YAML we accept is read alike", () => {
  let accepted = 0;
  fc.assert(
    fc.property(fc.array(marks, { maxLength: 14 }), (parts) => {
      if (agree(parts.join(""))) accepted += 1;
    }),
    { numRuns: CASES },
  );
  assert.ok(accepted > 500, `${accepted} were accepted`);
});

test("whatever damaged piece of a shipped file we accept is read alike", () => {
  const place = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
  const at = (length: number, where: number): number => Math.floor(length * where);
  const edits = fc.array(fc.tuple(place, fc.nat(4), marks), { minLength: 1, maxLength: 3 });
  const damaged = fc
    .tuple(fc.constantFrom(...shipped), place, fc.integer({ min: 2, max: 12 }), edits)
    .map(([file, where, count, changes]) => {
      const lines = file.split("\n");
      const from = at(lines.length, where);
      const piece = lines.slice(from, from + count).join("\n");
      return changes.reduce((text, [spot, cut, mark]) => {
        const offset = at(text.length + 1, spot);
        return text.slice(0, offset) + mark + text.slice(offset + cut);
      }, piece);
    });
  let accepted = 0;
  fc.assert(
    fc.property(damaged, (text) => {
      if (agree(text)) accepted += 1;
    }),
    { numRuns: CASES },
  );
  assert.ok(accepted > 100, `${accepted} were accepted`);
});
