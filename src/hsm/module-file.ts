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
  type Stats,
} from "node:fs";
import { dirname, isAbsolute } from "node:path";
import { KeyriteError, messageOf } from "../lib/errors.ts";
import { sha256Hex, visible } from "../lib/encoding.ts";
import type { ModuleBinding } from "./token.ts";

export interface ModuleFile {
  /** Absolute path without symbolic links: what is loaded. */
  readonly path: string;
  /** SHA-256 in hex. */
  readonly digest: string;
  /**
   * Device, inode and time of the last change of it, as the kernel keeps them. A file that was exchanged and put
   * back, or written to and restored, has another.
   */
  readonly identity: string;
}

const WRITABLE_BY_OTHERS = 0o022;
const STICKY = 0o1000;

/**
 * Resolves, judges and hashes the module at an absolute path.
 * @throws KeyriteError hsm.module-unavailable when it is absent, no regular file, or when others than root and
 * ourselves own or can write it or a folder above it.
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

/**
 * H15: what is not the file that people agreed to is not loaded, be it exchanged an instant ago.
 * @throws KeyriteError hsm.module-differs
 */
export function requireAgreed(
  binding: Pick<ModuleBinding, "path" | "digest">,
  found: Pick<ModuleFile, "digest">,
): void {
  if (binding.digest === undefined || binding.digest === found.digest) return;
  throw new KeyriteError(
    "hsm.module-differs",
    `the module file ${visible(binding.path)} changed after the plan was agreed to`,
    { hints: [`agreed SHA-256: ${binding.digest}`, `found SHA-256:  ${found.digest}`] },
  );
}

function readJudged(path: string): ModuleFile {
  const real = realpathSync(path);
  // Whoever can rename a folder above it puts another file in its place.
  for (let folder = dirname(real); ; folder = dirname(folder)) {
    refuseOthers(path, `its folder ${folder}`, statSync(folder));
    if (folder === dirname(folder)) break;
  }
  // One descriptor for judging and hashing, so that nobody swaps the file in between.
  const file = openSync(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const status = fstatSync(file, { bigint: true });
    if (!status.isFile()) throw unavailable(path, "it is not a regular file");
    refuseOthers(path, "it", { mode: Number(status.mode), uid: Number(status.uid) });
    const digest = sha256Hex(readFileSync(file));
    const { dev, ino, ctimeNs } = fstatSync(file, { bigint: true });
    return { path: real, digest, identity: [dev, ino, ctimeNs].join(" ") };
  } finally {
    closeSync(file);
  }
}

/** @throws KeyriteError hsm.module-unavailable when somebody else can exchange the file. */
function refuseOthers(
  path: string,
  what: string,
  { mode, uid }: Pick<Stats, "mode" | "uid">,
): void {
  // In a sticky folder such as /tmp only the owner of a thing can replace it.
  if ((mode & WRITABLE_BY_OTHERS) !== 0 && (mode & STICKY) === 0) {
    throw unavailable(path, `others than the owner can write ${what}`);
  }
  if (!isTrusted(uid))
    throw unavailable(path, `the user ${uid} owns ${what}, who is neither root nor you`);
}

/** Owners who can do to us what they like anyway. */
function isTrusted(uid: number): boolean {
  return uid === 0 || uid === process.geteuid?.() || (uid === UNMAPPED && !isWholeMap());
}

/** In a user namespace whoever is not mapped into it, root among them, reads as this user. */
const UNMAPPED = 65_534;

function isWholeMap(): boolean {
  return /^\s*0\s+0\s+4294967295\s*$/.test(readFileSync("/proc/self/uid_map", "utf8"));
}

function unavailable(path: string, what: string, cause?: unknown): KeyriteError {
  return new KeyriteError("hsm.module-unavailable", `cannot use the module ${path}: ${what}`, {
    cause,
    hints: ["check modules: in site.yaml, and that the vendor's library is installed"],
  });
}
