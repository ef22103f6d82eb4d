/** Writes a bundle to a new folder and packs it into a .tar: the manifest last, so that a torn one is none. */

import { createHash } from "node:crypto";
import {
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  openSync,
  readSync,
  rmSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { copyLedger } from "../ledger/copy.ts";
import type { LedgerStore } from "../ledger/store.ts";
import { sha256Hex } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import { createFile, makeFolders, writeNewFile } from "../lib/files.ts";
import { TAR_END, tarHeader, tarPadding } from "../lib/tar.ts";
import {
  bundleFiles,
  manifestOf,
  type BundleBeside,
  type BundleFile,
  type BundleTool,
} from "../report/bundle.ts";
import { LEDGER, MANIFEST, manifestBytes, type BundledFile } from "../report/bundle-manifest.ts";
import type { BundleReading } from "../report/bundle-reading.ts";
import { TAR_FOLDER } from "./bundle-source.ts";
import { syncAll, syncFolder } from "./vault-files.ts";

const CHUNK = 1 << 20;

export interface WrittenBundle {
  /** SHA-256 of bundle.json: the name of exactly this bundle. */
  readonly sha256: string;
  /** The manifest first, then by path. */
  readonly files: readonly BundledFile[];
}

/**
 * Writes a bundle. What could not be written completely is removed again.
 * @throws KeyriteError site.file-exists, site.*
 */
export async function writeBundle(
  folder: string,
  ledger: LedgerStore,
  reading: BundleReading,
  tool: BundleTool,
  beside: BundleBeside = {},
): Promise<WrittenBundle> {
  if (existsSync(folder)) {
    throw new KeyriteError(
      "site.file-exists",
      `${folder} exists already, and nothing is written over`,
      {
        hints: ["name a folder that does not exist yet"],
      },
    );
  }
  makeFolders(folder);
  try {
    const files = writeFiles(folder, ledger, bundleFiles(ledger, reading, tool, beside));
    await syncAll(files.map(({ path }) => join(folder, path)));
    for (const below of foldersOf(files)) syncFolder(join(folder, below));
    const manifest = manifestBytes({ ...manifestOf(reading, tool.software), files });
    writeNewFile(join(folder, MANIFEST), manifest, { mode: 0o644 });
    const sha256 = sha256Hex(manifest);
    return {
      sha256,
      files: [{ path: MANIFEST, sha256, bytes: manifest.length }, ...byPath(files)],
    };
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

function byPath(files: readonly BundledFile[]): readonly BundledFile[] {
  return [...files].sort((a, b) => (a.path < b.path ? -1 : 1));
}

function writeFiles(
  folder: string,
  ledger: LedgerStore,
  made: Iterable<BundleFile>,
): BundledFile[] {
  const files: BundledFile[] = [];
  for (const { path, bytes } of made) {
    const target = join(folder, path);
    makeFolders(dirname(target));
    writeWhole(target, [bytes]);
    files.push({ path, sha256: sha256Hex(bytes), bytes: bytes.length });
  }
  const copy = join(folder, LEDGER);
  copyLedger(ledger, copy);
  const { sha256, bytes } = digestAndSize(copy);
  files.push({ path: LEDGER, sha256, bytes });
  return files;
}

function foldersOf(files: readonly BundledFile[]): readonly string[] {
  return [...new Set(files.map(({ path }) => dirname(path)))].sort().reverse();
}

function writeWhole(path: string, parts: Iterable<Uint8Array>): void {
  const file = createFile(path);
  try {
    for (const part of parts) {
      for (let at = 0; at < part.length;) at += writeSync(file, part, at);
    }
  } finally {
    closeSync(file);
  }
}

/**
 * Packs a written bundle; the same bundle gives the same bytes.
 * @param time of the last entry, RFC 3339: every file bears it
 * @returns SHA-256 of the archive
 * @throws KeyriteError site.file-exists
 */
export function packBundle(
  folder: string,
  { files }: WrittenBundle,
  target: string,
  time: string,
): string {
  if (existsSync(target)) {
    throw new KeyriteError(
      "site.file-exists",
      `${target} exists already, and nothing is written over`,
    );
  }
  const seconds = Math.floor(Date.parse(time) / 1000);
  writeWhole(target, packed(folder, files, seconds));
  const file = openSync(target, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  return fileDigest(target);
}

function* packed(
  folder: string,
  files: readonly BundledFile[],
  seconds: number,
): Generator<Uint8Array> {
  for (const { path, bytes } of files) {
    yield tarHeader(`${TAR_FOLDER}${path}`, bytes, seconds);
    yield* chunksOf(join(folder, path));
    yield tarPadding(bytes);
  }
  yield TAR_END;
}

function* chunksOf(path: string): Generator<Uint8Array> {
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  const buffer = Buffer.allocUnsafeSlow(CHUNK);
  try {
    for (let length; (length = readSync(file, buffer)) > 0;) yield buffer.subarray(0, length);
  } finally {
    closeSync(file);
  }
}

function digestAndSize(path: string): { readonly sha256: string; readonly bytes: number } {
  const hash = createHash("sha256");
  let bytes = 0;
  for (const chunk of chunksOf(path)) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { sha256: hash.digest("hex"), bytes };
}

/** SHA-256 of a file in hex. */
export function fileDigest(path: string): string {
  return digestAndSize(path).sha256;
}
