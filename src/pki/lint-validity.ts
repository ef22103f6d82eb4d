/** Trust on the time a certificate is valid. */

import { type CertificateSubject, type Lint } from "./lint-rule.ts";
import type { CertificateView, TimeView } from "./view.ts";

type Check = Lint<CertificateSubject>["check"];

const DAY_MS = 86_400_000;
/** BR 7.1.2.1.1 */
const ROOT_DAYS = { least: 2922, most: 9132 };

const order: Check = ({ view: { notBefore, notAfter } }) =>
  notAfter.time < notBefore.time ? "the certificate ends before it begins" : undefined;

const encoding: Check = ({ view: { notBefore, notAfter } }) =>
  timeFormProblem(notBefore) ?? timeFormProblem(notAfter);

const longest: Check = ({ view, role, trust }) => {
  if (role !== "root" || trust === "private") return undefined;
  const days = validityDays(view);
  return days > ROOT_DAYS.most
    ? `the validity of ${days} days is more than ${ROOT_DAYS.most}`
    : undefined;
};

const shortest: Check = ({ view, role, trust }) => {
  if (role !== "root" || trust === "private") return undefined;
  const days = validityDays(view);
  return days >= 0 && days < ROOT_DAYS.least
    ? `the validity of ${days} days is less than ${ROOT_DAYS.least}`
    : undefined;
};

const nests: Check = ({ view, issuer, role }) => {
  if (issuer === null) return undefined;
  if (view.notAfter.time > issuer.notAfter.time) {
    return `the certificate is valid longer than its issuer, to ${view.notAfter.time}`;
  }
  // A cross-certificate may go back to the beginning of the certificate that it doubles (BR 7.1.2.2.1).
  if (role === "cross" || view.notBefore.time >= issuer.notBefore.time) return undefined;
  return `the certificate is valid before its issuer, from ${view.notBefore.time}`;
};

const signedWithin: Check = ({ view, nowMs, trust, role, existing }) => {
  if (nowMs === undefined || trust === "private") return undefined;
  const start = Date.parse(view.notBefore.time);
  if (start > nowMs) return `the certificate begins after it is signed, at ${view.notBefore.time}`;
  const other = existing === undefined ? nowMs : Date.parse(existing.notBefore.time);
  const earliest = Math.min(nowMs - DAY_MS, role === "cross" ? other : nowMs);
  if (start >= Math.floor(earliest / 1000) * 1000) return undefined;
  return `the certificate is backdated by more than a day, to ${view.notBefore.time}`;
};

export const VALIDITY_LINTS: readonly Lint<CertificateSubject>[] = [
  { rule: "validity-order", severity: "error", source: "RFC 5280 §4.1.2.5", check: order },
  { rule: "validity-encoding", severity: "error", source: "RFC 5280 §4.1.2.5", check: encoding },
  { rule: "validity-longest", severity: "error", source: "BR 7.1.2.1.1", check: longest },
  { rule: "validity-shortest", severity: "error", source: "BR 7.1.2.1.1", check: shortest },
  { rule: "validity-nests", severity: "error", source: "RFC 5280 §6.1.3", check: nests },
  {
    rule: "validity-backdated",
    severity: "error",
    source: "BR 7.1.2.1.1, 7.1.2.2.1, 7.1.2.8.1, 7.1.2.10.1",
    check: signedWithin,
  },
];

/** UTCTime through 2049 and GeneralizedTime from 2050 on: both MUST. */
export function timeFormProblem({ time, form }: TimeView): string | undefined {
  const wanted = time < "2050" ? "utc" : "generalized";
  return form === wanted ? undefined : `the time ${time} is encoded as ${form}, not ${wanted} time`;
}

/** Days of validity, the last second included; part days as fractions. */
function validityDays({ notBefore, notAfter }: CertificateView): number {
  return (Date.parse(notAfter.time) + 1000 - Date.parse(notBefore.time)) / DAY_MS;
}
