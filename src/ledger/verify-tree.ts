/**
 * The part of verification that walks entries, tree nodes and checkpoints side by side, once, and
 * finds out which of the three is wrong where they disagree.
 */

import type { VerifierKey } from "../lib/note.ts";
import { equalBytes, hex } from "../lib/encoding.ts";
import { judgeCheckpoint } from "./checkpoint.ts";
import type { Database } from "./database.ts";
import type { Entry } from "./entry.ts";
import { EntryReader } from "./entry-reader.ts";
import type { Findings } from "./findings.ts";
import { completeNodes, Frontier, leafHash, nodePosition } from "./merkle.ts";
import { entryRows, Stream, type StoredEntry } from "./streams.ts";

/** `root` gives the root hash of the tree up to and including this entry. */
export type Visit = (entry: Entry, seq: number, root: () => Uint8Array) => void;

export interface TreeOptions {
  readonly origin: string;
  readonly key: VerifierKey | undefined;
  /** The least size from which on the signature of a checkpoint is verified, and not its root alone. */
  readonly signedFrom: number;
  readonly visit: Visit | undefined;
  readonly findings: Findings;
}

export interface TreeVerdict {
  readonly size: number;
  readonly root: string;
  readonly note: string;
}

// A longer leap of the sequence is named once instead of index by index.
const LONGEST_GAP = 1000;

/** Verifies entries, nodes and checkpoints; adds to the findings, throws only what `visit` throws. */
export function verifyTree(db: Database, options: TreeOptions): TreeVerdict {
  const walk = new TreeWalk(db, options);
  try {
    for (const row of entryRows(db, options.findings)) {
      if (!walk.closeGap(row.seq)) break;
      walk.entry(row);
    }
    return walk.end();
  } finally {
    walk.close();
  }
}

/** Walks over a ledger entry by entry. */
class TreeWalk {
  readonly #options: TreeOptions;
  readonly #findings: Findings;
  readonly #nodes: Stream<Uint8Array>;
  readonly #checkpoints: Stream<string>;
  /** The tree of the entries as they are. */
  #actual: Frontier;
  /** The tree of the stored leaf hashes; the same object as long as they agree. */
  #claimed: Frontier;
  readonly #reader: EntryReader;
  #found = 0;
  // Since the last checkpoint that fitted: entries and the first parent that differ from their nodes.
  #suspects: number[] = [];
  #parent: { readonly from: number; readonly to: number } | undefined;
  #fitted = 0;
  #covered = 0;
  #note = "";
  #lost = false;

  constructor(db: Database, options: TreeOptions) {
    this.#options = options;
    this.#findings = options.findings;
    this.#actual = new Frontier();
    this.#claimed = this.#actual;
    const { findings, origin } = options;
    this.#reader = new EntryReader(origin, findings);
    const nodes = { table: "nodes", key: "pos", value: "hash" };
    this.#nodes = new Stream(db, nodes, findings, asHash);
    const checkpoints = { table: "checkpoints", key: "size", value: "note" };
    this.#checkpoints = new Stream(db, checkpoints, findings, asString);
  }

  /** Names the entries missing before `seq`; false when nothing after them can be placed. */
  closeGap(seq: number): boolean {
    const from = this.#claimed.size;
    if (!Number.isSafeInteger(seq) || seq < from || seq - from > LONGEST_GAP) {
      this.#findings.add("entry.missing", `after entry ${from - 1} follows entry ${seq}`, from);
      return false;
    }
    for (let missing = from; missing < seq; missing += 1) {
      this.#findings.addEntry("entry.missing", `entry ${missing} is missing`, missing);
      // Its stored leaf stands in, so that the checkpoints still judge everything else.
      this.#grow(undefined, this.#nodes.at(nodePosition(0, missing)) ?? new Uint8Array(32));
    }
    return true;
  }

  entry({ seq, body }: StoredEntry): void {
    this.#found += 1;
    const text = typeof body === "string" ? body : "";
    const leaf = leafHash(text);
    const stored = this.#nodes.at(nodePosition(0, seq));
    const agrees = stored !== undefined && equalBytes(stored, leaf);
    const entry = this.#reader.read(text, seq, agrees);
    if (!agrees) this.#suspects.push(seq);
    this.#grow(leaf, stored ?? leaf);
    if (entry === undefined) return;
    const tree = this.#actual;
    this.#options.visit?.(entry, seq, () => tree.root());
  }

  end(): TreeVerdict {
    this.#settle("unjudged");
    const size = this.#claimed.size;
    if (size > this.#covered && !this.#lost) {
      const text = `no checkpoint covers the entries from ${this.#covered} on`;
      this.#findings.add("checkpoint.missing", text, this.#covered);
    }
    this.#truncated(size);
    if ((this.#nodes.last()?.key ?? -1) >= completeNodes(size)) {
      this.#findings.add("node.differs", `there are tree nodes beyond entry ${size - 1}`);
    }
    return { size: this.#found, root: hex(this.#actual.root()), note: this.#note };
  }

  close(): void {
    this.#nodes.close();
    this.#checkpoints.close();
  }

  // `actual` is undefined for a missing entry; the two trees part at the first difference.
  #grow(actual: Uint8Array | undefined, claimed: Uint8Array): void {
    const agrees = actual !== undefined && equalBytes(actual, claimed);
    if (!agrees && this.#claimed === this.#actual) this.#claimed = this.#actual.copy();
    if (actual !== undefined && this.#claimed !== this.#actual) this.#actual.append(actual);
    const seq = this.#claimed.size;
    const [, ...parents] = this.#claimed.append(claimed);
    for (const [above, hash] of parents.entries()) {
      const level = above + 1;
      const stored = this.#nodes.at(completeNodes(seq) + level);
      if (stored !== undefined && equalBytes(stored, hash)) continue;
      this.#parent ??= { from: seq + 1 - 2 ** level, to: seq };
    }
    this.#checkpoint(seq + 1);
  }

  #checkpoint(size: number): void {
    const note = this.#checkpoints.at(size);
    if (note === undefined) return;
    this.#covered = size;
    this.#note = note;
    const { origin, signedFrom } = this.#options;
    const key = size >= signedFrom ? this.#options.key : undefined;
    const { root, fault } = judgeCheckpoint(note, { origin, size, key });
    if (fault !== undefined) {
      this.#findings.add(fault.code, `checkpoint ${size} ${fault.text}`, size - 1);
    }
    if (root === undefined || this.#lost) return;
    if (equalBytes(root, this.#actual.root())) this.#settle("entries fit", size);
    else if (equalBytes(root, this.#claimed.root())) this.#settle("nodes fit", size);
    else this.#settle("neither fits", size);
  }

  // A signed root says whether an entry or its stored hash was changed where the two disagree.
  #settle(judged: "entries fit" | "nodes fit" | "neither fits" | "unjudged", size?: number): void {
    for (const seq of this.#suspects) {
      if (judged === "entries fit") {
        this.#findings.add("node.differs", `the stored hash of entry ${seq} is not its hash`, seq);
      } else {
        const text = `entry ${seq} is not the one that was hashed when it was written`;
        this.#findings.addEntry("entry.altered", text, seq);
      }
    }
    if (judged === "entries fit") this.#claimed = this.#actual;
    if (judged === "neither fits" && size !== undefined) this.#differs(size);
    else if (this.#parent !== undefined && !this.#lost) {
      const { from, to } = this.#parent;
      this.#findings.add(
        "node.differs",
        `the tree node over entries ${from} to ${to} differs`,
        from,
      );
    }
    this.#suspects = [];
    this.#parent = undefined;
    if (size !== undefined) this.#fitted = size;
  }

  #differs(size: number): void {
    // Later roots cannot fit either: this is where the difference is, as narrow as can be said.
    this.#lost = true;
    const { from, to } = this.#parent ?? { from: this.#fitted, to: size - 1 };
    const where = from === to ? `entry ${from} differs` : `an entry from ${from} to ${to} differs`;
    const text = `${where} from what checkpoint ${size} was signed for`;
    this.#findings.add("checkpoint.root", text, from);
  }

  #truncated(size: number): void {
    const beyond = this.#checkpoints.last();
    if (beyond === undefined || beyond.key < size) return;
    this.#note = beyond.value ?? "";
    if (beyond.key === size) return;
    for (let seq = size; seq < Math.min(beyond.key, size + LONGEST_GAP); seq += 1) {
      const text = `entry ${seq} is missing: there is a checkpoint of size ${beyond.key}`;
      this.#findings.addEntry("entry.missing", text, seq);
    }
  }
}

function asHash(value: unknown): Uint8Array | undefined {
  return value instanceof Uint8Array && value.length === 32 ? value : undefined;
}

function asString(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
