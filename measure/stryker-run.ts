/** One run of Stryker over a layer: its options, its environment, what its report says. */

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT, tool } from "./tools.ts";

/** Seconds of tests that a mutant has to survive. */
const PATIENCE = process.env["MUTATION_PATIENCE"] ?? "45";

/** A mutant and what became of it. */
export interface Mutant {
  /** Place, kind and text of the mutant, as in stryker.mjs. */
  readonly key: string;
  readonly isDrawn: boolean;
  /** `Killed`, `Timeout`, `Survived` or `NoCoverage`, in Stryker's words. */
  readonly status: string;
}

/** Which mutants are tried: a share of them by lot, or these. */
export type Choice =
  { readonly seed: string; readonly share: number } | { readonly keys: readonly string[] };

/** What Stryker's report says of one mutant, in lines and columns from 1. */
interface Reported {
  readonly mutatorName: string;
  readonly replacement?: string;
  readonly status: string;
  readonly statusReason?: string;
  readonly location: Readonly<
    Record<"start" | "end", { readonly line: number; readonly column: number }>
  >;
}

function keyOf(file: string, { mutatorName, replacement, location }: Reported): string {
  const { start, end } = location;
  const place = `${start.line}:${start.column}-${end.line}:${end.column}`;
  return `${file}:${place} ${mutatorName}: ${(replacement ?? "").replaceAll(/\s+/g, " ")}`;
}

/**
 * Tries the chosen mutants of a layer with these test files, and gives all of the layer's mutants.
 * @throws Error when Stryker ends without a report
 */
export function tryMutants(
  layer: string,
  tests: readonly string[],
  choice: Choice,
): readonly Mutant[] {
  const folder = mkdtempSync(join(tmpdir(), "keyrite-mutation-"));
  const known = join(folder, "known.json");
  const report = join(folder, "report.json");
  const config = join(folder, "stryker.json");
  writeFileSync(config, JSON.stringify(options(layer, join(folder, "sandbox"), report)));
  writeFileSync(join(folder, "choice.json"), JSON.stringify(choice));
  const stryker = tool("@stryker-mutator/core", "bin/stryker.js");
  try {
    const { status } = spawnSync(process.execPath, [stryker, "run", config], {
      cwd: ROOT,
      stdio: "inherit",
      env: {
        ...process.env,
        MUTATION_CHOICE: join(folder, "choice.json"),
        MUTATION_KNOWN: known,
        MUTATION_PATIENCE: PATIENCE,
        MUTATION_ROOT: ROOT,
        MUTATION_TESTS: tests.join(" "),
      },
    });
    if (existsSync(known)) sayLeftOut(known);
    if (status !== 0) throw new Error(`Stryker ended with ${status}`);
    return read(report);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function options(layer: string, sandbox: string, report: string): object {
  return {
    mutate: [`src/${layer}/*.ts`],
    ignorePatterns: ["coverage", "measure"],
    plugins: [join(import.meta.dirname, "stryker.mjs")],
    testRunner: "nearest",
    checkers: ["draw"],
    coverageAnalysis: "perTest",
    reporters: ["json", "progress-append-only"],
    jsonReporter: { fileName: report },
    concurrency: 1,
    // A test that hangs is ended by the runner, which knows how long it usually takes.
    timeoutMS: 3_600_000,
    dryRunTimeoutMinutes: 120,
    symlinkNodeModules: false,
    tempDirName: sandbox,
    allowConsoleColors: false,
  };
}

function sayLeftOut(known: string): void {
  const { leftOut } = JSON.parse(readFileSync(known, "utf8")) as {
    readonly leftOut: readonly string[];
  };
  for (const test of leftOut) process.stdout.write(`left out, it fails unmutated: ${test}\n`);
}

function read(report: string): readonly Mutant[] {
  const { files } = JSON.parse(readFileSync(report, "utf8")) as {
    readonly files: Readonly<Record<string, { readonly mutants: readonly Reported[] }>>;
  };
  return Object.entries(files).flatMap(([file, { mutants }]) =>
    mutants.map((mutant) => ({
      key: keyOf(file, mutant),
      isDrawn: mutant.statusReason !== "not drawn",
      status: mutant.status,
    })),
  );
}
