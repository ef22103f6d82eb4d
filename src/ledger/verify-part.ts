/**
 * Verifies a part of a ledger by itself, so that several threads can share the work: everything but what
 * hangs on the entries before it. That is handed back, for whoever joins the parts to compare.
 */

import { goodSignaturesOf } from "../lib/ed25519.ts";
import { parseNote, verifyNote, type VerifierKey } from "../lib/note.ts";
import type { Database } from "./database.ts";
import type { Entry } from "./entry.ts";
import { Findings } from "./findings.ts";
import { Frontier } from "./merkle.ts";
import { Rows } from "./rows.ts";
import { TreeWalk, type Visit } from "./verify-tree.ts";

/** What all parts of a ledger have in common. */
export interface PartOptions {
  readonly origin: string;
  readonly key: VerifierKey | undefined;
  /** Keys whose signatures under agreements are verified here, by the way: people's. */
  readonly people: readonly VerifierKey[];
}

/** A part that is sound if the tree before it is the one it was judged with. */
export interface JudgedPart {
  readonly from: number;
  /** The entries' exact texts. */
  readonly bodies: readonly string[];
  /** Root hashes right after some entries, 32 bytes each, and the places of these entries in the part. */
  readonly roots: Uint8Array;
  readonly rootsAt: Uint32Array;
  /** The tree before and after the part: roots of its complete subtrees, 32 bytes each. */
  readonly before: Uint8Array;
  readonly after: Uint8Array;
  readonly firstTime: string;
  readonly lastTime: string;
  /** Newest size with a checkpoint; 0 when the part has none. */
  readonly covered: number;
  readonly note: string;
  /** Names of the people's signatures that were found good. */
  readonly good: readonly string[];
}

/**
 * Judges the entries from `from` to `to`, the latter not included, with the tree before them as the stored
 * nodes have it.
 * @returns undefined when anything is not as it should be: what, the walk over the whole ledger says.
 */
export function judgePart(
  db: Database,
  options: PartOptions,
  place: { readonly from: number; readonly to: number },
): JudgedPart | undefined {
  const { from, to } = place;
  const findings = new Findings();
  const rows = new Rows(db);
  const before = Frontier.at(from, (level, index) => rows.node(level, index));
  const part = new PartOf(options, from);
  const { origin, key } = options;
  const visit: Visit = (entry, seq, root) => {
    part.visit(entry, seq, root);
  };
  const walk = new TreeWalk(
    db,
    { origin, key, signedFrom: 0, findings, visit },
    { from, to, before },
  );
  try {
    let seq = from;
    const bodies = db.prepare("SELECT body FROM entries WHERE seq >= ? AND seq < ? ORDER BY seq");
    for (const body of bodies.pluck().all(from, to)) {
      if (typeof body !== "string") return undefined;
      part.add(body);
      walk.entry({ seq, body });
      seq += 1;
    }
    const end = walk.endPart();
    const lengths =
      "SELECT coalesce(sum(octet_length(body)), 0) FROM entries WHERE seq >= ? AND seq < ?";
    // As many different indexes as the part has room for are exactly its own; what is no UTF-8 has another length.
    const whole = seq === to && db.prepare(lengths).pluck().get(from, to) === part.length;
    return end === undefined || !whole ? undefined : part.end(before, end);
  } finally {
    walk.close();
  }
}

class PartOf {
  readonly #from: number;
  readonly #people: ReadonlyMap<string, VerifierKey>;
  readonly #bodies: string[] = [];
  readonly #roots: Uint8Array[] = [];
  readonly #rootsAt: number[] = [];
  readonly #good: string[] = [];
  #length = 0;
  #firstTime = "";
  #lastTime = "";

  constructor({ people }: PartOptions, from: number) {
    this.#from = from;
    this.#people = new Map(people.map((key) => [nameOf(key), key]));
  }

  /** Bytes of the entries added so far. */
  get length(): number {
    return this.#length;
  }

  add(text: string): void {
    this.#bodies.push(text);
    this.#length += Buffer.byteLength(text);
  }

  visit(entry: Entry, seq: number, root: () => Uint8Array): void {
    if (this.#firstTime === "") this.#firstTime = entry.time;
    this.#lastTime = entry.time;
    if (entry.type === "step.opened") {
      this.#roots.push(root());
      this.#rootsAt.push(seq - this.#from);
    }
    for (const note of entry.agreements) this.#verify(note);
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

  end(
    before: Frontier,
    {
      after,
      covered,
      note,
    }: { readonly after: Frontier; readonly covered: number; readonly note: string },
  ): JudgedPart {
    return {
      from: this.#from,
      bodies: this.#bodies,
      roots: joined(this.#roots),
      rootsAt: Uint32Array.from(this.#rootsAt),
      before: joined(before.roots),
      after: joined(after.roots),
      firstTime: this.#firstTime,
      lastTime: this.#lastTime,
      covered,
      note,
      good: this.#good,
    };
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
