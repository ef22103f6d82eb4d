/** Frames over a socket, both ways. What arrives is copied into a buffer of its own and wiped where it was. */

import type { Duplex } from "node:stream";
import type { Secret } from "../../lib/secret.ts";
import { decodeFrame, encodeFrame, PREFIX_BYTES, readPrefix, roomFor } from "./frame.ts";

/** A value that may cross: JSON with bytes and secrets in it. */
export type Crossing =
  | string
  | number
  | boolean
  | null
  | undefined
  | Uint8Array
  | Secret
  | readonly Crossing[]
  | { readonly [name: string]: Crossing };

export interface PipeEnds {
  readonly message: (message: unknown) => void;
  /** Told once, when nothing more can come; with an error when what came was no frame. */
  readonly ended: (error: Error | undefined) => void;
}

export class FramePipe {
  readonly #socket: Duplex;
  readonly #prefix = new Uint8Array(PREFIX_BYTES);
  #prefixed = 0;
  #head = 0;
  #body: Uint8Array | undefined;
  #filled = 0;
  #over = false;

  constructor(socket: Duplex, ends: PipeEnds) {
    this.#socket = socket;
    const over = (error?: Error): void => {
      if (this.#over) return;
      this.#over = true;
      this.#body?.fill(0);
      ends.ended(error);
    };
    socket.on("data", (chunk: Buffer) => {
      try {
        if (!this.#over) this.#take(chunk, ends.message);
      } catch (error) {
        socket.destroy();
        over(error instanceof Error ? error : new Error(String(error)));
      } finally {
        chunk.fill(0);
      }
    });
    socket.on("end", () => {
      over();
    });
    socket.on("close", () => {
      over();
    });
    // A peer that died while we wrote: that it is gone is told by `ended`.
    socket.on("error", () => {
      over();
    });
  }

  get open(): boolean {
    return !this.#over;
  }

  /** Sends a message; a frame with a secret in it is wiped when it has left. */
  send(message: Crossing): void {
    if (this.#over) return;
    const { bytes, secret } = encodeFrame(message);
    this.#socket.write(bytes, () => {
      if (secret) bytes.fill(0);
    });
  }

  /** No more is sent; what was is delivered. */
  end(): void {
    this.#socket.end();
  }

  #take(chunk: Uint8Array, message: PipeEnds["message"]): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#body === undefined) {
        at += this.#takePrefix(chunk.subarray(at));
        if (this.#prefixed < PREFIX_BYTES) return;
        const { length, head } = readPrefix(this.#prefix);
        [this.#body, this.#head, this.#filled] = [roomFor(length), head, 0];
      }
      const body = this.#body;
      const part = chunk.subarray(at, at + body.length - this.#filled);
      body.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled < body.length) return;
      this.#body = undefined;
      this.#prefixed = 0;
      message(decodeFrame(body, this.#head));
    }
  }

  #takePrefix(chunk: Uint8Array): number {
    const part = chunk.subarray(0, PREFIX_BYTES - this.#prefixed);
    this.#prefix.set(part, this.#prefixed);
    this.#prefixed += part.length;
    return part.length;
  }
}
