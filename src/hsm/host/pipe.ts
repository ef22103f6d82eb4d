/**
 * Frames over a socket, both ways. All that arrives is read into one buffer that is ours and wiped after each
 * read: a socket's usual chunks are moved by Node once they were read, and what it moved them from is freed as
 * it is, PIN and all.
 */

import { Socket, type SocketConstructorOpts, type TcpSocketConnectOpts } from "node:net";
import { ownBytes, type Secret } from "../../lib/secret.ts";
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

const BUFFER_BYTES = 65_536;

export class FramePipe {
  readonly #socket: Socket;
  readonly #prefix = new Uint8Array(PREFIX_BYTES);
  #prefixed = 0;
  #head = 0;
  #body: Uint8Array | undefined;
  #filled = 0;
  #over = false;

  /** @param descriptor a connected socket, which is the pipe's from now on. */
  constructor(descriptor: number, ends: PipeEnds) {
    const over = (error?: Error): void => {
      if (this.#over) return;
      this.#over = true;
      this.#body?.fill(0);
      ends.ended(error);
    };
    const socket = openSocket(descriptor, (bytes) => {
      try {
        if (!this.#over) this.#take(bytes, ends.message);
      } catch (error) {
        socket.destroy();
        over(error instanceof Error ? error : new Error(String(error)));
      }
    });
    this.#socket = socket;
    // After an error too: a peer that died while we wrote. That it is gone is told by `ended`.
    for (const event of ["end", "close", "error"] as const) {
      socket.on(event, () => {
        over();
      });
    }
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

  /** Nothing more is sent or read, whoever still holds the other end. */
  destroy(): void {
    this.#socket.destroy();
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

/** Reads into one buffer for good; `take` is lent what arrived, which is wiped when it returns. */
function openSocket(descriptor: number, take: (bytes: Uint8Array) => void): Socket {
  // The types know `onread` for sockets that connect only.
  const options: SocketConstructorOpts & Required<Pick<TcpSocketConnectOpts, "onread">> = {
    fd: descriptor,
    readable: true,
    writable: true,
    onread: {
      buffer: ownBytes(BUFFER_BYTES),
      callback: (length, buffer) => {
        take(buffer.subarray(0, length));
        buffer.fill(0, 0, length);
        return true;
      },
    },
  };
  // Without anybody who reads "data", the end of it would wait to be read.
  return new Socket(options).resume();
}
