/**
 * The watch on the clock: a jump of more than 30 days must be attested by people before anything else
 * is believed. It is measured from what people last agreed to, so that noise cannot walk over it.
 */

import type { Entry } from "../ledger/entry.ts";
import { parseTimestamp } from "../lib/clock.ts";

/** Longest silence of people before the clock must be attested: 30 days. */
const CLOCK_GAP_MS = 30 * 24 * 3600 * 1000;

export class ClockWatch {
  #agreedAt: number | undefined;
  #gap = false;

  /** The clock jumped and nobody has attested it since. */
  get gap(): boolean {
    return this.#gap;
  }

  take(entry: Entry): void {
    const now = parseTimestamp(entry.time);
    if (now === undefined || this.#agreedAt === undefined) return;
    if (now - this.#agreedAt > CLOCK_GAP_MS) this.#gap = true;
  }

  /** People agreed to this entry's time by agreeing to what it records. */
  agreed(entry: Entry): void {
    this.#agreedAt = parseTimestamp(entry.time) ?? this.#agreedAt;
  }

  attested(): void {
    this.#gap = false;
  }
}
