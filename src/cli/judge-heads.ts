/** Heads held outside, compared with a ledger while its entries are read: no second reading is needed. */

import type { Checkpoint } from "../ledger/checkpoint.ts";
import { compareRoots, firstDifference, readHead } from "../ledger/heads.ts";
import { LedgerStore } from "../ledger/store.ts";
import { hex } from "../lib/encoding.ts";
import { KeyriteError, messageOf } from "../lib/errors.ts";
import type { VerifierKey } from "../lib/note.ts";
import type { HeadGiven } from "./heads-given.ts";

export interface JudgedHead {
  readonly file: string;
  readonly result: "extends" | "shorter" | "forked" | "unreadable";
  readonly ok: boolean;
  /** Size of the head; 0 when it could not be read. */
  readonly size: number;
  /** Root of the head in hex; null when it could not be read. */
  readonly root: string | null;
  /** First index that differs or is missing, as narrow as it can be said; null when the ledger extends the head. */
  readonly from: number | null;
  readonly to: number | null;
  readonly text: string;
}

interface Read {
  readonly given: HeadGiven;
  readonly head: Checkpoint | undefined;
  readonly problem: string;
}

export class HeadsWatch {
  readonly #read: readonly Read[];
  readonly #roots = new Map<number, Uint8Array>();
  readonly #wanted: ReadonlySet<number>;

  constructor(given: readonly HeadGiven[], origin: string, key: VerifierKey) {
    this.#read = given.map((one) => readGiven(one, origin, key));
    this.#wanted = new Set(this.#read.map(({ head }) => head?.size ?? 0));
  }

  /** Takes the root right after an entry, where a head is of that size. */
  take(seq: number, root: () => Uint8Array): void {
    if (this.#wanted.has(seq + 1)) this.#roots.set(seq + 1, root());
  }

  /** What the heads say of the ledger whose entries were all taken. */
  judge(ledger: LedgerStore): readonly JudgedHead[] {
    const { size } = ledger;
    const heads = this.#read.flatMap(({ head }) => head ?? []);
    const compared = compareRoots(heads, this.#roots, size);
    return this.#read.map(({ given, head, problem }) => {
      const { file } = given;
      const result = compared.find((one) => one.head === head);
      if (result === undefined) return unreadable(file, problem);
      const { size: of } = result.head;
      const base = { file, size: of, root: hex(result.head.root) };
      switch (result.result) {
        case "extends": {
          const text = `extended by the ledger (size ${of})`;
          return { ...base, result: "extends", ok: true, from: null, to: null, text };
        }
        case "shorter": {
          const { firstMissing } = result;
          const text = `the ledger is shorter than this head of size ${of}: entry ${firstMissing} is the first missing one`;
          return {
            ...base,
            result: "shorter",
            ok: false,
            from: firstMissing,
            to: firstMissing,
            text,
          };
        }
        case "forked": {
          const exact = given.kind === "ledger" ? differenceTo(ledger, given.path) : undefined;
          const { from, to } = exact === undefined ? result : { from: exact, to: exact };
          const where =
            from === to ? `first at entry ${from}` : `first at one of entries ${from} to ${to}`;
          const text = `the ledger differs from this head of size ${of}, ${where}`;
          return { ...base, result: "forked", ok: false, from, to, text };
        }
      }
    });
  }
}

function unreadable(file: string, text: string): JudgedHead {
  const nothing = { size: 0, root: null, from: null, to: null };
  return { file, result: "unreadable", ok: false, ...nothing, text };
}

function readGiven(given: HeadGiven, origin: string, key: VerifierKey): Read {
  try {
    return { given, head: headOf(given, origin, key), problem: "" };
  } catch (error) {
    if (!(error instanceof KeyriteError)) throw error;
    return { given, head: undefined, problem: messageOf(error) };
  }
}

function headOf(given: HeadGiven, origin: string, key: VerifierKey): Checkpoint {
  switch (given.kind) {
    case "note":
      return readHead(given.note(origin), origin, key);
    case "stated":
      return { origin, size: given.size, root: given.root };
    case "ledger": {
      const other = LedgerStore.open(given.path);
      try {
        return readHead(other.checkpoint() ?? "", origin, key);
      } finally {
        other.close();
      }
    }
  }
}

function differenceTo(ledger: LedgerStore, path: string): number | undefined {
  const other = LedgerStore.open(path);
  try {
    return firstDifference(ledger, other);
  } finally {
    other.close();
  }
}
