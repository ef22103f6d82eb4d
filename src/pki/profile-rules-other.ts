/** What the S/MIME and code signing Baseline Requirements forbid in profiles of subordinate CAs. */

import type { ProfileData } from "./profile-schema.ts";
import type { Rule } from "./profile-rules.ts";
import { forbidden, SHARED_RULES } from "./profile-rules-tls.ts";

/** Below a root that is trusted for TLS as well: BR 7.1.2.3.3, 7.1.2.3.2. */
const NOT_FOR_TLS: readonly Rule[] = [
  {
    source: "BR 7.1.2.3.3",
    at: ["extKeyUsage"],
    breach: ({ kind, extKeyUsage }) =>
      kind === "subordinate"
        ? forbidden(extKeyUsage, ["serverAuth", "OCSPSigning", "anyExtendedKeyUsage"])
        : undefined,
  },
  {
    source: "BR 7.1.2.3.2",
    at: ["certificatePolicies"],
    breach: ({ kind, certificatePolicies }) =>
      kind === "subordinate" &&
      certificatePolicies.some(({ oid }) => oid.startsWith("2.23.140.1.2."))
        ? "a policy that is reserved for TLS must not be present"
        : undefined,
  },
];

function subordinate(
  breach: (profile: ProfileData) => string | undefined,
): (profile: ProfileData) => string | undefined {
  return (profile) => (profile.kind === "subordinate" ? breach(profile) : undefined);
}

/** Both documents number their tables alike: section 7.1.2.2, items a and b. */
function mustHave(document: "SBR" | "CSBR"): readonly Rule[] {
  return [
    {
      source: `${document} 7.1.2.2 a`,
      at: ["certificatePolicies"],
      breach: subordinate(({ certificatePolicies }) =>
        certificatePolicies.length === 0 ? "a policy must be present" : undefined,
      ),
    },
    {
      source: `${document} 7.1.2.2 b`,
      at: ["crlDistributionPoints"],
      breach: subordinate(({ crlDistributionPoints }) =>
        crlDistributionPoints === undefined
          ? "the address of the revocation list must be present"
          : undefined,
      ),
    },
  ];
}

export const SMIME_RULES: readonly Rule[] = [
  ...SHARED_RULES,
  ...NOT_FOR_TLS,
  ...mustHave("SBR"),
  {
    source: "SBR 7.1.2.2 g",
    at: ["extKeyUsage"],
    breach: subordinate(({ extKeyUsage }) => {
      if (!extKeyUsage.includes("emailProtection")) return "emailProtection must be present";
      return forbidden(extKeyUsage, [
        ...["serverAuth", "codeSigning", "timeStamping", "anyExtendedKeyUsage"],
      ]);
    }),
  },
];

export const CODE_SIGNING_RULES: readonly Rule[] = [
  ...SHARED_RULES,
  ...NOT_FOR_TLS,
  ...mustHave("CSBR"),
  {
    source: "CSBR 6.1.5.1",
    at: ["keys"],
    breach: ({ basicConstraints: { ca }, keys }) =>
      ca && keys.includes("rsa-3072") ? "an RSA key of a CA has at least 4096 bits" : undefined,
  },
  {
    source: "CSBR 7.1.2.2 c",
    at: ["authorityInfoAccess", "caIssuers"],
    breach: subordinate(({ authorityInfoAccess: { caIssuers } }) =>
      caIssuers === undefined
        ? "the address of the issuer's certificate must be present"
        : undefined,
    ),
  },
  {
    source: "CSBR 7.1.2.2 g",
    at: ["extKeyUsage"],
    breach: subordinate(({ extKeyUsage }) => {
      const signs = ["codeSigning", "timeStamping"].filter((name) => extKeyUsage.includes(name));
      if (signs.length !== 1) return "either codeSigning or timeStamping must be present, not both";
      return forbidden(extKeyUsage, ["anyExtendedKeyUsage", "serverAuth", "emailProtection"]);
    }),
  },
];
