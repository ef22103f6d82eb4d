/** Reads the entries of a ledger one after the other; whatever is wrong with one of them is a finding. */

import { messageOf } from "../lib/errors.ts";
import { decodeEntry, type Entry } from "./entry.ts";
import type { Findings } from "./findings.ts";

export class EntryReader {
  readonly #origin: string;
  readonly #findings: Findings;
  #lastTime = "";

  /** Reads entries of the ledger of `origin`. */
  constructor(origin: string, findings: Findings) {
    this.#origin = origin;
    this.#findings = findings;
  }

  /**
   * The entry of a text that stands at `seq`, or undefined when it is none. `agrees` says that the text is what
   * was hashed when it was written: a changed entry's time says nothing about the one after it.
   */
  read(text: string, seq: number, agrees: boolean): Entry | undefined {
    let entry: Entry;
    try {
      entry = decodeEntry(text);
    } catch (error) {
      this.#findings.addEntry("entry.damaged", `entry ${seq}: ${messageOf(error)}`, seq);
      return undefined;
    }
    this.#judge(entry, seq);
    if (agrees) this.#lastTime = entry.time;
    return entry;
  }

  #judge(entry: Entry, seq: number): void {
    if (entry.seq !== seq) {
      const text = `where entry ${seq} should be stands entry ${entry.seq}`;
      this.#findings.addEntry("entry.misplaced", text, seq);
    }
    if (entry.origin !== this.#origin) {
      const text = `entry ${seq} is of the ledger ${entry.origin}`;
      this.#findings.addEntry("entry.origin", text, seq);
    }
    if (entry.time < this.#lastTime) {
      this.#findings.addEntry("entry.time", `entry ${seq} is earlier than the one before it`, seq);
    }
  }
}
