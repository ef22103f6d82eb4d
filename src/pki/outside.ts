/** Certificates from outside: bounded, and walked before any decoder that recurses sees them. */

import { KeyriteError, messageOf } from "../lib/errors.ts";
import { walk } from "./der.ts";
import { derFrom } from "./pem.ts";
import { readCertificate, type SignedCertificate } from "./view.ts";

/** More than any certificate without key material of a new kind has. */
export const LARGEST_CERTIFICATE = 64 * 1024;

export interface OutsideCertificate extends SignedCertificate {
  readonly der: Uint8Array;
}

/**
 * Reads one certificate in DER or PEM.
 * @throws KeyriteError usage.bad-file for anything else.
 */
export function readOutsideCertificate(bytes: Uint8Array): OutsideCertificate {
  const der = derFrom(bytes, ["CERTIFICATE"], "the certificate", LARGEST_CERTIFICATE);
  walkOrRefuse(der, "the certificate");
  return { der, ...readCertificate(der) };
}

/** @throws KeyriteError usage.bad-file for what is not DER in its tags and lengths. */
export function walkOrRefuse(der: Uint8Array, what: string): void {
  try {
    walk(der);
  } catch (error) {
    const message = `${what} is not DER: ${messageOf(error)}`;
    throw new KeyriteError("usage.bad-file", message, { cause: error });
  }
}
