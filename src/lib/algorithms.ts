/** The names of key and signature algorithms, spoken by HSM and certificates alike. */

export const KEY_ALGORITHMS = [
  "rsa-3072",
  "rsa-4096",
  "p-256",
  "p-384",
  "p-521",
  "ed25519",
] as const;
export type KeyAlgorithm = (typeof KEY_ALGORITHMS)[number];

/** Signature schemes; the message is hashed in software, except for Ed25519. */
export const SIGNATURE_SCHEMES = [
  "rsa-pkcs1-sha256",
  "rsa-pkcs1-sha384",
  "rsa-pkcs1-sha512",
  "rsa-pss-sha256",
  "rsa-pss-sha384",
  "rsa-pss-sha512",
  "ecdsa-sha256",
  "ecdsa-sha384",
  "ecdsa-sha512",
  "ed25519",
] as const;
export type SignatureScheme = (typeof SIGNATURE_SCHEMES)[number];

/**
 * The scheme a key signs with unless a profile names another. The hash is the smallest whose collision strength is not below
 * the key's (NIST SP 800-57 part 1 table 2: RSA-3072 128 bits, RSA-4096 about 152); for ECDSA the
 * pairing is the only one the Baseline Requirements allow (BR 7.1.3.2.2). Nobody chooses on the day, so
 * nobody can weaken a signature.
 */
export function schemeFor(algorithm: KeyAlgorithm): SignatureScheme {
  switch (algorithm) {
    case "rsa-3072":
      return "rsa-pkcs1-sha256";
    case "rsa-4096":
      return "rsa-pkcs1-sha384";
    case "p-256":
      return "ecdsa-sha256";
    case "p-384":
      return "ecdsa-sha384";
    case "p-521":
      return "ecdsa-sha512";
    case "ed25519":
      return "ed25519";
  }
}

/**
 * Every scheme a key may sign with, the default first: for RSA both paddings, with no hash weaker than
 * the default's.
 */
export function schemesFor(algorithm: KeyAlgorithm): readonly SignatureScheme[] {
  switch (algorithm) {
    case "rsa-3072":
      return [
        ...(["rsa-pkcs1-sha256", "rsa-pkcs1-sha384", "rsa-pkcs1-sha512"] as const),
        ...(["rsa-pss-sha256", "rsa-pss-sha384", "rsa-pss-sha512"] as const),
      ];
    case "rsa-4096":
      return ["rsa-pkcs1-sha384", "rsa-pkcs1-sha512", "rsa-pss-sha384", "rsa-pss-sha512"];
    case "p-256":
    case "p-384":
    case "p-521":
    case "ed25519":
      return [schemeFor(algorithm)];
  }
}

/** Hash of a scheme as node:crypto names it; null for Ed25519, which hashes itself. */
export function hashOf(scheme: SignatureScheme): "sha256" | "sha384" | "sha512" | null {
  switch (scheme) {
    case "rsa-pkcs1-sha256":
    case "rsa-pss-sha256":
    case "ecdsa-sha256":
      return "sha256";
    case "rsa-pkcs1-sha384":
    case "rsa-pss-sha384":
    case "ecdsa-sha384":
      return "sha384";
    case "rsa-pkcs1-sha512":
    case "rsa-pss-sha512":
    case "ecdsa-sha512":
      return "sha512";
    case "ed25519":
      return null;
  }
}
