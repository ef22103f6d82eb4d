/**
 * Borrows the keyboard of a terminal for one prompt: raw mode, no echo, and the terminal as it
 * was before, however the prompt ends.
 *
 * What was typed before a prompt stood on the screen is discarded: nobody agrees to what was not
 * yet shown, and a passphrase typed too early must not become an answer that is echoed.
 */

import { KeyriteError } from "../lib/errors.ts";
import type { TerminalInput } from "./terminal-input.ts";

/** How a prompt ends. */
export interface Settle<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: KeyriteError) => void;
}

/** Shows the prompt and returns what takes each byte typed from then on. */
export type Begin<T> = (settle: Settle<T>) => (byte: number) => void;

export const ENTER: readonly number[] = [0x0d, 0x0a];
export const CTRL_D = 0x04;
const CTRL_C = 0x03;

export interface KeyboardOptions {
  readonly input: TerminalInput;
  /** Aborted by the command line on SIGTERM and its like: ends the prompt as Ctrl-C does. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs one prompt.
 * @throws KeyriteError halted.interrupted on Ctrl-C or the signal, usage.no-terminal when the
 * terminal goes away; and whatever `begin` rejects with.
 */
export async function borrowKeyboard<T>(options: KeyboardOptions, begin: Begin<T>): Promise<T> {
  const { input, signal } = options;
  if (signal?.aborted === true) throw interrupted();
  const restore = enterRawMode(input);
  try {
    return await listen(input, signal, begin);
  } finally {
    restore();
  }
}

export function interrupted(): KeyriteError {
  return new KeyriteError("halted.interrupted", "interrupted at a prompt");
}

export function terminalGone(): KeyriteError {
  return new KeyriteError("usage.no-terminal", "the terminal closed while a prompt was open", {
    hints: ["run the command again at a terminal that stays open"],
  });
}

/** Raw mode, also across a stop and continue (Ctrl-Z from another terminal, `kill -TSTP`). */
function enterRawMode(input: TerminalInput): () => void {
  const stop = (): void => {
    input.setRawMode(false);
    process.kill(process.pid, "SIGSTOP");
  };
  // A shell may have switched echo on in between, in the middle of a passphrase.
  const resume = (): void => {
    input.setRawMode(false);
    input.setRawMode(true);
  };
  input.setRawMode(true);
  process.on("SIGTSTP", stop);
  process.on("SIGCONT", resume);
  return () => {
    process.removeListener("SIGTSTP", stop);
    process.removeListener("SIGCONT", resume);
    input.setRawMode(false);
  };
}

function listen<T>(
  input: TerminalInput,
  signal: AbortSignal | undefined,
  begin: Begin<T>,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    let settled = false;
    let take: (byte: number) => void = () => undefined;
    const end = (): void => {
      settled = true;
      stopReading();
      signal?.removeEventListener("abort", interrupt);
    };
    const settle: Settle<T> = {
      resolve: (value) => {
        end();
        resolve(value);
      },
      reject: (error) => {
        end();
        reject(error);
      },
    };
    const interrupt = (): void => {
      settle.reject(interrupted());
    };
    const takeAll = (bytes: Uint8Array): void => {
      // Bytes behind the end of an answer were typed before the next prompt was shown.
      for (const byte of bytes) {
        if (settled) return;
        if (byte === CTRL_C) interrupt();
        else take(byte);
      }
    };
    const stopReading = input.read(takeAll, () => {
      settle.reject(terminalGone());
    });
    signal?.addEventListener("abort", interrupt);
    typeAheadHasArrived()
      .then(() => {
        if (!settled) take = begin(settle);
      })
      .catch(reject);
  });
}

/** What waits in the kernel arrives in the next poll phase; the first turn may end before it. */
async function typeAheadHasArrived(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}
