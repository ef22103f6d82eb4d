/** What issuing steps have people agree to, and what they leave as evidence. */

import type { Fact } from "../../ceremony/facts.ts";
import type { SignatureScheme } from "../../lib/algorithms.ts";
import type { JsonObject } from "../../lib/json.ts";
import type { OutFile } from "./outputs.ts";

/** What people agree to. */
export interface ToIssue extends JsonObject {
  /** DER of the to-be-signed part, base64. */
  readonly tbs: string;
  readonly sha256: string;
  readonly scheme: SignatureScheme;
  /** The key it is about. */
  readonly spki: string;
  /** Digest of the issuer's certificate, or `self`. */
  readonly issuer: string;
  readonly issuerSpki: string;
  readonly profileSha256: string;
  readonly subject: string;
  readonly serial: string;
  readonly notBefore: string;
  readonly notAfter: string;
  readonly ca: boolean;
  /** What differs from the profile, and from the certificate that it replaces or crosses. */
  readonly differences: readonly string[];
  readonly warnings: readonly string[];
}

export interface Issued extends JsonObject {
  readonly sha256: string;
  readonly tbs: string;
  readonly spki: string;
  readonly issuer: string;
  readonly issuerSpki: string;
  readonly profileSha256: string;
  readonly subject: string;
  readonly serial: string;
  readonly notBefore: string;
  readonly notAfter: string;
  readonly ca: boolean;
  readonly files: readonly OutFile[];
  readonly warnings: readonly string[];
}

/** The fact that evidence of an issuing step stands for. */
export function issuedFact(
  { profile, file }: { readonly profile: string; readonly file: string },
  issued: Issued,
): Fact {
  const { sha256, tbs, spki, issuer, issuerSpki, profileSha256 } = issued;
  const { subject, serial, notBefore, notAfter, ca, files } = issued;
  return {
    kind: "certificate.issued",
    ...{ sha256, tbs, spki, issuer, issuerSpki, profile, profileSha256 },
    ...{ subject, serial, notBefore, notAfter, ca, file, files: [...files] },
  };
}
