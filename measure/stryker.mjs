/**
 * Two plugins of Stryker: which mutants are drawn, and how a mutant is tried. Both run in processes of Stryker's, which
 * read no TypeScript; what they must know stands in the environment, written by mutation.ts.
 */

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * @typedef {{ line: number, column: number }} Place
 * @typedef {{ id: string, fileName: string, mutatorName: string, replacement: string, location: { start: Place, end: Place } }} Mutant
 * @typedef {Record<string, number>} Hits times that each mutant's code ran
 * @typedef {{ passed: boolean, late: boolean, said: string, hits: Hits, cpuMs: number }} Run
 * @typedef {{ times: Record<string, number>, texts: Record<string, string>, leftOut: string[] }} Known what the first run tells of each test file
 */

/** Nothing that is still at work takes this long, on whatever machine. */
const LONGEST_MS = 1_200_000;

/** @param {string} name */
function given(name) {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: start this with npm run mutation`);
  return value;
}

/**
 * `src/shares/shamir.ts`, in the project or in Stryker's copy of it.
 * @param {string} path
 */
function sourcePath(path) {
  return path.replaceAll("\\", "/").replace(/^.*\/(?=src\/)/, "");
}

/**
 * Place, kind and text of a mutant, as in stryker-run.ts; Stryker counts lines and columns from 0 here.
 * @param {Mutant} mutant
 */
function keyOf({ fileName, mutatorName, replacement, location: { start, end } }) {
  const place = `${start.line + 1}:${start.column + 1}-${end.line + 1}:${end.column + 1}`;
  const text = replacement.replaceAll(/\s+/g, " ");
  return `${sourcePath(fileName)}:${place} ${mutatorName}: ${text}`;
}

/**
 * Whether a mutant is chosen: named, or by lot. The lot is a digest of the seed and of the mutant itself, so that neither
 * the order of files nor a mutant more or less elsewhere changes the draw, and a larger share holds every smaller one.
 * @param {Mutant} mutant
 */
function isDrawn(mutant) {
  /** @type {unknown} */
  const read = JSON.parse(readFileSync(given("MUTATION_CHOICE"), "utf8"));
  const choice = /** @type {{ keys?: string[], seed: string, share: number }} */ (read);
  const key = keyOf(mutant);
  if (choice.keys !== undefined) return choice.keys.includes(key);
  const lot =
    createHash("sha256").update(`${choice.seed} ${key}`).digest().readUInt32BE() / 2 ** 32;
  return lot < choice.share;
}

/** Stryker leaves out what a checker says does not compile; that is how a mutant is not drawn. */
class Draw {
  init() {
    return Promise.resolve();
  }

  /** @param {readonly Mutant[]} mutants */
  check(mutants) {
    const answers = mutants.map((mutant) => [
      mutant.id,
      isDrawn(mutant) ? { status: "passed" } : { status: "compileError", reason: "not drawn" },
    ]);
    return Promise.resolve(Object.fromEntries(answers));
  }

  /** @param {readonly Mutant[]} mutants */
  group(mutants) {
    return Promise.resolve([mutants.map(({ id }) => id)]);
  }
}

/**
 * Runs one test file in a process of its own, until its first failure.
 * @param {string} test
 * @param {string | undefined} mutant id of the active one
 * @param {{ cpuSeconds: number, hitLimit?: number | undefined }} limits
 * @returns {Promise<Run>}
 */
async function runTest(test, mutant, { cpuSeconds, hitLimit }) {
  const folder = mkdtempSync(join(tmpdir(), "keyrite-mutant-"));
  /** @type {NodeJS.ProcessEnv} */
  const env = { ...process.env, MUTATION_HITS: folder };
  if (mutant !== undefined) env["__STRYKER_ACTIVE_MUTANT__"] = mutant;
  if (hitLimit !== undefined) env["MUTATION_HIT_LIMIT"] = String(hitLimit);
  const hook = join(import.meta.dirname, "stryker-hook.mjs");
  const node = [process.execPath, "--import", hook, "--import", "tsx", "--test-reporter=tap", test];
  // The processor's time is limited and not the clock's, so that a busy machine kills no mutant.
  const limited = ["-c", 'ulimit -t "$0"; exec "$@"', String(Math.ceil(cpuSeconds)), ...node];
  // A group of its own, so that what a test started ends with it.
  const child = spawn("sh", limited, { env, stdio: ["ignore", "pipe", "ignore"], detached: true });
  const end = () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    } catch {
      // Ended by itself.
    }
  };
  /** @type {string | undefined} */
  let failure;
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (/** @type {string} */ text) => {
    said += text;
    const found = /^ *not ok .*\n/m.exec(said)?.[0].trim();
    if (found === undefined || failure !== undefined) return;
    failure = found;
    if (mutant !== undefined) end();
  });
  const hung = setTimeout(end, LONGEST_MS);
  /** @type {[number | null, string | null]} */
  const [code, signal] = await new Promise((resolve) => {
    child.on("exit", (...how) => {
      end();
      resolve(how);
    });
  });
  clearTimeout(hung);
  const parts = readdirSync(folder).map((name) => {
    /** @type {unknown} */
    const part = JSON.parse(readFileSync(join(folder, name), "utf8"));
    return /** @type {{ hits: Hits, active: number, cpuMs: number }} */ (part);
  });
  rmSync(folder, { recursive: true, force: true });
  /** @type {Hits} */
  const hits = {};
  for (const part of parts) {
    for (const [id, count] of Object.entries(part.hits)) hits[id] = (hits[id] ?? 0) + count;
  }
  return {
    passed: code === 0 && failure === undefined,
    late:
      (failure === undefined && signal !== null) ||
      parts.some(({ active }) => hitLimit !== undefined && active > hitLimit),
    said: failure ?? `exit ${code ?? signal}`,
    hits,
    cpuMs: Math.max(0, ...parts.map(({ cpuMs }) => cpuMs)),
  };
}

/** Tries a mutant with the test files that run its code, the nearest first, until one fails. */
class Nearest {
  capabilities() {
    // A process for each test file is a fresh environment.
    return { reloadEnvironment: true };
  }

  async dryRun() {
    /** @type {Record<string, Hits>} */
    const perTest = {};
    /** @type {Known} */
    const known = { times: {}, texts: {}, leftOut: [] };
    // Stryker's copy has no packages of its own, and Stryker finds no folder that is a link.
    symlinkSync(join(given("MUTATION_ROOT"), "node_modules"), "node_modules");
    const tests = [];
    for (const test of given("MUTATION_TESTS").split(" ")) {
      const run = await runTest(test, undefined, { cpuSeconds: 3600 });
      // Left out rather than counted: what fails without a mutant would kill every one.
      if (!run.passed) {
        known.leftOut.push(`${test}: ${run.said}`);
        continue;
      }
      perTest[test] = run.hits;
      known.times[test] = run.cpuMs;
      known.texts[test] = readFileSync(test, "utf8");
      tests.push({ id: test, name: test, fileName: test, timeSpentMs: run.cpuMs, status: 0 });
    }
    writeFileSync(given("MUTATION_KNOWN"), JSON.stringify(known));
    return { status: "complete", tests, mutantCoverage: { static: {}, perTest } };
  }

  /**
   * @param {{ testFilter?: readonly string[], activeMutant: Mutant, hitLimit?: number }} options
   * @returns {Promise<object>}
   */
  async mutantRun({ testFilter = [], activeMutant, hitLimit }) {
    /** @type {unknown} */
    const read = JSON.parse(readFileSync(given("MUTATION_KNOWN"), "utf8"));
    const known = /** @type {Known} */ (read);
    let nrOfTests = 0;
    let budget = Number(given("MUTATION_PATIENCE")) * 1000;
    for (const test of nearestFirst(testFilter, activeMutant.fileName, known)) {
      const usual = known.times[test] ?? 0;
      // Whoever outlives the patience counts as survived, although a later test might have killed it.
      if (nrOfTests > 0 && usual > budget) continue;
      budget -= usual;
      nrOfTests += 1;
      const cpuSeconds = 10 + (4 * usual) / 1000;
      const run = await runTest(test, activeMutant.id, { cpuSeconds, hitLimit });
      if (run.late) return { status: "timeout", reason: test };
      if (!run.passed) {
        return { status: "killed", killedBy: [test], failureMessage: run.said, nrOfTests };
      }
    }
    return { status: "survived", nrOfTests };
  }
}

/**
 * Tests that import the mutated file itself, then the others, the quick ones first in both.
 * @param {readonly string[]} tests
 * @param {string} file
 * @param {Known} known
 */
function nearestFirst(tests, file, { times, texts }) {
  const imported = `/${sourcePath(file)}"`;
  /** @param {string} test */
  const rank = (test) => (texts[test]?.includes(imported) === true ? 0 : 1e9) + (times[test] ?? 0);
  return [...tests].sort((a, b) => rank(a) - rank(b));
}

export const strykerPlugins = [
  { kind: "Checker", name: "draw", factory: () => new Draw() },
  { kind: "TestRunner", name: "nearest", factory: () => new Nearest() },
];
