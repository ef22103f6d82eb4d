/**
 * The payload of an age file (STREAM, age-encryption.org/v1) on node:crypto. The library keeps the
 * plaintext it seals in a buffer that nobody can reach to wipe; here every byte of it is ours.
 */

import { hkdfSync, randomBytes } from "node:crypto";
import { open, seal, TAG_LENGTH } from "./chacha.ts";
import { concat, utf8 } from "./encoding.ts";
import { ownBytes, Secret } from "./secret.ts";

const NONCE_LENGTH = 16;
const CHUNK_LENGTH = 65_536;
const LABEL = utf8("payload");

/** Nonce and sealed chunks. The caller still owns, and wipes, file key and plaintext. */
export function sealPayload(fileKey: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const nonce = randomBytes(NONCE_LENGTH);
  const key = payloadKey(fileKey, nonce);
  const parts: Uint8Array[] = [nonce];
  const chunks = Math.max(1, Math.ceil(plaintext.length / CHUNK_LENGTH));
  for (let i = 0; i < chunks; i++) {
    const chunk = plaintext.subarray(i * CHUNK_LENGTH, (i + 1) * CHUNK_LENGTH);
    parts.push(seal(key, chunkNonce(i, i === chunks - 1), chunk));
  }
  key.fill(0);
  return concat(...parts);
}

/**
 * The plaintext of nonce and sealed chunks. The caller still owns, and wipes, the file key.
 * @throws Error when a chunk does not authenticate, or the last one is missing or empty for nothing
 */
export function openPayload(fileKey: Uint8Array, payload: Uint8Array): Secret {
  const sealed = payload.subarray(NONCE_LENGTH);
  const step = CHUNK_LENGTH + TAG_LENGTH;
  const chunks = Math.max(1, Math.ceil(sealed.length / step));
  const length = sealed.length - chunks * TAG_LENGTH;
  const last = sealed.length - (chunks - 1) * step;
  // Only an empty file has an empty chunk: otherwise one plaintext would have two forms.
  if (last < TAG_LENGTH || (last === TAG_LENGTH && chunks > 1)) throw new Error("it was cut short");
  const plaintext = Secret.take(ownBytes(length));
  const key = payloadKey(fileKey, payload.subarray(0, NONCE_LENGTH));
  try {
    for (let i = 0; i < chunks; i++) {
      const chunk = sealed.subarray(i * step, (i + 1) * step);
      const opened = open(key, chunkNonce(i, i === chunks - 1), chunk);
      if (opened === undefined) throw new Error("it was altered");
      plaintext.use((bytes) => {
        bytes.set(opened, i * CHUNK_LENGTH);
      });
      opened.fill(0);
    }
    return plaintext;
  } catch (error) {
    plaintext.wipe();
    throw error;
  } finally {
    key.fill(0);
  }
}

function payloadKey(fileKey: Uint8Array, nonce: Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", fileKey, nonce, LABEL, 32));
}

/** Eleven bytes of a counter, and one that marks the last chunk. */
function chunkNonce(counter: number, isLast: boolean): Uint8Array {
  const nonce = new Uint8Array(12);
  new DataView(nonce.buffer).setUint32(7, counter);
  nonce[11] = isLast ? 1 : 0;
  return nonce;
}
