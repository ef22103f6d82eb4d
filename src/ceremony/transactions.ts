/**
 * Which checkpoints a ledger must have. One stands at the end of every transaction, and only the outcomes of a
 * batch share one with what follows: so a checkpoint that somebody took out of the file is missed.
 */

import type { Entry } from "../ledger/entry.ts";

/** Sizes from `from` to `to`, both included. */
export interface Sizes {
  readonly from: number;
  readonly to: number;
}

/** Takes all entries in order; says after which of them a transaction has ended. */
export class Transactions {
  readonly #ended: Sizes[] = [];
  #from = 1;
  #last: Entry | undefined;

  take(entry: Entry): void {
    if (this.#last !== undefined && mayShare(this.#last, entry)) this.#end(entry.seq - 1);
    this.#last = entry;
  }

  /** Sizes of the ledger that a checkpoint must state, of one with so many entries. */
  ended(size: number): readonly Sizes[] {
    return size < this.#from ? this.#ended : [...this.#ended, { from: this.#from, to: size }];
  }

  // The size with `last` as its newest entry is the first that may lack a checkpoint.
  #end(last: number): void {
    if (this.#from <= last) this.#ended.push({ from: this.#from, to: last });
    this.#from = last + 2;
  }
}

/** Whether a transaction may go on from one entry to the next: from the outcome of an item, in its batch. */
function mayShare(before: Entry, next: Entry): boolean {
  const isOutcome = before.type === "step.completed" || before.type === "step.failed";
  if (!isOutcome || typeof before.data["item"] !== "string") return false;
  return (
    next.ceremony === before.ceremony &&
    next.refs["begun"] === before.refs["begun"] &&
    typeof next.data["group"] === "number"
  );
}
