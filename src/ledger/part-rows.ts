/** The rows of a part of a ledger, read at once; undefined wherever they are not what a sound file holds. */

import { completeNodes } from "./merkle.ts";
import type { Database } from "./database.ts";
import { FIRST_KEY } from "./streams.ts";

/** Entries from `from` to `to`, the latter not included. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

// Keys below the first that belongs would otherwise be in no part at all.
function firstKey(from: number): number | bigint {
  return from === 0 ? FIRST_KEY : from;
}

export interface PartTexts {
  readonly texts: readonly string[];
  /** Bytes of all of them in UTF-8. */
  readonly bytes: number;
}

/** The texts of the entries, of which there is exactly one for every index. */
export function partTexts(db: Database, { from, to }: Range): PartTexts | undefined {
  const counted = `SELECT count(*) AS count, coalesce(sum(octet_length(body)), 0) AS bytes,
    coalesce(sum(typeof(body) = 'text'), 0) AS texts FROM entries WHERE seq >= ? AND seq < ?`;
  type Counts = Readonly<Record<"count" | "bytes" | "texts", number>>;
  const { count, bytes, texts } = db.prepare(counted).get(firstKey(from), to) as Counts;
  // As many different indexes as there is room for are exactly those of the part.
  if (count !== to - from || texts !== count) return undefined;
  const bodies = db.prepare("SELECT body FROM entries WHERE seq >= ? AND seq < ? ORDER BY seq");
  return { texts: bodies.pluck().all(firstKey(from), to) as readonly string[], bytes };
}

/**
 * The hashes of all nodes that the entries complete, in order, 32 bytes each. One row for all of them: a row
 * for each would cost more than computing what it is compared with.
 */
export function partNodes(db: Database, { from, to }: Range): Uint8Array | undefined {
  const sql = `SELECT count(*) AS count, group_concat(hex(hash), '') AS hashes,
    coalesce(sum(typeof(hash) = 'blob' AND length(hash) = 32), 0) AS whole
    FROM (SELECT hash FROM nodes WHERE pos >= ? AND pos < ? ORDER BY pos)`;
  const [first, end] = [completeNodes(from), completeNodes(to)];
  const row = db.prepare(sql).get(firstKey(first), end) as {
    readonly count: number;
    readonly whole: number;
    readonly hashes: string | null;
  };
  if (row.count !== end - first || row.whole !== row.count) return undefined;
  return Buffer.from(row.hashes ?? "", "hex");
}

export interface PartCheckpoint {
  readonly size: number;
  readonly note: unknown;
}

/** The checkpoints of sizes that the ledger has within the part, in order. */
export function partCheckpoints(db: Database, { from, to }: Range): readonly PartCheckpoint[] {
  const sql = "SELECT size, note FROM checkpoints WHERE size >= ? AND size <= ? ORDER BY size";
  const first = from === 0 ? FIRST_KEY : from + 1;
  return db.prepare(sql).all(first, to) as readonly PartCheckpoint[];
}
