/**
 * The terminal record: what the room read and what was typed, line by line with its time. Passphrases never
 * reach it, and neither does an answer that was refused: it may be one, typed at the wrong prompt.
 */

import { timestamp } from "../lib/clock.ts";
import type { Clock } from "../lib/clock.ts";
import { utf8 } from "../lib/encoding.ts";

/** Longer than any ceremony; what is more is not kept, and the record says so. */
const MOST_CHARACTERS = 4 << 20;
const FULL = "… the record is full: nothing more is kept of this ceremony's screen";

export class Transcript {
  readonly #clock: Pick<Clock, "now">;
  readonly #lines: string[] = [];
  #length = 0;
  #keep: ((text: string) => void) | undefined;

  constructor(clock: Pick<Clock, "now">) {
    this.#clock = clock;
  }

  /** Takes what the screen shows, without styles; a text of several lines is several lines. */
  readonly record = (text: string): void => {
    if (this.#length > MOST_CHARACTERS) return;
    const time = `${timestamp(this.#clock.now()).slice(0, 19)}Z`;
    for (const line of text.split("\n")) this.#add(`${time}  ${line}`.trimEnd());
    if (this.#length > MOST_CHARACTERS) this.#add(`${time}  ${FULL}`);
  };

  /**
   * From now on every line is also handed to `keep`, beginning with those so far. `before` is what an
   * interrupted process kept of the same ceremony; it stands first.
   */
  keepWith(keep: (text: string) => void, before: string): void {
    const now = this.#lines.splice(0);
    this.#length = 0;
    if (before !== "") for (const line of before.trimEnd().split("\n")) this.#add(line);
    this.#keep = keep;
    for (const line of now) this.#add(line);
  }

  /** Everything so far, UTF-8. */
  bytes(): Uint8Array {
    return utf8(this.#lines.map((line) => `${line}\n`).join(""));
  }

  #add(line: string): void {
    this.#lines.push(line);
    this.#length += line.length;
    this.#keep?.(`${line}\n`);
  }
}
