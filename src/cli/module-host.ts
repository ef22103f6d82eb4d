/**
 * The process in which a PKCS#11 module lives: it reads nothing but its pipe, and is over when that is. Not for
 * people; Keyrite starts it.
 */

import { fstatSync, writeSync } from "node:fs";
import { createHsm } from "../hsm/hsm.ts";
import { takeLock } from "../hsm/host/lock.ts";
import { serve } from "../hsm/host/serve.ts";
import { KeyriteError } from "../lib/errors.ts";
import { harden } from "./hardening.ts";
import { setEnvironment, systemClock, systemRandom } from "./system.ts";

/** Descriptors it is started with: see `HostProcess`. */
const PIPE = 3;
const BEATS = 4;
const LOCK = 5;
const BETWEEN_BEATS_MS = 1000;
/** Asking who started us takes as long as some calls of a software token. */
const BETWEEN_LOOKS_MS = 10;
/** How long a process of an earlier run may take to end its call. */
const LOCK_WAIT_MS = 30_000;
const SIGN_OF_LIFE = new Uint8Array(1);

/** Serves until Keyrite is gone. */
export function moduleHost(): void {
  harden();
  const parent = process.ppid;
  const calls = { over: false, underWay: 0, lastBeat: 0, lastLook: 0 };
  const alive = (): void => {
    const now = systemClock.monotonic();
    if (now - calls.lastBeat < BETWEEN_BEATS_MS) return;
    calls.lastBeat = now;
    beat();
  };
  const leave = (): void => {
    // What is under way on another thread is not cut off: whoever comes next waits for it.
    if (calls.over && calls.underWay === 0) process.exit(0);
  };
  const hsm = createHsm({
    setEnvironment,
    random: systemRandom,
    monotonic: () => systemClock.monotonic(),
    watch: {
      begins: () => {
        const now = systemClock.monotonic();
        if (now - calls.lastLook > BETWEEN_LOOKS_MS) {
          calls.lastLook = now;
          calls.over ||= process.ppid !== parent;
        }
        if (calls.over) throw alone();
        calls.underWay += 1;
        alive();
      },
      ends: () => {
        calls.underWay -= 1;
        alive();
        leave();
      },
    },
  });
  serve({
    hsm,
    pipe: PIPE,
    lock: async () => {
      if (!fstatSync(LOCK).isFile()) return;
      await takeLock({
        ...{ descriptor: LOCK, pid: process.pid, alive, waitMs: LOCK_WAIT_MS },
        monotonic: () => systemClock.monotonic(),
      });
    },
    ended: () => {
      calls.over = true;
      leave();
    },
  });
}

function beat(): void {
  try {
    writeSync(BEATS, SIGN_OF_LIFE);
  } catch {
    // Nobody listens, or has not listened for so long that the pipe is full.
  }
}

function alone(): KeyriteError {
  return new KeyriteError("halted.interrupted", "Keyrite has ended: no further call is made");
}
