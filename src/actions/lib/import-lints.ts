/** What the lints say of a certificate that another CA issued: for the room to weigh, not to stop at. */

import type { CertificateView, SignedCertificate } from "../../pki/view.ts";
import { said } from "./double-signing.ts";
import { isCa } from "./issuing.ts";

/** Rules that compare with the issuer's certificate. */
const OF_ISSUER = ["issuer-name", "signature-algorithm", "authority-key-id"];

/**
 * Every finding as one line. Errors are among them: nothing of the certificate can be changed here, and
 * whose rules the other CA keeps beyond RFC 5280 is not for us to say.
 * @param issuer its certificate; without one what depends on it is not judged
 */
export async function lintImported(
  read: SignedCertificate,
  issuer: CertificateView | undefined,
): Promise<readonly string[]> {
  const { lintSigned } = await import("../../pki/lint.ts");
  const role = isCa(read.view) ? ("subordinate" as const) : ("ocsp-responder" as const);
  const findings = lintSigned(read, { role, trust: "private", issuer: issuer ?? null });
  return findings
    .filter(({ rule }) => issuer !== undefined || !OF_ISSUER.includes(rule))
    .map((finding) => `${finding.severity}: ${said(finding)}`);
}
