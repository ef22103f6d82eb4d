/** What a release has to show: every sweep of faults was run, and its figures are in docs/ROBUSTNESS.md. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { keptFigures } from "../../bin/lib/robustness.js";

const ROOT = join(import.meta.dirname, "..", "..");
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");
const figures = keptFigures(ROOT);

test("every sweep of faults has its figures in the page", () => {
  const sweeps = readdirSync(import.meta.dirname)
    .map((name) => `test/faults/${name}`)
    .filter((path) => path.endsWith(".test.ts"));
  assert.ok(sweeps.length > 5);
  for (const file of sweeps) {
    const source = read(file);
    const rows = [...source.matchAll(/(?:figure\(|row:)\s*"([A-Z]\d\d)"/g)].map(([, row]) => row);
    for (const row of new Set(rows)) {
      const found = figures.some((one) => one.test === file && one.row === row);
      assert.ok(found, `${file} has no figure of ${String(row)}: npm run robustness FILE`);
    }
  }
});
