/** What runs: tests and programs of their own processes, from their sources or compiled by bin/test.js. */

import { dirname, extname, join } from "node:path";

/** What follows `node` to run a program of test/support/, by its name without ending. */
export function program(name: string): readonly string[] {
  const ending = extname(import.meta.filename);
  const file = join(dirname(import.meta.filename), `${name}${ending}`);
  return ending === ".ts" ? ["--import", "tsx", file] : [file];
}

/** The test file that this process runs, from the project's root; empty in other processes. */
export function runningTest(): string {
  const path = (process.argv[1] ?? "").replaceAll("\\", "/");
  const found = /^.*\/((?:test|measure)\/.+)\.(?:ts|mjs)$/.exec(path)?.[1];
  return found === undefined ? "" : `${found}.ts`;
}
