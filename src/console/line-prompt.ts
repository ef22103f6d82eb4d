/**
 * One line typed at a terminal, edited by inquirer. It is fed the bytes of this prompt and no
 * others, so it never sees a secret, also none that was typed too early.
 */

import { PassThrough, Writable } from "node:stream";
import { borrowKeyboard, CTRL_D, ENTER, terminalGone, type KeyboardOptions } from "./keyboard.ts";
import type { Output } from "./page.ts";

const MAX_CHARACTERS = 1000;
const CTRL_U = 0x15;
const BACKSPACE = 0x08;
const DELETE = 0x7f;
const ESCAPE = 0x1b;

export interface LinePromptOptions extends KeyboardOptions {
  readonly output: Output;
  /** Columns of the terminal. */
  readonly width: number;
  /** At least two words: what stands before the answer. */
  readonly words: string;
}

/**
 * The line as typed, unjudged. The prompt and the answer stay on the screen.
 * @throws KeyriteError halted.interrupted, usage.no-terminal (also for Ctrl-D on an empty line).
 */
export async function promptLine(options: LinePromptOptions): Promise<string> {
  // Loaded here because most commands ask nothing, and inquirer costs them their start.
  const { default: inquirer } = await import("inquirer");
  const input = new PassThrough();
  const cancelled = new AbortController();
  const ask = inquirer.createPromptModule({
    input,
    output: forward(options.output, options.width),
    signal: cancelled.signal,
  });
  let asked: Promise<unknown> = Promise.resolve();
  try {
    return await borrowKeyboard<string>(options, (settle) => {
      const answer: Promise<{ line: string }> = ask([question(options.words)]);
      // Only a cancelled prompt rejects, and then another error is on its way already.
      asked = answer.then(
        ({ line }) => {
          settle.resolve(line);
        },
        () => undefined,
      );
      return feed(input, () => {
        settle.reject(terminalGone());
      });
    });
  } finally {
    cancelled.abort();
    await asked;
    input.destroy();
  }
}

function question(words: string) {
  const split = words.lastIndexOf(" ");
  const plain = (text: string): string => text;
  return {
    type: "input",
    name: "line",
    // Inquirer's own marks and colours would change the line when it is answered, and ignore NO_COLOR.
    message: words.slice(split + 1),
    theme: { prefix: words.slice(0, split), style: { message: plain, answer: plain } },
  } as const;
}

/**
 * Passes on characters, Enter, backspace and Ctrl-U; drops other keys, which would move the cursor
 * over what already stands there; and stops at Enter.
 */
function feed(input: PassThrough, end: () => void): (byte: number) => void {
  let characters = 0;
  let escape: "none" | "begun" | "sequence" = "none";
  let done = false;
  const pass = (byte: number): void => {
    input.write(Uint8Array.of(byte));
  };
  return (byte) => {
    if (done) return;
    if (escape !== "none") {
      escape = afterEscape(escape, byte);
    } else if (ENTER.includes(byte)) {
      done = true;
      pass(0x0d);
    } else if (byte === ESCAPE) {
      escape = "begun";
    } else if (byte === CTRL_D && characters === 0) {
      end();
    } else if (byte === CTRL_U) {
      characters = 0;
      pass(byte);
    } else if ((byte === BACKSPACE || byte === DELETE) && characters > 0) {
      characters--;
      pass(DELETE);
    } else if (byte >= 0x20 && byte !== DELETE && characters < MAX_CHARACTERS) {
      // Continuation bytes of UTF-8 belong to the character before.
      if ((byte & 0xc0) !== 0x80) characters++;
      pass(byte);
    }
  };
}

/** Sequences are `ESC x`, or `ESC [` and `ESC O` up to a byte from 0x40 on (ECMA-48, 5.4). */
function afterEscape(state: "begun" | "sequence", byte: number): "none" | "sequence" {
  if (state === "begun") return byte === 0x5b || byte === 0x4f ? "sequence" : "none";
  return byte >= 0x40 && byte <= 0x7e ? "none" : "sequence";
}

/** Inquirer ends the stream it is given; ours lives on. */
function forward(output: Output, columns: number): Writable {
  const stream = new Writable({
    write(chunk: Uint8Array, _encoding, callback) {
      output.write(new TextDecoder().decode(chunk));
      callback();
    },
  });
  return Object.assign(stream, { columns });
}
