/** What Node has no function for: calls into the C library, which is part of every process. */

import { koffi } from "./foreign.ts";

type Foreign = (...args: readonly unknown[]) => unknown;

const bound = new Map<string, Foreign>();

function call(prototype: string, ...args: readonly unknown[]): number {
  let made = bound.get(prototype);
  if (made === undefined) {
    made = koffi.load(null).func(prototype) as Foreign;
    bound.set(prototype, made);
  }
  return Number(made(...args));
}

const LOCK_EX = 2;
const LOCK_NB = 4;

/**
 * Takes the advisory lock on an open file, unless somebody else has it. The system takes it back when the
 * last process with this descriptor is gone, however it ended.
 * @returns false while somebody else has it
 */
export function tryLock(descriptor: number): boolean {
  return call("int flock(int descriptor, int operation)", descriptor, LOCK_EX | LOCK_NB) === 0;
}

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_CLOEXEC = 0o2000000;

/**
 * Two sockets connected to each other; no process that is started gets one unless it is handed on.
 * @throws Error when the system has none left
 */
export function socketPair(): readonly [ours: number, theirs: number] {
  const ends = new Int32Array(2);
  const code = call(
    "int socketpair(int domain, int type, int protocol, _Out_ int *ends)",
    ...[AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends],
  );
  const [ours, theirs] = ends;
  if (code !== 0 || ours === undefined || theirs === undefined) {
    throw new Error("the system gave no pair of sockets");
  }
  return [ours, theirs];
}
