/** Random changes of a ledger file: bits, bytes, pages of the file, cells and rows of its tables. */

import Sqlite from "better-sqlite3";
import { writeFileSync } from "node:fs";

/** Numbers from a seed, the same on every machine (xorshift32). */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0 || 1;
  }

  /** A whole number from 0 to below `below`. */
  below(below: number): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return (x >>> 0) % below;
  }

  pick<T>(list: readonly T[]): T {
    const one = list[this.below(list.length)];
    if (one === undefined) throw new Error("nothing to pick from");
    return one;
  }
}

const PAGE = 4096;

export const KINDS = ["bit", "byte", "run", "page", "cut", "cell", "row"] as const;
export type Kind = (typeof KINDS)[number];

/** Writes a copy of the file with one random change to `path`. @returns what was done, for a report */
export function mutate(original: Uint8Array, path: string, kind: Kind, dice: Dice): string {
  const bytes = Uint8Array.from(original);
  const at = dice.below(bytes.length);
  switch (kind) {
    case "bit":
      bytes[at] = (bytes[at] ?? 0) ^ (1 << dice.below(8));
      break;
    case "byte":
      bytes[at] = ((bytes[at] ?? 0) + 1 + dice.below(255)) & 0xff;
      break;
    case "run": {
      const length = 1 + dice.below(64);
      for (let i = at; i < Math.min(bytes.length, at + length); i += 1) bytes[i] = dice.below(256);
      break;
    }
    case "page":
      return `page ${mutatePage(bytes, path, dice)}`;
    case "cut": {
      writeFileSync(path, dice.below(2) === 0 ? bytes.subarray(0, at) : grown(bytes, dice));
      return `cut or grown at ${at}`;
    }
    case "cell":
    case "row":
      writeFileSync(path, bytes);
      return inTables(path, kind, dice);
  }
  writeFileSync(path, bytes);
  return `${kind} at ${at}`;
}

function grown(bytes: Uint8Array, dice: Dice): Uint8Array {
  const more = Uint8Array.from({ length: 1 + dice.below(2 * PAGE) }, () => dice.below(256));
  return Buffer.concat([bytes, more]);
}

function mutatePage(bytes: Uint8Array, path: string, dice: Dice): string {
  const pages = bytes.length / PAGE;
  const [to, from] = [dice.below(pages), dice.below(pages)];
  const one = bytes.slice(to * PAGE, (to + 1) * PAGE);
  const other = bytes.slice(from * PAGE, (from + 1) * PAGE);
  const how = dice.pick(["zero", "copy", "swap"] as const);
  if (how === "zero") bytes.fill(0, to * PAGE, (to + 1) * PAGE);
  else bytes.set(other, to * PAGE);
  if (how === "swap") bytes.set(one, from * PAGE);
  writeFileSync(path, bytes);
  return `${how} ${to} ${from}`;
}

const TABLES = {
  ledger: ["origin"],
  entries: ["body"],
  nodes: ["hash"],
  checkpoints: ["note"],
  attachments: ["sha256", "mediaType", "bytes"],
  cosignatures: ["size", "line"],
} as const;
type Table = keyof typeof TABLES;
const NAMES = Object.keys(TABLES) as Table[];
const KEYS: Readonly<Record<Table, string>> = {
  ledger: "id",
  entries: "seq",
  nodes: "pos",
  checkpoints: "size",
  attachments: "sha256",
  cosignatures: "size",
};

function inTables(path: string, kind: "cell" | "row", dice: Dice): string {
  // Every table is hit as often as any other: the file is mostly entries.
  const table = dice.pick(NAMES);
  return withoutGuards(path, table, (db) =>
    kind === "cell" ? mutateCell(db, table, dice) : mutateRow(db, table, dice),
  );
}

/** Changes a table behind the back of its triggers, which stand as before afterwards. */
export function withoutGuards<T>(path: string, table: string, act: (db: Sqlite.Database) => T): T {
  const db = new Sqlite(path);
  try {
    db.pragma("synchronous = OFF");
    db.pragma("journal_mode = MEMORY");
    const sql = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name LIKE ?";
    const triggers = db.prepare(sql).all(table) as { name: string; sql: string }[];
    return db.transaction(() => {
      for (const { name } of triggers) db.exec(`DROP TRIGGER ${name}`);
      const done = act(db);
      for (const one of triggers) db.exec(one.sql);
      return done;
    })();
  } finally {
    db.close();
  }
}

/** A random row, by a condition that holds for it alone. */
function randomRow(db: Sqlite.Database, table: Table, dice: Dice): string {
  const ids = db.prepare(`SELECT ${KEYS[table]} FROM ${table}`).pluck().all();
  const id = dice.pick(ids);
  const key = `${KEYS[table]} = ${typeof id === "string" ? `'${id}'` : String(id)}`;
  if (table !== "cosignatures") return key;
  const lines = db.prepare(`SELECT line FROM cosignatures WHERE ${key}`).pluck().all() as string[];
  return `${key} AND line = '${dice.pick(lines)}'`;
}

function mutateCell(db: Sqlite.Database, table: Table, dice: Dice): string {
  const where = randomRow(db, table, dice);
  const column = dice.pick<string>(TABLES[table]);
  const value = db.prepare(`SELECT CAST(${column} AS BLOB) FROM ${table} WHERE ${where}`).pluck();
  const bytes = Buffer.from((value.get() as Buffer | null) ?? Buffer.alloc(0));
  const at = dice.below(Math.max(1, bytes.length));
  const how = dice.pick(["change", "cut", "add", "double"] as const);
  const changed = {
    change: () => {
      bytes[at] = ((bytes[at] ?? 0) + 1 + dice.below(255)) & 0xff;
      return bytes;
    },
    cut: () => Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)]),
    add: () =>
      Buffer.concat([bytes.subarray(0, at), Buffer.of(dice.below(256)), bytes.subarray(at)]),
    double: () => Buffer.concat([bytes, bytes]),
  }[how]();
  const isBlob = column === "hash" || column === "bytes";
  const cast = isBlob ? "?" : column === "size" ? "CAST(? AS INTEGER)" : "CAST(? AS TEXT)";
  db.prepare(`UPDATE OR REPLACE ${table} SET ${column} = ${cast} WHERE ${where}`).run(changed);
  return `${how} ${column} of ${table} where ${where.slice(0, 60)}`;
}

function mutateRow(db: Sqlite.Database, table: Table, dice: Dice): string {
  const [one, other] = [randomRow(db, table, dice), randomRow(db, table, dice)];
  const columns = TABLES[table].filter((name) => name !== KEYS[table]);
  const how = dice.pick(["delete", "copy", "swap"] as const);
  if (how === "delete") db.exec(`DELETE FROM ${table} WHERE ${one}`);
  else {
    const read = (where: string): unknown[] =>
      db
        .prepare(`SELECT ${columns.join(", ")} FROM ${table} WHERE ${where}`)
        .raw()
        .get() as unknown[];
    const [a, b] = [read(one), read(other)];
    const set = columns.map((name) => `${name} = ?`).join(", ");
    const write = (where: string, row: unknown[]): void => {
      db.prepare(`UPDATE OR REPLACE ${table} SET ${set} WHERE ${where}`).run(...row);
    };
    if (how === "swap" && one !== other) write(other, a);
    write(one, b);
  }
  return `${how} ${table} ${one.slice(0, 60)} ${other.slice(0, 60)}`;
}
