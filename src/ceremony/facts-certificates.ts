/**
 * Facts about what CA keys have signed or asked for: certificates, requests, revocations and CRLs. The
 * documents themselves are attached; what stands here is what later steps and auditors look things up by.
 */

import { z } from "../lib/schema.ts";
import { digest, label, line } from "./words.ts";

const serial = z.string().regex(/^[0-9a-f]{2,64}$/);
/** What was written to the outbox, by its name there. */
const files = z.array(z.strictObject({ file: line, sha256: digest })).min(1);

/** Stands for the issuer of a certificate that its own key signed. */
export const SELF = "self";

/**
 * Why a certificate was revoked (RFC 5280 §5.3.1). Left out: `unspecified`, which has to be left out of
 * a CRL; `certificateHold` and `removeFromCRL`, for a CA certificate is not revoked for a while (BR 7.2.2);
 * `aACompromise`, for attribute authorities are none of ours.
 */
export const REVOCATION_REASONS = [
  "keyCompromise",
  "cACompromise",
  "affiliationChanged",
  "superseded",
  "cessationOfOperation",
  "privilegeWithdrawn",
] as const;
export type RevocationReason = (typeof REVOCATION_REASONS)[number];

export const certificateFacts = {
  "certificate.issued": z.strictObject({
    kind: z.literal("certificate.issued"),
    /** SHA-256 of the DER certificate, which is attached. */
    sha256: digest,
    /** SHA-256 of its signed part: what people agreed to. */
    tbs: digest,
    spki: digest,
    /** The issuer's certificate. */
    issuer: z.union([digest, z.literal(SELF)]),
    issuerSpki: digest,
    profile: label,
    /** SHA-256 of the profile's bytes, which are attached. */
    profileSha256: digest,
    subject: line,
    serial,
    notBefore: line,
    notAfter: line,
    ca: z.boolean(),
    /** Its name at this site, and that of its files without their endings. */
    file: label,
    files,
  }),
  /** Issued elsewhere for a key of this site. */
  "certificate.imported": z.strictObject({
    kind: z.literal("certificate.imported"),
    sha256: digest,
    spki: digest,
    /** The issuer's name as the certificate gives it. */
    issuerName: line,
    /** Whether its signature was, under the certificate of its issuer that came with it. */
    verified: z.boolean(),
    subject: line,
    serial,
    notBefore: line,
    notAfter: line,
    ca: z.boolean(),
    file: label,
    files,
  }),
  "csr.made": z.strictObject({
    kind: z.literal("csr.made"),
    sha256: digest,
    spki: digest,
    subject: line,
    file: label,
    files,
  }),
  "certificate.revoked": z.strictObject({
    kind: z.literal("certificate.revoked"),
    /** The certificate. */
    sha256: digest,
    issuerSpki: digest,
    serial,
    reason: z.enum(REVOCATION_REASONS),
    /** From when on, RFC 3339 to the second. */
    date: line,
  }),
  "crl.issued": z.strictObject({
    kind: z.literal("crl.issued"),
    sha256: digest,
    tbs: digest,
    /** The issuer's certificate. */
    issuer: digest,
    issuerSpki: digest,
    number: z.int().min(1),
    thisUpdate: line,
    nextUpdate: line,
    /** How many certificates it says are revoked. */
    entries: z.int().min(0),
    file: label,
    files,
  }),
} as const;
