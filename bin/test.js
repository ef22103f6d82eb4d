#!/usr/bin/env node
/**
 * Runs the tests with node:test: those whose path contains one of the arguments, `node bin/test.js ledger hsm/`,
 * or all but what has a run of its own: the sweeps of faults, `node bin/test.js faults/` with FAULTS=full for the long
 * form, and the benchmarks' form, `node bin/test.js bench/`. Sources and tests are compiled first, once for all.
 */
"use strict";

const { spawn } = require("node:child_process");
const { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } = require("node:fs");
const { tmpdir } = require("node:os");
const { join } = require("node:path");
const { compiledName, compileTests } = require("./lib/compile-tests.js");
const { distribution } = require("./lib/setup.js");

const ROOT = join(__dirname, "..");

/** A test that hangs must fail: ten minutes is far more than any takes, but for the whole of the faults. */
const TIMEOUT_MS = process.env["FAULTS"] === "full" ? 7_200_000 : 600_000;

/** Minutes each, and nothing that a change elsewhere would break every day. */
const OWN_RUNS = ["test/faults/", "test/bench/"];

/** @param {readonly string[]} filters */
function testFiles(filters) {
  return readdirSync(join(ROOT, "test"), { recursive: true, encoding: "utf8" })
    .map((path) => `test/${path}`)
    .filter((path) => path.endsWith(".test.ts"))
    .filter((path) =>
      filters.length === 0
        ? !OWN_RUNS.some((folder) => path.startsWith(folder))
        : filters.some((filter) => path.includes(filter)),
    )
    .sort();
}

/** Judges the ledgers that other tests leave behind, so it comes after them. */
const LAST = "test/vectors/second-verifier.test.ts";

/**
 * The caller's environment without what would point the tests at the caller's own site or tokens.
 * @returns {NodeJS.ProcessEnv}
 */
function cleanEnvironment() {
  const foreign = /^(KEYRITE_|SOFTHSM2_CONF$|NODE_TEST_CONTEXT$|NODE_OPTIONS$)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name)));
}

/** @returns {Promise<number>} the exit code */
async function main() {
  const files = testFiles(process.argv.slice(2));
  if (files.length === 0) {
    process.stderr.write("error: no test file has such a path\n");
    return 2;
  }
  // Session tests run dist/: a bundle of older sources would prove nothing.
  await distribution();
  // Rehearsed sites that many test files begin with are made once; in memory where there is some.
  const stages = mkdtempSync(
    join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "keyrite-stages-"),
  );
  const kept = join(stages, "kept");
  mkdirSync(kept);
  const compiled = join(stages, "compiled");
  try {
    await compileTests(ROOT, compiled);
    const env = { ...cleanEnvironment(), KEYRITE_TEST_STAGES: stages, KEPT_LEDGERS: kept };
    const runAll = (/** @type {readonly string[]} */ sources) =>
      run(
        sources.map((file) => join(compiled, compiledName(file))),
        env,
      );
    const first = files.filter((file) => file !== LAST);
    const code = first.length === 0 ? 0 : await runAll(first);
    return files.includes(LAST) ? (await runAll([LAST])) || code : code;
  } finally {
    rmSync(stages, { recursive: true, force: true });
  }
}

/**
 * @param {readonly string[]} files
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<number>} the exit code
 */
function run(files, env) {
  const flags = ["--test-reporter=spec", "--test-concurrency=2"];
  const args = ["--enable-source-maps", "--test", `--test-timeout=${String(TIMEOUT_MS)}`, ...flags];
  const child = spawn(process.execPath, [...args, ...files], { cwd: ROOT, env, stdio: "inherit" });
  return new Promise((resolve) => {
    // A signal has no exit code; ended by one is failed.
    child.on("close", (code) => {
      resolve(code ?? 1);
    });
  });
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (/** @type {unknown} */ error) => {
    console.error(error);
    process.exitCode = 1;
  },
);
