/** Lets a stream of groups go on when Keyrite says so: leave to begin a group, and word that one was taken. */

import { KeyriteError } from "../../lib/errors.ts";

interface Waiting<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
}

export class StreamGate {
  readonly #leaves: (readonly Uint8Array[])[] = [];
  #awaitingLeave: Waiting<readonly Uint8Array[]> | undefined;
  #sent = 0;
  #taken = 0;
  #awaitingTaken: Waiting<void> | undefined;
  #stopped: KeyriteError | undefined;

  /** The wrapped keys of the next group, once it may begin. @throws KeyriteError when it is not to */
  leave(): Promise<readonly Uint8Array[]> {
    if (this.#stopped !== undefined) return Promise.reject(this.#stopped);
    const blobs = this.#leaves.shift();
    if (blobs !== undefined) return Promise.resolve(blobs);
    return new Promise((resolve, reject) => {
      this.#awaitingLeave = { resolve, reject };
    });
  }

  /** Waits until fewer than `ahead` of the groups that were sent are not taken. @throws as `leave` */
  taken(ahead: number): Promise<void> {
    this.#sent += 1;
    if (this.#stopped !== undefined) return Promise.reject(this.#stopped);
    if (this.#sent - this.#taken < ahead) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#awaitingTaken = { resolve, reject };
    });
  }

  go(blobs: readonly Uint8Array[]): void {
    const waiting = this.#awaitingLeave;
    this.#awaitingLeave = undefined;
    if (waiting === undefined) this.#leaves.push(blobs);
    else waiting.resolve(blobs);
  }

  more(): void {
    this.#taken += 1;
    const waiting = this.#awaitingTaken;
    this.#awaitingTaken = undefined;
    waiting?.resolve();
  }

  stop(): void {
    this.#stopped ??= new KeyriteError("halted.interrupted", "the batch was given up");
    this.#awaitingLeave?.reject(this.#stopped);
    this.#awaitingTaken?.reject(this.#stopped);
  }
}
