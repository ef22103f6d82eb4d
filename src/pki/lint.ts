/**
 * Named rules that certificates, revocation lists and requests are judged by before anybody agrees to them.
 * Each has its source, so that a finding can be looked up and a deviation can name what it waives.
 */

import { readCrl, type SignedCrl } from "./crl-read.ts";
import { readCsr } from "./csr-read.ts";
import type { CsrView } from "./csr.ts";
import { CONSTRAINT_LINTS } from "./lint-constraints.ts";
import { CONTENT_LINTS } from "./lint-contents.ts";
import { CRL_LINTS, type CrlContext, entryProblems } from "./lint-crl.ts";
import { REQUEST_LINTS, REQUEST_READ_LINT, type RequestSubject } from "./lint-csr.ts";
import { EXTENSION_LINTS } from "./lint-extensions.ts";
import { FIELD_LINTS } from "./lint-fields.ts";
import { CERTIFIED_KEY_LINTS, KEY_LINTS } from "./lint-key.ts";
import { CERTIFIED_NAME_LINTS, NAME_LINTS } from "./lint-name.ts";
import {
  type CertificateContext,
  type CertificateSubject,
  type KeyHolder,
  type Lint,
  readProblem,
  type Severity,
} from "./lint-rule.ts";
import { VALIDITY_LINTS } from "./lint-validity.ts";
import { type CertificateView, readCertificate, type SignedCertificate } from "./view.ts";

export { CRL_LINTS } from "./lint-crl.ts";

export interface Finding {
  readonly rule: string;
  readonly severity: Severity;
  readonly source: string;
  readonly message: string;
}

/** Trust for the key and the name, which certificates and requests have alike. */
const HOLDER_LINTS: readonly Lint<KeyHolder>[] = [...NAME_LINTS, ...KEY_LINTS];

/** The rules for certificates, in the order of the fields. */
export const CERTIFICATE_LINTS: readonly Lint<CertificateSubject>[] = [
  ...FIELD_LINTS,
  ...VALIDITY_LINTS,
  ...HOLDER_LINTS,
  ...CERTIFIED_NAME_LINTS,
  ...CERTIFIED_KEY_LINTS,
  ...EXTENSION_LINTS,
  ...CONSTRAINT_LINTS,
  ...CONTENT_LINTS,
];

/** Those that hold for a certificate of any kind, also one that no CA of ours issues. */
export const LINK_LINTS: readonly Lint<CertificateSubject>[] = [
  ...FIELD_LINTS,
  ...VALIDITY_LINTS,
  ...EXTENSION_LINTS.filter(({ rule }) => rule === "authority-key-id" || rule === "extension-once"),
  ...CONTENT_LINTS.filter(({ rule }) => rule === "name-constraints-kept"),
];

/** The rules for requests. */
export const CSR_LINTS: readonly Lint<RequestSubject>[] = [...HOLDER_LINTS, ...REQUEST_LINTS];

/** What is not DER, or not the structure it should be, is judged no further. */
export const DER_LINT: Lint<() => unknown> = {
  rule: "der-canonical",
  severity: "error",
  source: "RFC 5280 §4.1; X.690 §10, §11",
  check: readProblem,
};

/** Every rule of the table that a to-be-signed certificate breaks; empty for a good one. */
export function lintCertificate(
  view: CertificateView,
  context: CertificateContext,
): readonly Finding[] {
  return findings(CERTIFICATE_LINTS, { ...context, view, algorithm: null });
}

/** The same for a signed certificate in DER, which may be anything. */
export function lintCertificateFile(
  der: Uint8Array,
  context: CertificateContext,
): readonly Finding[] {
  const broken = findings([DER_LINT], () => readCertificate(der));
  if (broken.length > 0) return broken;
  return lintSigned(readCertificate(der), context);
}

/** The same for a signed certificate that was read. */
export function lintSigned(
  { view, algorithm }: Pick<SignedCertificate, "view" | "algorithm">,
  context: CertificateContext,
): readonly Finding[] {
  return findings(CERTIFICATE_LINTS, { ...context, view, algorithm });
}

/** Every rule that a request for a certificate breaks. */
export function lintCsr(view: CsrView, context: Omit<RequestSubject, "view">): readonly Finding[] {
  return findings(CSR_LINTS, { ...context, view });
}

/** The same for a request in DER or PEM, which may be anything. */
export function lintCsrFile(
  bytes: Uint8Array,
  context: Omit<RequestSubject, "view">,
): readonly Finding[] {
  const broken = findings([REQUEST_READ_LINT], () => readCsr(bytes));
  return broken.length > 0 ? broken : lintCsr(readCsr(bytes).view, context);
}

/** Every rule that a revocation list breaks. */
export function lintCrl(crl: SignedCrl, context: CrlContext): readonly Finding[] {
  return findings(CRL_LINTS, { ...context, crl });
}

/** The same for a list in DER or PEM, which may be anything. */
export function lintCrlFile(bytes: Uint8Array, context: CrlContext): readonly Finding[] {
  let crl: SignedCrl | undefined;
  const broken = findings([DER_LINT], () => {
    crl = readCrl(bytes);
    // Entries are decoded as they are read: all of them must be, before one rule is asked.
    return entryProblems(crl);
  });
  return crl === undefined || broken.length > 0 ? broken : lintCrl(crl, context);
}

/** Every rule of `lints` that a subject breaks. */
export function findings<T>(lints: readonly Lint<T>[], subject: T): readonly Finding[] {
  return lints.flatMap(({ rule, severity, source, check }) => {
    const message = check(subject);
    return message === undefined ? [] : [{ rule, severity, source, message }];
  });
}
