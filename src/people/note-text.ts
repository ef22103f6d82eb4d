/**
 * The common form of the notes that people sign: a first line that names the kind, then `name value`
 * lines, each once and in a fixed order.
 */

import { messageOf, type KeyriteError } from "../lib/errors.ts";
import { isKeyName, parseNote, verifyNote, type Note } from "../lib/note.ts";
import { cardKey, type Card } from "./card.ts";

/** Makes the error of whoever reads: what is wrong, in words that follow "… is refused:". */
export type Refuse = (problem: string) => KeyriteError;

/** Takes the lines of a note's text one by one, in the order of the format. */
export class NoteReader {
  readonly #lines: readonly string[];
  readonly #refuse: Refuse;
  #next = 1;

  constructor(text: string, kind: string, refuse: Refuse) {
    this.#refuse = refuse;
    if (!text.endsWith("\n")) throw refuse("its text does not end with a newline");
    this.#lines = text.slice(0, -1).split("\n");
    if (this.#lines[0] !== kind) throw refuse(`its first line is not ${kind}`);
  }

  /** The value of the next line, which must be `name` followed by what `accepts` takes. */
  value(name: string, accepts: (value: string) => boolean): string {
    const line = this.#lines[this.#next++];
    if (line?.startsWith(`${name} `) !== true) {
      throw this.#refuse(`line ${this.#next} is not "${name} …"`);
    }
    const value = line.slice(name.length + 1);
    if (!accepts(value)) throw this.#refuse(`the value of "${name}" is malformed`);
    return value;
  }

  /** Refuses anything after the last line taken. */
  end(): void {
    if (this.#next !== this.#lines.length) {
      throw this.#refuse(`it goes on after line ${this.#next}`);
    }
  }
}

/** Whether a text is 64 lower-case hex characters. */
export function isDigest(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}

/**
 * Whether a text may name a ledger. Origins that look like the first line of a person's note are
 * refused: a checkpoint could then be taken for an agreement, and the other way round.
 */
export function isOrigin(text: string): boolean {
  return isKeyName(text) && !/^(keyrite|cosignature)/.test(text);
}

/**
 * The text of a note that bears exactly one signature, a good one by the card's signing key. More
 * lines are refused, not ignored: nobody should wonder who else seems to have signed.
 * @throws what `refuse` makes
 */
export function checkSoleSignature(note: string, card: Card, refuse: Refuse): string {
  const read = readNote(note, refuse);
  requireSoleSignature(read, card, refuse);
  return read.text;
}

/** A note's text and signature lines; nothing is verified yet. @throws what `refuse` makes */
export function readNote(note: string, refuse: Refuse): Note {
  return attempt(refuse, () => parseNote(note));
}

/** As `checkSoleSignature`, for a note that was read. @throws what `refuse` makes */
export function requireSoleSignature(note: Note, card: Card, refuse: Refuse): void {
  if (note.signatures.length !== 1) {
    throw refuse(`it bears ${note.signatures.length} signatures instead of one`);
  }
  const key = cardKey(card, "ed25519");
  if (attempt(refuse, () => verifyNote(note, [key])).length === 0) {
    throw refuse(`it is not signed by ${card.person}`);
  }
}

function attempt<T extends Note | readonly unknown[]>(refuse: Refuse, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw refuse(messageOf(error));
  }
}
