/**
 * A public key as records hold it, and as the attributes of an object: a SubjectPublicKeyInfo of a
 * known algorithm has exactly one DER form (RFC 5480 §2, RFC 3279 §2.3.1, RFC 8410 §4).
 */

import { createPublicKey, type KeyObject } from "node:crypto";
import { KEY_ALGORITHMS, type KeyAlgorithm } from "../lib/algorithms.ts";
import { concat, equalBytes, sha256Hex } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import { ALGORITHMS, type AlgorithmFacts } from "./algorithms.ts";
import type { AttributeValue } from "./attributes.ts";
import type { AttributeName } from "./constants.ts";

/** A recorded public key whose DER has the form of its algorithm. */
export interface KeyForm {
  readonly algorithm: KeyAlgorithm;
  readonly facts: AlgorithmFacts;
  readonly spki: Uint8Array;
  readonly spkiSha256: string;
  /** The attributes that tell this key from any other of its kind. */
  readonly values: readonly (readonly [AttributeName, AttributeValue])[];
}

/** A recorded public key that is one: its point is on the curve. */
export interface RecordedKey extends KeyForm {
  readonly publicKey: KeyObject;
}

/**
 * Reads a recorded SubjectPublicKeyInfo.
 * @param algorithm what records say it is; found out when absent.
 * @throws KeyriteError hsm.not-supported when it is no key of that algorithm, or of none we know.
 */
export function recordedKey(spki: Uint8Array, algorithm?: KeyAlgorithm): RecordedKey {
  const form = keyForm(spki, algorithm);
  const publicKey = publicKeyOf(spki);
  if (publicKey === undefined) throw noKey(algorithm);
  return { ...form, publicKey };
}

/**
 * As `recordedKey`, without asking whether a point is on its curve: where a signature is verified anyway
 * that is found out then, and asking twice takes time for each of thousands.
 */
export function keyForm(spki: Uint8Array, algorithm?: KeyAlgorithm): KeyForm {
  for (const candidate of algorithm === undefined ? KEY_ALGORITHMS : [algorithm]) {
    const facts = ALGORITHMS[candidate];
    const values = valuesIn(spki, facts);
    if (values === undefined) continue;
    return { algorithm: candidate, facts, spki, spkiSha256: sha256Hex(spki), values };
  }
  throw noKey(algorithm);
}

function noKey(algorithm: KeyAlgorithm | undefined): KeyriteError {
  const what = algorithm === undefined ? "key of an algorithm we know" : `${algorithm} key`;
  return new KeyriteError("hsm.not-supported", `the recorded public key is no ${what}`, {
    hints: ["the record was altered, or belongs to another key: nothing was tried on the token"],
  });
}

/** SubjectPublicKeyInfo of a bare point. */
export function spkiOfPoint(
  facts: Exclude<AlgorithmFacts, { family: "rsa" }>,
  point: Uint8Array,
): Uint8Array {
  return concat(pointPrefix(facts), point);
}

/** SubjectPublicKeyInfo of a modulus and exponent, both big-endian. */
export function spkiOfModulus(modulus: Uint8Array, exponent: Uint8Array): Uint8Array {
  const key = der(0x30, integer(modulus), integer(exponent));
  return der(0x30, RSA_ENCRYPTION, der(0x03, Uint8Array.of(0), key));
}

/** A point as CKA_EC_POINT wants it: a DER OCTET STRING. */
export function octetString(bytes: Uint8Array): Uint8Array {
  return der(0x04, bytes);
}

// AlgorithmIdentifier of rsaEncryption, with its NULL parameters.
const RSA_ENCRYPTION = bytes("300d06092a864886f70d0101010500");
// SEQUENCE, then after the algorithm BIT STRING with no unused bits, SEQUENCE and INTEGER with a leading
// zero: all of two-byte lengths for the moduli we know.
const RSA_HEADER = 4 + 5 + 4 + 5;
const EC_PUBLIC_KEY = bytes("06072a8648ce3d0201");

const prefixes = new Map<AlgorithmFacts, Uint8Array>();

function pointPrefix(facts: Exclude<AlgorithmFacts, { family: "rsa" }>): Uint8Array {
  const known = prefixes.get(facts);
  if (known !== undefined) return known;
  const prefix = makePrefix(facts);
  prefixes.set(facts, prefix);
  return prefix;
}

function makePrefix(facts: Exclude<AlgorithmFacts, { family: "rsa" }>): Uint8Array {
  const identifier =
    facts.family === "ec" ? der(0x30, EC_PUBLIC_KEY, facts.params) : der(0x30, facts.params);
  const pointLength = facts.family === "ec" ? 1 + 2 * facts.size : 32;
  const whole = der(0x30, identifier, der(0x03, new Uint8Array(1 + pointLength)));
  return whole.subarray(0, whole.length - pointLength);
}

// That the DER is the canonical one is compared byte by byte.
function valuesIn(spki: Uint8Array, facts: AlgorithmFacts): KeyForm["values"] | undefined {
  return facts.family === "rsa" ? rsaValues(spki, facts.modulusBits) : pointValues(spki, facts);
}

function rsaValues(spki: Uint8Array, modulusBits: number): KeyForm["values"] | undefined {
  const modulusAt = RSA_HEADER + RSA_ENCRYPTION.length;
  const modulus = spki.subarray(modulusAt, modulusAt + modulusBits / 8);
  const exponent = spki.subarray(modulusAt + modulusBits / 8 + 2);
  const canonical = (modulus[0] ?? 0) >= 0x80 && exponent.length > 0 && exponent.length <= 8;
  if (!canonical || !equalBytes(spkiOfModulus(modulus, exponent), spki)) return undefined;
  return [
    ["MODULUS", modulus],
    ["PUBLIC_EXPONENT", exponent],
  ];
}

function pointValues(
  spki: Uint8Array,
  facts: Exclude<AlgorithmFacts, { family: "rsa" }>,
): KeyForm["values"] | undefined {
  const prefix = pointPrefix(facts);
  const point = spki.subarray(prefix.length);
  const length = facts.family === "ec" ? 1 + 2 * facts.size : 32;
  const fits = point.length === length && equalBytes(prefix, spki.subarray(0, prefix.length));
  if (!fits || (facts.family === "ec" && point[0] !== 0x04)) return undefined;
  return [
    ["EC_PARAMS", facts.params],
    ["EC_POINT", octetString(point)],
  ];
}

function publicKeyOf(spki: Uint8Array): KeyObject | undefined {
  try {
    return createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" });
  } catch {
    return undefined;
  }
}

function integer(value: Uint8Array): Uint8Array {
  const first = value.findIndex((byte) => byte !== 0);
  const digits = first < 0 ? new Uint8Array(1) : value.subarray(first);
  // A leading one bit would make the number negative.
  return (digits[0] ?? 0) >= 0x80 ? der(0x02, Uint8Array.of(0), digits) : der(0x02, digits);
}

function der(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const header =
    length < 0x80
      ? [tag, length]
      : length < 0x100
        ? [tag, 0x81, length]
        : [tag, 0x82, length >> 8, length & 0xff];
  return concat(Uint8Array.from(header), ...parts);
}

function bytes(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "hex"));
}
