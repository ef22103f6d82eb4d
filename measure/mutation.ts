/**
 * T02: how many mutants of the layers that hold the evidence their tests kill. `npm run mutation` tries a sample, since
 * all of them take days; `npm run mutation ledger 0.5` half of one layer; `npm run mutation ledger again FILE…` only those
 * that survived the last run of that layer, with these test files.
 */

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, posix } from "node:path";
import { figure } from "../test/support/fault-run.ts";
import { tryMutants, type Mutant } from "./stryker-run.ts";
import { ROOT } from "./tools.ts";

/** The share of a layer's mutants that is drawn unless another is asked for. */
const SHARES = { shares: 0.12, people: 0.07, ledger: 0.022, ceremony: 0.005 } as const;
type Layer = keyof typeof SHARES;
const LEAST_PERCENT = 85;
const SEED = process.env["MUTATION_SEED"] ?? "20261201";

/** What is kept of a run, for `again`. */
interface Outcome {
  readonly seed: string;
  readonly share: number;
  /** Mutants of the layer, drawn or not. */
  readonly all: number;
  readonly drawn: readonly Mutant[];
}

const outcomeFile = (layer: Layer): string => join(ROOT, "coverage", `mutation-${layer}.json`);
const isDead = ({ status }: Mutant): boolean => status === "Killed" || status === "Timeout";

/** Starts other test files, which are tried by themselves. */
const STARTS_OTHERS = "test/vectors/second-verifier.test.ts";

/**
 * Whether a test file imports the layer, itself or through what it shares with other tests.
 * @param path of the file, from the root of the project
 */
function reaches(layer: Layer, path: string, seen = new Set<string>()): boolean {
  if (seen.has(path)) return false;
  seen.add(path);
  const text = readFileSync(join(ROOT, path), "utf8");
  if (text.includes(`/src/${layer}/`)) return true;
  const shared = [...text.matchAll(/from "(\.{1,2}\/[^"]+\.ts)"/g)]
    .map(([, to = ""]) => posix.join(posix.dirname(path), to))
    .filter((to) => to.startsWith("test/support/") && existsSync(join(ROOT, to)));
  return shared.some((to) => reaches(layer, to, seen));
}

/** Test files that reach the layer; sessions and the long sweeps take too long for every mutant. */
function testsOf(layer: Layer): readonly string[] {
  return readdirSync(join(ROOT, "test"), { recursive: true, encoding: "utf8" })
    .map((path) => `test/${path.replaceAll("\\", "/")}`)
    .filter((path) => /^test\/(unit\/|vectors\/|tamper).*\.test\.ts$/.test(path))
    .filter((path) => path !== STARTS_OTHERS)
    .filter((path) => reaches(layer, path))
    .sort();
}

/** Draws from all mutants of a layer and tries those. */
function firstRun(layer: Layer, share: number): Outcome {
  const mutants = tryMutants(layer, testsOf(layer), { seed: SEED, share });
  const drawn = mutants.filter(({ isDrawn }) => isDrawn);
  return { seed: SEED, share, all: mutants.length, drawn };
}

/** Tries again what survived: a test that was added can only kill more. */
function again(layer: Layer, tests: readonly string[]): Outcome {
  const last = JSON.parse(readFileSync(outcomeFile(layer), "utf8")) as Outcome;
  const open = last.drawn.filter((mutant) => !isDead(mutant)).map(({ key }) => key);
  const tried = tryMutants(layer, tests, { keys: open });
  const newer = new Map(tried.filter(({ isDrawn }) => isDrawn).map((one) => [one.key, one]));
  if (newer.size !== open.length) throw new Error("the sources changed since the last run");
  // With other tests than the first time, "never run" says nothing new.
  const better = (mutant: Mutant): Mutant => {
    const one = newer.get(mutant.key);
    return one !== undefined && isDead(one) ? one : mutant;
  };
  return { ...last, drawn: last.drawn.map(better) };
}

/** Says what became of the drawn mutants of a layer, and whether enough of them were killed. */
function judged(layer: Layer, { seed, share, all, drawn }: Outcome): boolean {
  for (const mutant of drawn) {
    if (!isDead(mutant)) process.stdout.write(`  ${mutant.status} ${mutant.key}\n`);
  }
  const count = (status: string): number => drawn.filter((one) => one.status === status).length;
  const percent = (100 * drawn.filter(isDead).length) / drawn.length;
  process.stdout.write(`seed ${seed}, share ${share}\n`);
  figure("T02", `mutants of src/${layer}`, {
    mutants: all,
    drawn: drawn.length,
    killed: count("Killed"),
    ranTooLong: count("Timeout"),
    survived: count("Survived"),
    neverRun: count("NoCoverage"),
    percent: Number(percent.toFixed(1)),
  });
  const sorted = count("Killed") + count("Timeout") + count("Survived") + count("NoCoverage");
  if (sorted !== drawn.length) throw new Error(`${drawn.length - sorted} mutants ended otherwise`);
  return percent >= LEAST_PERCENT;
}

const isLayer = (name: string): name is Layer => name in SHARES;
const [asked, how, ...tests] = process.argv.slice(2);
const layers = asked === undefined ? Object.keys(SHARES) : [asked];
const enough = layers.map((layer) => {
  if (!isLayer(layer)) throw new Error(`${layer} is no layer that is measured`);
  const file = outcomeFile(layer);
  if (how === "again" && !existsSync(file)) throw new Error(`${layer} was not tried yet`);
  const outcome =
    how === "again"
      ? again(layer, tests.length > 0 ? tests : testsOf(layer))
      : firstRun(layer, Number(how ?? SHARES[layer]));
  mkdirSync(join(file, ".."), { recursive: true });
  writeFileSync(file, `${JSON.stringify(outcome)}\n`);
  return judged(layer, outcome);
});
if (enough.includes(false)) {
  process.stdout.write(`error: a layer is below ${LEAST_PERCENT} %\n`);
  process.exitCode = 1;
}
