/** Trust on the subject's name, in certificates and in requests. */

import { isDeepStrictEqual } from "node:util";
import type { CertificateSubject, KeyHolder, Lint } from "./lint-rule.ts";
import {
  ATTRIBUTE_RULES,
  ATTRIBUTE_TYPES,
  type DistinguishedName,
  type NameAttribute,
  valueProblem,
} from "./names.ts";

type Check = Lint<KeyHolder>["check"];

/** BR 7.1.4.2 table: the order in which these stand in the encoding. */
const ENCODING_ORDER = ["DC", "C", "ST", "L", "O", "OU", "CN"];
/** BR 7.1.2.10.2: every CA certificate has these, and these may join them. */
const REQUIRED = ["C", "O", "CN"];
const USUAL = [...REQUIRED, "ST", "L"];

const notEmpty: Check = ({ view: { subject } }) =>
  subject.length === 0 ? "the subject is empty" : undefined;

const structure: Check = ({ view: { subject } }) => {
  if (subject.some((rdn) => rdn.length !== 1)) return "a relative name holds several attributes";
  const all = types(subject).filter((type) => type !== "DC");
  return new Set(all).size < all.length ? "an attribute stands twice in the subject" : undefined;
};

const values: Check = ({ view: { subject } }) => subject.flat().map(attributeProblem).find(isText);

const order: Check = ({ view: { subject }, trust }) => {
  if (trust === "private") return undefined;
  const places = types(subject)
    .map((type) => ENCODING_ORDER.indexOf(type))
    .filter((place) => place >= 0);
  const sorted = places.every((place, index) => index === 0 || place >= (places[index - 1] ?? 0));
  return sorted ? undefined : `the subject is not in the order ${ENCODING_ORDER.join(", ")}`;
};

const attributes: Check = ({ view: { subject }, trust }) => {
  if (trust === "private" || subject.length === 0) return undefined;
  const present = types(subject);
  const missing = REQUIRED.filter((type) => !present.includes(type));
  if (missing.length > 0) return `the subject has no ${missing.join(", ")}`;
  return trust === "tls" && present.includes("OU") ? "the subject holds OU" : undefined;
};

const unusual: Check = ({ view: { subject }, trust }) => {
  if (trust === "private") return undefined;
  const known: readonly string[] = ATTRIBUTE_TYPES;
  const more = types(subject).filter((type) => !USUAL.includes(type) && known.includes(type));
  const rest = trust === "tls" ? more.filter((type) => type !== "OU") : more;
  return rest.length > 0 ? `the subject holds ${rest.join(", ")}` : undefined;
};

/** BR 7.1.2.2.2: a cross-certificate takes the name of the certificate it doubles, whatever that is. */
function unlessCross(check: Check): Check {
  return (holder) => (holder.role === "cross" ? undefined : check(holder));
}

export const NAME_LINTS: readonly Lint<KeyHolder>[] = [
  { rule: "subject-empty", severity: "error", source: "RFC 5280 §4.1.2.6", check: notEmpty },
  {
    rule: "subject-structure",
    severity: "error",
    source: "BR 7.1.4.1",
    check: unlessCross(structure),
  },
  {
    rule: "subject-values",
    severity: "error",
    source: "RFC 5280 appendix A.1; BR 7.1.4.2",
    check: unlessCross(values),
  },
  { rule: "subject-order", severity: "error", source: "BR 7.1.4.2", check: unlessCross(order) },
  {
    rule: "subject-attributes",
    severity: "error",
    source: "BR 7.1.2.10.2",
    check: unlessCross(attributes),
  },
  {
    rule: "subject-unusual",
    severity: "warning",
    source: "BR 7.1.2.10.2",
    check: unlessCross(unusual),
  },
];

const crossSubject: Lint<CertificateSubject>["check"] = ({ view, existing }) =>
  existing !== undefined && !isDeepStrictEqual(view.subject, existing.subject)
    ? "the subject is not byte for byte that of the certificate that it doubles"
    : undefined;

export const CERTIFIED_NAME_LINTS: readonly Lint<CertificateSubject>[] = [
  { rule: "cross-subject", severity: "error", source: "BR 7.1.2.2.2", check: crossSubject },
];

function types(name: DistinguishedName): readonly string[] {
  return name.flat().map(({ type }) => type);
}

function attributeProblem({ type, form, value }: NameAttribute): string | undefined {
  const known = ATTRIBUTE_TYPES.find((candidate) => candidate === type);
  if (known === undefined) return `the subject holds the unknown attribute ${type}`;
  const wanted = ATTRIBUTE_RULES[known].form;
  if (form !== wanted) return `attribute ${type} is encoded as ${form}, not ${wanted} text`;
  const problem = valueProblem(known, value);
  return problem === undefined ? undefined : `attribute ${type} ${problem}`;
}

function isText(text: string | undefined): text is string {
  return text !== undefined;
}
