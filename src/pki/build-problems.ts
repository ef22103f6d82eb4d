/**
 * What a step asks under a profile: a subject, a validity, addresses. Each is judged here alone, so that
 * a plan can refuse before anybody is in the room.
 */

import { KeyriteError } from "../lib/errors.ts";
import type { DistinguishedName } from "./names.ts";
import type { Profile } from "./profile-file.ts";

/** Days from the start that the profile sets, or both dates; without either, what the profile has. */
export type ValidityChoice =
  { readonly days?: number } | { readonly notBefore: string; readonly notAfter: string };

/** Addresses that depend on the issuer; the profile says `asked` for each of them. */
export interface Urls {
  readonly crl?: readonly string[];
  readonly caIssuers?: readonly string[];
  readonly ocsp?: readonly string[];
}

export interface Dates {
  /** Whole seconds, in milliseconds since 1970; both are inside the validity. */
  readonly notBefore: number;
  readonly notAfter: number;
}

const DAY_MS = 86_400_000;

/** Why a subject does not fit the profile, or undefined. */
export function subjectProblem(
  { name, subject }: Profile,
  wanted: DistinguishedName,
): string | undefined {
  if (subject === undefined) return `profile ${name} takes its subject from another certificate`;
  const types = wanted.flatMap((rdn) => rdn.map(({ type }) => type));
  const missing = subject.required.filter((type) => !types.includes(type));
  if (missing.length > 0) return `the subject has no ${missing.join(", ")}`;
  const order: readonly string[] = subject.order;
  const foreign = types.find((type) => !order.includes(type));
  if (foreign !== undefined) return `profile ${name} has no place for ${foreign} in the subject`;
  const places = types.map((type) => order.indexOf(type));
  const sorted = places.every((place, at) => at === 0 || place >= (places[at - 1] ?? 0));
  return sorted ? undefined : `the subject must be encoded in the order ${order.join(", ")}`;
}

/** Why a validity does not fit the profile whatever the time is, or undefined. */
export function validityProblem(profile: Profile, choice: ValidityChoice): string | undefined {
  const { name, validity } = profile;
  if ("days" in validity) {
    const { least, most } = validity.days;
    const days = daysOf(choice);
    if (days === undefined) return undefined;
    if (Number.isNaN(days)) return "the validity has no two dates in the order of time";
    if (days >= least && days <= most && ("notBefore" in choice || Number.isInteger(days))) {
      return undefined;
    }
    return `profile ${name} allows ${least} to ${most} days, not ${days}`;
  }
  if ("notBefore" in choice) {
    const same = choice.notBefore === validity.notBefore && choice.notAfter === validity.notAfter;
    return same ? undefined : `profile ${name} sets other dates`;
  }
  return choice.days === undefined ? undefined : `profile ${name} sets dates: days have no place`;
}

function daysOf(choice: ValidityChoice): number | undefined {
  if (!("notBefore" in choice)) return choice.days;
  const span = secondsIn(choice.notAfter) + 1000 - secondsIn(choice.notBefore);
  return span > 0 ? span / DAY_MS : Number.NaN;
}

function secondsIn(time: string): number {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(time) ? Date.parse(time) : Number.NaN;
}

/**
 * First and last second of what is asked. A validity of days begins `backdate` minutes before `nowMs`
 * and its last second is one short of days × 86,400 (BR 1.6.1 "validity period").
 * @throws KeyriteError script.refused
 */
export function datesFor(profile: Profile, choice: ValidityChoice, nowMs: number): Dates {
  const problem = validityProblem(profile, choice);
  if (problem !== undefined) throw new KeyriteError("script.refused", problem);
  if ("notBefore" in choice) return asDates(choice);
  const { validity } = profile;
  if (!("days" in validity)) return asDates(validity);
  const start = Math.floor(nowMs / 1000) * 1000 - validity.backdate * 60_000;
  const days = choice.days ?? validity.days.usual;
  return { notBefore: start, notAfter: start + days * DAY_MS - 1000 };
}

function asDates({
  notBefore,
  notAfter,
}: {
  readonly notBefore: string;
  readonly notAfter: string;
}) {
  return { notBefore: secondsIn(notBefore), notAfter: secondsIn(notAfter) };
}

/** Why the addresses do not fit the profile, or undefined. */
export function urlsProblem(profile: Profile, urls: Urls): string | undefined {
  const { name, crlDistributionPoints: crl, authorityInfoAccess } = profile;
  const fields = { crl, ...authorityInfoAccess };
  for (const field of ["crl", "caIssuers", "ocsp"] as const) {
    const given = urls[field];
    const asked = fields[field] === "asked";
    if (asked && (given === undefined || given.length === 0)) {
      return `profile ${name} asks for ${field} addresses, and none is given`;
    }
    if (!asked && given !== undefined) return `profile ${name} does not ask for ${field} addresses`;
    const bad = given?.find((url) => !isAddress(url, profile.rules));
    if (bad !== undefined) {
      return `${JSON.stringify(bad)} is no ${profile.rules === "private" ? "" : "http "}address`;
    }
  }
  return undefined;
}

const ADDRESS = /^https?:\/\/[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[1-9][0-9]{0,4})?(\/[!-~]*)?$/;

/** BR 7.1.2.10.3, 7.1.2.11.2: plain http in public trust, or fetching would need checking again. */
function isAddress(url: string, rules: Profile["rules"]): boolean {
  if (url.length > 500 || !ADDRESS.test(url)) return false;
  return rules === "private" || url.startsWith("http://");
}

/** Why a number of days does not fit the profile, or undefined. */
export function daysProblem(profile: Profile, days: number): string | undefined {
  return validityProblem(profile, { days });
}

/** Why two dates do not fit the profile, or undefined. */
export function datesProblem(
  profile: Profile,
  notBefore: string,
  notAfter: string,
): string | undefined {
  return validityProblem(profile, { notBefore, notAfter });
}
