/**
 * Reads a passphrase from a terminal byte by byte: nothing is echoed, no string is ever made, and
 * every byte that was held is wiped. Bytes are kept as typed: Unicode normalisation would need a
 * string, so a passphrase opens only when it is typed as it was chosen.
 */

import { isUtf8 } from "node:buffer";
import { ownBytes, Secret } from "../lib/secret.ts";
import {
  borrowKeyboard,
  CTRL_D,
  ENTER,
  terminalGone,
  type KeyboardOptions,
  type Settle,
} from "./keyboard.ts";

export const MAX_SECRET_BYTES = 1024;

const ERASE: readonly number[] = [0x7f, 0x08];
const CTRL_U = 0x15;
const ESCAPE = 0x1b;

export type SecretReading =
  | { readonly ok: true; readonly secret: Secret }
  /** What was typed can be no passphrase; nothing of it is kept. */
  | { readonly ok: false; readonly problem: string };

export interface SecretReaderOptions extends KeyboardOptions {
  /** Writes the prompt; called when the terminal no longer echoes. */
  readonly show: () => void;
}

/**
 * One attempt, ended by Enter: backspace takes one character back, Ctrl-U all of them, pasted text
 * counts as typed. The caller wipes the secret.
 * @throws KeyriteError halted.interrupted, usage.no-terminal (also for Ctrl-D before any byte).
 */
export async function readSecret(options: SecretReaderOptions): Promise<SecretReading> {
  const line = new SecretLine();
  try {
    return await borrowKeyboard<SecretReading>(options, (settle) => {
      options.show();
      return (byte) => {
        line.take(byte, settle);
      };
    });
  } finally {
    line.wipe();
  }
}

/** The bytes typed so far. Its buffer never grows, so no copy is left behind by growing. */
class SecretLine {
  readonly #bytes = ownBytes(MAX_SECRET_BYTES);
  #length = 0;
  #problem: string | undefined;
  /** Bytes of an escape sequence seen so far: 0 outside of one. */
  #escape = 0;

  take(byte: number, settle: Settle<SecretReading>): void {
    if (this.#escape > 0 && this.#continueEscape(byte)) return;
    if (ENTER.includes(byte)) settle.resolve(this.#end());
    else if (byte === CTRL_U) this.#clear();
    else if (ERASE.includes(byte)) this.#erase();
    else if (byte === ESCAPE) this.#escape = 1;
    else if (byte === CTRL_D && this.#length === 0) settle.reject(terminalGone());
    else if (byte < 0x20) this.#problem ??= CONTROL;
    else if (this.#length === MAX_SECRET_BYTES) this.#problem ??= TOO_LONG;
    else this.#bytes[this.#length++] = byte;
  }

  wipe(): void {
    this.#bytes.fill(0);
    this.#length = 0;
  }

  /**
   * Terminals put `ESC [200~` and `ESC [201~` around pasted text; those are dropped. Any other
   * sequence is a key that is no character, and a passphrase with a key missing would be a surprise
   * on the next day. False when the byte still has to be taken for itself.
   */
  #continueEscape(byte: number): boolean {
    const expected = PASTE_MARK[this.#escape - 1];
    if (expected?.includes(byte) === true) {
      this.#escape = this.#escape === PASTE_MARK.length ? 0 : this.#escape + 1;
      return true;
    }
    this.#escape = 0;
    this.#problem ??= CONTROL;
    return false;
  }

  #erase(): void {
    // One character: its continuation bytes (10xxxxxx) and the byte that leads them.
    while (this.#length > 0) {
      const byte = this.#bytes[--this.#length] ?? 0;
      this.#bytes[this.#length] = 0;
      if ((byte & 0xc0) !== 0x80) break;
    }
  }

  #clear(): void {
    this.wipe();
    this.#problem = undefined;
  }

  #end(): SecretReading {
    const typed = this.#bytes.subarray(0, this.#length);
    const problem = this.#problem ?? problemOf(typed);
    return problem === undefined
      ? { ok: true, secret: Secret.copy(typed) }
      : { ok: false, problem };
  }
}

const CONTROL = "a key that is no character was pressed";
const TOO_LONG = `a passphrase has at most ${MAX_SECRET_BYTES} bytes`;
// What follows ESC: each place with the bytes that may stand there.
const PASTE_MARK: readonly (readonly number[])[] = [[0x5b], [0x32], [0x30], [0x30, 0x31], [0x7e]];

function problemOf(typed: Uint8Array): string | undefined {
  if (typed.length === 0) return "nothing was typed";
  if (!isUtf8(typed)) return "what was typed is not UTF-8";
  // U+0080 to U+009F: terminals take them for the start of a control sequence.
  const control = typed.some((byte, i) => byte === 0xc2 && (typed[i + 1] ?? 0xff) < 0xa0);
  return control ? CONTROL : undefined;
}
