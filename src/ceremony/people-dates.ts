/**
 * Records about people that run out: vetting and training, each with the last day on which somebody may act. They
 * are judged by the time of an entry and never by a clock, so that an auditor comes to the same years later.
 */

import type { Card } from "../people/card.ts";
import type { Custody, Enrolled } from "./custody.ts";
import type { Hall } from "./hall.ts";
import { day } from "./words.ts";
import { timestamp } from "../lib/clock.ts";
import { visible } from "../lib/encoding.ts";
import { z } from "../lib/schema.ts";

/** The records that have a date. */
export const DATED = ["vetting", "training"] as const;
export type Dated = (typeof DATED)[number];

/** Until when each record is good; what is absent was not stated, and sets no end. */
export interface Dates {
  /** The last day, `YYYY-MM-DD` in UTC, on which they may act. */
  readonly vettedUntil?: string;
  readonly trainedUntil?: string;
}

const UNTIL = { vetting: "vettedUntil", training: "trainedUntil" } as const;

/** Stands in a script for a date that is not given: parameters always have a value. */
export const UNSTATED = "unstated";

const dayOrNone = z.union([day, z.literal(UNSTATED)]).optional();

/** The parameters by which a step takes dates. */
export const dateParams = { vettedUntil: dayOrNone, trainedUntil: dayOrNone };

/** The stated dates alone. What is absent has no member: so facts without dates are what they were before. */
export function datesOf({ vettedUntil, trainedUntil }: Dates): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries({ vettedUntil, trainedUntil }).filter(
      (one): one is [string, string] => one[1] !== undefined && one[1] !== UNSTATED,
    ),
  );
}

/** The last day on which a record of somebody is good, where that is stated. */
export function untilOf(dates: Dates, what: Dated): string | undefined {
  return dates[UNTIL[what]];
}

/** Whether two state the same dates. */
export function sameDates(one: Dates, other: Dates): boolean {
  return one.vettedUntil === other.vettedUntil && one.trainedUntil === other.trainedUntil;
}

/** `vetting until 2027-11-30, training until 2027-05-31`: those that are stated; empty when none is. */
export function datesText(dates: Dates): string {
  const said = DATED.flatMap((what) => {
    const until = dates[UNTIL[what]];
    return until === undefined ? [] : [`${what} until ${until}`];
  });
  return said.join(", ");
}

/**
 * Why somebody on the roster may not act at a time, or undefined.
 * @param at RFC 3339 in UTC: the time of an entry, or of this moment before there is one
 */
export function whyRunOut(
  who: Pick<Enrolled, "person"> & Dates,
  at: string,
  required: readonly Dated[],
): string | undefined {
  for (const what of DATED) {
    const until = who[UNTIL[what]];
    if (until === undefined && required.includes(what)) {
      return `the policy requires a date of ${what}, and ${who.person} has none: ${REMEDY}`;
    }
    if (until !== undefined && at.slice(0, 10) > until) {
      return `the ${what} of ${who.person} was good until ${until}: ${REMEDY}`;
    }
  }
  return undefined;
}

const REMEDY = "hold ceremony renew-person";

type Roster = Pick<Custody, "people" | "requiredDates">;

/** Why the first of those on a roll whose records have run out may not be on it, or undefined. */
export function runOutAmong(
  { people, requiredDates }: Roster,
  attending: readonly { readonly person: string }[],
  at: string,
): string | undefined {
  for (const { person } of attending) {
    const enrolled = people.get(person);
    const problem = enrolled && whyRunOut(enrolled, at, requiredDates);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** Everybody on the roster whose records are good at a time. */
export function ableAt({ people, requiredDates }: Roster, at: string): readonly Enrolled[] {
  return [...people.values()].filter((who) => whyRunOut(who, at, requiredDates) === undefined);
}

/** Those of these people who may act now; the room is told of each other why they may not. */
export function whoMayAct<T extends { readonly card: Card }>(
  {
    clock,
    console,
  }: { readonly clock: Hall["clock"]; readonly console: Pick<Hall["console"], "warn"> },
  { people, requiredDates }: Roster,
  asked: readonly T[],
): readonly T[] {
  const at = timestamp(clock.now());
  return asked.filter(({ card }) => {
    const enrolled = people.get(card.person);
    const problem = enrolled && whyRunOut(enrolled, at, requiredDates);
    if (problem !== undefined) console.warn(`${visible(card.name)} may not act: ${problem}`);
    return problem === undefined;
  });
}
