/** Trust on version, serial number, signature, issuer and validity. */

import { isDeepStrictEqual } from "node:util";
import { schemesFor } from "../lib/algorithms.ts";
import { schemeInWords } from "./algorithms.ts";
import { keyAlgorithm } from "./keys.ts";
import { type CertificateSubject, find, issuerOf, type Lint } from "./lint-rule.ts";
import { serialLooksFixed } from "./lint-serial.ts";

type Check = Lint<CertificateSubject>["check"];

const versionProblem: Check = ({ view: { version } }) =>
  version === 3 ? undefined : `the version is ${version}, not 3`;

const serialPositive: Check = ({ view: { serial } }) =>
  /^[89a-f]/.test(serial) || /^0*$/.test(serial) ? "the serial number is not positive" : undefined;

// Counted with a padding byte: BR wants it below 2^159, which is what 20 octets can hold.
const serialSize: Check = ({ view: { serial } }) =>
  serial.length > 40
    ? `the serial number has ${serial.length / 2} octets, more than 20`
    : undefined;

const serialEntropy: Check = ({ view: { serial } }) => serialLooksFixed(serial);

const serialOnce: Check = ({ view: { serial }, usedSerials }) =>
  usedSerials?.has(serial) === true ? "the issuer has used this serial number before" : undefined;

const signatureSame: Check = ({ view, algorithm }) =>
  algorithm === null || isDeepStrictEqual(algorithm, view.signature)
    ? undefined
    : "the algorithm named outside the signed part is not the one inside";

const signatureAlgorithm: Check = (subject) => {
  const { scheme } = subject.view.signature;
  const algorithm = keyAlgorithm(issuerOf(subject).key);
  if (algorithm === null) return undefined;
  const allowed = schemesFor(algorithm);
  if (scheme !== null && allowed.includes(scheme)) return undefined;
  const words = allowed.map(schemeInWords).join(" or ");
  return `a ${algorithm} key signs with ${words}, and the certificate says otherwise`;
};

const issuerName: Check = ({ issuer, view }) => {
  if (issuer === null) {
    return isDeepStrictEqual(view.issuer, view.subject)
      ? undefined
      : "issuer and subject of a root are not the same";
  }
  return isDeepStrictEqual(view.issuer, issuer.subject)
    ? undefined
    : "the issuer is not byte for byte the subject of the issuing certificate";
};

const subjectOwn: Check = ({ issuer, view }) =>
  issuer !== null && isDeepStrictEqual(view.subject, issuer.subject)
    ? "the subject is the name of its issuer"
    : undefined;

const issuerIsCa: Check = ({ issuer }) => {
  if (issuer === null) return undefined;
  if (find(issuer, "basic-constraints")?.ca !== true) return "the issuing certificate is not a CA";
  const signs = find(issuer, "key-usage")?.usages.includes("keyCertSign") ?? true;
  return signs ? undefined : "the issuing certificate is not for signing certificates";
};

export const FIELD_LINTS: readonly Lint<CertificateSubject>[] = [
  {
    rule: "version-3",
    severity: "error",
    source: "RFC 5280 §4.1.2.1",
    check: versionProblem,
  },
  {
    rule: "serial-positive",
    severity: "error",
    source: "RFC 5280 §4.1.2.2",
    check: serialPositive,
  },
  {
    rule: "serial-size",
    severity: "error",
    source: "RFC 5280 §4.1.2.2; BR 7.1.2.1",
    check: serialSize,
  },
  { rule: "serial-entropy", severity: "error", source: "BR 7.1.2.1", check: serialEntropy },
  { rule: "serial-once", severity: "error", source: "RFC 5280 §4.1.2.2", check: serialOnce },
  { rule: "signature-same", severity: "error", source: "RFC 5280 §4.1.1.2", check: signatureSame },
  {
    rule: "signature-algorithm",
    severity: "error",
    source: "BR 7.1.3.2",
    check: signatureAlgorithm,
  },
  {
    rule: "issuer-name",
    severity: "error",
    source: "RFC 5280 §4.1.2.4; BR 7.1.4.1",
    check: issuerName,
  },
  { rule: "subject-own", severity: "error", source: "RFC 5280 §3.2", check: subjectOwn },
  { rule: "issuer-ca", severity: "error", source: "RFC 5280 §6.1.4", check: issuerIsCa },
];
