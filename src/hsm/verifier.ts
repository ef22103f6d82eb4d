/**
 * Verifies signatures: one at once, or many on a thread of their own while the token works on the next
 * keys. Importing and verifying takes a tenth of the time a token needs for the key itself, and handing
 * single signatures to other threads takes as long as verifying them does.
 */

import { createPublicKey, verify } from "node:crypto";
import { Worker } from "node:worker_threads";
import { concat } from "../lib/encoding.ts";

/** A signature to be judged. */
export interface ToVerify {
  /** Digest for node:crypto; null where the scheme hashes by itself. */
  readonly hash: string | null;
  readonly message: Uint8Array;
  /** DER SubjectPublicKeyInfo. */
  readonly spki: Uint8Array;
  /** What is in `spki` when it is of an elliptic curve: the uncompressed point, and on which curve. */
  readonly ec?: { readonly curve: string; readonly point: Uint8Array };
  readonly signature: Uint8Array;
}

/** Whether a signature is right; a public key that is none verifies nothing. */
export type Judge = (what: ToVerify) => boolean | Promise<boolean>;

/** On this thread, at once. */
export function judgeNow({ hash, message, spki, signature }: ToVerify): boolean {
  try {
    const key = createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" });
    return verify(hash, message, key, signature);
  } catch {
    return false;
  }
}

/** How many signatures cross to the other thread together. */
const PARCEL = 48;

// Text, because it runs from the bundle as well as from the sources, where files have other names. It
// says what `judgeNow` says. Points are imported bare, which saves a parser and a multiplication: that a
// point is on its curve is looked at, and on a curve of cofactor 1 every such point is a key.
const PROGRAM = `
const { parentPort } = require("node:worker_threads");
const { createPublicKey, KeyObject, verify, webcrypto } = require("node:crypto");
const imported = async (key, namedCurve) => {
  if (namedCurve === null) {
    return createPublicKey({ key: Buffer.from(key), format: "der", type: "spki" });
  }
  const how = { name: "ECDSA", namedCurve };
  return KeyObject.from(await webcrypto.subtle.importKey("raw", key, how, false, ["verify"]));
};
const judge = async ({ hash, curve, message, key, signature }) => {
  try {
    return verify(hash, message, await imported(key, curve), signature);
  } catch {
    return false;
  }
};
parentPort.on("message", async ({ hashes, curves, lengths, bytes }) => {
  let at = 0;
  const part = (index) => bytes.subarray(at, (at += lengths[index]));
  const all = hashes.map((hash, i) => {
    const [message, key, signature] = [part(3 * i), part(3 * i + 1), part(3 * i + 2)];
    return judge({ hash, curve: curves[i], message, key, signature });
  });
  parentPort.postMessage(await Promise.all(all));
});
`;

interface Waiting {
  readonly what: ToVerify;
  readonly resolve: (verified: boolean) => void;
  readonly reject: (error: Error) => void;
}

/** A thread that judges; closed by whoever opened it. */
export class JudgingThread {
  readonly #worker = new Worker(PROGRAM, { eval: true, execArgv: [] });
  #waiting: Waiting[] = [];
  readonly #sent: (readonly Waiting[])[] = [];
  #failure: Error | undefined;

  constructor() {
    this.#worker.on("message", (verdicts: readonly boolean[]) => {
      for (const [index, { resolve }] of (this.#sent.shift() ?? []).entries()) {
        resolve(verdicts[index] === true);
      }
    });
    this.#worker.on("error", (error: Error) => {
      this.#failure = error;
      for (const { reject } of [...this.#sent.flat(), ...this.#waiting]) reject(error);
    });
  }

  readonly judge: Judge = (what) =>
    new Promise((resolve, reject) => {
      if (this.#failure !== undefined) {
        reject(this.#failure);
        return;
      }
      // What is left of a parcel goes when nobody brings more in this turn of the event loop.
      if (this.#waiting.length === 0) {
        setImmediate(() => {
          this.#send();
        });
      }
      this.#waiting.push({ what, resolve, reject });
      if (this.#waiting.length >= PARCEL) this.#send();
    });

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #send(): void {
    if (this.#waiting.length === 0) return;
    const parcel = this.#waiting;
    this.#waiting = [];
    this.#sent.push(parcel);
    this.#worker.postMessage(packed(parcel.map(({ what }) => what)));
  }
}

/** What crosses: all bytes in one piece, because every array that crosses by itself costs as much. */
interface Parcel {
  readonly hashes: readonly (string | null)[];
  /** Of bare points: the name of their curve. */
  readonly curves: readonly (string | null)[];
  /** Of message, public key and signature, in turn. */
  readonly lengths: readonly number[];
  readonly bytes: Uint8Array;
}

function packed(all: readonly ToVerify[]): Parcel {
  const parts = all.flatMap(({ message, spki, ec, signature }) => {
    return [message, ec?.point ?? spki, signature];
  });
  return {
    hashes: all.map(({ hash }) => hash),
    curves: all.map(({ ec }) => ec?.curve ?? null),
    lengths: parts.map(({ length }) => length),
    bytes: concat(...parts),
  };
}
