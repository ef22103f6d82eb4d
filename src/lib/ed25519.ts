/**
 * Ed25519 (RFC 8032) as everything here signs and verifies: raw 32-byte keys, 64-byte signatures,
 * and no encoding that two verifiers could read differently.
 */

import { createPrivateKey, createPublicKey, sign, verify, type KeyObject } from "node:crypto";
import { concat, hex } from "./encoding.ts";

export interface SigningKey {
  /** 32 bytes, RFC 8032 §5.1.5. */
  readonly publicKey: Uint8Array;
  /** A 64-byte signature over the message itself (no prehash, no context). */
  sign(message: Uint8Array): Uint8Array;
}

// The fixed DER head of RFC 8410 private keys, and the length of that of public ones: node:crypto takes no raw
// Ed25519 keys in Node 20, and no secret may become the text that a JWK is.
const PKCS8_HEAD = Buffer.from("302e020100300506032b657004220420", "hex");
const SPKI_HEAD_LENGTH = 12;

const FIELD_PRIME = 2n ** 255n - 19n;
const GROUP_ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;

// y of the points whose order divides 8, in the encoding of RFC 8032 without the sign bit. Under
// such a key one signature verifies for many messages, so it names nobody.
const SMALL_ORDER = new Set([
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
]);

/**
 * The key pair of a 32-byte seed (RFC 8032 §5.1.5). The caller still owns the seed and wipes it;
 * what OpenSSL keeps is freed with the object.
 * @throws RangeError when the seed is not 32 bytes.
 */
export function signingKeyFromSeed(seed: Uint8Array): SigningKey {
  if (seed.length !== 32) throw new RangeError(`an Ed25519 seed has 32 bytes, not ${seed.length}`);
  const der = Buffer.from(concat(PKCS8_HEAD, seed).buffer);
  const privateKey = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  der.fill(0);
  const spki = createPublicKey(privateKey).export({ format: "der", type: "spki" });
  return {
    publicKey: new Uint8Array(spki.subarray(SPKI_HEAD_LENGTH)),
    sign: (message) => new Uint8Array(sign(null, message, privateKey)),
  };
}

/**
 * Whether `signature` is one over `message` by `publicKey`. False, never an error, for wrong
 * lengths, S not below the group order (RFC 8032 §5.1.7) and keys that `whyKeyRefused` refuses.
 */
export function verifySignature(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (knownGood.size > 0 && knownGood.has(signatureName(publicKey, message, signature)))
    return true;
  if (signature.length !== 64 || !isBelowOrder(signature.subarray(32))) return false;
  const key = keyObject(publicKey);
  const good = key !== undefined && verify(null, message, key, signature);
  if (good) foundGood?.add(signatureName(publicKey, message, signature));
  return good;
}

/**
 * Names one check of a signature by all that goes into it: what another thread found good under this name
 * is good here, whoever asks and for whatever reason.
 */
export function signatureName(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): string {
  // Only the message has no fixed length once the other two have theirs, so no two checks share a name. Its
  // bytes as they are: hashing them costs more than handing them on.
  const lengths = `${publicKey.length} ${signature.length} `;
  return `${lengths}${latin1(publicKey)}${latin1(signature)}${latin1(message)}`;
}

function latin1({ buffer, byteOffset, length }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, length).toString("latin1");
}

let knownGood: ReadonlySet<string> = new Set();
let foundGood: Set<string> | undefined;

/** The names of the signatures that `body` has verified and found good. */
export function goodSignaturesOf(body: () => unknown): ReadonlySet<string> {
  const names = new Set<string>();
  foundGood = names;
  try {
    body();
  } finally {
    foundGood = undefined;
  }
  return names;
}

/** Runs `body`; signatures of these names were found good by `verifySignature` on another thread. */
export function withKnownGood<T>(names: ReadonlySet<string>, body: () => T): T {
  const before = knownGood;
  knownGood = names;
  try {
    return body();
  } finally {
    knownGood = before;
  }
}

/**
 * Why these bytes may not stand as somebody's public key, or undefined when they may: a wrong
 * length, y not below the field prime (a second encoding of another key), or a point of small order.
 */
export function whyKeyRefused(publicKey: Uint8Array): string | undefined {
  if (publicKey.length !== 32) {
    return `an Ed25519 public key has 32 bytes, not ${publicKey.length}`;
  }
  const y = new Uint8Array(publicKey);
  y[31] = (y[31] ?? 0) & 0x7f;
  if (littleEndian(y) >= FIELD_PRIME) return "the Ed25519 public key is not in canonical form";
  if (SMALL_ORDER.has(hex(y))) return "the Ed25519 public key is a point of small order";
  return undefined;
}

function isBelowOrder(s: Uint8Array): boolean {
  // The order is 2^252 and a little: nearly every S shows by its last byte alone that it is smaller.
  return (s[31] ?? 0xff) < 0x10 || littleEndian(s) < GROUP_ORDER;
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${hex(bytes.toReversed())}`);
}

// Making a KeyObject costs as much as a verification, and a ledger has few signers.
const CACHE_LIMIT = 256;
const keyObjects = new Map<string, KeyObject>();

function keyObject(publicKey: Uint8Array): KeyObject | undefined {
  const name = hex(publicKey);
  const known = keyObjects.get(name);
  if (known !== undefined) return known;
  if (whyKeyRefused(publicKey) !== undefined) return undefined;
  // OpenSSL takes the raw key out of this form; for DER it would try all its decoders in turn.
  const x = Buffer.from(publicKey).toString("base64url");
  const made = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
  if (keyObjects.size >= CACHE_LIMIT) keyObjects.clear();
  keyObjects.set(name, made);
  return made;
}
