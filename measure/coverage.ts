/**
 * T01: branches of the layers that hold the evidence, covered by the tests that run in process: `npm run coverage`.
 * Sessions run the bundle, whose ranges do not merge with those of the sources, so they would only blur the count;
 * one of them, the drill, and one sweep run in process and belong to it.
 */

import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { figure } from "../test/support/fault-run.ts";
import { ROOT, tool } from "./tools.ts";

const LAYERS = ["ledger", "shares", "people", "ceremony"] as const;
const LEAST_PERCENT = 95;
const TESTS = [
  "test/unit/",
  // All but the second verifier, which starts unit tests anew for their ledgers.
  ...["documents", "jcs", "merkle", "note", "published"].map((name) => `test/vectors/${name}.`),
  "test/tamper",
  "test/hsm/",
  "faults/aimed-mutations",
  "sessions/drill.test",
];

/** What c8's json-summary says of one file. */
interface Summary {
  readonly branches: { readonly total: number; readonly covered: number };
}

/** Where lcov.info names every open branch by its line. */
const REPORTS = join(ROOT, "coverage");
const raw = mkdtempSync(join(tmpdir(), "keyrite-coverage-"));
process.on("exit", () => {
  rmSync(raw, { recursive: true, force: true });
});

/** Runs the tests under c8; whether all of them passed. */
function measured(): boolean {
  const options = [
    `--temp-directory=${raw}`,
    `--reports-dir=${REPORTS}`,
    "--reporter=json-summary",
    "--reporter=lcovonly",
    "--merge-async",
    // What runs is compiled and lies elsewhere: what counts is where its source lies.
    "--exclude-after-remap",
    ...LAYERS.map((layer) => `--include=src/${layer}/**`),
  ];
  const filters = process.argv.length > 2 ? process.argv.slice(2) : TESTS;
  const run = [process.execPath, "bin/test.js", ...filters];
  const c8 = tool("c8", "bin/c8.js");
  const { status } = spawnSync(process.execPath, [c8, ...options, ...run], {
    cwd: ROOT,
    stdio: "inherit",
  });
  return status === 0;
}

const passed = measured();
const summary = JSON.parse(readFileSync(join(REPORTS, "coverage-summary.json"), "utf8")) as Record<
  string,
  Summary
>;
const files = Object.entries(summary).map(([path, { branches }]) => ({
  path: relative(ROOT, path).replaceAll("\\", "/"),
  ...branches,
}));

let enough = true;
for (const layer of LAYERS) {
  const here = files.filter(({ path }) => path.startsWith(`src/${layer}/`));
  const total = here.reduce((sum, file) => sum + file.total, 0);
  const open = total - here.reduce((sum, file) => sum + file.covered, 0);
  const percent = total === 0 ? 0 : 100 * (1 - open / total);
  enough &&= percent >= LEAST_PERCENT;
  figure("T01", `branches of src/${layer}`, {
    files: here.length,
    branches: total,
    open,
    percent: Number(percent.toFixed(2)),
  });
  for (const file of here.filter(({ total, covered }) => total - covered > 5)) {
    process.stdout.write(`  ${file.path}: ${file.total - file.covered} open\n`);
  }
  // A file of types alone is never loaded; one of code that no test loads must not vanish from the count.
  const seen = new Set(here.map(({ path }) => path));
  const unseen = readdirSync(join(ROOT, "src", layer))
    .map((name) => `src/${layer}/${name}`)
    .filter((path) => path.endsWith(".ts") && !seen.has(path));
  for (const path of unseen) process.stdout.write(`  ${path}: never loaded\n`);
}
if (!passed) process.stdout.write("error: tests failed, so the count is not that of a good run\n");
if (!enough) process.stdout.write(`error: a layer is below ${LEAST_PERCENT} %\n`);
process.exitCode = passed && enough ? 0 : 1;
