/** What verification finds in a changed copy of the small ledger, as lines of text. */

import assert from "node:assert/strict";
import type Sqlite from "better-sqlite3";
import { tampered } from "./ledger-fixture.ts";
import { findings, path } from "./tamper.ts";

export type Change = (db: Sqlite.Database) => void;

/** A change by one statement, which must change something. */
export const run =
  (sql: string, ...values: readonly unknown[]): Change =>
  (db) => {
    assert.ok(db.prepare(sql).run(...values).changes > 0, sql);
  };

export const all =
  (...changes: readonly Change[]): Change =>
  (db) => {
    for (const change of changes) change(db);
  };

/** All findings in a changed copy, as one line each. */
export function inWords(change: Change): readonly string[] {
  return findings(tampered(path, change)).map(
    ({ code, seq, text }) => `${code}${seq === undefined ? "" : ` ${seq}`}: ${text}`,
  );
}
