/** Verifies signatures in software, each scheme with exactly the parameters we sign with. */

import { constants, createPublicKey, type KeyObject, verify } from "node:crypto";
import { hashOf, type SignatureScheme } from "../lib/algorithms.ts";

/**
 * Whether a signature in X.509 form is right. A key that cannot be loaded (a point off its curve) or is
 * of another kind than the scheme verifies nothing; a PSS salt of another length than the hash's neither.
 * @param key DER SubjectPublicKeyInfo, or the key it was read as.
 */
export function verifySignature(
  scheme: SignatureScheme,
  key: Uint8Array | KeyObject,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  try {
    const publicKey = key instanceof Uint8Array ? importKey(key) : key;
    if (publicKey.asymmetricKeyType !== keyTypeOf(scheme)) return false;
    const how = { key: publicKey, dsaEncoding: "der", ...padding(scheme) } as const;
    return verify(hashOf(scheme), message, how, signature);
  } catch {
    return false;
  }
}

/** @throws Error of node:crypto for bytes that are no valid key. */
function importKey(spki: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" });
}

function keyTypeOf(scheme: SignatureScheme): "rsa" | "ec" | "ed25519" {
  if (scheme === "ed25519") return "ed25519";
  return scheme.startsWith("rsa") ? "rsa" : "ec";
}

/** What node:crypto must be told beyond the hash, to sign or verify. */
export function padding(
  scheme: SignatureScheme,
): { readonly padding: number; readonly saltLength: number } | undefined {
  if (!scheme.startsWith("rsa-pss")) return undefined;
  const saltLength = Number(scheme.slice(-3)) / 8;
  return { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength };
}
