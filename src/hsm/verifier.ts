/**
 * Verifies signatures on other threads, many at a time: waking a thread for each would take longer than
 * verifying does, and the token works on the next keys meanwhile.
 */

import { verify, type KeyObject } from "node:crypto";

/** A signature to be judged. */
export interface ToVerify {
  /** Digest for node:crypto; null where the scheme hashes by itself. */
  readonly hash: string | null;
  readonly message: Uint8Array;
  readonly publicKey: KeyObject;
  readonly signature: Uint8Array;
}

/** How a signature is judged. */
export type Verify = (what: ToVerify) => boolean | Promise<boolean>;

/** On this thread, at once: for single signatures. */
export function verifyNow({ hash, message, publicKey, signature }: ToVerify): boolean {
  return verify(hash, message, publicKey, signature);
}

/** On other threads: all that is asked for in one turn of the event loop goes there together. */
export function verifierOfMany(): Verify {
  let waiting: (() => void)[] = [];
  const sendAll = (): void => {
    const sent = waiting;
    waiting = [];
    for (const send of sent) send();
  };
  return ({ hash, message, publicKey, signature }) =>
    new Promise((resolve, reject) => {
      if (waiting.length === 0) setImmediate(sendAll);
      waiting.push(() => {
        verify(hash, message, publicKey, signature, (error, verified) => {
          if (error === null) resolve(verified);
          else reject(error);
        });
      });
    });
}
