/** Algorithm identifiers of signatures, exactly as RFC 3279, 4055, 5758 and 8410 write them, and no decoder. */

import { SIGNATURE_SCHEMES, type SignatureScheme } from "../lib/algorithms.ts";
import { equalBytes, fromHex } from "../lib/encoding.ts";
import { oid, sequence } from "./der.ts";

/**
 * RSASSA-PSS-params as BR 7.1.3.2.1 prints them: hash, MGF1 with the same hash, salt as long as the hash;
 * `octet` is the last octet of the hash's identifier.
 */
function pssParameters(octet: string, saltLength: string): string {
  const hash = `300d06096086480165030402${octet}0500`;
  return `3034a00f${hash}a11c301a06092a864886f70d010108${hash}a2030201${saltLength}`;
}

/** NULL parameters, as RSA demands (RFC 4055 §5); ECDSA and Ed25519 forbid any (RFC 5758 §3.2, RFC 8410 §3). */
export const NULL_PARAMETERS = "0500";

export interface Identifier {
  readonly oid: string;
  readonly parameters: string | null;
}

const RSASSA_PSS = "1.2.840.113549.1.1.10";

export const IDENTIFIERS: Readonly<Record<SignatureScheme, Identifier>> = {
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

/** The scheme whose AlgorithmIdentifier these bytes are, parameters and all. */
export function schemeOfDer(der: Uint8Array): SignatureScheme | undefined {
  return SIGNATURE_SCHEMES.find((scheme) => {
    const { oid: type, parameters } = IDENTIFIERS[scheme];
    const more = parameters === null ? [] : [fromHex(parameters) ?? new Uint8Array()];
    return equalBytes(der, sequence(oid(type), ...more));
  });
}
