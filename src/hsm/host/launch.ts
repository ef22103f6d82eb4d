/** Starts the process of a module: its descriptors, its environment and its lock, and nothing else of ours. */

import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, constants, fstatSync, openSync } from "node:fs";
import type { Readable } from "node:stream";
import type { ModuleBinding } from "../token.ts";
import { noLock } from "./process-errors.ts";

/** How module processes are started and watched. */
export interface HostLaunch {
  /** The program and its words; it serves what comes on descriptor 3. */
  readonly command: readonly [file: string, ...words: string[]];
  /** All that its environment holds besides what the binding names. */
  readonly environment: Readonly<Record<string, string>>;
  /** Reads a variable that a binding names. */
  readonly variable: (name: string) => string | undefined;
  readonly monotonic: () => number;
  /** File that the process of a module holds a lock on as long as it lives; none for a mere look. */
  readonly lockFile?: (module: ModuleBinding) => string;
  /** Told for the room, in a sentence: of a silence that lasts, and of its end. */
  readonly told: (words: string) => void;
  /** Milliseconds between two looks at a process that is waited for; a second without it. */
  readonly look?: number;
}

/** Descriptors of the process: none to read, none to print on, what it complains, the pipe, signs of life. */
export type Stdio = readonly [null, null, Readable, null, Readable, ...unknown[]];

/** Starts the process of a module. @throws KeyriteError usage.bad-file for what cannot be its lock */
export function start(module: ModuleBinding, launch: HostLaunch, pipe: number): ChildProcess {
  const [file, ...words] = launch.command;
  const named = (module.environment ?? []).flatMap((name) => {
    const value = launch.variable(name);
    return value === undefined ? [] : [[name, value] as const];
  });
  const descriptors = [pipe];
  try {
    const lockFile = launch.lockFile?.(module);
    const lock = lockFile === undefined ? "ignore" : openLock(lockFile);
    if (lock !== "ignore") descriptors.push(lock);
    return spawn(file, words, {
      stdio: ["ignore", "ignore", "pipe", pipe, "pipe", lock],
      env: { ...launch.environment, ...Object.fromEntries(named) },
      // In a session of its own no key at the terminal reaches it, and it has no terminal to ask at.
      detached: true,
    });
  } finally {
    for (const descriptor of descriptors) closeSync(descriptor);
  }
}

function openLock(path: string): number {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, flags, 0o600);
    if (fstatSync(descriptor).isFile()) return descriptor;
  } catch (cause) {
    throw noLock(path, cause);
  }
  closeSync(descriptor);
  throw noLock(path, undefined);
}
