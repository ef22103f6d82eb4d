/** Time stamps as they are kept: files beside a site's ledger, and the same files in an evidence bundle. */

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { parseCheckpoint } from "../ledger/checkpoint.ts";
import type { LedgerStore } from "../ledger/store.ts";
import { equalBytes, hex, sha256, sha256Hex } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import { readBounded } from "../lib/files.ts";
import { parseNote } from "../lib/note.ts";
import { LONGEST_RESPONSE, readTimestamp, type Timestamp } from "../pki/timestamp.ts";
import type { BundleFile } from "../report/bundle.ts";
import type { BundleSource } from "./bundle-source.ts";

/** Where they lie below the site's folder or in a bundle. */
export const STAMPS = "timestamps";

/** The file of an answer on the head of this size. */
export function stampFile(size: number, response: Uint8Array): string {
  return `${STAMPS}/${size}-${sha256Hex(response).slice(0, 8)}.tsr`;
}

/** The answers that lie below a folder, by name: those on smaller heads first. */
export function stampsBelow(folder: string): readonly BundleFile[] {
  const place = join(folder, STAMPS);
  if (!existsSync(place)) return [];
  return inOrder(readdirSync(place).map((name) => `${STAMPS}/${name}`)).map((path) => {
    return { path, bytes: readBounded(join(folder, path), LONGEST_RESPONSE) };
  });
}

/** The answers in a bundle, as they came. */
export function stampsIn(source: BundleSource): readonly BundleFile[] {
  return inOrder([...source.sizes.keys()]).map((path) => {
    return { path, bytes: source.read(path, LONGEST_RESPONSE) };
  });
}

const PATH = /^timestamps\/[1-9][0-9]*-[0-9a-f]{8}\.tsr$/;

function inOrder(paths: readonly string[]): readonly string[] {
  return paths
    .filter((path) => PATH.test(path))
    .sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
}

/**
 * Why a kept answer says nothing about this ledger, or undefined: whether its authority deserves trust is
 * another question.
 */
export function whyNoStamp(ledger: LedgerStore, { path, bytes }: BundleFile): string | undefined {
  try {
    const { size } = stampedHead(ledger, readTimestamp(bytes));
    return stampFile(size, bytes) === path ? undefined : "its name is that of another answer";
  } catch (error) {
    if (error instanceof KeyriteError) return error.message;
    throw error;
  }
}

/** The checkpoint that was stamped. @throws KeyriteError ledger.not-trusted */
export function stampedHead(ledger: LedgerStore, { digest }: Timestamp): { readonly size: number } {
  const newest = [...ledger.checkpoints()].reverse();
  const found = newest.find(({ note }) => equalBytes(sha256(note), digest));
  if (found === undefined) {
    throw new KeyriteError(
      "ledger.not-trusted",
      `the time stamp is on none of this ledger's checkpoints: it stamps ${hex(digest)}`,
      { hints: ["it may belong to another site, or the ledger was changed since"] },
    );
  }
  return parseCheckpoint(parseNote(found.note).text);
}
