/** Looks at running processes (Linux). */

import { readdirSync, readFileSync } from "node:fs";

/** Processes that this one has started and that run. */
export function childrenOf(pid: number): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((one) => statusOf(one, "PPid") === pid);
}

/** A number in the status of a process; undefined when it is gone or has none. */
export function statusOf(pid: number, field: string): number | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const found = new RegExp(`^${field}:\\s+(\\d+)`, "m").exec(status)?.[1];
    return found === undefined ? undefined : Number(found);
  } catch {
    return undefined;
  }
}

/** Whether a process is stopped, as by Ctrl-Z. */
export function isStopped(pid: number): boolean {
  try {
    return /^State:\s+T/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

/** Waits until something has come true, as long as a slow machine may take for it. */
export async function until(what: string, holds: () => boolean, timeoutMs = 30_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`${what}: it never came`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
