/** Public keys as plain data: what a SubjectPublicKeyInfo says, in one canonical form per kind. */

import { schemesFor, type KeyAlgorithm, type SignatureScheme } from "../lib/algorithms.ts";
import { hex, sha256Hex } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import { parametersHex } from "./algorithms.ts";
import { decodeDer, RsaPublicKey, SubjectPublicKeyInfo } from "./asn1.ts";

export type Curve = "p-256" | "p-384" | "p-521";

interface KeyBase {
  /** DER SubjectPublicKeyInfo in hex. */
  readonly spki: string;
  /** SHA-256 of it in hex: the key's name everywhere. */
  readonly spkiSha256: string;
}
export interface RsaKeyView extends KeyBase {
  readonly kind: "rsa";
  /** Length of the modulus in bits. */
  readonly bits: number;
  /** Modulus and exponent in hex without leading zeros. */
  readonly modulus: string;
  readonly exponent: string;
}
export interface EcKeyView extends KeyBase {
  readonly kind: "ec";
  readonly curve: Curve;
  /** Uncompressed point in hex: `04`, x, y. */
  readonly point: string;
}
export interface Ed25519KeyView extends KeyBase {
  readonly kind: "ed25519";
  /** 32 bytes in hex. */
  readonly point: string;
}
export type KeyView = RsaKeyView | EcKeyView | Ed25519KeyView;

const RSA = "1.2.840.113549.1.1.1";
const EC = "1.2.840.10045.2.1";
const ED25519 = "1.3.101.112";
const ED25519_BYTES = 32;

interface CurveRule {
  readonly curve: Curve;
  /** Bytes of one coordinate. */
  readonly coordinate: number;
}
/** By the DER of the named-curve parameter in hex (RFC 5480 §2.1.1.1; bytes as in BR 7.1.3.1.2). */
const CURVES: Readonly<Record<string, CurveRule>> = {
  "06082a8648ce3d030107": { curve: "p-256", coordinate: 32 },
  "06052b81040022": { curve: "p-384", coordinate: 48 },
  "06052b81040023": { curve: "p-521", coordinate: 66 },
};

/**
 * Reads a DER SubjectPublicKeyInfo. Whether a point lies on its curve is node:crypto's to say, when
 * the signature is verified.
 * @throws KeyriteError usage.bad-file for other algorithms, parameters, point forms or BER.
 */
export function readSpki(spki: Uint8Array): KeyView {
  const info = decodeDer(spki, SubjectPublicKeyInfo, "the public key");
  const base: KeyBase = { spki: hex(spki), spkiSha256: sha256Hex(spki) };
  const key = new Uint8Array(info.subjectPublicKey);
  const parameters = parametersHex(info.algorithm);
  switch (info.algorithm.algorithm) {
    case RSA:
      return readRsa(base, key, parameters);
    case EC:
      return readEc(base, key, parameters);
    case ED25519:
      if (parameters !== null || key.length !== ED25519_BYTES) bad("the Ed25519 key is malformed");
      return { ...base, kind: "ed25519", point: hex(key) };
    default:
      bad(`the public key has the unknown algorithm ${info.algorithm.algorithm}`);
  }
}

function readRsa(base: KeyBase, key: Uint8Array, parameters: string | null): RsaKeyView {
  if (parameters !== "0500") bad("the RSA key lacks its NULL parameters");
  const { modulus, publicExponent } = decodeDer(key, RsaPublicKey, "the RSA key");
  const n = positive(modulus);
  return {
    ...base,
    kind: "rsa",
    bits: n.toString(2).length,
    modulus: n.toString(16),
    exponent: positive(publicExponent).toString(16),
  };
}

function positive(content: ArrayBuffer): bigint {
  const bytes = new Uint8Array(content);
  if ((bytes[0] ?? 0x80) >= 0x80) bad("the RSA key holds a number that is not positive");
  return BigInt(`0x${hex(bytes)}`);
}

function readEc(base: KeyBase, key: Uint8Array, parameters: string | null): EcKeyView {
  const rule = parameters === null ? undefined : CURVES[parameters];
  if (rule === undefined) bad("the key's curve is not P-256, P-384 or P-521 by name");
  if (key[0] !== 0x04 || key.length !== 1 + 2 * rule.coordinate) {
    bad("the key's point is not in uncompressed form");
  }
  return { ...base, kind: "ec", curve: rule.curve, point: hex(key) };
}

/** The algorithm's name in scripts and policies, or null for a size outside that list. */
export function keyAlgorithm(key: KeyView): KeyAlgorithm | null {
  switch (key.kind) {
    case "rsa":
      if (key.bits === 3072) return "rsa-3072";
      return key.bits === 4096 ? "rsa-4096" : null;
    case "ec":
      return key.curve;
    case "ed25519":
      return "ed25519";
  }
}

/**
 * The scheme that a key signs with under this padding, which matters for RSA alone.
 * @throws KeyriteError hsm.not-supported for a size that we do not sign with
 */
export function schemeWith(key: KeyView, rsaPadding: "pkcs1" | "pss"): SignatureScheme {
  const algorithm = keyAlgorithm(key);
  const schemes = algorithm === null ? [] : schemesFor(algorithm);
  const found = schemes.find((scheme) => key.kind !== "rsa" || scheme.includes(rsaPadding));
  if (found !== undefined) return found;
  throw new KeyriteError("hsm.not-supported", "the key is of a size that we do not sign with");
}

function bad(message: string): never {
  throw new KeyriteError("usage.bad-file", message);
}
