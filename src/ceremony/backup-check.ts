/**
 * Judging the papers of a backup before anything is unwrapped: `backup.json` is the one on record, and
 * its note bears the signatures of exactly those who are on record as its signers.
 */

import { parseManifest, type Manifest } from "../backups/manifest.ts";
import { fromUtf8, sha256Hex } from "../lib/encoding.ts";
import { messageOf } from "../lib/errors.ts";
import { whyNoteInvalid } from "../people/backup-note.ts";
import type { Card } from "../people/card.ts";

/** The two papers of a backup as they lie in its folder. */
export interface BackupPapers {
  /** Bytes of backup.json. */
  readonly manifest: Uint8Array;
  /** Bytes of backup.note. */
  readonly note: Uint8Array;
}

/** What custody, or another site's proofs, say of a backup. */
export interface ExpectedBackup {
  readonly backup: string;
  readonly origin: string;
  readonly ceremony: string;
  /** SHA-256 of backup.json. */
  readonly sha256: string;
  readonly keys: number;
  readonly kek: {
    readonly kek: string;
    readonly generation: number;
    readonly mode: "hsm-to-hsm" | "escrowed";
    readonly checkValue: string;
  };
  readonly assurance: "production" | "test";
  readonly signers: readonly Card[];
}

export interface CheckedBackup {
  /** Present when backup.json is well formed, whatever else is wrong. */
  readonly manifest: Manifest | undefined;
  /** One sentence each, naming the file; empty when both papers hold. */
  readonly problems: readonly string[];
}

/** Judges the papers of a backup. The wrapped keys are compared one by one as they are read (`verifyBlob`). */
export function checkBackup(papers: BackupPapers, expected: ExpectedBackup): CheckedBackup {
  const problems = [...noteProblems(papers, expected)];
  const digest = sha256Hex(papers.manifest);
  if (digest !== expected.sha256) {
    problems.push(`backup.json has the digest ${digest}, not the recorded ${expected.sha256}`);
  }
  const read = readManifest(papers.manifest);
  if (typeof read === "string") return { manifest: undefined, problems: [read, ...problems] };
  // What it says of itself first: another backup in this folder is no forged signature.
  return { manifest: read, problems: [...differences(read, expected), ...problems] };
}

function noteProblems(papers: BackupPapers, expected: ExpectedBackup): readonly string[] {
  const { backup, origin, ceremony, signers } = expected;
  const { manifest } = papers;
  try {
    return whyNoteInvalid(fromUtf8(papers.note), { manifest, backup, origin, ceremony, signers });
  } catch (error) {
    return [`backup.note: ${messageOf(error)}`];
  }
}

/** The manifest of these bytes, or what is wrong with them. */
export function readManifest(bytes: Uint8Array): Manifest | string {
  try {
    return parseManifest(bytes);
  } catch (error) {
    return messageOf(error);
  }
}

function differences(manifest: Manifest, expected: ExpectedBackup): readonly string[] {
  const pairs: readonly (readonly [string, string | number, string | number])[] = [
    ["backup", manifest.backup, expected.backup],
    ["origin", manifest.origin, expected.origin],
    ["ceremony", manifest.ceremony, expected.ceremony],
    ["assurance", manifest.assurance, expected.assurance],
    ["number of keys", manifest.keys.length, expected.keys],
    ["KEK", manifest.kek.name, expected.kek.kek],
    ["generation of the KEK", manifest.kek.generation, expected.kek.generation],
    ["mode of the KEK", manifest.kek.mode, expected.kek.mode],
    ["check value of the KEK", manifest.kek.checkValue, expected.kek.checkValue],
  ];
  return pairs
    .filter(([, stated, recorded]) => stated !== recorded)
    .map(
      ([what, stated, recorded]) =>
        `backup.json states the ${what} ${stated}, the record says ${recorded}`,
    );
}
