/** Algorithm identifiers of keys and signatures, exactly as RFC 3279, 4055, 5480, 5758 and 8410 write them. */

import { fromHex, hex } from "../lib/encoding.ts";
import type { SignatureScheme } from "../lib/algorithms.ts";
import { AlgorithmIdentifier } from "./asn1.ts";

/**
 * RSASSA-PSS-params as BR 7.1.3.2.1 prints them: hash, MGF1 with the same hash, salt as long as the hash;
 * `octet` is the last octet of the hash's identifier.
 */
function pssParameters(octet: string, saltLength: string): string {
  const hash = `300d06096086480165030402${octet}0500`;
  return `3034a00f${hash}a11c301a06092a864886f70d010108${hash}a2030201${saltLength}`;
}

/** NULL parameters, as RSA demands (RFC 4055 §5); ECDSA and Ed25519 forbid any (RFC 5758 §3.2, RFC 8410 §3). */
const NULL_PARAMETERS = "0500";

/** An AlgorithmIdentifier as read: parameters are DER in hex, null when absent. */
export interface AlgorithmView {
  readonly oid: string;
  readonly parameters: string | null;
  /** Our name, or null when identifier and parameters are not exactly one that we issue. */
  readonly scheme: SignatureScheme | null;
}

interface Identifier {
  readonly oid: string;
  readonly parameters: string | null;
}

const RSASSA_PSS = "1.2.840.113549.1.1.10";

const IDENTIFIERS: Readonly<Record<SignatureScheme, Identifier>> = {
  "rsa-pkcs1-sha256": { oid: "1.2.840.113549.1.1.11", parameters: NULL_PARAMETERS },
  "rsa-pkcs1-sha384": { oid: "1.2.840.113549.1.1.12", parameters: NULL_PARAMETERS },
  "rsa-pkcs1-sha512": { oid: "1.2.840.113549.1.1.13", parameters: NULL_PARAMETERS },
  "rsa-pss-sha256": { oid: RSASSA_PSS, parameters: pssParameters("01", "20") },
  "rsa-pss-sha384": { oid: RSASSA_PSS, parameters: pssParameters("02", "30") },
  "rsa-pss-sha512": { oid: RSASSA_PSS, parameters: pssParameters("03", "40") },
  "ecdsa-sha256": { oid: "1.2.840.10045.4.3.2", parameters: null },
  "ecdsa-sha384": { oid: "1.2.840.10045.4.3.3", parameters: null },
  "ecdsa-sha512": { oid: "1.2.840.10045.4.3.4", parameters: null },
  ed25519: { oid: "1.3.101.112", parameters: null },
};

/** The AlgorithmIdentifier of a signature, as it stands inside and outside the signed part. */
export function algorithmIdentifier(scheme: SignatureScheme): AlgorithmIdentifier {
  const { oid, parameters } = IDENTIFIERS[scheme];
  if (parameters === null) return new AlgorithmIdentifier({ algorithm: oid });
  // asn1-x509 writes null as NULL and leaves undefined out.
  if (parameters === NULL_PARAMETERS) {
    return new AlgorithmIdentifier({ algorithm: oid, parameters: null });
  }
  const bytes = Uint8Array.from(fromHex(parameters) ?? []);
  return new AlgorithmIdentifier({ algorithm: oid, parameters: bytes.buffer });
}

/** Reads an AlgorithmIdentifier; the scheme is named only when the parameters are right as well. */
export function readAlgorithm(identifier: AlgorithmIdentifier): AlgorithmView {
  const parameters = parametersHex(identifier);
  return {
    oid: identifier.algorithm,
    parameters,
    scheme: schemeOf(identifier.algorithm, parameters),
  };
}

/** DER of the parameters in hex; null when absent. */
export function parametersHex({ parameters }: AlgorithmIdentifier): string | null {
  if (parameters === undefined) return null;
  return parameters === null ? NULL_PARAMETERS : hex(new Uint8Array(parameters));
}

function schemeOf(oid: string, parameters: string | null): SignatureScheme | null {
  const names = Object.keys(IDENTIFIERS) as SignatureScheme[];
  const found = names.find((name) => {
    const identifier = IDENTIFIERS[name];
    return identifier.oid === oid && identifier.parameters === parameters;
  });
  return found ?? null;
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

/** A scheme in words: `ECDSA with SHA-384`. */
export function schemeInWords(scheme: SignatureScheme): string {
  if (scheme === "ed25519") return "Ed25519";
  return `${familyInWords(scheme)} with SHA-${scheme.slice(-3)}`;
}

function familyInWords(scheme: SignatureScheme): string {
  if (scheme.startsWith("rsa-pss")) return "RSA-PSS";
  return scheme.startsWith("rsa") ? "RSA (PKCS#1 v1.5)" : "ECDSA";
}
