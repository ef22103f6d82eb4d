/**
 * One process a module and site: a process that is still inside a PKCS#11 call after Keyrite was killed holds
 * its lock until the call has ended, and whoever comes next waits for that before it looks at a token.
 */

import { ftruncateSync, readSync, writeSync } from "node:fs";
import { fromUtf8, utf8 } from "../../lib/encoding.ts";
import { KeyriteError } from "../../lib/errors.ts";
import { tryLock } from "../../lib/system-calls.ts";

export interface LockMeans {
  /** Descriptor of the lock file. */
  readonly descriptor: number;
  /** Number of this process, for whoever waits for it. */
  readonly pid: number;
  /** A sign of life while we wait. */
  readonly alive: () => void;
  readonly waitMs: number;
  readonly monotonic: () => number;
}

const BETWEEN_TRIES_MS = 50;
const LONGEST_NOTE = 32;

/** Takes the lock, which ends with the process. @throws KeyriteError hsm.module-ended */
export async function takeLock(means: LockMeans): Promise<void> {
  const { descriptor, pid, alive, waitMs, monotonic } = means;
  const start = monotonic();
  while (!tryLock(descriptor)) {
    if (monotonic() - start > waitMs) throw stillThere(descriptor, waitMs);
    alive();
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_TRIES_MS));
  }
  ftruncateSync(descriptor, 0);
  writeSync(descriptor, utf8(`${pid}\n`), 0, undefined, 0);
}

function stillThere(descriptor: number, waitMs: number): KeyriteError {
  const note = new Uint8Array(LONGEST_NOTE);
  const length = readSync(descriptor, note, 0, note.length, 0);
  const holder = /^\d+(?=\n$)/.exec(fromUtf8(note.subarray(0, length)))?.[0];
  const who = holder === undefined ? "" : ` (process ${holder})`;
  return new KeyriteError(
    "hsm.module-ended",
    `a module's process of an earlier run${who} is still inside a call, and did not end within ${waitMs / 1000} seconds`,
    {
      hints: [
        "what it does may still change the token: wait until it is gone, then try again",
        "a call that will never end is ended with kill -9, with both operators knowing",
      ],
    },
  );
}
