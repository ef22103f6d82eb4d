/** Certificate profiles as data: what a certificate of a kind holds, with the source of each choice. */

import { hash } from "node:crypto";
import type { KeyAlgorithm } from "../lib/algorithms.ts";
import { concat, hex, sha256 } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import { decodeDer, SubjectPublicKeyInfo } from "./asn1.ts";
import type { ExtensionView, KeyUsageName } from "./extensions.ts";

export interface CertificateProfile {
  readonly name: string;
  readonly basicConstraints: { readonly ca: boolean; readonly pathLength: number | null };
  readonly keyUsage: readonly KeyUsageName[];
  /** The authority key id repeats the issuer's key id, or is left out. */
  readonly authorityKeyId: boolean;
  /** Days from first to last, both counted: hard bounds, and the range publicly trusted CAs keep to. */
  readonly days: { readonly least: number; readonly most: number; readonly usualLeast: number };
  readonly algorithms: readonly KeyAlgorithm[];
}

/**
 * The self-signed root (BR 7.1.2.1). Key usage is exactly certificates and CRLs: digitalSignature is
 * only for OCSP answers signed by the CA itself (BR 7.1.2.10.7), which an offline root does not give.
 * The authority key id is optional here (RFC 5280 §4.2.1.1) and recommended (BR 7.1.2.1.3). No extended
 * key usage (forbidden in roots) and no policies (not recommended).
 */
export const ROOT_PROFILE: CertificateProfile = {
  name: "root",
  basicConstraints: { ca: true, pathLength: null },
  keyUsage: ["keyCertSign", "cRLSign"],
  authorityKeyId: true,
  // BR 7.1.2.1.1: 2922 to 9132 days; shorter roots are for tests and private hierarchies.
  days: { least: 1, most: 9132, usualLeast: 2922 },
  algorithms: ["rsa-3072", "rsa-4096", "p-256", "p-384", "p-521", "ed25519"],
};

/** The extensions a profile asks for, in the order they are written. Key ids in hex. */
export function profileExtensions(
  profile: CertificateProfile,
  subjectKeyId: string,
  issuerKeyId: string,
): readonly ExtensionView[] {
  const authority: readonly ExtensionView[] = profile.authorityKeyId
    ? [{ kind: "authority-key-id", critical: false, keyId: issuerKeyId }]
    : [];
  return [
    { kind: "basic-constraints", critical: true, ...profile.basicConstraints },
    { kind: "key-usage", critical: true, usages: profile.keyUsage },
    { kind: "subject-key-id", critical: false, keyId: subjectKeyId },
    ...authority,
  ];
}

/** How a key id is made: 160 bits of a digest over the key bits. */
export type KeyIdMethod = "sha256" | "sha1";

/**
 * Key id in hex over the subjectPublicKey bits: the leftmost 160 bits of SHA-256 (RFC 7093 §2 method 1),
 * or SHA-1 as RFC 5280 §4.2.1.2 has it, for hierarchies that began with it. It names a key and
 * protects nothing, so SHA-1 does no harm there.
 */
export function keyIdOf(spki: Uint8Array, method: KeyIdMethod = "sha256"): string {
  const bits = keyBits(spki);
  return hex(method === "sha1" ? sha1(bits) : sha256(bits).subarray(0, 20));
}

/** The subjectPublicKey bits of a DER SubjectPublicKeyInfo, without tag, length and unused bits. */
export function keyBits(spki: Uint8Array): Uint8Array {
  const info = decodeDer(spki, SubjectPublicKeyInfo, "the public key");
  return new Uint8Array(info.subjectPublicKey);
}

function sha1(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(hash("sha1", bytes, "buffer"));
}

export const SERIAL_RANDOM_BYTES = 20;

/**
 * A serial number from 20 random bytes: 20 octets, positive, below 2^159, 158 random bits (RFC 5280
 * §4.1.2.2: at most 20 octets; BR 7.1: more than zero, below 2^159, at least 64 bits from a CSPRNG).
 * The two fixed bits keep its length constant, so no serial ever needs a padding byte or loses one.
 */
export function serialFrom(random: Uint8Array): Uint8Array {
  if (random.length !== SERIAL_RANDOM_BYTES) {
    throw new TypeError(`a serial number takes ${SERIAL_RANDOM_BYTES} random bytes`);
  }
  const first = ((random[0] ?? 0) & 0x3f) | 0x40;
  return concat(Uint8Array.of(first), random.subarray(1));
}

export interface Validity {
  /** Whole seconds, in milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
}

const DAY_SECONDS = 86_400;

/**
 * First and last second of a validity of `days` days: both ends are inside it (BR 1.6.1 "validity
 * period", RFC 5280 §4.1.2.5), so the last second is one short of days × 86,400.
 * @throws KeyriteError script.refused outside the profile's bounds.
 */
export function validityOf(
  profile: CertificateProfile,
  notBeforeMs: number,
  days: number,
): Validity {
  const { least, most } = profile.days;
  if (!Number.isInteger(days) || days < least || days > most) {
    throw new KeyriteError(
      "script.refused",
      `a ${profile.name} certificate is valid for ${least} to ${most} days, not ${days}`,
    );
  }
  const start = Math.floor(notBeforeMs / 1000);
  return { notBefore: start * 1000, notAfter: (start + days * DAY_SECONDS - 1) * 1000 };
}
