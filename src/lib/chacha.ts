/**
 * ChaCha20-Poly1305 (RFC 8439) on node:crypto that leaves no plaintext behind: 12-byte nonces, the tag of
 * 16 bytes after the ciphertext.
 */

import { createCipheriv, createDecipheriv } from "node:crypto";
import { concat } from "./encoding.ts";
import { ownBytes } from "./secret.ts";

export const TAG_LENGTH = 16;
const CIPHER = "chacha20-poly1305";
const OPTIONS = { authTagLength: TAG_LENGTH } as const;

// Node copies what a decipher gives out and frees the first of the two unwiped; what the allocator
// writes into freed memory covers eight bytes of it, so no more are asked for at a time.
const PIECE = 8;

/** Ciphertext and tag. The caller still owns, and wipes, key and plaintext. */
export function seal(key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const cipher = createCipheriv(CIPHER, key, nonce, OPTIONS);
  return concat(cipher.update(plaintext), cipher.final(), cipher.getAuthTag());
}

/**
 * The plaintext, which the caller wipes, or undefined when it does not authenticate. The caller still owns,
 * and wipes, the key.
 * @throws RangeError when there is no room for a tag
 */
export function open(
  key: Uint8Array,
  nonce: Uint8Array,
  sealed: Uint8Array,
): Uint8Array | undefined {
  if (sealed.length < TAG_LENGTH) throw new RangeError("there is no tag");
  const decipher = createDecipheriv(CIPHER, key, nonce, OPTIONS);
  decipher.setAuthTag(sealed.subarray(-TAG_LENGTH));
  const plaintext = ownBytes(sealed.length - TAG_LENGTH);
  for (let at = 0; at < plaintext.length; at += PIECE) {
    const piece = decipher.update(sealed.subarray(at, Math.min(at + PIECE, plaintext.length)));
    plaintext.set(piece, at);
    piece.fill(0);
  }
  try {
    decipher.final();
    return plaintext;
  } catch {
    plaintext.fill(0);
    return undefined;
  }
}
