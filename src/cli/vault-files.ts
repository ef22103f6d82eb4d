/**
 * The files of one backup: thousands of small ones, written first and synced after, so that the disk
 * waits once for all of them and not once for each.
 */

import {
  close,
  closeSync,
  constants,
  fsync,
  fsyncSync,
  lstatSync,
  open,
  openSync,
  readdirSync,
  rmdirSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import type { VaultFile, VaultFolder } from "../ceremony/action.ts";
import { KeyriteError } from "../lib/errors.ts";
import { createFile, createFolder, readBounded } from "../lib/files.ts";
import { promised, vaultError } from "./vault-errors.ts";

/** At most two folders down; every part plain, so that no name leads out of the backup. */
const NAME = /^(?:[A-Za-z0-9][A-Za-z0-9._-]{0,63}\/){0,2}[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
const DEEPEST = 3;
const MOST_FILES = 200_000;
/** Syncs under way at a time: they wait for the disk, which takes several in one go. */
const LANES = 8;
/** Files written between two looks at the event loop, so that progress goes on. */
const AT_ONCE = 200;

const opened = promisify(open);
const synced = promisify(fsync);
const closed = promisify(close);

/** The files below an existing folder. */
export function folderFiles(root: string): VaultFolder {
  return {
    write: (files) => writeAll(root, files),
    remove: (names) =>
      promised(() => {
        removeAll(root, names);
      }),
    list: () => promised(() => listAll(root)),
    read: (name, most) => promised(() => readOne(root, name, most)),
  };
}

/** Makes the entries of a folder durable. */
export function syncFolder(path: string): void {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

async function writeAll(root: string, files: readonly VaultFile[]): Promise<void> {
  const made: string[] = [];
  let at = root;
  let folders: readonly string[] = [root];
  try {
    folders = makeFolders(root, files);
    for (const [count, { name, bytes }] of files.entries()) {
      at = join(root, name);
      writeNew(at, bytes, made);
      if (count % AT_ONCE === AT_ONCE - 1) await new Promise(setImmediate);
    }
    await syncAll(made);
    for (const folder of folders) syncFolder(folder);
  } catch (error) {
    // Made by us a moment ago: nothing half-written may look like a backup.
    for (const path of made) removeQuietly(path);
    for (const folder of folders) removeIfEmpty(folder);
    throw vaultError(`write ${at}`, error);
  }
}

/** Makes the folders of these files, and returns them with the root, deepest first. */
function makeFolders(root: string, files: readonly VaultFile[]): readonly string[] {
  const folders = new Set([root]);
  for (const { name } of files) {
    const parts = plainName(name).split("/").slice(0, -1);
    for (const depth of parts.keys()) folders.add(join(root, ...parts.slice(0, depth + 1)));
  }
  for (const folder of folders) {
    if (folder === root) continue;
    if (!isFolder(folder)) createFolder(folder);
  }
  return [...folders].reverse();
}

function writeNew(path: string, bytes: Uint8Array, made: string[]): void {
  const descriptor = createFile(path);
  made.push(path);
  try {
    for (let at = 0; at < bytes.length;) at += writeSync(descriptor, bytes, at);
  } finally {
    closeSync(descriptor);
  }
}

/** Makes files durable, several at a time. */
export async function syncAll(paths: readonly string[]): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let path = paths[next++]; path !== undefined; path = paths[next++]) {
      const descriptor = await opened(path, constants.O_RDONLY | constants.O_NOFOLLOW);
      try {
        await synced(descriptor);
      } finally {
        await closed(descriptor);
      }
    }
  };
  // All lanes end before anything is removed again.
  const ended = await Promise.allSettled(Array.from({ length: LANES }, lane));
  const failed = ended.find((end) => end.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}

function readOne(root: string, name: string, most: number): Uint8Array {
  const path = join(root, plainName(name));
  try {
    requireRealFolders(root, name);
    return readBounded(path, most);
  } catch (error) {
    if (!(error instanceof KeyriteError) || error.code !== "site.missing") throw error;
    throw new KeyriteError("usage.bad-file", `the backup holds no ${name}: ${path}`, {
      hints: ["it is incomplete: use the copy in another vault"],
      cause: error,
    });
  }
}

// The last part is opened without following links; those above it are looked at here.
function requireRealFolders(root: string, name: string): void {
  const parts = name.split("/").slice(0, -1);
  for (const depth of parts.keys()) isFolder(join(root, ...parts.slice(0, depth + 1)));
}

function isFolder(path: string): boolean {
  const status = lstatSync(path, { throwIfNoEntry: false });
  if (status === undefined) return false;
  if (status.isDirectory()) return true;
  throw notPlain(path);
}

function listAll(root: string): readonly string[] {
  const found: string[] = [];
  const walk = (folder: string, prefix: string, depth: number): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const name = `${prefix}${entry.name}`;
      const path = join(folder, entry.name);
      if (entry.isFile()) found.push(name);
      else if (entry.isDirectory() && depth < DEEPEST) walk(path, `${name}/`, depth + 1);
      else throw notPlain(path);
      if (found.length > MOST_FILES) {
        throw new KeyriteError("usage.bad-file", `${root} holds more than ${MOST_FILES} files`);
      }
    }
  };
  try {
    walk(root, "", 1);
  } catch (error) {
    throw vaultError(`list ${root}`, error);
  }
  return found.sort();
}

function removeAll(root: string, names: readonly string[]): void {
  const folders = new Set<string>();
  try {
    for (const name of names) {
      const path = join(root, plainName(name));
      requireRealFolders(root, name);
      unlinkSync(path);
      folders.add(dirname(path));
    }
    for (const folder of folders) syncFolder(folder);
  } catch (error) {
    throw vaultError(`remove files of ${root}`, error);
  }
  // Deepest first, so that none of them is kept by an empty one below it.
  const within = [...folders].flatMap((folder) => [folder, dirname(folder)]);
  const below = within.filter((folder) => folder.startsWith(`${root}/`));
  const deepest = [...new Set(below)].sort((a, b) => b.length - a.length);
  for (const folder of [...deepest, root]) removeIfEmpty(folder);
}

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // It holds something else, which stays.
  }
}

function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // The medium is gone; what was to be said about that is said already.
  }
}

function plainName(name: string): string {
  if (NAME.test(name) && !name.includes("..")) return name;
  throw new KeyriteError("usage.bad-file", `"${name}" cannot name a file of a backup`);
}

function notPlain(path: string): KeyriteError {
  return new KeyriteError("usage.bad-file", `${path} is neither a file nor a folder of a backup`, {
    hints: ["links, pipes and devices are refused: look what lies there, and who put it there"],
  });
}
