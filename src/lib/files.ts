/**
 * Files whose loss or exchange would matter: created once and made durable, replaced atomically,
 * read with a bound and never through a link. Everything else about a path is somebody else's.
 */

import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmdirSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { diskTrouble } from "./disk.ts";
import { KeyriteError, messageOf, type ErrorCode } from "./errors.ts";
import { moveToOwn, ownBytes } from "./secret.ts";

const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

export interface WriteOptions {
  /** Permission bits, whatever the umask says. */
  readonly mode: 0o600 | 0o644;
  /**
   * True where the file system may have no permissions at all, as on a FAT stick: only for files
   * that are public or sealed.
   */
  readonly modeMayFail?: boolean;
}

/**
 * Creates `path` with exactly these bytes, durable before it returns (file and folder fsynced).
 * Nothing is ever overwritten; what could not be written completely is removed again.
 * @throws KeyriteError site.file-exists, site.missing (the folder), site.permissions, site.disk
 */
export function writeNewFile(path: string, bytes: Uint8Array, options: WriteOptions): void {
  acting(`write ${path}`, () => {
    const descriptor = openSync(path, NEW_FILE, 0o600);
    try {
      writeDurably(descriptor, bytes, options);
    } catch (error) {
      // Created by us a moment ago, so removing it destroys nothing; left behind it would block a retry.
      unlinkSync(path);
      throw error;
    }
    syncFolder(dirname(path));
  });
}

/**
 * Puts these bytes at `path` in one step: a reader, and a crash, sees the old content or the new.
 * Only for files whose older content another record proves, such as a person's head.
 * @throws KeyriteError site.missing (the folder), site.permissions, site.disk
 */
export function replaceFile(path: string, bytes: Uint8Array, options: WriteOptions): void {
  const fresh = `${path}.new`;
  acting(`replace ${path}`, () => {
    const present = lstatSync(path, { throwIfNoEntry: false });
    if (present !== undefined && !present.isFile()) throw notRegular(path);
    const stale = lstatSync(fresh, { throwIfNoEntry: false });
    if (stale !== undefined) unlinkSync(fresh);
  });
  writeNewFile(fresh, bytes, options);
  acting(`replace ${path}`, () => {
    renameSync(fresh, path);
    syncFolder(dirname(path));
  });
}

/**
 * Removes a file that no record claims, durably; one that is not there is no error.
 * @throws KeyriteError usage.bad-file for anything but a regular file, site.permissions, site.disk
 */
export function removeFile(path: string): void {
  acting(`remove ${path}`, () => {
    const present = lstatSync(path, { throwIfNoEntry: false });
    if (present === undefined) return;
    if (!present.isFile()) throw notRegular(path);
    unlinkSync(path);
    syncFolder(dirname(path));
  });
}

/**
 * Removes a folder with nothing in it, durably; one that is not there is no error.
 * @throws KeyriteError site.permissions, site.disk, also for one that is not empty
 */
export function removeEmptyFolder(path: string): void {
  acting(`remove ${path}`, () => {
    if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return;
    rmdirSync(path);
    syncFolder(dirname(path));
  });
}

/**
 * The content of a regular file of at most `maxBytes`, read once from one descriptor. Symbolic links,
 * FIFOs, devices and folders are refused without blocking. Hard links are not: package managers and
 * snapshots make them, and what was read is what is judged.
 * @throws KeyriteError site.missing, site.permissions, usage.bad-file, site.disk
 */
export function readBounded(path: string, maxBytes: number): Uint8Array {
  return acting(`read ${path}`, () => {
    // O_NONBLOCK: opening a FIFO would otherwise wait for a writer for ever.
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const descriptor = openSync(path, flags);
    try {
      if (!fstatSync(descriptor).isFile()) throw notRegular(path);
      return readUpTo(descriptor, path, maxBytes);
    } finally {
      closeSync(descriptor);
    }
  });
}

/**
 * All that comes from an open descriptor, at most `maxBytes`, and nothing left behind of it: what comes
 * may be secret. The caller closes it.
 * @throws KeyriteError usage.bad-file, site.disk
 */
export function readDescriptor(descriptor: number, maxBytes: number): Uint8Array {
  const name = `descriptor ${descriptor}`;
  return acting(`read ${name}`, () => readUpTo(descriptor, name, maxBytes));
}

/** As `readBounded`, but undefined when there is no such file. */
export function readIfPresent(path: string, maxBytes: number): Uint8Array | undefined {
  try {
    return readBounded(path, maxBytes);
  } catch (error) {
    if (error instanceof KeyriteError && error.code === "site.missing") return undefined;
    throw error;
  }
}

/**
 * Creates one folder, durable in its parent; an existing real folder is fine.
 * @throws KeyriteError site.missing (the parent), site.permissions, usage.bad-file, site.disk
 */
export function makeFolder(path: string, mode: 0o700 | 0o755): void {
  acting(`create ${path}`, () => {
    const present = lstatSync(path, { throwIfNoEntry: false });
    if (present?.isDirectory() === true) return;
    if (present !== undefined) throw notRegular(path, "folder");
    mkdirSync(path, mode);
    // Not through a descriptor: under some umasks the new folder cannot be opened yet.
    settingMode(true, () => {
      chmodSync(path, mode);
    });
    syncFolder(dirname(path));
  });
}

/**
 * Creates a folder with every folder above it that is missing; an existing one is fine.
 * @throws KeyriteError site.missing, site.file-exists (a file in the way), site.permissions, site.disk
 */
export function makeFolders(path: string): void {
  acting(`create folder ${path}`, () => {
    if (lstatSync(dirname(path), { throwIfNoEntry: false }) === undefined)
      makeFolders(dirname(path));
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) createFolder(path);
    // What stands there is a folder or a link to one; anything else is told by the system.
    else mkdirSync(path, { recursive: true });
  });
}

/** Makes a folder that everybody may read, whatever the umask says, where the file system has permissions. */
export function createFolder(path: string): void {
  mkdirSync(path, 0o755);
  // Not through a descriptor: under some umasks the new folder cannot be opened yet.
  settingMode(true, () => {
    chmodSync(path, 0o755);
  });
}

/** Makes a file that everybody may read, in the same way, and returns its descriptor for writing. */
export function createFile(path: string): number {
  const descriptor = openSync(path, NEW_FILE, 0o644);
  settingMode(true, () => {
    fchmodSync(descriptor, 0o644);
  });
  return descriptor;
}

/**
 * Refuses a folder that others than its owner can write to: they could swap any file in it.
 * @throws KeyriteError site.permissions, site.missing, usage.bad-file
 */
export function checkOnlyOwnerWrites(path: string): void {
  const status = acting(`inspect ${path}`, () => lstatSync(path));
  if (!status.isDirectory()) throw notRegular(path, "folder");
  if ((status.mode & 0o022) === 0) return;
  const who = (status.mode & 0o002) === 0 ? "its group" : "everybody";
  throw new KeyriteError("site.permissions", `folder ${path} can be written to by ${who}`, {
    hints: [`take the right away: chmod go-w ${path}`],
  });
}

function writeDurably(descriptor: number, bytes: Uint8Array, options: WriteOptions): void {
  try {
    settingMode(options.modeMayFail === true, () => {
      fchmodSync(descriptor, options.mode);
    });
    for (let at = 0; at < bytes.length;) at += writeSync(descriptor, bytes, at);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function settingMode(mayFail: boolean, set: () => void): void {
  try {
    set();
  } catch (error) {
    if (!mayFail) throw error;
  }
}

function readUpTo(descriptor: number, path: string, maxBytes: number): Uint8Array {
  // One byte more than fstat tells shows where the file ends, or that it has grown since.
  let buffer = ownBytes(Math.min(fstatSync(descriptor).size, maxBytes) + 1);
  let length = 0;
  while (length <= maxBytes) {
    if (length === buffer.length) buffer = grown(buffer, maxBytes + 1);
    const count = readSync(descriptor, buffer, length, buffer.length - length, null);
    if (count === 0) return moveToOwn(buffer.subarray(0, length));
    length += count;
  }
  throw new KeyriteError("usage.bad-file", `${path} is longer than ${maxBytes} bytes`, {
    hints: ["is this the file that was meant? none of its kind is as long"],
  });
}

/** The bytes in twice the room, `most` at most; wiped where they were. */
function grown(bytes: Uint8Array, most: number): Uint8Array {
  const larger = ownBytes(Math.min(2 * bytes.length, most));
  larger.set(bytes);
  bytes.fill(0);
  return larger;
}

function syncFolder(path: string): void {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function notRegular(path: string, wanted = "regular file"): KeyriteError {
  return new KeyriteError("usage.bad-file", `${path} is not a ${wanted}`, {
    hints: ["links, pipes and devices are refused: put the real thing there"],
  });
}

const CODES: Readonly<Record<string, ErrorCode>> = {
  EEXIST: "site.file-exists",
  ENOENT: "site.missing",
  ENOTDIR: "site.missing",
  EACCES: "site.permissions",
  EPERM: "site.permissions",
  EROFS: "site.permissions",
  ELOOP: "usage.bad-file",
  EISDIR: "usage.bad-file",
  ENXIO: "usage.bad-file",
};

/** What a person reads for each code, in place of the system's own wording. */
const REASONS: Partial<Record<ErrorCode, string>> = {
  "site.file-exists": "it exists already and nothing is ever overwritten",
  "site.missing": "there is no such file or folder",
  "usage.bad-file": "it is not a regular file",
};

function acting<T>(what: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (error instanceof KeyriteError) throw error;
    const name = error instanceof Error && "code" in error ? String(error.code) : "";
    const code = CODES[name] ?? "site.disk";
    const trouble = diskTrouble(error);
    const why = trouble?.what ?? REASONS[code] ?? messageOf(error);
    const hints = trouble === undefined ? [] : [trouble.hint];
    throw new KeyriteError(code, `cannot ${what}: ${why}`, { cause: error, hints });
  }
}
