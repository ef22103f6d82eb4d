/** What a disk means by refusing to write, in words that say what to do about it. */

import {
  closeSync,
  constants,
  fsyncSync,
  openSync,
  statfsSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";

export interface DiskTrouble {
  /** One clause, as in "the disk is full". */
  readonly what: string;
  readonly hint: string;
}

const TROUBLES: Readonly<Record<string, DiskTrouble>> = {
  ENOSPC: { what: "the disk is full", hint: "free some space on the disk" },
  EDQUOT: {
    what: "the disk quota of this account is used up",
    hint: "free some space that this account takes, or have its quota raised",
  },
  EFBIG: {
    what: "the file has reached a limit on the size of files",
    hint: "raise the limit (ulimit -f), or use a file system that takes larger files",
  },
  EROFS: {
    what: "the disk has become read-only",
    hint: "a disk does that when it fails: look at the system's log before it is mounted for writing",
  },
  EIO: {
    what: "the disk reports an input/output error",
    hint: "the disk may be failing: look at the system's log, and put another in its place",
  },
};

/** Node has no name for a quota that is used up: its number under Linux and under macOS. */
const QUOTA = new Set([-122, -69]);

/** What is behind the error of a system call; undefined when it is not the disk that refuses. */
export function diskTrouble(error: unknown): DiskTrouble | undefined {
  if (!(error instanceof Error && "code" in error)) return undefined;
  const unnamed = error.code === "UNKNOWN" && "errno" in error && QUOTA.has(Number(error.errno));
  return TROUBLES[unnamed ? "EDQUOT" : String(error.code)];
}

/**
 * Writes a little beside a file that could not be written, and says why that fails: for libraries that do not
 * hand on what the system said. Undefined when nothing is wrong any more.
 * @param end how long the file is: what is written lies behind that
 */
export function tryDisk(path: string, end: number): DiskTrouble | undefined {
  const probe = `${path}.probe`;
  try {
    const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;
    const descriptor = openSync(probe, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    try {
      writeSync(descriptor, new Uint8Array(4096), 0, 4096, end);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
      unlinkSync(probe);
    }
    return undefined;
  } catch (error) {
    return diskTrouble(error);
  }
}

/** Bytes that this account may still write to the disk of a file. */
export function freeBytes(path: string): number {
  const { bavail, bsize } = statfsSync(dirname(path));
  return bavail * bsize;
}

/** "4 MiB", "12 KiB": rounded up, for people who make room. */
export function bytesInWords(bytes: number): string {
  const kib = Math.ceil(bytes / 1024);
  return kib < 1024 ? `${kib} KiB` : `${Math.ceil(kib / 1024)} MiB`;
}
