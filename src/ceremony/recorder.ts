/**
 * Appends to the ledger and folds what was appended at once, so the engine always acts on the
 * history that an auditor will read.
 */

import { decodeEntry, type EntryDraft } from "../ledger/entry.ts";
import type { LedgerStore } from "../ledger/store.ts";
import { hex, sha256Hex } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import type { History } from "./history.ts";
import type { HistoryFold } from "./history-fold.ts";
import { draft, type DraftParts } from "./record.ts";

export interface Attached {
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

export interface Head {
  readonly size: number;
  /** Root hash in hex. */
  readonly root: string;
}

export class Recorder {
  readonly #ledger: LedgerStore;
  readonly #fold: HistoryFold;

  constructor(ledger: LedgerStore, fold: HistoryFold) {
    this.#ledger = ledger;
    this.#fold = fold;
  }

  get history(): History {
    return this.#fold.history;
  }

  get ledger(): LedgerStore {
    return this.#ledger;
  }

  head(): Head {
    return { size: this.#ledger.size, root: hex(this.#ledger.root()) };
  }

  /**
   * Appends one entry with what it cites, durably, and returns its sequence number.
   * @throws KeyriteError halted.not-durable, site.clock
   */
  append(parts: DraftParts, attached: readonly Attached[] = []): number {
    const entry: EntryDraft = draft(parts);
    const attachments = attached.map((a) => ({ sha256: sha256Hex(a.bytes), ...a }));
    const { firstSeq } = this.#ledger.append([entry], attachments);
    const text = this.#ledger.entry(firstSeq) ?? "";
    this.#fold.take(decodeEntry(text), () => this.#ledger.root());
    return firstSeq;
  }

  /** Adds cosignatures on the present head and counts them. */
  addCosignatures(lines: readonly string[]): void {
    this.#ledger.addCosignatures(this.#ledger.size, lines);
    this.#fold.recountCosigners();
  }
}

/** Whether what stopped a step can still be recorded: not when it is the ledger that takes nothing. */
export function mayRecord(error: unknown): boolean {
  return !(
    error instanceof KeyriteError &&
    (error.code === "halted.not-durable" || error.code === "site.clock")
  );
}
