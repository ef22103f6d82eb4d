/** What a failed write of the ledger means, for the people who stand before it. */

import { statSync } from "node:fs";
import { bytesInWords, diskTrouble, freeBytes, tryDisk, type DiskTrouble } from "../lib/disk.ts";
import { KeyriteError, messageOf } from "../lib/errors.ts";

/** What a ceremony writes before its last entry, on an ordinary day, and twice that for its reserve. */
export const ROOM_NEEDED = 4 << 20;

/** Whether a write failed for want of room, which a later write may have. */
export function isFull(path: string, error: unknown): boolean {
  const code = codeOf(error);
  if (code === "SQLITE_FULL") return true;
  // SQLite knows a full disk, but not a quota that is used up.
  return code === "SQLITE_IOERR_WRITE" && tried(path)?.what.includes("quota") === true;
}

/** "free some space on the disk that holds the ledger: 4 MiB are needed, 12 KiB are free" */
export function roomHint(path: string): string {
  const needed = `${bytesInWords(ROOM_NEEDED)} are needed`;
  try {
    return `free some space on the disk that holds the ledger: ${needed}, ${bytesInWords(freeBytes(path))} are free`;
  } catch {
    // The disk does not even say how full it is.
    return `free some space on the disk that holds the ledger: ${needed}`;
  }
}

/** The error of a write that may not have reached the disk. */
export function notDurable(path: string, cause: unknown): KeyriteError {
  const code = codeOf(cause);
  const synced = code.includes("FSYNC");
  const trouble = troubleOf(path, cause, code);
  const full = isFull(path, cause) || trouble?.what.includes("full") === true;
  const why = trouble === undefined ? messageOf(cause) : trouble.what;
  return new KeyriteError(
    "halted.not-durable",
    synced
      ? `the ledger ${path} could not be written for certain: ${why}; what was being recorded is not safe`
      : `the ledger ${path} could not be written: ${why}; what was being recorded is not safe`,
    {
      cause,
      hints: [
        ...(full ? [roomHint(path)] : trouble === undefined ? [] : [trouble.hint]),
        "nothing may be done on an HSM until the ledger has been opened and verified again",
        "keyrite status does that, and says what is in doubt",
      ],
    },
  );
}

function troubleOf(path: string, cause: unknown, code: string): DiskTrouble | undefined {
  const told = diskTrouble(cause);
  if (told !== undefined) return told;
  if (code === "SQLITE_FULL") return diskTrouble(systemError("ENOSPC"));
  // A sync that failed is not tried again, and neither is anything that would tell why.
  if (code.includes("FSYNC")) return diskTrouble(systemError("EIO"));
  return code.startsWith("SQLITE_") ? tried(path) : undefined;
}

function tried(path: string): DiskTrouble | undefined {
  try {
    return tryDisk(path, statSync(path).size);
  } catch {
    return undefined;
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

function systemError(code: string): Error {
  return Object.assign(new Error(code), { code });
}
