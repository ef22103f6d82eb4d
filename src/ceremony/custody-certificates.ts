/** The part of custody about what CA keys signed and asked for: certificates, requests and newest CRLs. */

import type { Json, JsonObject } from "../lib/json.ts";
import type { DocumentOf } from "./certificate-documents.ts";
import type { Recorded } from "./custody-copies.ts";
import type { RevocationReason } from "./facts-certificates.ts";
import type { FactOf } from "./facts.ts";

export interface Revoked {
  readonly reason: RevocationReason;
  /** From when on, RFC 3339 to the second. */
  readonly date: string;
  readonly ceremony: string;
}

export type IssuedCertificate = Omit<FactOf<"certificate.issued">, "kind"> & {
  readonly source: "issued";
  readonly ceremony: string;
  readonly revoked: Revoked | null;
};
export type ImportedCertificate = Omit<FactOf<"certificate.imported">, "kind"> & {
  readonly source: "imported";
  readonly ceremony: string;
};
export type CertificateCustody = IssuedCertificate | ImportedCertificate;

export type RequestCustody = Omit<FactOf<"csr.made">, "kind"> & { readonly ceremony: string };
export type CrlCustody = Omit<FactOf<"crl.issued">, "kind"> & { readonly ceremony: string };

export interface CertificatesCustody {
  /** By SHA-256 of their DER. */
  readonly certificates: ReadonlyMap<string, CertificateCustody>;
  /** Certificate requests by SHA-256 of their DER. */
  readonly requests: ReadonlyMap<string, RequestCustody>;
  /** The newest CRL by the SPKI digest of the key that signed it. */
  readonly crls: ReadonlyMap<string, CrlCustody>;
}

export const NO_CERTIFICATES: CertificatesCustody = {
  certificates: new Map(),
  requests: new Map(),
  crls: new Map(),
};

/** What facts about certificates are judged by besides them. */
export type CertificateContext = Recorded & {
  readonly foreseen?: boolean;
  /** Attachments by their SHA-256: documents are compared with what is recorded of them. */
  readonly document?: DocumentOf;
};

/** This part of custody as JSON, with maps as objects. */
export function certificatesJson(custody: CertificatesCustody): JsonObject {
  return {
    certificates: Object.fromEntries(custody.certificates) as unknown as Json,
    requests: Object.fromEntries(custody.requests),
    crls: Object.fromEntries(custody.crls),
  };
}

/** The certificates that a key has issued, in the order in which it did. */
export function issuedBy(
  { certificates }: CertificatesCustody,
  issuerSpki: string,
): readonly IssuedCertificate[] {
  return [...certificates.values()].filter(
    (one): one is IssuedCertificate => one.source === "issued" && one.issuerSpki === issuerSpki,
  );
}

/** Those of them that are revoked. */
export function revokedBy(
  custody: CertificatesCustody,
  issuerSpki: string,
): readonly (IssuedCertificate & { readonly revoked: Revoked })[] {
  return issuedBy(custody, issuerSpki).filter(
    (one): one is IssuedCertificate & { readonly revoked: Revoked } => one.revoked !== null,
  );
}
