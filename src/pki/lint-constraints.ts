/** Trust on what a certificate's key may do: CA or not, how deep, and for which purposes. */

import { type CertificateSubject, find, isCaRole, type Lint, type Trust } from "./lint-rule.ts";

type Check = Lint<CertificateSubject>["check"];

const ca: Check = ({ view, role }) => {
  const found = find(view, "basic-constraints");
  if (found === undefined || found.ca === isCaRole(role)) return undefined;
  return found.ca ? "an OCSP responder is made a CA" : "a CA certificate says that it is none";
};

const lengthOfNone: Check = ({ view }) => {
  const found = find(view, "basic-constraints");
  if (found === undefined || found.ca || found.pathLength === null) return undefined;
  return "a path length stands in a certificate that is no CA";
};

const rootLength: Check = ({ view, role }) => {
  const limit = find(view, "basic-constraints")?.pathLength ?? null;
  return role !== "root" || limit === null
    ? undefined
    : `a root limits the levels below it to ${limit}`;
};

const pathLength: Check = ({ view, issuer, role }) => {
  if (issuer === null || !isCaRole(role)) return undefined;
  const above = find(issuer, "basic-constraints")?.pathLength ?? null;
  if (above === null) return undefined;
  if (above === 0) return "the issuer may have no CA below it";
  const own = find(view, "basic-constraints")?.pathLength ?? null;
  if (own !== null && own < above) return undefined;
  return `the issuer allows ${above - 1} levels below this one, and it claims ${own ?? "no limit"}`;
};

const keyUsage: Check = ({ view, role }) => {
  const found = find(view, "key-usage");
  if (found === undefined) return undefined;
  const needed: readonly string[] = isCaRole(role)
    ? ["keyCertSign", "cRLSign"]
    : ["digitalSignature"];
  const missing = needed.filter((usage) => !found.usages.some((has) => has === usage));
  if (missing.length > 0) return `the key usage lacks ${missing.join(" and ")}`;
  // BR 7.1.2.10.7: a CA that answers OCSP itself also signs other data.
  const more = found.usages.filter(
    (usage) => !needed.includes(usage) && usage !== "digitalSignature",
  );
  return more.length > 0 ? `the key usage holds ${more.join(" and ")}` : undefined;
};

interface PurposeRule {
  readonly required: readonly string[];
  readonly forbidden: readonly string[];
}
const ANY = "anyExtendedKeyUsage";
const PURPOSES: Readonly<Record<Exclude<Trust, "private">, PurposeRule>> = {
  tls: {
    required: ["serverAuth"],
    forbidden: ["codeSigning", "emailProtection", "timeStamping", "OCSPSigning", ANY],
  },
  smime: {
    required: ["emailProtection"],
    forbidden: ["serverAuth", "codeSigning", "timeStamping", ANY],
  },
  "code-signing": { required: ["codeSigning"], forbidden: ["serverAuth", "emailProtection", ANY] },
};

const purposes: Check = ({ view, role, trust }) => {
  const found = find(view, "ext-key-usage")?.purposes;
  if (found === undefined) return undefined;
  if (role === "ocsp-responder") {
    return found.join() === "OCSPSigning"
      ? undefined
      : `an OCSP responder is also for ${found.filter((one) => one !== "OCSPSigning").join(", ")}`;
  }
  if (role === "root" || trust === "private") return undefined;
  if (role === "cross" && found.join() === ANY) return undefined;
  const { required, forbidden } = PURPOSES[trust];
  const missing = required.filter((purpose) => !found.includes(purpose));
  if (missing.length > 0) return `the extended key usage lacks ${missing.join(" and ")}`;
  const bad = found.filter((purpose) => forbidden.includes(purpose));
  return bad.length > 0 ? `the extended key usage holds ${bad.join(" and ")}` : undefined;
};

const purposesOnce: Check = ({ view }) => {
  const found = find(view, "ext-key-usage")?.purposes ?? [];
  const twice = found.find((purpose, index) => found.indexOf(purpose) < index);
  return twice === undefined ? undefined : `the extended key usage names ${twice} twice`;
};

// RFC 5280 says nothing of it for CAs; every browser takes it so, and BR 7.1.2.10.6 rests on that.
const purposesNest: Check = ({ view, issuer, role }) => {
  if (issuer === null || role === "ocsp-responder") return undefined;
  const above = find(issuer, "ext-key-usage")?.purposes;
  const own = find(view, "ext-key-usage")?.purposes;
  if (above === undefined || own === undefined || above.includes(ANY)) return undefined;
  const more = own.filter((purpose) => !above.includes(purpose));
  return more.length > 0 ? `the issuer is not for ${more.join(", ")}` : undefined;
};

export const CONSTRAINT_LINTS: readonly Lint<CertificateSubject>[] = [
  {
    rule: "basic-constraints-ca",
    severity: "error",
    source: "RFC 5280 §4.2.1.9; BR 7.1.2.10.4, 7.1.2.8.4",
    check: ca,
  },
  {
    rule: "path-length-ca",
    severity: "error",
    source: "RFC 5280 §4.2.1.9",
    check: lengthOfNone,
  },
  { rule: "path-length-root", severity: "warning", source: "BR 7.1.2.1.4", check: rootLength },
  { rule: "path-length", severity: "error", source: "RFC 5280 §4.2.1.9", check: pathLength },
  {
    rule: "key-usage",
    severity: "error",
    source: "RFC 5280 §4.2.1.3; BR 7.1.2.10.7, 7.1.2.8.7",
    check: keyUsage,
  },
  {
    rule: "ext-key-usage",
    severity: "error",
    source: "BR 7.1.2.10.6, 7.1.2.8.5; S/MIME BR 7.1.2.2; CSBR 7.1.2.2",
    check: purposes,
  },
  {
    rule: "ext-key-usage-once",
    severity: "error",
    source: "RFC 5280 §4.2.1.12",
    check: purposesOnce,
  },
  {
    rule: "ext-key-usage-nests",
    severity: "error",
    source: "RFC 5280 §4.2.1.12; BR 7.1.2.10.6",
    check: purposesNest,
  },
];
