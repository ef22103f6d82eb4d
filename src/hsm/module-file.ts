/**
 * The module's file: found, judged and hashed before a byte of it is executed. Whoever can write
 * it, or its folder, holds every key that it opens.
 */

import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readFileSync,
  realpathSync,
  statSync,
} from "node:fs";
import { dirname, isAbsolute } from "node:path";
import { KeyriteError, messageOf } from "../lib/errors.ts";
import { sha256Hex } from "../lib/encoding.ts";

export interface ModuleFile {
  /** Absolute path without symbolic links: what is loaded. */
  readonly path: string;
  /** SHA-256 in hex. */
  readonly digest: string;
}

const WRITABLE_BY_OTHERS = 0o022;
const STICKY = 0o1000;

/**
 * Resolves, judges and hashes the module at an absolute path.
 * @throws KeyriteError hsm.module-unavailable when it is absent, no regular file, or writable by
 * others than its owner.
 */
export function readModuleFile(path: string): Promise<ModuleFile> {
  // Read at once: every start does it, and the thread pool would cost more than the reading.
  return Promise.resolve().then(() => {
    if (!isAbsolute(path)) throw unavailable(path, "its path is not absolute");
    try {
      return readJudged(path);
    } catch (error) {
      throw error instanceof KeyriteError ? error : unavailable(path, messageOf(error), error);
    }
  });
}

function readJudged(path: string): ModuleFile {
  const real = realpathSync(path);
  refuseWritableFolder(real);
  // One descriptor for judging and hashing, so that nobody swaps the file in between.
  const file = openSync(real, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const status = fstatSync(file);
    if (!status.isFile()) throw unavailable(path, "it is not a regular file");
    if ((status.mode & WRITABLE_BY_OTHERS) !== 0) {
      throw unavailable(path, "others than its owner can write it");
    }
    return { path: real, digest: sha256Hex(readFileSync(file)) };
  } finally {
    closeSync(file);
  }
}

function refuseWritableFolder(real: string): void {
  const { mode } = statSync(dirname(real));
  // In a sticky folder such as /tmp only the owner can replace the file.
  if ((mode & WRITABLE_BY_OTHERS) !== 0 && (mode & STICKY) === 0) {
    throw unavailable(real, "others than its owner can write its folder");
  }
}

function unavailable(path: string, what: string, cause?: unknown): KeyriteError {
  return new KeyriteError("hsm.module-unavailable", `cannot use the module ${path}: ${what}`, {
    cause,
    hints: ["check modules: in site.yaml, and that the vendor's library is installed"],
  });
}
