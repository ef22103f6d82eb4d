/** The process as capabilities: the only place that reads clock, randomness and environment. */

import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import type { Clock, Random } from "../lib/clock.ts";
import { ownBytes } from "../lib/secret.ts";

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};

export const systemRandom: Random = {
  bytes: (length) => {
    // A copy of its own: randomBytes may hand out a slice of a pool that outlives a wipe.
    const pooled = randomBytes(length);
    const own = ownBytes(length);
    own.set(pooled);
    pooled.fill(0);
    return own;
  },
};

export function environment(name: string): string | undefined {
  return process.env[name];
}

/** SoftHSM reads its configuration's place from the environment of the process. */
export function setEnvironment(name: string, value: string): void {
  process.env[name] = value;
}

export function holder(): { readonly pid: number; readonly host: string } {
  return { pid: process.pid, host: hostname() };
}

/** Peak resident memory of this process in MiB. */
export function peakRssMiB(): number {
  return Math.round(process.resourceUsage().maxRSS / 102.4) / 10;
}
