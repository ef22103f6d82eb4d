/**
 * Joins the parts of a ledger that were judged by themselves: each must follow on those before it, and its texts must be
 * entries. What is joined is sound; whatever is not, the walk on one thread names.
 */

import { withKnownGood } from "../lib/ed25519.ts";
import { hex } from "../lib/encoding.ts";
import type { Database } from "./database.ts";
import { EntryReader } from "./entry-reader.ts";
import { Findings } from "./findings.ts";
import { completeNodes, Frontier, prefixedLeafHash } from "./merkle.ts";
import type { JudgedPart } from "./verify-part.ts";
import type { Visit } from "./verify-tree.ts";

export interface JoinOptions {
  readonly origin: string;
  readonly visit: Visit | undefined;
  /** Hears how many entries are done. */
  readonly progress: ((done: number, total: number) => void) | undefined;
}

export interface JoinedVerdict {
  readonly size: number;
  readonly root: string;
  readonly note: string;
}

/** How many entries there are when nodes and checkpoints end with them; else undefined. */
export function sizeOfAll(db: Database): number | undefined {
  const size = lastKey(db, "entries", "seq") + 1;
  const ends = size > 0 && lastKey(db, "nodes", "pos") === completeNodes(size) - 1;
  return ends && lastKey(db, "checkpoints", "size") === size ? size : undefined;
}

function lastKey(db: Database, table: string, key: string): number {
  return Number(db.prepare(`SELECT coalesce(max(${key}), -1) FROM ${table}`).pluck().get());
}

/** Joins judged parts in order: compares what each was judged with, reads its entries and visits them. */
export class Joiner {
  readonly #options: JoinOptions;
  readonly #total: number;
  readonly #findings = new Findings();
  readonly #reader: EntryReader;
  #tree = new Uint8Array(0);
  #covered = 0;
  #note = "";
  size = 0;

  constructor(options: JoinOptions, total: number) {
    this.#options = options;
    this.#total = total;
    this.#reader = new EntryReader(options.origin, this.#findings);
  }

  /** Takes the next part; false when it does not follow on those before it, or an entry of it is not sound. */
  join(part: JudgedPart): boolean {
    if (Buffer.compare(part.before, this.#tree) !== 0) return false;
    withKnownGood(new Set(part.good), () => {
      this.#visit(part);
    });
    if (this.#findings.all.length > 0) return false;
    this.size += part.ends.length;
    this.#tree = part.after.slice();
    if (part.covered > 0) [this.#covered, this.#note] = [part.covered, part.note];
    this.#options.progress?.(this.size, this.#total);
    return true;
  }

  /** What all parts say together; undefined when no checkpoint covers the last entry. */
  verdict(): JoinedVerdict | undefined {
    if (this.#covered !== this.size) return undefined;
    const root = Frontier.of(this.size, hashes(this.#tree)).root();
    return { size: this.size, root: hex(root), note: this.#note };
  }

  #visit(part: JudgedPart): void {
    const { visit } = this.#options;
    let opening = 0;
    const texts = Buffer.from(part.texts.buffer, 0, part.texts.length);
    for (const [place, end] of part.ends.entries()) {
      const seq = part.from + place;
      const text = texts.toString("utf8", startOf(part, place) + 1, end);
      const entry = this.#reader.read(text, seq, true);
      if (entry === undefined) return;
      if (part.rootsAt[opening] === place) {
        const root = part.roots.slice(opening * 32, opening * 32 + 32);
        opening += 1;
        visit?.(entry, seq, () => root);
      } else visit?.(entry, seq, () => rootAfter(part, place));
    }
  }
}

/** Where the entry at a place of a part begins, with the byte before its text. */
function startOf({ ends }: JudgedPart, place: number): number {
  return place === 0 ? 0 : (ends[place - 1] ?? 0);
}

/** The root right after an entry of a part, for which nobody usually asks. */
function rootAfter(part: JudgedPart, place: number): Uint8Array {
  const tree = Frontier.of(part.from, hashes(part.before));
  for (const [before, end] of part.ends.subarray(0, place + 1).entries()) {
    tree.append(prefixedLeafHash(part.texts.subarray(startOf(part, before), end)));
  }
  return tree.root();
}

function hashes(bytes: Uint8Array): readonly Uint8Array[] {
  return Array.from({ length: bytes.length / 32 }, (_, place) =>
    bytes.slice(place * 32, place * 32 + 32),
  );
}
