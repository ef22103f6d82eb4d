/** Rules on the key and on the algorithm it signs with. */

import { createPublicKey } from "node:crypto";
import { schemeFor } from "../lib/algorithms.ts";
import { hasClosePrimes, hasRocaFingerprint, smallFactor } from "../lib/weak-rsa.ts";
import { schemeInWords } from "./algorithms.ts";
import { keyAlgorithm, type RsaKeyView } from "./keys.ts";
import type { Lint } from "./lint-rule.ts";
import { ROOT_PROFILE } from "./profile.ts";
import type { CertificateView } from "./view.ts";

const LEAST_EXPONENT = 2n ** 16n + 1n;
const LARGEST_EXPONENT = 2n ** 256n - 1n;

export const KEY_LINTS: readonly Lint[] = [
  {
    rule: "key-algorithm",
    severity: "error",
    source: "BR 6.1.5",
    check: keyAlgorithmProblem,
  },
  {
    rule: "key-public-trust",
    severity: "warning",
    source: "BR 6.1.5",
    check: ({ key }) =>
      key.kind === "ed25519" ? "Ed25519 keys are not accepted in publicly trusted TLS" : undefined,
  },
  { rule: "key-valid", severity: "error", source: "BR 6.1.6", check: keyIsInvalid },
  { rule: "signature-algorithm", severity: "error", source: "BR 7.1.3.2", check: wrongScheme },
  {
    rule: "rsa-exponent",
    severity: "error",
    source: "BR 6.1.6",
    check: forRsa(({ exponent }) => {
      const e = BigInt(`0x${exponent}`);
      if (e % 2n === 1n && e >= LEAST_EXPONENT && e <= LARGEST_EXPONENT) return undefined;
      return "the RSA exponent is not an odd number from 2^16 + 1 to 2^256 - 1";
    }),
  },
  {
    rule: "rsa-small-factor",
    severity: "error",
    source: "BR 6.1.6",
    check: forRsa(({ modulus }) => {
      const factor = smallFactor(BigInt(`0x${modulus}`));
      return factor === undefined ? undefined : `the RSA modulus is divisible by ${factor}`;
    }),
  },
  {
    rule: "rsa-close-primes",
    severity: "error",
    source: "BR 6.1.1.3",
    check: forRsa(({ modulus }) =>
      hasClosePrimes(BigInt(`0x${modulus}`))
        ? "the RSA modulus falls to Fermat's method: its primes are too close"
        : undefined,
    ),
  },
  {
    rule: "rsa-roca",
    severity: "error",
    source: "BR 6.1.1.3",
    check: forRsa(({ modulus }) =>
      hasRocaFingerprint(BigInt(`0x${modulus}`))
        ? "the RSA modulus has the ROCA fingerprint (CVE-2017-15361)"
        : undefined,
    ),
  },
];

function keyAlgorithmProblem({ key }: CertificateView): string | undefined {
  const algorithm = keyAlgorithm(key);
  if (algorithm !== null && ROOT_PROFILE.algorithms.includes(algorithm)) return undefined;
  return `a key of this size is not for roots: one of ${ROOT_PROFILE.algorithms.join(", ")} is`;
}

function forRsa(check: (key: RsaKeyView) => string | undefined): Lint["check"] {
  return ({ key }) => (key.kind === "rsa" ? check(key) : undefined);
}

/** OpenSSL refuses to load a point that is not on its curve. */
function keyIsInvalid({ key }: CertificateView): string | undefined {
  try {
    createPublicKey({ key: Buffer.from(key.spki, "hex"), format: "der", type: "spki" });
    return undefined;
  } catch {
    return "the public key is not a valid one of its kind";
  }
}

function wrongScheme({ key, signature }: CertificateView): string | undefined {
  const algorithm = keyAlgorithm(key);
  if (algorithm === null) return undefined;
  const wanted = schemeFor(algorithm);
  if (signature.scheme === wanted) return undefined;
  return `a ${algorithm} key signs with ${schemeInWords(wanted)}, and the certificate says otherwise`;
}
