/**
 * What a profile must not ask for, with the section that forbids it: RFC 5280 and RFC 6960 for every
 * profile, then the Baseline Requirements of the profile's `rules`. Judged when the profile is read, so
 * that nobody plans a ceremony around a certificate that may not be issued.
 */

import type { Path } from "../lib/schema.ts";
import { CODE_SIGNING_RULES, SMIME_RULES } from "./profile-rules-other.ts";
import type { ProfileData } from "./profile-schema.ts";
import { TLS_RULES } from "./profile-rules-tls.ts";

export interface Rule {
  /** `BR 7.1.2.10.6`; for RFCs `RFC 5280 §4.2.1.9`. */
  readonly source: string;
  /** Where in the profile the fault stands. */
  readonly at: Path;
  /** What is wrong, as the end of a sentence after the source, or undefined. */
  readonly breach: (profile: ProfileData) => string | undefined;
}

export interface Breach {
  readonly at: Path;
  /** `BR 7.1.2.1.2: a root has no extended key usage`. */
  readonly text: string;
}

/** Every rule that a profile breaks. */
export function breachesOf(profile: ProfileData): readonly Breach[] {
  return [...COMMON_RULES, ...rulesOf(profile)].flatMap(({ source, at, breach }) => {
    const text = breach(profile);
    return text === undefined ? [] : [{ at, text: `${source}: ${text}` }];
  });
}

function rulesOf({ rules }: ProfileData): readonly Rule[] {
  switch (rules) {
    case "tls":
      return TLS_RULES;
    case "smime":
      return SMIME_RULES;
    case "code-signing":
      return CODE_SIGNING_RULES;
    case "private":
      return [];
  }
}

const SIGNS = ["keyCertSign", "cRLSign"] as const;

/** For every profile, "private" included: what no reader of X.509 would take, or what is not X.509. */
const COMMON_RULES: readonly Rule[] = [
  {
    source: "RFC 5280 §4.2.1.9",
    at: ["basicConstraints"],
    breach: ({ kind, basicConstraints: { ca, pathLength } }) => {
      if (ca !== (kind !== "ocsp-responder")) return `a ${kind} certificate has ca: ${String(!ca)}`;
      return !ca && pathLength !== undefined ? "only a CA has a path length" : undefined;
    },
  },
  {
    source: "RFC 5280 §4.2.1.3",
    at: ["keyUsage"],
    breach: ({ basicConstraints: { ca }, keyUsage }) => {
      if (new Set(keyUsage).size < keyUsage.length) return "a key usage stands twice";
      if (ca) return keyUsage.includes("keyCertSign") ? undefined : "a CA has keyCertSign";
      const signs = SIGNS.filter((usage) => keyUsage.includes(usage));
      return signs.length > 0 ? `only a CA has ${signs.join(" and ")}` : undefined;
    },
  },
  {
    source: "RFC 5280 §4.2.1.12",
    at: ["extKeyUsage"],
    breach: ({ extKeyUsage }) =>
      new Set(extKeyUsage).size < extKeyUsage.length ? "a key purpose stands twice" : undefined,
  },
  {
    source: "RFC 6960 §4.2.2.2",
    at: ["extKeyUsage"],
    breach: ({ kind, extKeyUsage }) =>
      kind === "ocsp-responder" && !extKeyUsage.includes("OCSPSigning")
        ? "an OCSP responder has the purpose OCSPSigning"
        : undefined,
  },
  {
    source: "RFC 6960 §4.2.2.2.1",
    at: ["ocspNoCheck"],
    breach: ({ kind, ocspNoCheck }) =>
      ocspNoCheck && kind !== "ocsp-responder"
        ? "ocspNoCheck is for OCSP responders only"
        : undefined,
  },
  {
    source: "RFC 5280 §4.2.1.10",
    at: ["nameConstraints"],
    breach: ({ basicConstraints: { ca }, nameConstraints }) => {
      if (nameConstraints === undefined) return undefined;
      if (!ca) return "only a CA has name constraints";
      const { permitted, excluded } = nameConstraints;
      return permitted.length + excluded.length === 0 ? "no name is constrained" : undefined;
    },
  },
  {
    source: "RFC 5280 §4.2.1.4",
    at: ["certificatePolicies"],
    breach: ({ certificatePolicies }) => {
      const all = certificatePolicies.map(({ oid }) => oid);
      return new Set(all).size < all.length ? "a policy stands twice" : undefined;
    },
  },
  {
    source: "RFC 5280 §4.2.1.1",
    at: ["authorityKeyId"],
    breach: ({ kind, authorityKeyId }) =>
      kind !== "root" && !authorityKeyId ? "only a root may leave it out" : undefined,
  },
  { source: "RFC 5280 §4.1.2.5", at: ["validity"], breach: validityBreach },
  { source: "RFC 5280 §4.1.2.6", at: ["subject"], breach: subjectBreach },
  {
    source: "profile format",
    at: ["subjectKeyId"],
    breach: ({ kind, subjectKeyId }) =>
      kind === "cross" && subjectKeyId !== undefined
        ? "a cross-certificate takes it from the certificate it crosses: leave it out"
        : undefined,
  },
];

function validityBreach({ validity }: ProfileData): string | undefined {
  if ("days" in validity) {
    const { least, most, usual } = validity.days;
    return least <= usual && usual <= most ? undefined : "least ≤ usual ≤ most does not hold";
  }
  return validity.notBefore < validity.notAfter ? undefined : "it ends before it begins";
}

function subjectBreach({ kind, subject }: ProfileData): string | undefined {
  if (kind === "cross") {
    if (subject === undefined) return undefined;
    return "a cross-certificate takes it from the certificate it crosses: leave it out";
  }
  if (subject === undefined) return "the certificate needs a subject";
  const { order, required } = subject;
  if (new Set(order).size < order.length) return "an attribute stands twice in its order";
  const outside = required.find((type) => !order.includes(type));
  return outside === undefined ? undefined : `${outside} is required but not in its order`;
}
