/**
 * Verifies a part of a ledger by itself, so that several threads can share the work: hashes, nodes, checkpoints and
 * signatures. What hangs on the entries before it is handed back, for whoever joins the parts to compare, and so are
 * the texts: who visits the entries has to read them anyhow, and reading them twice would cost more than all hashes.
 */

import { equalBytes } from "../lib/encoding.ts";
import { goodSignaturesOf } from "../lib/ed25519.ts";
import { parseNote, verifyNote, type VerifierKey } from "../lib/note.ts";
import { judgeCheckpoint } from "./checkpoint.ts";
import type { Database } from "./database.ts";
import { completeNodes, Frontier, prefixedLeafHash } from "./merkle.ts";
import {
  partCheckpoints,
  partNodes,
  partTexts,
  type PartCheckpoint,
  type Range,
} from "./part-rows.ts";
import { Rows } from "./rows.ts";

/** What all parts of a ledger have in common. */
export interface PartOptions {
  readonly origin: string;
  readonly key: VerifierKey | undefined;
  /** Keys whose signatures under agreements are verified here, by the way: people's. */
  readonly people: readonly VerifierKey[];
}

/** A part that is sound if the tree before it is the one it was judged with, and its texts are entries. */
export interface JudgedPart {
  readonly from: number;
  /** The entries' texts in UTF-8, each behind the byte 00 with which it is hashed. */
  readonly texts: Uint8Array<ArrayBuffer>;
  /** Where each of them ends. */
  readonly ends: Uint32Array<ArrayBuffer>;
  /** Root hashes right after some entries, 32 bytes each, and the places of these entries in the part. */
  readonly roots: Uint8Array;
  readonly rootsAt: Uint32Array;
  /** The tree before and after the part: roots of its complete subtrees, 32 bytes each. */
  readonly before: Uint8Array;
  readonly after: Uint8Array;
  /** Newest size with a checkpoint; 0 when the part has none. */
  readonly covered: number;
  readonly note: string;
  /** Names of the people's signatures that were found good. */
  readonly good: readonly string[];
}

/**
 * Judges some entries with the tree before them as the stored nodes have it. `room` is memory for the texts that
 * nobody uses any more: what threads hand each other is otherwise only freed when the whole heap is looked through.
 * @returns undefined when anything is not as it should be: what, the walk over the whole ledger says.
 */
export function judgePart(
  db: Database,
  options: PartOptions,
  range: Range,
  room?: ArrayBuffer,
): JudgedPart | undefined {
  const stored = partTexts(db, range);
  const nodes = partNodes(db, range);
  if (stored === undefined || nodes === undefined) return undefined;
  const rows = new Rows(db);
  const before = Frontier.at(range.from, (level, index) => rows.node(level, index));
  const checkpoints = partCheckpoints(db, range);
  const length = stored.bytes + stored.texts.length;
  const fits = room !== undefined && room.byteLength >= length;
  const texts = new Uint8Array(fits ? room : new ArrayBuffer(length), 0, length);
  const part = new PartOf(options, { before, checkpoints, texts, range });
  for (const text of stored.texts) if (!part.add(text)) return undefined;
  return part.end(nodes);
}

// In canonical form a member reads like this and no text within a string does. One of these may be deeper in an entry
// and mean nothing: then a root is handed back that nobody asks for, or a signature is verified by who asks for it.
const OPENING = '"type":"step.opened"';
const UNSIGNED = '"agreements":[]';

interface Place {
  readonly before: Frontier;
  readonly checkpoints: readonly PartCheckpoint[];
  /** Room for all texts, each with a byte before it. */
  readonly texts: Uint8Array<ArrayBuffer>;
  readonly range: Range;
}

class PartOf {
  readonly #options: PartOptions;
  readonly #place: Place;
  readonly #people: ReadonlyMap<string, VerifierKey>;
  readonly #tree: Frontier;
  readonly #texts: Buffer;
  readonly #ends: Uint32Array<ArrayBuffer>;
  readonly #nodes: Uint8Array;
  readonly #roots: Uint8Array[] = [];
  readonly #rootsAt: number[] = [];
  readonly #good: string[] = [];
  #taken = 0;
  #length = 0;
  #nodesLength = 0;
  #checkpoint = 0;
  #covered = 0;
  #note = "";

  constructor(options: PartOptions, place: Place) {
    const { from, to } = place.range;
    this.#options = options;
    this.#place = place;
    this.#people = new Map(options.people.map((key) => [nameOf(key), key]));
    this.#tree = place.before.copy();
    this.#texts = Buffer.from(place.texts.buffer, 0, place.texts.length);
    this.#ends = new Uint32Array(to - from);
    this.#nodes = new Uint8Array(32 * (completeNodes(to) - completeNodes(from)));
  }

  /** Takes the next text; false when a checkpoint right after it does not fit. */
  add(text: string): boolean {
    const start = this.#length;
    this.#texts[start] = 0;
    this.#length += 1 + this.#texts.write(text, start + 1, "utf8");
    this.#ends[this.#taken] = this.#length;
    const leaf = prefixedLeafHash(this.#texts.subarray(start, this.#length));
    for (const node of this.#tree.append(leaf)) {
      this.#nodes.set(node, this.#nodesLength);
      this.#nodesLength += 32;
    }
    if (text.includes(OPENING)) {
      this.#roots.push(this.#tree.root());
      this.#rootsAt.push(this.#taken);
    }
    if (!text.includes(UNSIGNED)) for (const note of agreementsOf(text)) this.#verify(note);
    this.#taken += 1;
    return this.#checkpoints();
  }

  #checkpoints(): boolean {
    const { size } = this.#tree;
    const next = this.#place.checkpoints[this.#checkpoint];
    if (next?.size !== size) return true;
    if (typeof next.note !== "string") return false;
    const { origin, key } = this.#options;
    const { root, fault } = judgeCheckpoint(next.note, { origin, size, key });
    if (fault !== undefined || root === undefined) return false;
    if (!equalBytes(root, this.#tree.root())) return false;
    [this.#covered, this.#note] = [size, next.note];
    this.#checkpoint += 1;
    return true;
  }

  // Whether the agreement counts is judged where the roster is known; this only spares a second verification.
  #verify(note: string): void {
    try {
      const read = parseNote(note);
      const keys = read.signatures.flatMap((line) => this.#people.get(nameOf(line)) ?? []);
      this.#good.push(...goodSignaturesOf(() => verifyNote(read, keys)));
    } catch {
      // Malformed or wrong: a finding of whoever judges the entry.
    }
  }

  /** The part, when these are its nodes and nothing is left over. */
  end(nodes: Uint8Array): JudgedPart | undefined {
    const { before, checkpoints, range, texts } = this.#place;
    // What is no UTF-8 is written back with another length, or with a character that no entry holds.
    const whole = this.#length === this.#texts.length && this.#checkpoint === checkpoints.length;
    if (!whole || !equalBytes(nodes, this.#nodes)) return undefined;
    return {
      from: range.from,
      texts,
      ends: this.#ends,
      roots: joined(this.#roots),
      rootsAt: Uint32Array.from(this.#rootsAt),
      before: joined(before.roots),
      after: joined(this.#tree.roots),
      covered: this.#covered,
      note: this.#note,
      good: this.#good,
    };
  }
}

function agreementsOf(text: string): readonly string[] {
  try {
    const { agreements } = JSON.parse(text) as { readonly agreements?: unknown };
    return Array.isArray(agreements) ? agreements.filter((note) => typeof note === "string") : [];
  } catch {
    // No entry: a finding of whoever reads it.
    return [];
  }
}

function nameOf({ name, keyId }: Pick<VerifierKey, "name" | "keyId">): string {
  return `${name}+${keyId}`;
}

function joined(hashes: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(hashes.length * 32);
  for (const [place, hash] of hashes.entries()) bytes.set(hash, place * 32);
  return bytes;
}
