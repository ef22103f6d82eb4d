/**
 * A note beside the ledger that says who has it open for writing. Only the file lock decides; the
 * note gives the refusal a name, and a stale one does no harm.
 */

import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { timestamp } from "../lib/clock.ts";

export interface Holder {
  readonly pid: number;
  readonly host: string;
}

/** Writes `<path>.holder`; `since` is in milliseconds since 1970. */
export function writeHolder(path: string, holder: Holder, since: number): void {
  const note = { pid: holder.pid, host: holder.host, since: timestamp(since) };
  // Removed and made anew: an exclusive create follows no symbolic link that somebody left there.
  removeHolder(path);
  writeFileSync(`${path}.holder`, `${JSON.stringify(note)}\n`, { flag: "wx", mode: 0o644 });
}

export function removeHolder(path: string): void {
  rmSync(`${path}.holder`, { force: true });
}

/** Who holds the ledger, in words; without a readable note, "another process". */
export function describeHolder(path: string): string {
  try {
    const note: unknown = JSON.parse(readFileSync(`${path}.holder`, "utf8"));
    const { pid, host, since } = note as Readonly<Record<string, unknown>>;
    if (typeof pid === "number" && typeof host === "string" && typeof since === "string") {
      return `process ${pid} on ${host} since ${since}`;
    }
  } catch {
    // Written after the lock is taken, so it can be missing, half-written or old.
  }
  return "another process";
}
