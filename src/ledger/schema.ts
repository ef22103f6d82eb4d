/**
 * The tables of a ledger file, as text that the verifier compares word for word. The triggers guard
 * against accidents; against malice guards the tree.
 */

/** "KEYR", at offset 68 of the file. */
export const APPLICATION_ID = 0x4b455952;
/** The version of this schema, at offset 60 of the file. */
export const SCHEMA_VERSION = 1;

const TABLES = {
  ledger: `CREATE TABLE ledger (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  origin TEXT NOT NULL
) STRICT`,
  entries: `CREATE TABLE entries (
  seq INTEGER PRIMARY KEY,
  body TEXT NOT NULL
) STRICT`,
  nodes: `CREATE TABLE nodes (
  pos INTEGER PRIMARY KEY,
  hash BLOB NOT NULL
) STRICT`,
  checkpoints: `CREATE TABLE checkpoints (
  size INTEGER PRIMARY KEY,
  note TEXT NOT NULL
) STRICT`,
  attachments: `CREATE TABLE attachments (
  sha256 TEXT PRIMARY KEY,
  mediaType TEXT NOT NULL,
  bytes BLOB NOT NULL
) STRICT, WITHOUT ROWID`,
  cosignatures: `CREATE TABLE cosignatures (
  size INTEGER NOT NULL,
  line TEXT NOT NULL,
  PRIMARY KEY (size, line)
) STRICT, WITHOUT ROWID`,
} as const;

export type TableName = keyof typeof TABLES;

// INSERT OR REPLACE removes the old row without firing DELETE triggers, so each table's INSERT
// trigger, which fires before the conflict is resolved, refuses every key that is there already.
const OUT_OF_SEQUENCE: Readonly<Record<TableName, string>> = {
  ledger: "EXISTS (SELECT 1 FROM ledger)",
  entries: "NEW.seq IS NOT (SELECT coalesce(max(seq) + 1, 0) FROM entries)",
  nodes: "NEW.pos IS NOT (SELECT coalesce(max(pos) + 1, 0) FROM nodes)",
  checkpoints: `NEW.size <= (SELECT coalesce(max(size), 0) FROM checkpoints)
  OR NEW.size IS NOT (SELECT max(seq) + 1 FROM entries)`,
  attachments: "EXISTS (SELECT 1 FROM attachments WHERE sha256 = NEW.sha256)",
  cosignatures: `EXISTS (SELECT 1 FROM cosignatures WHERE size = NEW.size AND line = NEW.line)
  OR NOT EXISTS (SELECT 1 FROM checkpoints WHERE size = NEW.size)`,
};

const tableNames = Object.keys(TABLES) as TableName[];

/** Every statement of the schema, by the name of what it makes. */
export const SCHEMA: ReadonlyMap<string, string> = new Map(
  tableNames.flatMap((table) => [
    [table, TABLES[table]],
    [`${table}_insert`, trigger(table, "INSERT", `\nWHEN ${OUT_OF_SEQUENCE[table]}`)],
    [`${table}_update`, trigger(table, "UPDATE", "")],
    [`${table}_delete`, trigger(table, "DELETE", "")],
  ]),
);

function trigger(table: TableName, verb: "INSERT" | "UPDATE" | "DELETE", when: string): string {
  const said = verb === "INSERT" ? "out of sequence" : "append-only";
  const name = `${table}_${verb.toLowerCase()}`;
  return `CREATE TRIGGER ${name} BEFORE ${verb} ON ${table}${when}
BEGIN
  SELECT RAISE(ABORT, '${table}: ${said}');
END`;
}
