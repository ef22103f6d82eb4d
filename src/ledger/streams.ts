/** Rows of a file that may be broken, read once and in order; where reading stops, it is a finding. */

import { messageOf } from "../lib/errors.ts";
import type { Database } from "./database.ts";
import type { Findings } from "./findings.ts";

export interface StoredEntry {
  readonly seq: number;
  /** Text in a sound file. */
  readonly body: unknown;
}

/**
 * All entries in order. Ends early, with a finding, where the file cannot be read; at the end names
 * entries that are not UTF-8.
 */
export function* entryRows(db: Database, findings: Findings): Generator<StoredEntry> {
  let seq = 0;
  let bytes = 0;
  try {
    for (const row of storedRows(db)) {
      seq = row.seq;
      bytes += typeof row.body === "string" ? Buffer.byteLength(row.body) : 0;
      yield row;
    }
    const stored = db
      .prepare("SELECT coalesce(sum(octet_length(body)), 0) FROM entries")
      .pluck()
      .get();
    if (stored !== bytes) nameOtherLengths(db, findings);
  } catch (error) {
    const text = `the file cannot be read from entry ${seq} on: ${messageOf(error)}`;
    findings.add("file.unreadable", text, seq);
  }
}

function* storedRows(db: Database): Generator<StoredEntry> {
  if (!isGapless(db)) {
    const rows = db.prepare("SELECT seq, body FROM entries ORDER BY seq").iterate();
    yield* rows as IterableIterator<StoredEntry>;
    return;
  }
  // One column of text reads three times as fast as two.
  let seq = 0;
  for (const body of db.prepare("SELECT body FROM entries ORDER BY seq").pluck().iterate()) {
    yield { seq, body };
    seq += 1;
  }
}

function isGapless(db: Database): boolean {
  const sql = "SELECT min(seq) AS first, max(seq) AS last, count(*) AS count FROM entries";
  const row = db.prepare(sql).get() as Readonly<Record<"first" | "last" | "count", unknown>>;
  return row.count === 0 || (row.first === 0 && row.last === Number(row.count) - 1);
}

// Bytes that are not UTF-8 read as another text, and no hash of that text speaks for them.
function nameOtherLengths(db: Database, findings: Findings): void {
  const rows = db.prepare(
    "SELECT seq, body, octet_length(body) AS bytes FROM entries ORDER BY seq",
  );
  for (const row of rows.iterate() as IterableIterator<StoredEntry & { bytes: number }>) {
    if (typeof row.body === "string" && Buffer.byteLength(row.body) === row.bytes) continue;
    findings.addEntry("entry.damaged", `entry ${row.seq} is not valid UTF-8 text`, row.seq);
  }
}

/** The least of all 64-bit integers: where a table begins, whatever keys it holds. */
export const FIRST_KEY = -(2n ** 63n);

/** Rows that are read together: one by one, each costs four times as much. */
const TOGETHER = 256;

type Row = readonly [key: number, value: unknown];

/** Rows of an integer key, a few hundred of them in memory at a time. */
function* rowsInChunks(db: Database, { table, key, value }: Source): Generator<Row> {
  const rows = db
    .prepare(
      `SELECT ${key}, ${value} FROM ${table} WHERE ${key} >= ? ORDER BY ${key} LIMIT ${TOGETHER}`,
    )
    .raw();
  let next = FIRST_KEY;
  for (;;) {
    const chunk = rows.all(next) as readonly Row[];
    yield* chunk;
    const last = chunk.at(-1);
    if (last === undefined || chunk.length < TOGETHER) return;
    // Rounded, it would lead back to rows that were read already, for ever.
    if (!Number.isSafeInteger(last[0])) throw new Error(`row ${last[0]} is beyond 2^53`);
    next = BigInt(last[0]) + 1n;
  }
}

interface Source {
  readonly table: string;
  readonly key: string;
  readonly value: string;
}

/** Rows of an integer key and a value, taken in step with something else that counts upward. */
export class Stream<Value> {
  readonly #rows: Generator<Row>;
  readonly #findings: Findings;
  readonly #what: string;
  readonly #accept: (value: unknown) => Value | undefined;
  #next: { readonly key: number; readonly value: Value | undefined } | undefined;
  #last: { readonly key: number; readonly value: Value | undefined } | undefined;

  /** `table` has the columns `key` and `value`; what `accept` refuses counts as absent. */
  constructor(
    db: Database,
    source: Source,
    findings: Findings,
    accept: (value: unknown) => Value | undefined,
  ) {
    this.#what = source.table;
    this.#findings = findings;
    this.#accept = accept;
    this.#rows = rowsInChunks(db, source);
    this.#advance();
  }

  /** The value at a key not below any asked for before; rows passed over do not belong there. */
  at(key: number): Value | undefined {
    while (this.#next !== undefined && this.#next.key < key) {
      this.#findings.add(
        "file.unreadable",
        `row ${this.#next.key} of ${this.#what} does not belong`,
      );
      this.#advance();
    }
    if (this.#next?.key !== key) return undefined;
    const { value } = this.#next;
    this.#advance();
    return value;
  }

  /** The key and value of the very last row; ends the stream. */
  last(): { readonly key: number; readonly value: Value | undefined } | undefined {
    while (this.#next !== undefined) this.#advance();
    return this.#last;
  }

  /** Ends reading early. */
  close(): void {
    this.#rows.return(undefined);
  }

  #advance(): void {
    this.#last = this.#next ?? this.#last;
    this.#next = undefined;
    try {
      const step = this.#rows.next();
      if (step.done === true) return;
      const [key, value] = step.value;
      this.#next = { key, value: this.#accept(value) };
    } catch (error) {
      this.#findings.add("file.unreadable", `${this.#what} cannot be read: ${messageOf(error)}`);
    }
  }
}
