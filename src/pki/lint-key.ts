/** Trust on the key that a certificate or a request is about. */

import { createPublicKey } from "node:crypto";
import { KEY_ALGORITHMS } from "../lib/algorithms.ts";
import { hasClosePrimes, hasRocaFingerprint, smallFactor } from "../lib/weak-rsa.ts";
import { keyAlgorithm, type RsaKeyView } from "./keys.ts";
import { type CertificateSubject, issuerOf, type KeyHolder, type Lint } from "./lint-rule.ts";

const LEAST_EXPONENT = 2n ** 16n + 1n;
const LARGEST_EXPONENT = 2n ** 256n - 1n;

type Check = Lint<KeyHolder>["check"];

const algorithm: Check = ({ view: { key } }) =>
  keyAlgorithm(key) === null
    ? `a key of this size is not used here: one of ${KEY_ALGORITHMS.join(", ")} is`
    : undefined;

const publicTrust: Check = ({ view: { key }, trust }) =>
  key.kind === "ed25519" && trust !== "private"
    ? "Ed25519 keys are not accepted in public trust"
    : undefined;

/** OpenSSL refuses to load a point that is not on its curve. */
const valid: Check = ({ view: { key } }) => {
  try {
    createPublicKey({ key: Buffer.from(key.spki, "hex"), format: "der", type: "spki" });
    return undefined;
  } catch {
    return "the public key is not a valid one of its kind";
  }
};

const foreign: Check = ({ view: { key }, custodyKeys }) =>
  custodyKeys?.has(key.spkiSha256) === true
    ? "the key is known as another's: no two subjects may share one"
    : undefined;

const exponent = forRsa(({ exponent: digits }) => {
  const e = BigInt(`0x${digits}`);
  if (e % 2n === 1n && e >= LEAST_EXPONENT && e <= LARGEST_EXPONENT) return undefined;
  return "the RSA exponent is not an odd number from 2^16 + 1 to 2^256 - 1";
});

const smallFactors = forRsa(({ modulus }) => {
  const factor = smallFactor(BigInt(`0x${modulus}`));
  return factor === undefined ? undefined : `the RSA modulus is divisible by ${factor}`;
});

const closePrimes = forRsa(({ modulus }) =>
  hasClosePrimes(BigInt(`0x${modulus}`))
    ? "the RSA modulus falls to Fermat's method: its primes are too close"
    : undefined,
);

const roca = forRsa(({ modulus }) =>
  hasRocaFingerprint(BigInt(`0x${modulus}`))
    ? "the RSA modulus has the ROCA fingerprint (CVE-2017-15361)"
    : undefined,
);

export const KEY_LINTS: readonly Lint<KeyHolder>[] = [
  { rule: "key-algorithm", severity: "error", source: "BR 6.1.5", check: algorithm },
  { rule: "key-public-trust", severity: "error", source: "BR 6.1.5", check: publicTrust },
  { rule: "key-valid", severity: "error", source: "BR 6.1.6", check: valid },
  { rule: "key-foreign", severity: "error", source: "BR 6.1.1.3", check: foreign },
  { rule: "rsa-exponent", severity: "error", source: "BR 6.1.6", check: exponent },
  { rule: "rsa-small-factor", severity: "error", source: "BR 6.1.6", check: smallFactors },
  { rule: "rsa-close-primes", severity: "error", source: "BR 6.1.1.3", check: closePrimes },
  { rule: "rsa-roca", severity: "error", source: "BR 6.1.1.3", check: roca },
];

const notIssuers: Lint<CertificateSubject>["check"] = (subject) =>
  subject.issuer !== null && issuerOf(subject).key.spki === subject.view.key.spki
    ? "the key is the issuer's own"
    : undefined;

const crossKey: Lint<CertificateSubject>["check"] = ({ view, existing }) =>
  existing !== undefined && existing.key.spki !== view.key.spki
    ? "the key is not that of the certificate that it doubles"
    : undefined;

export const CERTIFIED_KEY_LINTS: readonly Lint<CertificateSubject>[] = [
  { rule: "key-issuers", severity: "error", source: "RFC 5280 §3.2", check: notIssuers },
  { rule: "cross-key", severity: "error", source: "BR 7.1.2.2", check: crossKey },
];

function forRsa(check: (key: RsaKeyView) => string | undefined): Check {
  return ({ view: { key } }) => (key.kind === "rsa" ? check(key) : undefined);
}
