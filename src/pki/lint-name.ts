/** Rules on the subject's name. Structure is an error; what public trust expects of it a warning. */

import type { Lint } from "./lint-rule.ts";
import {
  ATTRIBUTE_RULES,
  ATTRIBUTE_TYPES,
  type DistinguishedName,
  type NameAttribute,
  valueProblem,
} from "./names.ts";
import type { CertificateView } from "./view.ts";

/** BR 7.1.4.2 table: the order in which these stand in the encoding. */
const ENCODING_ORDER = ["DC", "C", "ST", "L", "O", "OU", "CN"];

function subjectOrderProblem({ subject }: CertificateView): string | undefined {
  const places = types(subject)
    .map((type) => ENCODING_ORDER.indexOf(type))
    .filter((place) => place >= 0);
  const sorted = places.every((place, index) => index === 0 || place >= (places[index - 1] ?? 0));
  return sorted ? undefined : `the subject is not in the order ${ENCODING_ORDER.join(", ")}`;
}

function subjectAttributesProblem({ subject }: CertificateView): string | undefined {
  const present = types(subject);
  const missing = REQUIRED.filter((type) => !present.includes(type));
  if (missing.length > 0) return `the subject has no ${missing.join(", ")}`;
  const more = present.filter((type) => !ALLOWED.includes(type));
  return more.length > 0 ? `the subject holds ${more.join(", ")}` : undefined;
}
/** BR 7.1.2.10.2: every CA certificate has these; of ours, all but OU may join them. */
const REQUIRED = ["C", "O", "CN"];
const ALLOWED = [...REQUIRED, "ST", "L"];

export const NAME_LINTS: readonly Lint[] = [
  {
    rule: "subject-not-empty",
    severity: "error",
    source: "RFC 5280 §4.1.2.6",
    check: ({ subject }) =>
      subject.length === 0 ? "the subject of a CA certificate is empty" : undefined,
  },
  {
    rule: "subject-structure",
    severity: "error",
    source: "BR 7.1.4.1",
    check: ({ subject }) => structureProblem(subject),
  },
  {
    rule: "subject-values",
    severity: "error",
    source: "RFC 5280 appendix A.1; BR 7.1.4.2",
    check: ({ subject }) => subject.flat().map(attributeProblem).find(isText),
  },
  {
    rule: "subject-order",
    severity: "warning",
    source: "BR 7.1.4.2",
    check: subjectOrderProblem,
  },
  {
    rule: "subject-attributes",
    severity: "warning",
    source: "BR 7.1.2.10.2",
    check: subjectAttributesProblem,
  },
];

function types(name: DistinguishedName): readonly string[] {
  return name.flat().map(({ type }) => type);
}

function structureProblem(name: DistinguishedName): string | undefined {
  if (name.some((rdn) => rdn.length !== 1)) return "a relative name holds several attributes";
  const all = types(name).filter((type) => type !== "DC");
  return new Set(all).size < all.length ? "an attribute stands twice in the subject" : undefined;
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
