/**
 * Room on the disk that is kept for the records which end things. Without it a disk that fills up while an HSM
 * works would leave the ledger without the outcome of what was done.
 */

import { lstatSync, rmSync } from "node:fs";
import { bytesInWords, diskTrouble } from "../lib/disk.ts";
import { KeyriteError } from "../lib/errors.ts";
import { removeFile, writeNewFile } from "../lib/files.ts";
import type { EntryType } from "./entry.ts";
import { roomHint } from "./write-errors.ts";

/** The outcomes of a hundred keys take a quarter of it, and what closes a long ceremony no more. */
export const RESERVE_BYTES = 2 << 20;

/** Entries that end something: they may be written where nothing is begun any more. */
const ENDING: ReadonlySet<EntryType> = new Set([
  "step.completed",
  "step.failed",
  "step.refused",
  "auth.failed",
  "deviation.recorded",
  "ceremony.closed",
  "ceremony.abandoned",
]);

/** Whether all of these only end something. */
export function onlyEnds(entries: readonly { readonly type: EntryType }[]): boolean {
  return entries.every(({ type }) => ENDING.has(type));
}

export class Reserve {
  readonly #ledger: string;
  #isReleased = false;

  private constructor(ledger: string) {
    this.#ledger = ledger;
  }

  /**
   * Takes the room, in a file beside the ledger; one that a killed process left is taken over.
   * @throws KeyriteError site.disk when there is not so much
   */
  static take(ledger: string): Reserve {
    const path = reservePath(ledger);
    try {
      const left = lstatSync(path, { throwIfNoEntry: false });
      if (left?.isFile() === true && left.size === RESERVE_BYTES) return new Reserve(ledger);
      if (left !== undefined) rmSync(path);
      writeNewFile(path, filling(), { mode: 0o644 });
    } catch (error) {
      throw noReserve(ledger, error);
    }
    return new Reserve(ledger);
  }

  /** Gives the room up, for what has to be written now; false when it is given up already. */
  release(): boolean {
    if (this.#isReleased) return false;
    removeFile(reservePath(this.#ledger));
    this.#isReleased = true;
    return true;
  }

  /** Gives the room back when the ledger is closed. */
  end(): void {
    if (!this.#isReleased) rmSync(reservePath(this.#ledger), { force: true });
  }

  /**
   * What is begun may take the HSM to where only a record helps, so nothing is begun without a reserve.
   * @throws KeyriteError site.disk
   */
  requireUnreleased(): void {
    if (this.#isReleased) throw noRoom(this.#ledger);
  }
}

/** Said where something would be begun on a full disk. */
export function noRoom(ledger: string, cause?: unknown): KeyriteError {
  return new KeyriteError(
    "site.disk",
    `the disk that holds the ledger ${ledger} is full: nothing more is begun`,
    {
      cause,
      hints: [
        roomHint(ledger),
        "what was done until now is on record: keyrite status says whether a ceremony is open, and keyrite run --resume goes on with it",
      ],
    },
  );
}

function noReserve(ledger: string, cause: unknown): KeyriteError {
  const system = cause instanceof KeyriteError ? cause.cause : cause;
  const { what, hint } = diskTrouble(system) ?? { what: "it could not be written", hint: "" };
  return new KeyriteError(
    "site.disk",
    `no room can be kept for the records that end a ceremony, ${bytesInWords(RESERVE_BYTES)} beside ${ledger}: ${what}`,
    {
      cause,
      hints: [what.includes("full") ? roomHint(ledger) : hint, "nothing was begun"].filter(Boolean),
    },
  );
}

function reservePath(ledger: string): string {
  return `${ledger}.reserve`;
}

// Zeros could be kept in no room at all, by file systems that compress.
function filling(): Uint8Array {
  const words = new Uint32Array(RESERVE_BYTES / 4);
  let state = 2463534242;
  for (let i = 0; i < words.length; i += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[i] = state;
  }
  return new Uint8Array(words.buffer);
}
