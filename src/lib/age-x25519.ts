/**
 * X25519 keys of age on node:crypto: `age1…` recipients as strings, `AGE-SECRET-KEY-1…` only ever
 * as bytes.
 */

import {
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
} from "node:crypto";
import {
  base64NoPad,
  fromBase64NoPad,
  unwrapUnder,
  wrapUnder,
  type Identity,
  type Recipient,
} from "./age-stanza.ts";
import { decodeBech32, encodeBech32, fromUpperCase, toUpperCase } from "./bech32.ts";
import { concat, fromHex, fromUtf8, hex, utf8 } from "./encoding.ts";
import { Secret } from "./secret.ts";

const KEY_LENGTH = 32;
const PUBLIC_PREFIX = "age";
const SECRET_PREFIX = "age-secret-key-";
const LABEL = utf8("age-encryption.org/v1/X25519");

/** DER around a raw key (RFC 8410): node:crypto takes raw X25519 keys in no other way. */
const PKCS8_HEAD = fromHex("302e020100300506032b656e04220420") ?? new Uint8Array();
const SPKI_HEAD = fromHex("302a300506032b656e032100") ?? new Uint8Array();

// u of the points on Curve25519 and its twist whose order divides 8, in canonical form: with these
// everybody agrees on zero. A table, because a trial agreement for every card read would cost more
// than all else that is checked of a card.
const SMALL_ORDER: ReadonlySet<string> = new Set([
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
  "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
]);

/**
 * Seals to an `age1…` key.
 * @throws Error when `text` is not one: see `whyRecipientRefused`.
 */
export function x25519Recipient(text: string): Recipient {
  const refusal = whyRecipientRefused(text);
  const theirs = decodeRecipient(text);
  if (refusal !== undefined || theirs === undefined) throw new Error(`${text} ${refusal ?? ""}`);
  return {
    kind: "X25519",
    wrapFileKey(fileKey) {
      const { privateKey, publicKey } = generateKeyPairSync("x25519");
      const share = rawPublic(publicKey);
      const key = wrappingKey(privateKey, theirs, share, theirs);
      const args = ["X25519", base64NoPad(share)];
      return Promise.resolve([{ args, body: wrapUnder(key, fileKey) }]);
    },
  };
}

/** Opens what was sealed to the key with these 32 secret bytes. The secret is only borrowed. */
export function x25519Identity(secretKey: Secret): Identity {
  const ours = rawPublic(createPublicKey(privateKeyOf(secretKey)));
  return {
    kind: "X25519",
    unwrapFileKey(stanzas) {
      const privateKey = privateKeyOf(secretKey);
      for (const stanza of stanzas) {
        if (stanza.args[0] !== "X25519") continue;
        if (stanza.args.length !== 2) throw new Error("an X25519 stanza is malformed");
        const share = fromBase64NoPad(stanza.args[1], KEY_LENGTH);
        const fileKey = unwrapUnder(wrappingKey(privateKey, share, share, ours), stanza.body);
        if (fileKey !== null) return Promise.resolve(fileKey);
      }
      return Promise.resolve(null);
    },
  };
}

/** The `age1…` recipient of 32 secret bytes. */
export function recipientOf(secretKey: Secret): string {
  const raw = rawPublic(createPublicKey(privateKeyOf(secretKey)));
  return fromUtf8(encodeBech32(PUBLIC_PREFIX, raw));
}

/**
 * What is wrong with the text of a recipient, or undefined. Refused: anything but one lower-case
 * Bech32 form, non-canonical keys (a second text for the same key would hide that two people share
 * it) and keys of small order (everybody knows the secret they agree on).
 */
export function whyRecipientRefused(text: string): string | undefined {
  const raw = decodeRecipient(text);
  if (raw === undefined) return "is not an age recipient";
  if (!isCanonical(raw)) return "is an age recipient in a non-canonical form";
  return SMALL_ORDER.has(hex(raw)) ? "is an age recipient of small order" : undefined;
}

/** `AGE-SECRET-KEY-1…` as ASCII bytes; the caller wipes them. */
export function encodeSecretKey(secretKey: Secret): Uint8Array {
  return toUpperCase(secretKey.use((bytes) => encodeBech32(SECRET_PREFIX, bytes)));
}

/** The secret key in `AGE-SECRET-KEY-1…` ASCII bytes, or undefined for any other bytes. */
export function decodeSecretKey(text: Uint8Array): Secret | undefined {
  const lower = fromUpperCase(text);
  const raw = lower && decodeBech32(SECRET_PREFIX, lower);
  lower?.fill(0);
  if (raw?.length === KEY_LENGTH) return Secret.take(raw);
  raw?.fill(0);
  return undefined;
}

function decodeRecipient(text: string): Uint8Array | undefined {
  const raw = decodeBech32(PUBLIC_PREFIX, utf8(text));
  return raw?.length === KEY_LENGTH ? raw : undefined;
}

/** u < 2^255 - 19, little-endian (RFC 7748 §5 would reduce larger ones silently). */
function isCanonical(raw: Uint8Array): boolean {
  const [low = 0, ...rest] = raw;
  const top = rest.pop() ?? 0;
  return top < 0x7f || (top === 0x7f && (low < 0xed || rest.some((byte) => byte !== 0xff)));
}

function wrappingKey(
  privateKey: KeyObject,
  peer: Uint8Array,
  share: Uint8Array,
  recipient: Uint8Array,
): Uint8Array {
  const agreed = diffieHellman({ privateKey, publicKey: publicKeyOf(peer) });
  const key = new Uint8Array(hkdfSync("sha256", agreed, concat(share, recipient), LABEL, 32));
  agreed.fill(0);
  return key;
}

function privateKeyOf(secretKey: Secret): KeyObject {
  const der = secretKey.use((bytes) => concat(PKCS8_HEAD, bytes));
  try {
    return createPrivateKey({ key: view(der), format: "der", type: "pkcs8" });
  } finally {
    der.fill(0);
  }
}

function publicKeyOf(raw: Uint8Array): KeyObject {
  return createPublicKey({ key: view(concat(SPKI_HEAD, raw)), format: "der", type: "spki" });
}

function rawPublic(key: KeyObject): Uint8Array {
  return new Uint8Array(key.export({ format: "der", type: "spki" }).subarray(SPKI_HEAD.length));
}

function view(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
