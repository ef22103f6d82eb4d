/**
 * The bytes of a terminal, read into one buffer that is ours to wipe. `process.stdin` would do, but
 * Node gives every chunk it reads a new place in memory, and leaves a copy behind now and then.
 */

import type { SocketConstructorOpts, TcpSocketConnectOpts } from "node:net";
import { ReadStream } from "node:tty";
import { ownBytes } from "../lib/secret.ts";

export interface TerminalInput {
  setRawMode(raw: boolean): void;
  /**
   * Reads until the returned function is called. `take` is lent bytes that are wiped when it
   * returns; `gone` is called when the terminal has closed.
   */
  read(take: (bytes: Uint8Array) => void, gone: () => void): () => void;
}

const BUFFER_BYTES = 4096;

/** The terminal behind a descriptor, usually 0. Nothing is opened before the first prompt. */
export function openTerminalInput(descriptor: number): TerminalInput {
  return new DescriptorInput(descriptor);
}

class DescriptorInput implements TerminalInput {
  readonly #descriptor: number;
  #stream: ReadStream | undefined;
  #take: ((bytes: Uint8Array) => void) | undefined;
  #gone: (() => void) | undefined;
  #closed = false;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  setRawMode(raw: boolean): void {
    if (!this.#closed) this.#open().setRawMode(raw);
  }

  read(take: (bytes: Uint8Array) => void, gone: () => void): () => void {
    this.#take = take;
    this.#gone = gone;
    if (this.#closed) queueMicrotask(gone);
    else this.#open().resume();
    return () => {
      this.#take = undefined;
      this.#gone = undefined;
      this.#stream?.pause();
    };
  }

  #open(): ReadStream {
    if (this.#stream !== undefined) return this.#stream;
    // ReadStream hands its options on to net.Socket, whose `onread` the types know for connect only.
    const options: SocketConstructorOpts & Required<Pick<TcpSocketConnectOpts, "onread">> = {
      onread: {
        buffer: ownBytes(BUFFER_BYTES),
        callback: (length, buffer) => {
          this.#take?.(buffer.subarray(0, length));
          buffer.fill(0, 0, length);
          return true;
        },
      },
    };
    const stream = new ReadStream(this.#descriptor, options);
    for (const event of ["end", "close", "error"] as const) {
      stream.on(event, () => {
        this.#closed = true;
        this.#gone?.();
      });
    }
    this.#stream = stream;
    return stream;
  }
}
