/** The carried entries, read strictly: form, place, order, and which of them were changed, taken out or moved. */

import { canonicalJson, isJsonObject, type Json, type JsonObject } from "../../lib/json.ts";
import { hex } from "./bytes.ts";
import type { PageCrypto } from "./crypto.ts";
import type { Evidence } from "./evidence.ts";
import { leafHash } from "./tree.ts";

/** An entry as far as it could be read. */
export interface ReadEntry {
  readonly seq: number;
  readonly type: string;
  readonly time: string;
  readonly data: JsonObject;
  readonly value: JsonObject;
}

export interface ReadEntries {
  /** Leaf hashes of the carried entries, as they stand. */
  readonly leaves: readonly Uint8Array[];
  /** By index: the carried entries and the others. */
  readonly bySeq: ReadonlyMap<number, ReadEntry>;
  /** Entries that are not in canonical form, out of place or missing. */
  readonly faults: readonly string[];
  /** Indexes of entries that do not have the leaf hash that the page noted. */
  readonly changed: readonly number[];
}

export function objectAt(value: JsonObject, name: string): JsonObject {
  const member = value[name];
  return isJsonObject(member) ? member : {};
}

export function textAt(value: JsonObject, name: string): string {
  const member = value[name];
  return typeof member === "string" ? member : "";
}

/** The objects of a list member. */
export function objectsAt(value: JsonObject, name: string): readonly JsonObject[] {
  const member = value[name];
  return Array.isArray(member) ? (member as readonly Json[]).filter(isJsonObject) : [];
}

export async function readEntries(crypto: PageCrypto, evidence: Evidence): Promise<ReadEntries> {
  const { from, size, entries, others, origin } = evidence;
  const faults: string[] = [];
  const bySeq = new Map<number, ReadEntry>();
  const read = entries.map((text) => readEntry(text, origin));
  let before = "";
  for (const [i, entry] of read.entries()) {
    if (typeof entry === "string") {
      faults.push(`entry ${from + i} ${entry}`);
      continue;
    }
    if (bySeq.has(entry.seq)) faults.push(`entry ${entry.seq} stands there twice`);
    if (entry.time < before) faults.push(`entry ${entry.seq} is earlier than the one before it`);
    bySeq.set(entry.seq, entry);
    before = entry.time;
  }
  faults.push(...misplaced(read, evidence));
  for (const { seq, text } of others) {
    const entry = readEntry(text, origin);
    if (typeof entry === "string") faults.push(`entry ${seq} ${entry}`);
    else if (entry.seq !== seq) faults.push(`entry ${seq} calls itself ${entry.seq}`);
    else bySeq.set(seq, entry);
  }
  if (entries.length > 0 && from + entries.length > size) faults.push("there are too many entries");
  const leaves = await Promise.all(entries.map((text) => leafHash(crypto, text)));
  return { leaves, bySeq, faults, changed: changedOf(evidence, read, leaves) };
}

function readEntry(text: string, origin: string): ReadEntry | string {
  let value: JsonObject;
  try {
    const parsed = JSON.parse(text) as Json;
    if (!isJsonObject(parsed) || canonicalJson(parsed) !== text) return "is not in canonical form";
    value = parsed;
  } catch {
    return "is not JSON";
  }
  const { seq } = value;
  if (typeof seq !== "number") return "has no index";
  if (value["origin"] !== origin) return "is of another ledger";
  const data = objectAt(value, "data");
  return { seq, type: textAt(value, "type"), time: textAt(value, "time"), data, value };
}

/** Names what is missing first; only what then still stands out of order is called moved. */
function misplaced(
  read: readonly (ReadEntry | string)[],
  { from, size, entries }: Evidence,
): readonly string[] {
  if (entries.length === 0) return [];
  const faults: string[] = [];
  const unread = new Set(read.flatMap((entry, i) => (typeof entry === "string" ? [from + i] : [])));
  const there = read.filter((entry) => typeof entry !== "string");
  const known = new Set(there.map(({ seq }) => seq));
  for (let seq = from; seq < size; seq += 1) {
    if (!known.has(seq) && !unread.has(seq)) faults.push(`entry ${seq} is missing`);
  }
  let highest = from - 1;
  for (const { seq } of there) {
    if (seq < from || seq >= size) faults.push(`entry ${seq} does not belong here`);
    else if (seq < highest) faults.push(`entry ${seq} stands behind entry ${highest}`);
    highest = Math.max(highest, seq);
  }
  return faults;
}

function changedOf(
  { leaves: noted, from }: Evidence,
  read: readonly (ReadEntry | string)[],
  leaves: readonly Uint8Array[],
): readonly number[] {
  return leaves.flatMap((leaf, i) => {
    const entry = read[i];
    const seq = typeof entry === "object" ? entry.seq : from + i;
    return noted[seq - from] === hex(leaf) ? [] : [seq];
  });
}
