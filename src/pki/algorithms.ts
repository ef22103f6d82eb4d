/** Algorithm identifiers of keys and signatures, exactly as RFC 3279, 4055, 5480, 5758 and 8410 write them. */

import { fromHex, hex } from "../lib/encoding.ts";
import type { SignatureScheme } from "../lib/algorithms.ts";
import { AlgorithmIdentifier } from "./asn1.ts";
import { IDENTIFIERS, NULL_PARAMETERS } from "./scheme-identifiers.ts";

export { hashOf } from "../lib/algorithms.ts";

/** An AlgorithmIdentifier as read: parameters are DER in hex, null when absent. */
export interface AlgorithmView {
  readonly oid: string;
  readonly parameters: string | null;
  /** Our name, or null when identifier and parameters are not exactly one that we issue. */
  readonly scheme: SignatureScheme | null;
}

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

/** A scheme in words: `ECDSA with SHA-384`. */
export function schemeInWords(scheme: SignatureScheme): string {
  if (scheme === "ed25519") return "Ed25519";
  return `${familyInWords(scheme)} with SHA-${scheme.slice(-3)}`;
}

function familyInWords(scheme: SignatureScheme): string {
  if (scheme.startsWith("rsa-pss")) return "RSA-PSS";
  return scheme.startsWith("rsa") ? "RSA (PKCS#1 v1.5)" : "ECDSA";
}
