/** What custody says of certificates and CRLs on a day: what is in force, what runs out, what is due. Pure. */

import { parseTimestamp } from "../lib/clock.ts";
import type { JsonObject } from "../lib/json.ts";
import type { Custody } from "./custody.ts";
import type { CertificateCustody } from "./custody-certificates.ts";
import { plural } from "./key-status.ts";

export interface CertificateStatus extends JsonObject {
  /** Its name at this site. */
  readonly name: string;
  readonly sha256: string;
  readonly source: "issued" | "imported";
  readonly subject: string;
  readonly spki: string;
  readonly ca: boolean;
  readonly notBefore: string;
  readonly notAfter: string;
  readonly state: "in force" | "not yet" | "expired" | "revoked";
  /** Whole days until it expires; negative afterwards. */
  readonly daysLeft: number;
  readonly revoked: { readonly reason: string; readonly date: string } | null;
}

export interface CrlStatus extends JsonObject {
  /** Name of the issuer's certificate. */
  readonly issuer: string;
  readonly issuerSpki: string;
  readonly number: number;
  readonly entries: number;
  readonly nextUpdate: string;
  /** Whole days until the next one is due; negative afterwards. */
  readonly daysLeft: number;
}

export interface CertificatesStatus {
  readonly certificates: readonly CertificateStatus[];
  readonly crls: readonly CrlStatus[];
  /** What needs somebody's attention, one sentence each. */
  readonly concerns: readonly string[];
}

const DAY = 86_400_000;
/** A CA certificate takes a ceremony to renew, and its replacement months to reach everybody. */
const WARN_CERTIFICATE_DAYS = 180;
const WARN_CRL_DAYS = 14;

/** @param now in milliseconds since 1970 */
export function certificatesStatus(custody: Custody, now: number): CertificatesStatus {
  const certificates = [...custody.certificates.values()].map((one) => statusOf(one, now));
  const crls = [...custody.crls.values()].map(
    ({ issuer, issuerSpki, number, entries, nextUpdate }): CrlStatus => ({
      issuer: custody.certificates.get(issuer)?.file ?? issuer,
      issuerSpki,
      number,
      entries,
      nextUpdate,
      daysLeft: daysUntil(nextUpdate, now),
    }),
  );
  const concerns = [
    ...unpublished(custody),
    ...[...custody.certificates.values()].flatMap(unverified),
    ...crls.flatMap(crlConcern),
    ...certificates.flatMap((one) => certificateConcern(one, certificates, custody)),
  ];
  return { certificates, crls, concerns };
}

function statusOf(one: CertificateCustody, now: number): CertificateStatus {
  const { file: name, sha256, source, subject, spki, ca, notBefore, notAfter } = one;
  const revoked = one.source === "issued" ? one.revoked : null;
  return {
    ...{ name, sha256, source, subject, spki, ca, notBefore, notAfter },
    state: revoked === null ? stateOn(one, now) : "revoked",
    daysLeft: daysUntil(notAfter, now),
    revoked: revoked && { reason: revoked.reason, date: revoked.date },
  };
}

function stateOn(
  { notBefore, notAfter }: Pick<CertificateCustody, "notBefore" | "notAfter">,
  now: number,
): "in force" | "not yet" | "expired" {
  if (timeOf(notAfter) < now) return "expired";
  return timeOf(notBefore) > now ? "not yet" : "in force";
}

function timeOf(text: string): number {
  return parseTimestamp(text.replace(/Z$/, ".000Z")) ?? 0;
}

function daysUntil(text: string, now: number): number {
  return Math.floor((timeOf(text) - now) / DAY);
}

/** Revoked on record, and nobody outside can know it. */
function unpublished({ certificates, crls }: Custody): readonly string[] {
  const counts = new Map<string, number>();
  for (const one of certificates.values()) {
    if (one.source !== "issued" || one.revoked === null) continue;
    counts.set(one.issuerSpki, (counts.get(one.issuerSpki) ?? 0) + 1);
  }
  return [...counts].flatMap(([spki, count]) => {
    const missing = count - (crls.get(spki)?.entries ?? 0);
    if (missing <= 0) return [];
    const whose = [...certificates.values()].find((one) => one.spki === spki && one.ca);
    const issuer = whose?.file ?? `the key with SPKI ${spki}`;
    return [
      `RED: ${plural(missing, "certificate")} of ${issuer} ${missing === 1 ? "is" : "are"} revoked and in no CRL yet; sign one with sign-crl`,
    ];
  });
}

function unverified(one: CertificateCustody): readonly string[] {
  if (one.source === "issued" || one.verified) return [];
  return [
    `certificate ${one.file} was taken in from outside, and nobody has verified who signed it`,
  ];
}

function crlConcern({ issuer, nextUpdate, daysLeft }: CrlStatus): readonly string[] {
  if (daysLeft >= WARN_CRL_DAYS) return [];
  return daysLeft < 0
    ? [`RED: the CRL of ${issuer} has run out, ${nextUpdate}; sign one with sign-crl`]
    : [`the next CRL of ${issuer} is due in ${plural(daysLeft, "day")}, by ${nextUpdate}`];
}

function certificateConcern(
  { name, spki, ca, state, daysLeft, notAfter }: CertificateStatus,
  all: readonly CertificateStatus[],
  { copies }: Custody,
): readonly string[] {
  const ended = state === "expired";
  if (!ended && (state !== "in force" || daysLeft >= WARN_CERTIFICATE_DAYS)) return [];
  // One that lasts longer, for the same key, has taken its place.
  const replaced = all.some(
    (other) =>
      other.spki === spki &&
      other.ca === ca &&
      other.state !== "revoked" &&
      other.notAfter > notAfter,
  );
  if (replaced) return [];
  if (ended) {
    // Of other people's keys, and of keys that are destroyed, nothing is left to be done.
    if (!ca || copies.get(spki)?.destroyed !== false) return [];
    return [
      `RED: certificate ${name} has expired, on ${notAfter}, and its key is still there; renew it, or destroy the key`,
    ];
  }
  return [`certificate ${name} expires in ${plural(daysLeft, "day")}, on ${notAfter}`];
}
