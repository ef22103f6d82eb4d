/**
 * The statement over a backup: two operators sign the digest of its `backup.json`, so that a copy of it
 * found anywhere says whose it is. Format: docs/formats/backup.md.
 */

import { sha256Hex } from "../lib/encoding.ts";
import { KeyriteError, messageOf } from "../lib/errors.ts";
import { parseNote, verifyNote, type Note } from "../lib/note.ts";
import { cardKey, shareAKey, type Card } from "./card.ts";
import { isDigest, isOrigin, NoteReader } from "./note-text.ts";

export const BACKUP = "keyrite/backup/v1";

export interface BackupStatement {
  readonly origin: string;
  readonly ceremony: string;
  readonly backup: string;
  /** SHA-256 of backup.json, 64 lower-case hex. */
  readonly sha256: string;
}

/**
 * The text that is signed.
 * @throws KeyriteError people.agreement-invalid when a value does not fit its grammar
 */
export function formatBackupText({ origin, ceremony, backup, sha256 }: BackupStatement): string {
  const text = [
    BACKUP,
    `origin ${origin}`,
    `ceremony ${ceremony}`,
    `backup ${backup}`,
    `sha256 ${sha256}`,
    "",
  ].join("\n");
  parseBackupText(text);
  return text;
}

/**
 * Reads the text: every line once, in order.
 * @throws KeyriteError people.agreement-invalid
 */
export function parseBackupText(text: string): BackupStatement {
  const lines = new NoteReader(text, BACKUP, invalid);
  const statement = {
    origin: lines.value("origin", isOrigin),
    ceremony: lines.value("ceremony", (v) => /^[0-9]{8}-[a-z][a-z0-9-]*-[a-z2-7]{4}$/.test(v)),
    backup: lines.value("backup", (v) => /^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/.test(v)),
    sha256: lines.value("sha256", isDigest),
  };
  lines.end();
  return statement;
}

/** What a backup's note has to say, and who may have signed it. */
export interface ExpectedStatement extends Partial<Omit<BackupStatement, "sha256">> {
  /** The bytes of backup.json that lie beside it. */
  readonly manifest: Uint8Array;
  /** The cards of exactly those who are on record as its signers. */
  readonly signers: readonly Card[];
}

/**
 * What is wrong with a note: none but the expected people may seem to have signed it, and all of them
 * must have, two different people at least.
 */
export function whyNoteInvalid(note: string, expected: ExpectedStatement): readonly string[] {
  let parsed: Note;
  let statement: BackupStatement;
  try {
    parsed = parseNote(note);
    statement = parseBackupText(parsed.text);
  } catch (error) {
    return [`backup.note: ${messageOf(error)}`];
  }
  const problems = [...statementProblems(statement, expected), ...signerProblems(parsed, expected)];
  return problems.map((problem) => `backup.note: ${problem}`);
}

function statementProblems(statement: BackupStatement, expected: ExpectedStatement): string[] {
  const problems = (["origin", "ceremony", "backup"] as const).flatMap((name) => {
    const wanted = expected[name];
    return wanted === undefined || statement[name] === wanted
      ? []
      : [`it is about ${name} ${statement[name]}, not ${wanted}`];
  });
  return statement.sha256 === sha256Hex(expected.manifest)
    ? problems
    : [...problems, "it was signed over another backup.json"];
}

function signerProblems(note: Note, { signers }: ExpectedStatement): string[] {
  const twin = signers.find((card, at) => signers.slice(0, at).some((c) => shareAKey(c, card)));
  if (signers.length < 2 || twin !== undefined) {
    return ["it needs the signatures of two different people"];
  }
  const keys = signers.map((card) => cardKey(card, "ed25519"));
  const known = note.signatures.map(({ name, keyId }) =>
    keys.find((key) => key.name === name && key.keyId === keyId),
  );
  if (known.includes(undefined) || new Set(known).size !== known.length) {
    return ["it bears a signature that is not of one of its signers, each once"];
  }
  try {
    const good = verifyNote(note, keys);
    const missing = signers.filter((_, at) => !good.some((key) => key === keys[at]));
    return missing.map(({ person }) => `it is not signed by ${person}`);
  } catch (error) {
    return [messageOf(error)];
  }
}

function invalid(problem: string): KeyriteError {
  return new KeyriteError(
    "people.agreement-invalid",
    `the backup statement is refused: ${problem}`,
  );
}
