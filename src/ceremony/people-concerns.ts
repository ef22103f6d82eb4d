/** What of people's dates needs attention: what is over, what soon is, and whether enough could act then. Pure. */

import { timestamp } from "../lib/clock.ts";
import type { Custody, Enrolled } from "./custody.ts";
import { canActTogether } from "./custody-people.ts";
import { ableAt, DATED, untilOf, whyRunOut } from "./people-dates.ts";

const DAY_MS = 86_400_000;
const WARNED_DAYS = 30;

/** Sentences about dates, the worst first; those that begin with RED are to be put right before anything else. */
export function peopleConcerns(custody: Custody, nowMs: number): readonly string[] {
  const at = timestamp(nowMs);
  const roster = [...custody.people.values()];
  const over = roster.flatMap((one) => {
    const problem = whyRunOut(one, at, custody.requiredDates);
    return problem === undefined ? [] : [`RED: ${problem}`];
  });
  return [...tooFewSoon(custody, nowMs), ...over, ...roster.flatMap((one) => soonOver(one, nowMs))];
}

/** The end of the last day of a date, in milliseconds since 1970. */
function endOf(until: string): number {
  return Date.parse(until) + DAY_MS;
}

function isSoon(until: string, nowMs: number): boolean {
  const left = endOf(until) - nowMs;
  return left > 0 && left <= WARNED_DAYS * DAY_MS;
}

function soonOver(one: Enrolled, nowMs: number): readonly string[] {
  return DATED.flatMap((what) => {
    const until = untilOf(one, what);
    if (until === undefined || !isSoon(until, nowMs)) return [];
    return [`the ${what} of ${one.person} is good until ${until} only: hold ceremony renew-person`];
  });
}

/** Nobody could renew anybody any more: said while there is time. */
function tooFewSoon(custody: Custody, nowMs: number): readonly string[] {
  const able = ableAt(custody, timestamp(nowMs));
  const ends = able
    .flatMap((one) => DATED.flatMap((what) => untilOf(one, what) ?? []))
    .filter((until) => isSoon(until, nowMs));
  const [first] = ends.toSorted();
  if (first === undefined) return [];
  if (canActTogether(ableAt(custody, timestamp(endOf(first))))) return [];
  return [
    `RED: after ${first} no two people could act, and nobody could be renewed: hold ceremony renew-person before`,
  ];
}
