/** The two primitives that a page needs, from the browser where it has them, else from our own plain ones. */

import { hex } from "./bytes.ts";
import { isStrict, verifyEd25519 } from "./ed25519.ts";
import { sha256 } from "./sha2.ts";

export interface PageCrypto {
  readonly sha256: (bytes: Uint8Array) => Promise<Uint8Array>;
  /** Ed25519 over the message itself; false, never an error, for whatever is malformed. */
  readonly verify: (
    publicKey: Uint8Array,
    message: Uint8Array,
    signature: Uint8Array,
  ) => Promise<boolean>;
  /** Who computes, for the reader: `browser` or `page`, for hashes and signatures. */
  readonly hashes: "browser" | "page";
  readonly signatures: "browser" | "page";
}

/** What is used of WebCrypto; absent from pages that came over plain HTTP. */
export interface Subtle {
  digest(algorithm: "SHA-256", data: Uint8Array): Promise<ArrayBuffer>;
  importKey(
    format: "raw",
    key: Uint8Array,
    algorithm: "Ed25519",
    extractable: boolean,
    usages: readonly ["verify"],
  ): Promise<unknown>;
  verify(
    algorithm: "Ed25519",
    key: unknown,
    signature: Uint8Array,
    data: Uint8Array,
  ): Promise<boolean>;
}

/** Everything in plain JavaScript. */
export const PLAIN: PageCrypto = {
  sha256: (bytes) => Promise.resolve(sha256(bytes)),
  verify: (...parts) => Promise.resolve(verifyEd25519(...parts)),
  hashes: "page",
  signatures: "page",
};

/** The browser's own where they work: tried on a known value first, for some have one and not the other. */
export async function chooseCrypto(subtle: Subtle | undefined): Promise<PageCrypto> {
  if (subtle === undefined) return PLAIN;
  const hashing = await works(async () => {
    const digest = await subtle.digest("SHA-256", new Uint8Array(0));
    return hex(new Uint8Array(digest)) === hex(sha256(new Uint8Array(0)));
  });
  const signing = await works(async () => {
    await subtle.importKey("raw", SOME_KEY, "Ed25519", false, ["verify"]);
    return true;
  });
  return {
    sha256: hashing
      ? async (bytes) => new Uint8Array(await subtle.digest("SHA-256", bytes))
      : PLAIN.sha256,
    verify: signing ? browserVerify(subtle) : PLAIN.verify,
    hashes: hashing ? "browser" : "page",
    signatures: signing ? "browser" : "page",
  };
}

// The public key of RFC 8032 §7.1, test 1.
const SOME_KEY = Uint8Array.from(
  "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a".match(/../g) ?? [],
  (pair) => parseInt(pair, 16),
);

async function works(attempt: () => Promise<boolean>): Promise<boolean> {
  try {
    return await attempt();
  } catch {
    return false;
  }
}

function browserVerify(subtle: Subtle): PageCrypto["verify"] {
  const keys = new Map<string, Promise<unknown>>();
  const keyOf = (publicKey: Uint8Array): Promise<unknown> => {
    const name = hex(publicKey);
    const known = keys.get(name);
    if (known !== undefined) return known;
    const made = subtle.importKey("raw", publicKey, "Ed25519", false, ["verify"]);
    keys.set(name, made);
    return made;
  };
  return (publicKey, message, signature) =>
    works(async () => {
      // Browsers differ in what they take of keys of small order and of S above the group order.
      if (!isStrict(publicKey, signature)) return false;
      return subtle.verify("Ed25519", await keyOf(publicKey), signature, message);
    });
}
