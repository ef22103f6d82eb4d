/**
 * What the kinds of age recipients share: the stanza, the wrapping of a file key, and the two
 * interfaces through which age-encryption calls them (age-encryption.org/v1).
 */

import { open, seal, TAG_LENGTH } from "./chacha.ts";

/** One recipient's section of a file header: arguments, of which the first is the type, and a body. */
export interface Stanza {
  readonly args: string[];
  readonly body: Uint8Array;
}

/** Wraps a file key for somebody. */
export interface Recipient {
  readonly kind: "scrypt" | "X25519";
  wrapFileKey(fileKey: Uint8Array): Promise<Stanza[]>;
}

/** Unwraps a file key, or answers null when no stanza is for it; throws only for malformed stanzas. */
export interface Identity {
  readonly kind: "scrypt" | "X25519";
  unwrapFileKey(stanzas: readonly Stanza[]): Promise<Uint8Array | null>;
}

const FILE_KEY_LENGTH = 16;
/** Each wrapping key is used once, so the specification fixes the nonce at zero. */
const ZERO_NONCE = new Uint8Array(12);

/** ChaCha20-Poly1305 of a file key under a wrapping key, which is wiped. */
export function wrapUnder(key: Uint8Array, fileKey: Uint8Array): Uint8Array {
  try {
    return seal(key, ZERO_NONCE, fileKey);
  } finally {
    key.fill(0);
  }
}

/**
 * The file key inside a stanza body, or null when it does not authenticate under the wrapping key,
 * which is wiped.
 * @throws Error when the body has another length: one body must not open under several keys.
 */
export function unwrapUnder(key: Uint8Array, body: Uint8Array): Uint8Array | null {
  if (body.length !== FILE_KEY_LENGTH + TAG_LENGTH) throw new Error("a stanza body is malformed");
  try {
    return open(key, ZERO_NONCE, body) ?? null;
  } finally {
    key.fill(0);
  }
}

/** Unpadded standard base64, as age headers hold it. */
export function base64NoPad(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64").replace(/=+$/, "");
}

/** Bytes of canonical unpadded base64 of exactly this length. @throws Error for any other text. */
export function fromBase64NoPad(text: string | undefined, length: number): Uint8Array {
  const bytes = new Uint8Array(Buffer.from(text ?? "", "base64"));
  if (bytes.length !== length || base64NoPad(bytes) !== text) {
    throw new Error("a stanza argument is malformed");
  }
  return bytes;
}
