/** What verification finds wrong, in a closed list of kinds, each at most once per entry. */

export type FindingCode =
  | "file.unreadable"
  | "schema.differs"
  | "origin.differs"
  | "entry.missing"
  | "entry.damaged"
  | "entry.misplaced"
  | "entry.origin"
  | "entry.altered"
  | "entry.time"
  | "node.differs"
  | "checkpoint.malformed"
  | "checkpoint.signature"
  | "checkpoint.root"
  | "checkpoint.missing"
  | "attachment.differs"
  | "cosignature.malformed";

export interface Finding {
  readonly code: FindingCode;
  /** Index of the entry, or of the first one, that it concerns. */
  readonly seq?: number;
  /** One lower-case sentence; may hold untrusted text, which whoever prints it escapes. */
  readonly text: string;
}

// A hostile file can hold millions of faults; a verdict needs the first ones.
const MOST = 1000;

/** Collects findings in the order in which they were made. */
export class Findings {
  readonly #all: Finding[] = [];
  readonly #entries = new Set<number>();
  #left = 0;

  /** Everything found; the last one counts what was left off. */
  get all(): readonly Finding[] {
    if (this.#left === 0) return [...this.#all];
    return [
      ...this.#all,
      { code: "file.unreadable", text: `${this.#left} more findings left off` },
    ];
  }

  add(code: FindingCode, text: string, seq?: number): void {
    if (this.#all.length >= MOST) {
      this.#left += 1;
      return;
    }
    this.#all.push(seq === undefined ? { code, text } : { code, seq, text });
  }

  /** A fault of one entry; what follows from a fault already named is not named again. */
  addEntry(code: FindingCode, text: string, seq: number): void {
    if (this.#entries.has(seq)) return;
    if (this.#entries.size < MOST) this.#entries.add(seq);
    this.add(code, text, seq);
  }
}
