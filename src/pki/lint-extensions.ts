/** Trust on which extensions a certificate holds, whether they are critical, and on key ids. */

import { hash } from "node:crypto";
import { fromHex } from "../lib/encoding.ts";
import { decodeDer, SubjectPublicKeyInfo } from "./asn1.ts";
import type { ExtensionView } from "./extensions.ts";
import {
  type CertificateRole,
  type CertificateSubject,
  find,
  isCaRole,
  issuerOf,
  type Kind,
  kindInWords,
  type Lint,
  type Trust,
} from "./lint-rule.ts";

type Check = Lint<CertificateSubject>["check"];

const CA_NEEDS: readonly Kind[] = ["basic-constraints", "key-usage", "subject-key-id"];

/** RFC 5280 §4.2.1 and the tables of BR 7.1.2; private hierarchies keep the first half. */
function neededKinds(role: CertificateRole, trust: Trust): readonly Kind[] {
  const isPublic = trust !== "private";
  switch (role) {
    case "root":
      return CA_NEEDS;
    case "subordinate":
      return [
        ...CA_NEEDS,
        "authority-key-id",
        ...(isPublic
          ? (["certificate-policies", "crl-distribution-points", "ext-key-usage"] as const)
          : []),
      ];
    case "cross":
      return [
        ...CA_NEEDS,
        "authority-key-id",
        ...(isPublic ? (["certificate-policies", "crl-distribution-points"] as const) : []),
      ];
    case "ocsp-responder":
      return [
        "key-usage",
        "ext-key-usage",
        "authority-key-id",
        ...(isPublic ? (["ocsp-no-check"] as const) : []),
      ];
  }
}

const FORBIDDEN: Readonly<Record<CertificateRole, readonly Kind[]>> = {
  root: ["ext-key-usage", "ocsp-no-check", "crl-number"],
  subordinate: ["ocsp-no-check", "crl-number"],
  cross: ["ocsp-no-check", "crl-number"],
  "ocsp-responder": [
    "name-constraints",
    "subject-alt-name",
    "crl-distribution-points",
    "crl-number",
  ],
};

/** Not recommended by the BR. */
const UNUSUAL: Readonly<Record<CertificateRole, readonly Kind[]>> = {
  root: [
    "certificate-policies",
    "name-constraints",
    "authority-info-access",
    "crl-distribution-points",
    "subject-alt-name",
  ],
  subordinate: ["subject-alt-name"],
  cross: ["subject-alt-name"],
  "ocsp-responder": ["authority-info-access", "certificate-policies"],
};

const missing: Check = ({ view, role, trust }) => {
  const lacks = neededKinds(role, trust).filter((kind) => find(view, kind) === undefined);
  return lacks.length > 0 ? `it has no ${lacks.map(kindInWords).join(", no ")}` : undefined;
};

const forbidden: Check = ({ view, role }) => {
  const bad = FORBIDDEN[role].filter((kind) => find(view, kind) !== undefined);
  return bad.length > 0 ? `it must not hold ${bad.map(kindInWords).join(", ")}` : undefined;
};

const unusual: Check = ({ view, role, trust }) => {
  if (trust === "private") return undefined;
  const odd = UNUSUAL[role].filter((kind) => find(view, kind) !== undefined);
  return odd.length > 0 ? `it holds ${odd.map(kindInWords).join(", ")}` : undefined;
};

const unknown: Check = ({ view }) => {
  const other = find(view, "other");
  return other && `the extension ${other.oid} is not one that we issue`;
};

/** The name of an extension that stands twice, or undefined. */
export function repeatedExtension(extensions: readonly ExtensionView[]): string | undefined {
  const names = extensions.map((found) => (found.kind === "other" ? found.oid : found.kind));
  return names.find((name, index) => names.indexOf(name) < index);
}

const once: Check = ({ view }) => {
  const twice = repeatedExtension(view.extensions);
  return twice === undefined ? undefined : `the extension ${twice} stands twice`;
};

/** Whether an extension must be critical; undefined where both are allowed. */
function mustBeCritical(kind: Kind, role: CertificateRole): boolean | undefined {
  switch (kind) {
    case "basic-constraints":
    case "key-usage":
    case "name-constraints":
      return true;
    case "ext-key-usage":
      return isCaRole(role) ? false : undefined;
    case "subject-key-id":
    case "authority-key-id":
    case "authority-info-access":
    case "certificate-policies":
    case "crl-distribution-points":
    case "ocsp-no-check":
      return false;
    case "subject-alt-name":
    case "crl-number":
    case "other":
      return undefined;
  }
}

const criticality: Check = ({ view, role }) => {
  const wrong = view.extensions.find(({ kind, critical }) => {
    const wanted = mustBeCritical(kind, role);
    return wanted !== undefined && wanted !== critical;
  });
  if (wrong === undefined) return undefined;
  const not = wrong.critical ? "" : " not";
  return `the extension ${kindInWords(wrong.kind)} is${not} critical`;
};

/** RFC 5280 §4.2.1.2 method 1 and RFC 7093 §2 methods 1 to 4. */
function keyIdsOf(spki: Uint8Array): readonly string[] {
  const info = decodeDer(spki, SubjectPublicKeyInfo, "the public key");
  const bits = new Uint8Array(info.subjectPublicKey);
  const leftmost = (name: string, bytes: Uint8Array): string =>
    hash(name, bytes, "hex").slice(0, 40);
  return [
    ...["sha1", "sha256", "sha384", "sha512"].map((name) => leftmost(name, bits)),
    ...["sha256", "sha384", "sha512"].map((name) => leftmost(name, spki)),
    hash("sha256", spki, "hex"),
  ];
}

const subjectKeyId: Check = ({ view, existing }) => {
  const found = find(view, "subject-key-id")?.keyId;
  if (found === undefined) return undefined;
  if (existing !== undefined) {
    const doubled = find(existing, "subject-key-id")?.keyId ?? found;
    return found === doubled
      ? undefined
      : "the subject key id is not that of the same key elsewhere";
  }
  const spki = fromHex(view.key.spki) ?? new Uint8Array();
  return keyIdsOf(spki).includes(found) ? undefined : "the subject key id is not that of the key";
};

const authorityKeyId: Check = (subject) => {
  const found = find(subject.view, "authority-key-id")?.keyId;
  const issuers = find(issuerOf(subject), "subject-key-id")?.keyId;
  if (found === undefined || issuers === undefined || found === issuers) return undefined;
  return subject.issuer === null
    ? "the authority key id of a root is not its subject key id"
    : "the authority key id is not the subject key id of the issuer";
};

export const EXTENSION_LINTS: readonly Lint<CertificateSubject>[] = [
  { rule: "extension-once", severity: "error", source: "RFC 5280 §4.2", check: once },
  { rule: "extension-unknown", severity: "error", source: "BR 7.1.2.11.5", check: unknown },
  {
    rule: "extension-missing",
    severity: "error",
    source: "RFC 5280 §4.2.1; BR 7.1.2.1.2, 7.1.2.2.3, 7.1.2.6.1, 7.1.2.8.2",
    check: missing,
  },
  {
    rule: "extension-forbidden",
    severity: "error",
    source: "BR 7.1.2.1.2, 7.1.2.8.2; RFC 6960 §4.2.2.2.1",
    check: forbidden,
  },
  {
    rule: "extension-unusual",
    severity: "warning",
    source: "BR 7.1.2.1.2, 7.1.2.8.2",
    check: unusual,
  },
  {
    rule: "extension-critical",
    severity: "error",
    source: "RFC 5280 §4.2.1; BR 7.1.2.1.2, 7.1.2.6.1, 7.1.2.8.2",
    check: criticality,
  },
  {
    rule: "subject-key-id",
    severity: "error",
    source: "RFC 5280 §4.2.1.2; RFC 7093 §2",
    check: subjectKeyId,
  },
  {
    rule: "authority-key-id",
    severity: "error",
    source: "RFC 5280 §4.2.1.1; BR 7.1.2.1.3, 7.1.2.11.1",
    check: authorityKeyId,
  },
];
