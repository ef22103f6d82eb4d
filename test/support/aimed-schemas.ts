/** C15: what a file could do to a verifier that asks it before it has looked. */

/** `[name, sql]`, for a file whose guards stand. */
export const HOSTILE_SCHEMAS: readonly (readonly [string, string])[] = [
  ["a view", "CREATE VIEW everything AS SELECT * FROM entries"],
  ["a table more", "CREATE TABLE more (x)"],
  ["an index", "CREATE INDEX bodies ON entries (body)"],
  ["a trigger more", "CREATE TRIGGER quiet AFTER INSERT ON entries BEGIN SELECT 1; END"],
  ["a trigger less", "DROP TRIGGER nodes_insert"],
  [
    "a view in the place of a table",
    "ALTER TABLE nodes RENAME TO hidden; CREATE VIEW nodes AS SELECT * FROM hidden",
  ],
  ["a column more", "ALTER TABLE entries ADD COLUMN more TEXT DEFAULT 'x'"],
  [
    "another type of a column",
    "PRAGMA writable_schema = ON; UPDATE sqlite_master SET sql = replace(sql, 'body TEXT', 'body BLOB') WHERE name = 'entries'",
  ],
  [
    "another rule of a trigger",
    "PRAGMA writable_schema = ON; UPDATE sqlite_master SET sql = replace(sql, 'append-only', 'anything') WHERE name = 'entries_update'",
  ],
  ["another application", "PRAGMA application_id = 7"],
  ["another version", "PRAGMA user_version = 2"],
  ["a write-ahead log", "PRAGMA journal_mode = WAL"],
];
