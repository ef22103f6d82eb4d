/** What the TLS Baseline Requirements (version 2) forbid in profiles, section by section. */

import type { NameConstraint, ProfileData, ProfileKind } from "./profile-schema.ts";
import type { Rule } from "./profile-rules.ts";

const ANY_POLICY = "2.5.29.32.0";
/** BR 7.1.6.1 */
const RESERVED_POLICIES = ["2.23.140.1.2.1", "2.23.140.1.2.2", "2.23.140.1.2.3", "2.23.140.1.1"];
/** Precertificate Signing Certificate, RFC 6962 §3.1 */
const PRECERTIFICATE_SIGNING = "1.3.6.1.4.1.11129.2.4.4";
/** BR 7.1.4.2: relative order in the encoding. */
const ENCODING_ORDER = ["DC", "C", "ST", "L", "O", "OU", "CN"];
const DAY_MINUTES = 1440;
const DAY_MS = 86_400_000;

type Breach = (profile: ProfileData) => string | undefined;

function only(kind: ProfileKind, breach: Breach): Breach {
  return (profile) => (profile.kind === kind ? breach(profile) : undefined);
}

function forCa(breach: Breach): Breach {
  return (profile) => (profile.kind === "ocsp-responder" ? undefined : breach(profile));
}

/** Publicly trusted certificates of every kind: keys, names, backdating, addresses. */
export const SHARED_RULES: readonly Rule[] = [
  {
    source: "BR 6.1.5",
    at: ["keys"],
    breach: ({ keys }: ProfileData): string | undefined =>
      keys.includes("ed25519") ? "Ed25519 keys are not accepted in public trust" : undefined,
  },
  {
    source: "BR 7.1.2.10.2",
    at: ["subject", "required"],
    breach: ({ subject }: ProfileData): string | undefined => {
      const missing = ["C", "O", "CN"].filter(
        (type) => subject !== undefined && !subject.required.some((found) => found === type),
      );
      return missing.length === 0 ? undefined : `the subject must have ${missing.join(", ")}`;
    },
  },
  {
    source: "BR 7.1.4.2",
    at: ["subject", "order"],
    breach: ({ subject }: ProfileData): string | undefined => {
      const places = (subject?.order ?? [])
        .map((type) => ENCODING_ORDER.indexOf(type))
        .filter((place) => place >= 0);
      const sorted = places.every((place, at) => at === 0 || place > (places[at - 1] ?? -1));
      return sorted ? undefined : `the order must follow ${ENCODING_ORDER.join(", ")}`;
    },
  },
  ...(
    [
      ["root", "BR 7.1.2.1.1"],
      ["subordinate", "BR 7.1.2.10.1"],
      ["ocsp-responder", "BR 7.1.2.8.1"],
    ] as const
  ).map(([kind, source]) => ({ source, at: ["validity", "backdate"], breach: backdate(kind) })),
  {
    source: "BR 7.1.2.11.1",
    at: ["authorityKeyId"],
    breach: ({ kind, authorityKeyId }) =>
      kind === "root" || authorityKeyId ? undefined : "the authority key id must be present",
  },
  {
    source: "BR 7.1.2.11.2",
    at: ["crlDistributionPoints"],
    breach: ({ crlDistributionPoints: urls }) => notHttp(urls, "a revocation list"),
  },
  {
    source: "BR 7.1.2.10.3",
    at: ["authorityInfoAccess"],
    breach: ({ authorityInfoAccess: { caIssuers, ocsp } }) =>
      notHttp(caIssuers, "an issuer's certificate") ?? notHttp(ocsp, "an OCSP responder"),
  },
  {
    source: "BR 7.1.2.10.7",
    at: ["keyUsage"],
    breach: forCa(({ keyUsage }) => {
      if (!keyUsage.includes("cRLSign")) return "a CA must have keyCertSign and cRLSign";
      const allowed: readonly string[] = ["keyCertSign", "cRLSign", "digitalSignature"];
      const other = keyUsage.find((usage) => !allowed.includes(usage));
      return other === undefined ? undefined : `a CA must not have ${other}`;
    }),
  },
];

function backdate(kind: ProfileKind): Breach {
  return only(kind, ({ validity }) =>
    "days" in validity && validity.backdate > DAY_MINUTES
      ? "the validity begins more than a day before the signing"
      : undefined,
  );
}

function notHttp(urls: "asked" | readonly string[] | undefined, what: string): string | undefined {
  if (urls === undefined || urls === "asked") return undefined;
  const other = urls.find((url) => !url.startsWith("http://"));
  return other === undefined ? undefined : `the address of ${what} must begin with http://`;
}

const ROOT_RULES: readonly Rule[] = [
  { source: "BR 7.1.2.1.1", at: ["validity"], breach: only("root", rootValidity) },
  {
    source: "BR 7.1.2.1.2",
    at: ["extKeyUsage"],
    breach: only("root", ({ extKeyUsage }) =>
      extKeyUsage.length > 0 ? "a root must not have an extended key usage" : undefined,
    ),
  },
  {
    source: "BR 7.1.2.10.5",
    at: ["certificatePolicies"],
    breach: only("root", ({ certificatePolicies: policies }) =>
      policies.length > 0 ? policiesBreach(policies, "exactly one") : undefined,
    ),
  },
];

function rootValidity({ validity }: ProfileData): string | undefined {
  const bounds = "a root is valid for 2922 to 9132 days";
  if ("days" in validity) {
    const { least, most } = validity.days;
    return least < 2922 || most > 9132 ? bounds : undefined;
  }
  // Both ends are inside the validity.
  const span = Date.parse(validity.notAfter) + 1000 - Date.parse(validity.notBefore);
  return span < 2922 * DAY_MS || span > 9132 * DAY_MS ? bounds : undefined;
}

const NO_ORGANISATIONAL_UNIT: Rule = {
  source: "BR 7.1.2.10.2",
  at: ["subject", "order"],
  breach: forCa(({ subject }) =>
    subject?.order.includes("OU") === true ? "OU must not be included" : undefined,
  ),
};

const SUBORDINATE_RULES: readonly Rule[] = [
  {
    source: "BR 7.1.2.6.1",
    at: ["crlDistributionPoints"],
    breach: only("subordinate", noCrl),
  },
  {
    source: "BR 7.1.2.10.6",
    at: ["extKeyUsage"],
    breach: only("subordinate", ({ extKeyUsage }) => {
      if (!extKeyUsage.includes("serverAuth")) return "serverAuth must be present";
      return forbidden(extKeyUsage, [
        ...["codeSigning", "emailProtection", "timeStamping", "OCSPSigning"],
        ...["anyExtendedKeyUsage", PRECERTIFICATE_SIGNING],
      ]);
    }),
  },
  {
    source: "BR 7.1.2.10.5",
    at: ["certificatePolicies"],
    breach: only("subordinate", ({ certificatePolicies }) =>
      policiesBreach(certificatePolicies, "exactly one"),
    ),
  },
];

const CROSS_RULES: readonly Rule[] = [
  { source: "BR 7.1.2.2.3", at: ["crlDistributionPoints"], breach: only("cross", noCrl) },
  {
    source: "BR 7.1.2.2.4",
    at: ["extKeyUsage"],
    breach: only("cross", ({ extKeyUsage }) =>
      extKeyUsage.includes("anyExtendedKeyUsage") && extKeyUsage.length > 1
        ? "anyExtendedKeyUsage must stand alone"
        : undefined,
    ),
  },
  {
    source: "BR 7.1.2.2.5",
    at: ["extKeyUsage"],
    breach: only("cross", ({ extKeyUsage }) =>
      extKeyUsage.includes("serverAuth")
        ? forbidden(extKeyUsage, ["emailProtection", "codeSigning", "timeStamping"])
        : undefined,
    ),
  },
  {
    source: "BR 7.1.2.2.6",
    at: ["certificatePolicies"],
    breach: only("cross", ({ certificatePolicies }) =>
      policiesBreach(certificatePolicies, "at least one"),
    ),
  },
];

function noCrl({ crlDistributionPoints }: ProfileData): string | undefined {
  return crlDistributionPoints === undefined
    ? "the address of the revocation list must be present"
    : undefined;
}

/** The first of the forbidden purposes, in words. */
export function forbidden(
  extKeyUsage: readonly string[],
  purposes: readonly string[],
): string | undefined {
  const found = extKeyUsage.find((purpose) => purposes.includes(purpose));
  return found === undefined ? undefined : `${found} must not be present`;
}

function policiesBreach(
  policies: ProfileData["certificatePolicies"],
  many: "exactly one" | "at least one",
): string | undefined {
  const all = policies.map(({ oid }) => oid);
  if (all.includes(ANY_POLICY)) {
    return all.length > 1 ? "anyPolicy must be the only policy" : undefined;
  }
  const reserved = all.filter((oid) => RESERVED_POLICIES.includes(oid)).length;
  const enough = many === "exactly one" ? reserved === 1 : reserved >= 1;
  return enough ? undefined : `anyPolicy alone, or ${many} reserved policy must be present`;
}

const RESPONDER_RULES: readonly Rule[] = [
  {
    source: "BR 7.1.2.8.2",
    at: ["crlDistributionPoints"],
    breach: only("ocsp-responder", ({ crlDistributionPoints }) =>
      crlDistributionPoints === undefined ? undefined : "a responder must not have them",
    ),
  },
  {
    source: "BR 7.1.2.8.3",
    at: ["authorityInfoAccess", "caIssuers"],
    breach: only("ocsp-responder", ({ authorityInfoAccess: { caIssuers } }) =>
      caIssuers === undefined ? undefined : "a responder must not have it",
    ),
  },
  {
    source: "BR 7.1.2.8.5",
    at: ["extKeyUsage"],
    breach: only("ocsp-responder", ({ extKeyUsage }) =>
      extKeyUsage.join() === "OCSPSigning" ? undefined : "OCSPSigning alone must be present",
    ),
  },
  {
    source: "BR 7.1.2.8.6",
    at: ["ocspNoCheck"],
    breach: only("ocsp-responder", ({ ocspNoCheck }) =>
      ocspNoCheck ? undefined : "ocspNoCheck must be true",
    ),
  },
  {
    source: "BR 7.1.2.8.7",
    at: ["keyUsage"],
    breach: only("ocsp-responder", ({ keyUsage }) =>
      keyUsage.join() === "digitalSignature" ? undefined : "digitalSignature alone must be present",
    ),
  },
];

const CONSTRAINT_RULE: Rule = {
  source: "BR 7.1.2.10.8",
  at: ["nameConstraints", "excluded"],
  breach: ({ nameConstraints }) => {
    const { permitted = [], excluded = [] } = nameConstraints ?? {};
    const lone = excluded.find(
      (entry) => !excludesAll(entry) && !permitted.some((other) => sameType(entry, other)),
    );
    if (lone === undefined) return undefined;
    return `names are excluded only from permitted ones of their type, or all of a type (7.1.2.5.2)`;
  },
};

/** BR 7.1.2.5.2: all domains or all addresses are excluded where none is permitted. */
function excludesAll({ dns, ip }: NameConstraint): boolean {
  return dns === "" || ip?.endsWith("/0") === true;
}

function sameType(a: NameConstraint, b: NameConstraint): boolean {
  return (["dns", "email", "ip", "directory"] as const).some(
    (type) => a[type] !== undefined && b[type] !== undefined,
  );
}

export const TLS_RULES: readonly Rule[] = [
  ...SHARED_RULES,
  NO_ORGANISATIONAL_UNIT,
  ...ROOT_RULES,
  ...SUBORDINATE_RULES,
  ...CROSS_RULES,
  ...RESPONDER_RULES,
  CONSTRAINT_RULE,
];
