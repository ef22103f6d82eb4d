/** Rules on revocation lists: the header at once, the entries in one pass. */

import { isDeepStrictEqual } from "node:util";
import { schemesFor } from "../lib/algorithms.ts";
import { schemeInWords } from "./algorithms.ts";
import { REVOCATION_REASONS } from "./crl-names.ts";
import type { CrlEntryView, SignedCrl } from "./crl-read.ts";
import { keyAlgorithm } from "./keys.ts";
import { repeatedExtension } from "./lint-extensions.ts";
import { find, kindInWords, type Kind, type Lint, type Severity, type Trust } from "./lint-rule.ts";
import { timeFormProblem } from "./lint-validity.ts";
import type { CertificateView } from "./view.ts";

export interface CrlContext {
  /** The certificate of the CA whose list it is. */
  readonly issuer: CertificateView;
  readonly trust?: Trust;
  /** Number of the list before this one. */
  readonly previousNumber?: bigint | undefined;
  /** Time of signing. */
  readonly nowMs?: number | undefined;
}

export interface CrlSubject extends CrlContext {
  readonly crl: SignedCrl;
}

type Check = Lint<CrlSubject>["check"];

const DAY_MS = 86_400_000;
/** BR 4.9.7, 7.2: twelve months, a leap year's. */
const LONGEST_DAYS = 366;

const same: Check = ({ crl }) =>
  isDeepStrictEqual(crl.algorithm, crl.header.signature)
    ? undefined
    : "the algorithm named outside the signed part is not the one inside";

const algorithm: Check = ({ crl, issuer }) => {
  const name = keyAlgorithm(issuer.key);
  const { scheme } = crl.header.signature;
  if (name === null) return undefined;
  const allowed = schemesFor(name);
  if (scheme !== null && allowed.includes(scheme)) return undefined;
  return `a ${name} key signs with ${allowed.map(schemeInWords).join(" or ")}, and the list says otherwise`;
};

const issuerName: Check = ({ crl, issuer }) =>
  isDeepStrictEqual(crl.header.issuer, issuer.subject)
    ? undefined
    : "the issuer is not byte for byte the subject of the CA's certificate";

const issuerUsage: Check = ({ issuer }) =>
  find(issuer, "key-usage")?.usages.includes("cRLSign") === false
    ? "the CA's certificate is not for signing revocation lists"
    : undefined;

const times: Check = ({ crl: { header } }) =>
  timeFormProblem(header.thisUpdate) ?? timeFormProblem(header.nextUpdate);

const nextUpdate: Check = ({ crl: { header } }) =>
  header.nextUpdate.time > header.thisUpdate.time
    ? undefined
    : "the next list is due before this one is made";

const longest: Check = ({ crl: { header } }) => {
  const span = Date.parse(header.nextUpdate.time) - Date.parse(header.thisUpdate.time);
  const days = Math.ceil(span / DAY_MS);
  return days > LONGEST_DAYS ? `the next list is due after ${days} days, not 12 months` : undefined;
};

const future: Check = ({ crl: { header }, nowMs }) =>
  nowMs !== undefined && Date.parse(header.thisUpdate.time) > nowMs
    ? "the list is dated after it is signed"
    : undefined;

const beforeCa: Check = ({ crl: { header }, issuer }) =>
  header.thisUpdate.time < issuer.notBefore.time || header.thisUpdate.time > issuer.notAfter.time
    ? "the list is made when the CA's certificate is not valid"
    : undefined;

const number: Check = ({ crl: { header } }) => {
  const digits = find(header, "crl-number")?.number;
  return digits !== undefined && digits.length > 40
    ? `the number has ${digits.length / 2} octets, more than 20`
    : undefined;
};

const increases: Check = ({ crl: { header }, previousNumber }) => {
  const digits = find(header, "crl-number")?.number;
  if (digits === undefined || previousNumber === undefined) return undefined;
  const value = BigInt(`0x${digits}`);
  return value > previousNumber ? undefined : `the number ${value} is not above ${previousNumber}`;
};

const USED: readonly Kind[] = ["authority-key-id", "crl-number"];

const missing: Check = ({ crl: { header } }) => {
  const lacks = USED.filter((kind) => find(header, kind) === undefined);
  return lacks.length > 0 ? `it has no ${lacks.map(kindInWords).join(", no ")}` : undefined;
};

const unknown: Check = ({ crl: { header } }) => {
  const odd = header.extensions.find(({ kind }) => !USED.includes(kind));
  if (odd === undefined) return undefined;
  return `the extension ${odd.kind === "other" ? odd.oid : kindInWords(odd.kind)} is not for a complete list`;
};

const once: Check = ({ crl: { header } }) => {
  const twice = repeatedExtension(header.extensions);
  return twice === undefined ? undefined : `the extension ${twice} stands twice`;
};

const critical: Check = ({ crl: { header } }) => {
  const wrong = header.extensions.find(({ kind, critical: is }) => is && USED.includes(kind));
  return wrong && `the extension ${kindInWords(wrong.kind)} is critical`;
};

const authority: Check = ({ crl: { header }, issuer }) => {
  const found = find(header, "authority-key-id")?.keyId;
  const wanted = find(issuer, "subject-key-id")?.keyId;
  return found === undefined || wanted === undefined || found === wanted
    ? undefined
    : "the authority key id is not the subject key id of the CA";
};

const WRITTEN: readonly string[] = REVOCATION_REASONS;

/** What is wrong with one entry by itself, by rule. */
const ENTRY_CHECKS: Readonly<
  Record<string, (entry: CrlEntryView, crl: SignedCrl) => string | undefined>
> = {
  "crl-entry-serial": ({ serial }) =>
    /^[89a-f]|^0*$|^00[0-7]/.test(serial) || serial.length > 40
      ? "it is not a positive number of at most 20 octets in shortest form"
      : undefined,
  "crl-entry-reason": ({ reason }) => {
    if (reason === null) return "it has no reason";
    return WRITTEN.includes(reason) ? undefined : `the reason ${reason} is not for a CA's list`;
  },
  "crl-entry-time": ({ revokedAt }, { header }) =>
    revokedAt.time > header.thisUpdate.time
      ? "it is revoked after the list is made"
      : timeFormProblem(revokedAt),
  "crl-entry-extension": ({ others: [other] }) =>
    other === undefined ? undefined : `it holds the extension ${other}`,
};

/** First problem of each rule; kept, since decoding a long list takes longer than all of the rules. */
const judgedLists = new WeakMap<SignedCrl, ReadonlyMap<string, string>>();

/**
 * What is wrong with the entries, by rule, in one pass over them.
 * @throws KeyriteError usage.bad-file at an entry that cannot be decoded
 */
export function entryProblems(crl: SignedCrl): ReadonlyMap<string, string> {
  const known = judgedLists.get(crl);
  if (known !== undefined) return known;
  const problems = new Map<string, string>();
  const note = (rule: string, problem: string | undefined): void => {
    if (problem !== undefined && !problems.has(rule)) problems.set(rule, problem);
  };
  const checks = Object.entries(ENTRY_CHECKS);
  const seen = new Set<string>();
  const order = new Order();
  for (const entry of crl.entries()) {
    const { serial } = entry;
    for (const [rule, check] of checks) {
      const problem = check(entry, crl);
      if (problem !== undefined) note(rule, `serial number ${serial}: ${problem}`);
    }
    if (seen.has(serial)) note("crl-entry-once", `serial number ${serial} stands twice`);
    seen.add(serial);
    order.take(entry);
  }
  note("crl-entry-order", order.problem());
  judgedLists.set(crl, problems);
  return problems;
}

/** Whether entries come in the order of their numbers or of their times. */
class Order {
  #last: CrlEntryView | undefined;
  #bySerial = true;
  #byTime = true;

  take(entry: CrlEntryView): void {
    const last = this.#last;
    this.#last = entry;
    if (last === undefined) return;
    this.#bySerial &&= last.serial.padStart(42, "0") <= entry.serial.padStart(42, "0");
    this.#byTime &&= last.revokedAt.time <= entry.revokedAt.time;
  }

  problem(): string | undefined {
    if (this.#bySerial || this.#byTime) return undefined;
    return "the entries stand in no order, of number or of time";
  }
}

/** A row of the table below. */
const row = (rule: string, source: string, check: Check, severity: Severity = "error") => ({
  ...{ rule, severity, source, check },
});

/** A row about entries; what it finds is said by `entryProblems`. */
const entryRow = (rule: string, source: string, severity: Severity = "error") =>
  row(rule, source, ({ crl }) => entryProblems(crl).get(rule), severity);

/** The rules for revocation lists, in the order of the fields. */
export const CRL_LINTS: readonly Lint<CrlSubject>[] = [
  row("crl-signature-same", "RFC 5280 §5.1.1.2", same),
  row("crl-signature-algorithm", "BR 7.1.3.2", algorithm),
  row("crl-issuer-name", "RFC 5280 §5.1.2.3; BR 7.2", issuerName),
  row("crl-issuer-usage", "RFC 5280 §6.3.3", issuerUsage),
  row("crl-time-encoding", "RFC 5280 §5.1.2.4, §5.1.2.5", times),
  row("crl-next-update", "RFC 5280 §5.1.2.5", nextUpdate),
  row("crl-longest", "BR 4.9.7, 7.2", longest),
  row("crl-future", "RFC 5280 §5.1.2.4", future),
  row("crl-issuer-valid", "RFC 5280 §6.3.3", beforeCa),
  row("crl-extension-missing", "RFC 5280 §5.2.1, §5.2.3; BR 7.2.2", missing),
  row("crl-extension-unknown", "BR 7.2.2", unknown),
  row("crl-extension-once", "RFC 5280 §4.2", once),
  row("crl-extension-critical", "RFC 5280 §5.2.1, §5.2.3; BR 7.2.2", critical),
  row("crl-authority-key-id", "RFC 5280 §5.2.1; BR 7.1.2.11.1", authority),
  row("crl-number-size", "RFC 5280 §5.2.3; BR 7.2.2", number),
  row("crl-number-increases", "RFC 5280 §5.2.3; BR 7.2.2", increases),
  entryRow("crl-entry-serial", "RFC 5280 §4.1.2.2"),
  entryRow("crl-entry-once", "RFC 5280 §5.3"),
  entryRow("crl-entry-reason", "RFC 5280 §5.3.1; BR 7.2.2"),
  entryRow("crl-entry-time", "RFC 5280 §5.1.2.4, §5.1.2.6"),
  entryRow("crl-entry-extension", "BR 7.2.2"),
  entryRow("crl-entry-order", "RFC 5280 §5.1.2.6", "warning"),
];
