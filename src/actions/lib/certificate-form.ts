/** The forms that are signed twice: certificates, requests and CRLs, each with its checks and its lints. */

import type { Custody } from "../../ceremony/custody.ts";
import { issuedBy } from "../../ceremony/custody-certificates.ts";
import type { NamedKey } from "../../ceremony/key-choice.ts";
import type { Profile } from "../../pki/profile-file.ts";
import type { CertificateView } from "../../pki/view.ts";
import type { Form } from "./double-signing.ts";

export interface CertificateAbout {
  readonly profile: Pick<Profile, "kind" | "rules">;
  /** Null for a certificate that its own key signs. */
  readonly issuer: CertificateView | null;
  readonly key: NamedKey;
  /** Whether its key comes from outside, and so must be none of this site's. */
  readonly fresh: boolean;
  /** The certificate that gets a second issuer. */
  readonly existing?: CertificateView | undefined;
  /** Before it is signed alone: what an interrupted step finishes tomorrow is still what was agreed to. */
  readonly nowMs?: number;
}

export async function certificateForm(
  custody: Custody,
  { profile, issuer, key, fresh, existing, nowMs }: CertificateAbout,
): Promise<Form> {
  const { assembleCertificate } = await import("../../pki/certificate.ts");
  const { checkCertificate } = await import("../../pki/check.ts");
  const { lintCertificateFile } = await import("../../pki/lint.ts");
  const context = {
    role: profile.kind,
    trust: profile.rules,
    issuer,
    existing: profile.kind === "cross" ? existing : undefined,
    nowMs,
    usedSerials: new Set(issuedBy(custody, key.spki).map(({ serial }) => serial)),
    ...(fresh ? { custodyKeys: new Set(custody.keys.keys()) } : {}),
  };
  return {
    what: "certificate",
    assemble: assembleCertificate,
    check: checkCertificate,
    lint: (der) => lintCertificateFile(der, context),
  };
}
