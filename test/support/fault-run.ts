/**
 * How large a sweep of faults is, and what came of it. `FAULTS=full` is the long form that a release runs once;
 * every other run takes a sample of the same sweep, so that the short form fails for the same reasons.
 */

import { appendFileSync } from "node:fs";
import { runningTest } from "./program.ts";

/** Whether this is the long form. */
export const FULL = process.env["FAULTS"] === "full";

/** Where the dice of a sweep begin; printed with its figure, so that a failure can be repeated. */
export const SEED = Number(process.env["FAULTS_SEED"] ?? 20261124);

/** Only these ceremonies, while looking for something or to add a new one to what is kept. */
export const ONLY = process.env["FAULTS_CEREMONIES"]?.split(",");

/** `short` in CI, `full` in the long form; FAULTS_COUNT in place of both while looking for something. */
export function sized(short: number, full: number): number {
  return Number(process.env["FAULTS_COUNT"] ?? (FULL ? full : short));
}

/**
 * Every item in the long form, else about `most` of them evenly spread, always with the first and the last: a
 * sample that is the same on every run.
 */
export function sampled<T>(items: readonly T[], most: number): readonly T[] {
  if (FULL || items.length <= most) return items;
  const step = (items.length - 1) / (most - 1);
  return Array.from({ length: most }, (_, i) => items[Math.round(i * step)] as T);
}

/** Counts of one sweep; what must be zero is named so that a reader sees it: `lost`, `uncaught`, `accepted`. */
export type Counts = Readonly<Record<string, number>>;

/**
 * Says what a sweep came to: a line on stdout, and a line of JSON at the end of the file that FAULTS_RECORD names.
 * docs/ROBUSTNESS.md is made from those lines: `npm run robustness FILE`.
 * @param row id of the fault, as in `C01`
 * @param what the sweep, in a few words that stay the same from run to run
 */
export function figure(row: string, what: string, counts: Counts): void {
  const words = Object.entries(counts).map(([name, count]) => `${name}=${String(count)}`);
  process.stdout.write(`figure ${row} ${what}: ${words.join(" ")}\n`);
  const file = process.env["FAULTS_RECORD"];
  if (file === undefined) return;
  const line = { row, what, full: FULL, counts, test: runningTest() };
  appendFileSync(file, `${JSON.stringify(line)}\n`);
}
