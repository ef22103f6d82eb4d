/** What Node has no function for: calls into the C library, which is part of every process. */

import { platform } from "node:os";
import { koffi } from "./foreign.ts";

const LINUX = platform() === "linux";

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
// Elsewhere Node itself hands on no descriptor that it was not told to.
const SOCK_CLOEXEC = LINUX ? 0o2000000 : 0;

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

const PR_SET_PDEATHSIG = 1;
const PR_SET_DUMPABLE = 4;
const PRCTL =
  "int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)";

/**
 * Keeps every other process of the same user away from this one's memory and environment, root excepted.
 * Holds until another program is executed.
 * @returns whether the system does that (Linux)
 */
export function undumpable(): boolean {
  return LINUX && call(PRCTL, PR_SET_DUMPABLE, 0, 0, 0, 0) === 0;
}

/** Has the system send this process a signal when the one that started it is gone (Linux). */
export function signalWhenOrphaned(signal: number): void {
  if (LINUX) call(PRCTL, PR_SET_PDEATHSIG, signal, 0, 0, 0);
}

const RLIMIT_CORE = 4;

/** No core file is written of this process, nor of any that it starts. @returns whether it is so */
export function noCoreFiles(): boolean {
  const none = new BigUint64Array([0n, 0n]);
  return call("int setrlimit(int resource, const void *limits)", RLIMIT_CORE, none) === 0;
}

/**
 * Keeps the pages in which these bytes lie out of swap, for as long as the process lives: other secrets may
 * lie in them as well.
 * @returns false when the system locks no more of this user's memory
 */
export function lockPages(bytes: Uint8Array): boolean {
  const { byteLength } = bytes;
  return (
    byteLength === 0 || call("int mlock(const void *start, size_t length)", bytes, byteLength) === 0
  );
}
