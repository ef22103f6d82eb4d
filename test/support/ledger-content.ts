/**
 * The logical content of a ledger file, apart from how SQLite lays it out: what a mutation must have changed
 * to count, and proof that another one changed nothing.
 */

import Sqlite from "better-sqlite3";

/** `table key` → the row's columns with their types, as stored bytes in hex. */
export type LedgerContent = ReadonlyMap<string, string>;

const ROWS: readonly (readonly [table: string, key: string, values: readonly string[]])[] = [
  ["ledger", "id", ["origin"]],
  ["entries", "seq", ["body"]],
  ["nodes", "pos", ["hash"]],
  ["checkpoints", "size", ["note"]],
  ["attachments", "sha256", ["mediaType", "bytes"]],
  ["cosignatures", "size || ' ' || hex(line)", ["line"]],
];

/** Reads all of it; undefined when the file cannot be read to its end. */
export function contentOf(path: string): LedgerContent | undefined {
  const content = new Map<string, string>();
  let db: Sqlite.Database | undefined;
  try {
    db = new Sqlite(path, { readonly: true, fileMustExist: true });
    for (const name of ["application_id", "user_version", "encoding", "journal_mode"]) {
      content.set(`pragma ${name}`, String(db.pragma(name, { simple: true })));
    }
    const schema = db.prepare("SELECT type || ' ' || name, sql FROM sqlite_master").raw().all();
    for (const [name, sql] of schema as [string, string | null][]) {
      content.set(`schema ${name}`, String(sql));
    }
    for (const [table, key, values] of ROWS) readRows(db, content, table, key, values);
    return content;
  } catch {
    return undefined;
  } finally {
    db?.close();
  }
}

function readRows(
  db: Sqlite.Database,
  content: Map<string, string>,
  table: string,
  key: string,
  values: readonly string[],
): void {
  const columns = values.map((one) => `typeof(${one}), CAST(${one} AS BLOB)`).join(", ");
  let count = 0;
  // Without an index: what it says may differ from what the rows say.
  const sql = `SELECT ${key}, ${columns} FROM ${table} NOT INDEXED`;
  for (const row of db.prepare(sql).raw().iterate() as IterableIterator<readonly unknown[]>) {
    count += 1;
    const [id, ...rest] = row;
    const name = `${table} ${String(id)}`;
    const text = rest.map((one) => (Buffer.isBuffer(one) ? one.toString("latin1") : String(one)));
    content.set(content.has(name) ? `${name} again ${count}` : name, text.join(" "));
  }
}

/** Names of the rows that differ, are missing or are new; in the order of the first, then the new ones. */
export function differences(before: LedgerContent, after: LedgerContent): readonly string[] {
  const changed = [...before]
    .filter(([name, row]) => after.get(name) !== row)
    .map(([name]) => name);
  return [...changed, ...[...after.keys()].filter((name) => !before.has(name))];
}
