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
    return this.appendAll([parts], attached);
  }

  /**
   * Appends several entries in one transaction, under one checkpoint, and returns the sequence number of
   * the first. A `step.opened` stands alone: what agreements bind is the checkpoint right after it.
   * @throws KeyriteError halted.not-durable, site.clock
   */
  appendAll(all: readonly DraftParts[], attached: readonly Attached[] = []): number {
    if (all.length > 1 && all.some(({ type }) => type === "step.opened")) {
      throw new KeyriteError("internal.bug", "a step is opened in an entry of its own");
    }
    const entries: readonly EntryDraft[] = all.map(draft);
    const attachments = attached.map((a) => ({ sha256: sha256Hex(a.bytes), ...a }));
    const { firstSeq, texts } = this.#ledger.append(entries, attachments);
    for (const text of texts) {
      this.#fold.take(decodeEntry(text), () => this.#ledger.root());
    }
    return firstSeq;
  }

  /** Adds cosignatures on the head of that size, the present one's if none is named, and counts them. */
  addCosignatures(lines: readonly string[], size = this.#ledger.size): void {
    this.#ledger.addCosignatures(size, lines);
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
