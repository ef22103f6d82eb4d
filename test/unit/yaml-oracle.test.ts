/**
 * Our YAML against the package yaml, which reads all of YAML 1.2: whatever ours accepts, that one takes
 * for the same value at the same place.
 */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { isNode, LineCounter, parseDocument } from "yaml";
import type { Json } from "../../src/lib/json.ts";
import { judgeYaml } from "../../src/lib/yaml.ts";

const CEREMONIES = join(import.meta.dirname, "..", "..", "ceremonies");

const shipped = readdirSync(CEREMONIES, { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".yaml"))
  .map((path) => readFileSync(join(CEREMONIES, path), "utf8"));

type Path = readonly (string | number)[];

function paths(value: Json, path: Path = []): readonly Path[] {
  if (typeof value !== "object" || value === null) return [path];
  const below = Object.entries(value as Readonly<Record<string, Json>>);
  const name = (key: string): string | number => (Array.isArray(value) ? Number(key) : key);
  return [path, ...below.flatMap(([key, item]) => paths(item, [...path, name(key)]))];
}

/** Whether ours accepts the text; then both readers must agree about it. */
function agree(text: string): boolean {
  const reading = judgeYaml(new TextEncoder().encode(text), "f.yaml");
  if (!reading.ok) return false;
  const lineCounter = new LineCounter();
  const theirs = parseDocument(text, { schema: "core", version: "1.2", lineCounter });
  assert.deepEqual([...theirs.errors, ...theirs.warnings].map(String), [], JSON.stringify(text));
  const { value, locate } = reading.document;
  assert.equal(JSON.stringify(value), JSON.stringify(theirs.toJS()), JSON.stringify(text));
  for (const path of paths(value)) {
    const node = theirs.getIn(path, true);
    if (!isNode(node) || !node.range || node.range[0] === node.range[1]) continue;
    assert.deepEqual(locate(path), lineCounter.linePos(node.range[0]), JSON.stringify(text));
  }
  return true;
}

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

test("whatever scraps of YAML we accept is read alike", () => {
  let accepted = 0;
  fc.assert(
    fc.property(fc.array(marks, { maxLength: 14 }), (parts) => {
      if (agree(parts.join(""))) accepted += 1;
    }),
    { numRuns: 5000 },
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
    { numRuns: 3000 },
  );
  assert.ok(accepted > 100, `${accepted} were accepted`);
});
