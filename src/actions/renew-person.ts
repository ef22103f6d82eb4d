/**
 * Records until when somebody's vetting and training are good now. From the day after a date on they are not called,
 * agree, cosign or vouch; a date may also be taken forward, which stops somebody at once.
 */

import { defineAction, type Room } from "../ceremony/action.ts";
import { always, condition, personIsOnRoster } from "../ceremony/conditions.ts";
import type { Custody } from "../ceremony/custody.ts";
import { dateParams, datesOf, datesText, sameDates, whyRunOut } from "../ceremony/people-dates.ts";
import type { Policy } from "../ceremony/policy.ts";
import { digestLines } from "../ceremony/spoken.ts";
import { line, slug } from "../ceremony/words.ts";
import { timestamp } from "../lib/clock.ts";
import { visible } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import type { JsonObject } from "../lib/json.ts";
import { z } from "../lib/schema.ts";
import { whyNeeded } from "./lib/needed-person.ts";
import { nothingIsLeft } from "./lib/settle-nothing.ts";

const params = () => z.strictObject({ person: slug, ...dateParams, reference: line });
type Params = z.infer<ReturnType<typeof params>>;

interface Renewal extends JsonObject {
  readonly person: string;
  /** SHA-256 of the card by which they are known. */
  readonly card: string;
  readonly reference: string;
  /** Those of the dates that are stated. */
  readonly vettedUntil?: string;
  readonly trainedUntil?: string;
}

export const renewPerson = defineAction<Params, Renewal, Renewal>({
  name: "renew-person",
  control: "dual",
  params,
  facts: ["person.renewed"],
  instruction: (p) =>
    `Renew the dates of ${p.person}: ${datesText(datesOf(p))}, by document ${p.reference}.`,
  requires: (p) => [
    personIsOnRoster(p.person),
    always("person", statesNone(p) ? "it states no date: give one, or both" : undefined),
    condition("person", ({ custody, policy, nowMs }) =>
      nowMs === undefined ? undefined : whyStopped(p, { custody, policy }, nowMs),
    ),
  ],
  forecast: (p, custody) => renewal(p, custody),
  establishes: (_, { person, reference, ...rest }) => [
    { kind: "person.renewed", person, reference, ...datesOf(rest) },
  ],
  admits: (p, subject, fact) =>
    fact.kind === "person.renewed" &&
    fact.person === p.person &&
    fact.reference === p.reference &&
    sameDates(fact, datesOf(p)) &&
    fact.person === subject.person &&
    fact.reference === subject.reference &&
    sameDates(fact, subject),
  subject(p, room) {
    refuseTooFew(p, room);
    const data = renewal(p, room.custody);
    return Promise.resolve({ data, shown: lines(p, room.custody, data) });
  },
  run: (_, __, { subject }) => Promise.resolve(subject),
  // Other sites are shown these very agreements: they know nothing of an earlier attempt that was finished.
  ...nothingIsLeft("Nothing but the record was to be made; it is agreed to anew.", ["undo"]),
});

function statesNone(p: Params): boolean {
  return Object.keys(datesOf(p)).length === 0;
}

function renewal(p: Params, custody: Custody): Renewal {
  const card = custody.people.get(p.person)?.cardSha256 ?? "0".repeat(64);
  return { person: p.person, card, reference: p.reference, ...datesOf(p) };
}

/** Why dates that are over already would leave too few people, or undefined. */
function whyStopped(
  p: Params,
  rules: { readonly custody: Custody; readonly policy: Policy },
  nowMs: number,
): string | undefined {
  const known = rules.custody.people.get(p.person);
  if (known === undefined) return undefined;
  const renewed = { ...known, ...datesOf(p) };
  const stops = whyRunOut(renewed, timestamp(nowMs), rules.custody.requiredDates);
  return stops === undefined ? undefined : whyNeeded(rules, p.person, nowMs);
}

function refuseTooFew(p: Params, room: Room): void {
  const problem = whyStopped(p, room, room.clock.now());
  if (problem !== undefined) throw new KeyriteError("script.refused", problem);
}

function lines(p: Params, custody: Custody, { card }: Renewal): readonly string[] {
  const known = custody.people.get(p.person);
  const name = known === undefined ? "" : `${visible(known.card.name)} (${p.person})`;
  return [
    `${name}, ${known?.roles.join(", ") ?? ""}: ${datesText(datesOf(p))}`,
    `On record so far: ${datesText(known ?? {}) || "no date"}.`,
    `By document ${visible(p.reference)}. They may act on the day that is named, by UTC, and not on the next.`,
    ...digestLines("Card", card),
  ];
}
