/** A small ledger and the ways to change a copy of it behind its back. */

import type Sqlite from "better-sqlite3";
import { readFileSync } from "node:fs";
import { after } from "node:test";
import { decodeEntry, encodeEntry } from "../../src/ledger/entry.ts";
import { LedgerStore } from "../../src/ledger/store.ts";
import { verifyLedger, type Finding } from "../../src/ledger/verify.ts";
import { ledgerVerifier, makeLedger, ORIGIN, tampered, tempDir } from "./ledger-fixture.ts";

export const GROUPS = [["begun"], ["naïve 🔑 token"], ["three", "four"], ["five"]] as const;
export const path = makeLedger(tempDir({ after }), GROUPS);
export const SIZE = GROUPS.flat().length;
export const bodies = [...LedgerStore.open(path).entries()];

export function findings(file: string): readonly Finding[] {
  return verifyLedger(file, { key: ledgerVerifier, origin: ORIGIN }).findings;
}

export function changed(change: (db: Sqlite.Database) => void): readonly Finding[] {
  return findings(tampered(path, change));
}

export function named(found: readonly Finding[]): readonly string[] {
  return found.map(({ code, seq }) => (seq === undefined ? code : `${code} ${seq}`));
}

export function setBody(db: Sqlite.Database, seq: number, body: Uint8Array | string): void {
  const value = typeof body === "string" ? Buffer.from(body) : body;
  db.prepare("UPDATE entries SET body = CAST(? AS TEXT) WHERE seq = ?").run(value, seq);
}

/** The same entry with another description: valid, canonical, and not what was signed. */
export function forged(seq: number): string {
  return encodeEntry({ ...decodeEntry(bodies[seq] ?? ""), description: "forged" });
}

/** The bytes of the untouched file. */
export const file = readFileSync(path);
