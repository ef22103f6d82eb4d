/**
 * A note beside the ledger that says who has it open for writing. Only the file lock decides; the
 * note gives the refusal a name, and a stale one does no harm.
 */

import { unlinkSync, writeFileSync } from "node:fs";
import { timestamp } from "../lib/clock.ts";
import { fromUtf8 } from "../lib/encoding.ts";
import { KeyriteError, messageOf } from "../lib/errors.ts";
import { readBounded } from "../lib/files.ts";

const LONGEST_NOTE = 4096;

export interface Holder {
  readonly pid: number;
  readonly host: string;
}

/** Writes `<path>.holder`; `since` is in milliseconds since 1970. */
export function writeHolder(path: string, holder: Holder, since: number): void {
  const note = { pid: holder.pid, host: holder.host, since: timestamp(since) };
  // Removed and made anew: an exclusive create follows no symbolic link that somebody left there.
  removeHolder(path);
  try {
    writeFileSync(`${path}.holder`, `${JSON.stringify(note)}\n`, { flag: "wx", mode: 0o644 });
  } catch (cause) {
    const inTheWay = (cause as NodeJS.ErrnoException).code === "EEXIST";
    throw new KeyriteError(
      inTheWay ? "usage.bad-file" : "site.disk",
      `cannot write ${path}.holder: ${inTheWay ? "something else stands there" : messageOf(cause)}`,
      { hints: ["it says who has the ledger open: remove what is there, or make room"], cause },
    );
  }
}

export function removeHolder(path: string): void {
  try {
    unlinkSync(`${path}.holder`);
  } catch {
    // There is none; or somebody has put there what is no note, and it is theirs.
  }
}

/** Who holds the ledger, in words; without a readable note, "another process". */
export function describeHolder(path: string): string {
  try {
    const note: unknown = JSON.parse(fromUtf8(readBounded(`${path}.holder`, LONGEST_NOTE)));
    const { pid, host, since } = note as Readonly<Record<string, unknown>>;
    if (typeof pid === "number" && typeof host === "string" && typeof since === "string") {
      return `process ${pid} on ${host} since ${since}`;
    }
  } catch {
    // Written after the lock is taken, so it can be missing, half-written or old.
  }
  return "another process";
}
