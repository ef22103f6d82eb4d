/**
 * Judges a ledger file by recomputing everything from the bytes of its entries. No table is trusted
 * but those, and no file, however broken, makes it fail: it finds.
 */

import { hex, sha256Hex } from "../lib/encoding.ts";
import { KeyriteError, messageOf } from "../lib/errors.ts";
import { parseSignatureLine, type VerifierKey } from "../lib/note.ts";
import { EMPTY_ROOT } from "./merkle.ts";
import { openForReading, schemaDifference, type Database } from "./database.ts";
import { Findings, type Finding } from "./findings.ts";
import { isMediaType } from "./media-types.ts";
import { Rows } from "./rows.ts";
import { LedgerStore } from "./store.ts";
import { verifyTree, type TreeVerdict, type Visit } from "./verify-tree.ts";

export { compareHead, compareHeads, firstDifference, type HeadComparison } from "./heads.ts";
export type { Finding, FindingCode } from "./findings.ts";
export type { Visit } from "./verify-tree.ts";

export interface VerifyOptions {
  /** The origin the ledger must have. */
  readonly origin?: string;
  /** The ledger's key. Without it nothing says that the checkpoints are the ledger's own. */
  readonly key?: VerifierKey;
  /**
   * Whose signature is verified: of every checkpoint (`all`, the default) or of the newest, which covers
   * every entry. The roots that the others state are compared all the same.
   */
  readonly signatures?: "all" | "newest";
  /** Called for every entry that decodes, in order; read `findings` before believing any of it. */
  readonly visit?: Visit;
}

export interface LedgerVerdict {
  readonly origin: string;
  /** Number of entries found. */
  readonly size: number;
  /** Root hash recomputed from those entries, as lower-case hex. */
  readonly root: string;
  /** The newest checkpoint as it is stored; empty when there is none. */
  readonly note: string;
  /** Empty when nothing is wrong with the file; a shorter, older copy is only seen by its heads. */
  readonly findings: readonly Finding[];
}

/**
 * Verifies an open ledger, or a file, which is opened for reading and never changed. Whether
 * attachments are cited and by whom cosignatures are is for the caller to judge.
 * @throws KeyriteError ledger.missing, site.locked or site.permissions when there is nothing to judge;
 * and whatever `visit` throws.
 */
export function verifyLedger(
  ledger: LedgerStore | string,
  options: VerifyOptions = {},
): LedgerVerdict {
  if (ledger instanceof LedgerStore) return verifyDatabase(ledger.database, options);
  let db: Database;
  try {
    db = openForReading(ledger, { recover: false });
  } catch (error) {
    if (!(error instanceof KeyriteError) || error.code !== "ledger.damaged") throw error;
    return unreadable([{ code: "file.unreadable", text: error.message }]);
  }
  try {
    return verifyDatabase(db, options);
  } finally {
    db.close();
  }
}

/** Verifies an open database: the walk on one thread. */
export function verifyDatabase(db: Database, options: VerifyOptions): LedgerVerdict {
  const findings = new Findings();
  const origin = readOrigin(db, findings);
  if (origin === undefined) return unreadable(findings.all);
  verifyStructure(db, findings);
  if (options.origin !== undefined && options.origin !== origin) {
    findings.add("origin.differs", `this is the ledger of ${origin}, not of ${options.origin}`);
  }
  const signedFrom = options.signatures === "newest" ? newestSize(db, findings) : 0;
  const { key, visit } = options;
  const tree = verifyTree(db, { origin, key, signedFrom, visit, findings });
  return verifyBesides(db, findings, origin, tree);
}

/** What lies beside the entries, once these are verified. */
export function verifyBesides(
  db: Database,
  findings: Findings,
  origin: string,
  tree: TreeVerdict,
): LedgerVerdict {
  guarded(findings, "the attachments", () => {
    verifyAttachments(db, findings);
  });
  guarded(findings, "the cosignatures", () => {
    verifyCosignatures(db, findings);
  });
  return { origin, ...tree, findings: findings.all };
}

// The schema comes before any query on its tables: what a hostile one defines must not run.
export function readOrigin(db: Database, findings: Findings): string | undefined {
  return guarded(findings, "the file", () => {
    const difference = schemaDifference(db);
    if (difference !== undefined) {
      findings.add("schema.differs", `the schema of the file differs: ${difference}`);
      return undefined;
    }
    return new Rows(db).origin();
  });
}

// Damage between the records, which reading them in order would pass over.
export function verifyStructure(db: Database, findings: Findings): void {
  guarded(findings, "the file", () => {
    const structure: unknown = db.pragma("quick_check(1)", { simple: true });
    if (structure !== "ok")
      findings.add("file.unreadable", `the file is damaged: ${String(structure)}`);
  });
}

function newestSize(db: Database, findings: Findings): number {
  const newest = guarded(findings, "the newest checkpoint", () => new Rows(db).newestCheckpoint());
  return newest?.size ?? 0;
}

function verifyAttachments(db: Database, findings: Findings): void {
  const wrong = new Map<string, string>();
  for (const { sha256, mediaType, bytes } of new Rows(db).attachments()) {
    if (!(bytes instanceof Uint8Array) || sha256Hex(bytes) !== sha256) {
      wrong.set(sha256, "does not have that digest");
    } else if (!isMediaType(mediaType)) {
      wrong.set(sha256, "states a media type that no attachment has");
    }
  }
  const citing = wrong.size === 0 ? NOBODY : firstCiting(db, wrong);
  for (const [sha256, what] of wrong) {
    const seq = citing.get(sha256);
    const cited = seq === undefined ? "" : `; entry ${seq} is the first that cites it`;
    findings.add("attachment.differs", `attachment ${sha256} ${what}${cited}`);
  }
}

const NOBODY: ReadonlyMap<string, number> = new Map();

/** By digest the first entry that cites it. One walk for all of them: a hostile file may hold any number. */
function firstCiting(
  db: Database,
  wanted: ReadonlyMap<string, string>,
): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const { seq, body } of new Rows(db).numberedEntries()) {
    for (const [sha256] of body.matchAll(/[0-9a-f]{64}/g)) {
      if (wanted.has(sha256) && !found.has(sha256)) found.set(sha256, seq);
    }
  }
  return found;
}

function verifyCosignatures(db: Database, findings: Findings): void {
  const rows = new Rows(db);
  for (const { size, line } of rows.cosignatures()) {
    if (rows.checkpoint(size) === undefined) {
      const text = `a cosignature is on size ${size}, which has no checkpoint`;
      findings.add("cosignature.malformed", text);
    } else if (!isCosignature(line)) {
      findings.add("cosignature.malformed", `a cosignature on size ${size} is malformed`);
    }
  }
}

function isCosignature(line: string): boolean {
  try {
    return parseSignatureLine(line).payload.length === 72;
  } catch {
    return false;
  }
}

function guarded<T>(findings: Findings, what: string, body: () => T): T | undefined {
  try {
    return body();
  } catch (error) {
    findings.add("file.unreadable", `${what} cannot be read: ${messageOf(error)}`);
    return undefined;
  }
}

function unreadable(findings: readonly Finding[]): LedgerVerdict {
  return { origin: "", size: 0, root: hex(EMPTY_ROOT), note: "", findings };
}
