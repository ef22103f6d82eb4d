/**
 * The one file that knows better-sqlite3: opens a ledger file without trusting it, with the
 * settings that make a commit durable and an altered schema visible.
 */

import Sqlite from "better-sqlite3";
import {
  closeSync,
  existsSync,
  fsyncSync,
  lstatSync,
  openSync,
  readSync,
  rmSync,
  statSync,
} from "node:fs";
import { dirname } from "node:path";
import { KeyriteError, messageOf } from "../lib/errors.ts";
import { createFile } from "../lib/files.ts";
import { describeHolder } from "./holder.ts";
import { APPLICATION_ID, SCHEMA, SCHEMA_VERSION } from "./schema.ts";
import { notDurable } from "./write-errors.ts";

export type Database = Sqlite.Database;
export type Statement<Row> = Sqlite.Statement<unknown[], Row>;

/** The SQLite error code of anything thrown, such as `SQLITE_FULL`, or undefined. */
export function sqliteCode(error: unknown): string | undefined {
  return error instanceof Sqlite.SqliteError ? error.code : undefined;
}

/**
 * Makes a ledger file with empty tables; never touches one that exists.
 * @throws KeyriteError site.exists, site.permissions, or halted.not-durable when writing fails.
 */
export function createDatabase(path: string, origin: string): void {
  try {
    closeSync(createFile(path));
  } catch (error) {
    const exists = (error as NodeJS.ErrnoException).code === "EEXIST";
    throw new KeyriteError(
      exists ? "site.exists" : "site.permissions",
      exists ? `there is already a ledger at ${path}` : `cannot make a ledger at ${path}`,
      { cause: error },
    );
  }
  try {
    fill(path, origin);
    syncFolder(dirname(path));
  } catch (error) {
    for (const one of [path, `${path}-journal`]) discard(one);
    throw notDurable(path, error);
  }
}

function discard(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // Theirs, or on a disk that takes nothing: it is no news beside what stopped us.
  }
}

function fill(path: string, origin: string): void {
  const db = new Sqlite(path, { fileMustExist: true, timeout: 0 });
  try {
    db.pragma("encoding = 'UTF-8'");
    makeDurable(db);
    db.pragma(`application_id = ${APPLICATION_ID}`);
    db.pragma(`user_version = ${SCHEMA_VERSION}`);
    db.transaction(() => {
      for (const statement of SCHEMA.values()) db.exec(statement);
      db.prepare("INSERT INTO ledger (id, origin) VALUES (1, ?)").run(origin);
    })();
    removeJournal(db);
  } finally {
    db.close();
  }
}

function syncFolder(path: string): void {
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** How long a writer waits for somebody who is just looking, or who came at the same instant and gives way. */
const WRITERS_WAIT_MS = 300;

/**
 * Opens an existing ledger for writing, with the lock that keeps everybody else out.
 * @throws KeyriteError ledger.missing, ledger.damaged, or site.locked naming the holder.
 */
export function openForWriting(path: string): Database {
  checkHeader(path);
  const opening = opened(path, { fileMustExist: true, timeout: WRITERS_WAIT_MS }, (db) => {
    // Also rolls back what a killed process left. Two that kept a reader's lock already would both be refused.
    db.exec("BEGIN EXCLUSIVE; PRAGMA locking_mode = EXCLUSIVE; COMMIT");
    makeDurable(db);
  });
  writers.set(fileId(path), opening);
  return opening;
}

// A POSIX lock is lost when its process closes *any* descriptor of the file, so while this process
// writes a ledger it must not open that file again, not even to look at the header.
const writers = new Map<string, Database>();

function fileId(path: string): string {
  const { dev, ino } = statSync(path);
  return `${dev}:${ino}`;
}

/**
 * Opens an existing ledger for reading. What a killed process left half-written is rolled back first
 * when `recover` says so; without it such a file is refused.
 * @throws KeyriteError ledger.missing, ledger.damaged, or site.locked naming the holder.
 */
export function openForReading(path: string, options: { readonly recover: boolean }): Database {
  checkHeader(path);
  if (options.recover && existsSync(`${path}-journal`)) recover(path);
  return opened(path, { readonly: true, fileMustExist: true, timeout: 0 }, (db) => {
    db.prepare("SELECT count(*) FROM sqlite_master").get();
  });
}

/** Kibibytes of pages to keep, in SQLite's form, for who reads every page once; by default it keeps 16 MiB of them. */
export const SMALL_CACHE = -1024;

/**
 * Opens for reading what this process has open for reading already, on another thread. The header was looked
 * at then: to open and close the file once more would give up the lock that keeps writers away.
 */
export function openBeside(path: string): Database {
  return opened(path, { readonly: true, fileMustExist: true, timeout: 0 }, (db) => {
    db.pragma(`cache_size = ${SMALL_CACHE}`);
    db.prepare("SELECT count(*) FROM sqlite_master").get();
  });
}

/** Whether a write of a process that is gone lies beside the ledger, to be rolled back when it is opened. */
export function hasUnfinishedWrite(path: string): boolean {
  try {
    const journal = lstatSync(`${path}-journal`, { throwIfNoEntry: false });
    return journal?.isFile() === true && journal.size > 0;
  } catch {
    // Where nothing can be looked at, opening the ledger says why.
    return false;
  }
}

function recover(path: string): void {
  try {
    const db = new Sqlite(path, { fileMustExist: true, timeout: 0 });
    try {
      db.exec("BEGIN IMMEDIATE; ROLLBACK");
    } finally {
      db.close();
    }
  } catch {
    // A read-only medium, or a writer at work: opening for reading says which.
  }
}

function opened(path: string, options: Sqlite.Options, prepare: (db: Database) => void): Database {
  let db: Database | undefined;
  try {
    db = new Sqlite(path, options);
    // Views and triggers of a hostile file may call nothing with side effects.
    db.pragma("trusted_schema = OFF");
    db.pragma("cell_size_check = ON");
    prepare(db);
    return db;
  } catch (error) {
    db?.close();
    throw openFailure(path, error);
  }
}

function locked(path: string, cause?: unknown): KeyriteError {
  const message = `the ledger ${path} is in use by ${describeHolder(path)}`;
  return new KeyriteError("site.locked", message, {
    cause,
    hints: ["wait until that ceremony ends, or end it"],
  });
}

function openFailure(path: string, error: unknown): KeyriteError {
  const code = sqliteCode(error) ?? "";
  if (code.startsWith("SQLITE_BUSY")) return locked(path, error);
  if (/^SQLITE_(?:READONLY_ROLLBACK|READONLY_RECOVERY|CANTOPEN)/.test(code)) {
    return damaged(`an unfinished write lies beside ${path}`, error, [
      "open the ledger once where it can be written, with keyrite status",
    ]);
  }
  if (/^SQLITE_(?:READONLY|PERM|AUTH)/.test(code)) {
    return new KeyriteError("site.permissions", `the ledger ${path} cannot be written`, {
      cause: error,
    });
  }
  return damaged(`${path} cannot be read as a ledger: ${messageOf(error)}`, error);
}

/** What makes a commit survive a power cut. */
function makeDurable(db: Database): void {
  db.pragma("journal_mode = TRUNCATE");
  db.pragma("synchronous = EXTRA");
}

/** Lets SQLite itself remove the empty journal file, which it does under its own lock. */
export function removeJournal(db: Database): void {
  db.pragma("locking_mode = NORMAL");
  db.prepare("SELECT count(*) FROM sqlite_master").get();
  db.pragma("journal_mode = DELETE");
}

// Read before SQLite sees the file: a header of another kind could make it open side files.
function checkHeader(path: string): void {
  const header = readHeader(path);
  if (header.toString("latin1", 0, 16) !== "SQLite format 3\0" || header.length < 100) {
    throw damaged(`${path} is no ledger file`);
  }
  // Offsets of sqlite.org/fileformat2.html §1.3: journal kind, text encoding, version, application.
  const isOurs =
    header.readUInt16BE(18) === 0x0101 &&
    header.readUInt32BE(56) === 1 &&
    header.readUInt32BE(60) === SCHEMA_VERSION &&
    header.readUInt32BE(68) === APPLICATION_ID;
  if (!isOurs) throw damaged(`${path} is an SQLite file, but not a ledger of this version`);
}

/** What SQLite looks for beside a database. */
const SIDE_FILES = ["-journal", "-wal", "-shm"];

function readHeader(path: string): Buffer {
  let file: number | undefined;
  try {
    // A link is not followed: its target could be exchanged, and the journal would lie beside that. SQLite
    // would wait for ever at a pipe in the journal's place.
    for (const one of [path, ...SIDE_FILES.map((suffix) => path + suffix)]) {
      const missing = { throwIfNoEntry: false } as const;
      const status = one === path ? lstatSync(path) : lstatSync(one, missing);
      if (status === undefined || status.isFile()) continue;
      throw damaged(`${one} is not a regular file`, undefined, [
        one === path
          ? "links, pipes, folders and devices are refused: put the ledger itself there"
          : "the ledger keeps a regular file there, or none: find out who put this one there",
      ]);
    }
    requireNoLog(path);
    if (writers.get(fileId(path))?.open === true) throw locked(path);
    file = openSync(path, "r");
    const header = Buffer.alloc(100);
    return header.subarray(0, readSync(file, header));
  } catch (error) {
    if (error instanceof KeyriteError) throw error;
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw missing
      ? new KeyriteError("ledger.missing", `there is no ledger at ${path}`, { cause: error })
      : new KeyriteError("site.permissions", `cannot read ${path}: ${messageOf(error)}`, {
          cause: error,
        });
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

// SQLite would take what lies in a write-ahead log for the ledger's newest content, although this ledger has none.
function requireNoLog(path: string): void {
  for (const side of ["-wal", "-shm"]) {
    if (!existsSync(`${path}${side}`)) continue;
    throw damaged(`${path}${side} lies beside the ledger, which has no such file`, undefined, [
      "find out who put it there; the ledger itself is opened again when it is taken away",
    ]);
  }
}

/** What differs from the schema every ledger has, or undefined. Runs nothing that the file defines. */
export function schemaDifference(db: Database): string | undefined {
  const found = db.prepare("SELECT name, sql FROM sqlite_master ORDER BY rowid").all() as {
    readonly name: unknown;
    readonly sql: unknown;
  }[];
  for (const { name, sql } of found) {
    if (typeof name !== "string" || !SCHEMA.has(name))
      return `${String(name)} does not belong in it`;
    if (SCHEMA.get(name) !== sql) return `${name} is defined otherwise`;
  }
  const names = found.map(({ name }) => name);
  const missing = [...SCHEMA.keys()].find((name) => !names.includes(name));
  if (missing !== undefined) return `${missing} is missing`;
  return names.length === SCHEMA.size ? undefined : "something is defined twice";
}

function damaged(message: string, cause?: unknown, hints: readonly string[] = []): KeyriteError {
  return new KeyriteError("ledger.damaged", message, { cause, hints });
}
