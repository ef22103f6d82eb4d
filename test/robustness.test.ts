/** What the documents say of robustness is what was measured, and what the assurance case cites is there. */

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { formatFigures, keptFigures, mergeFigures, renderPage } from "../bin/lib/robustness.js";

const ROOT = join(import.meta.dirname, "..");
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");
const figures = keptFigures(ROOT);

test("ROBUSTNESS.md shows the figures that are kept, each once and in order", () => {
  assert.equal(read("docs/robustness.jsonl"), formatFigures(mergeFigures(figures, [])));
  const page = read("docs/ROBUSTNESS.md");
  assert.equal(renderPage(page, figures), page, "npm run robustness");
});

test("every figure is of a test that is there and names its row", () => {
  assert.ok(figures.length > 10);
  for (const { row, what, test: file } of figures) {
    assert.ok(existsSync(join(ROOT, file)), `${what}: ${file}`);
    assert.ok(read(file).includes(row), `${file} has no row ${row}`);
  }
});

test("no figure has anything where nothing may be", () => {
  const NEVER =
    /^(uncaught|wrongly ?[aA]ccepted|passed|lost|unreadable|damaged|orphans|duplicates|missing|logins|written|falseSuccess|overOneSecond|unnamed)$/;
  for (const { row, what, counts } of figures) {
    for (const [name, count] of Object.entries(counts)) {
      if (NEVER.test(name)) assert.equal(count, 0, `${row} ${what}: ${name}`);
    }
  }
});

/** Links of a page to files of the project, as paths from its root. */
function linked(page: string): readonly string[] {
  return [...read(page).matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map(([, target = ""]) =>
    join(dirname(page), target),
  );
}

for (const page of [
  "docs/assurance.md",
  "docs/ROBUSTNESS.md",
  "docs/threat-model.md",
  "SECURITY.md",
]) {
  test(`every file that ${page} links is there`, () => {
    const paths = linked(page);
    assert.ok(paths.length > 0);
    assert.deepEqual(
      paths.filter((path) => !existsSync(join(ROOT, path))),
      [],
    );
  });
}

/** `Q01 [name](../test/…)`: a row and the test file that is its evidence. */
const EVIDENCE = /`([A-Z]\d\d)` \[[^\]]+\]\(\.\.\/(test\/[^)]+)\)/g;

test("every test that the assurance case and the table of found faults cite has that row's id", () => {
  const cited = ["docs/assurance.md", "docs/ROBUSTNESS.md"].flatMap((page) => [
    ...read(page).matchAll(EVIDENCE),
  ]);
  assert.ok(cited.length > 40, `${cited.length} citations`);
  for (const [, row = "", file = ""] of cited) {
    assert.match(read(file), new RegExp(`${row}\\b`), `${file} shows nothing of ${row}`);
  }
});

test("every claim of the assurance case links code and a test", () => {
  const claims = read("docs/assurance.md").split(/^### /m).slice(1);
  assert.ok(claims.length >= 12, `${claims.length} claims`);
  for (const claim of claims) {
    const [title = ""] = claim.split("\n");
    assert.match(claim, /\]\(\.\.\/src\//, `${title}: no code`);
    assert.match(claim, /`[A-Z]\d\d` \[[^\]]+\]\(\.\.\/test\//, `${title}: no test`);
  }
});
