/**
 * The roster in custody: who is on it, and who was. Whoever was revoked is kept apart, so that nothing takes
 * them for somebody who may act, while what they did before can still be judged by their card.
 */

import { shareAKey, type Card } from "../people/card.ts";
import type { Participant } from "./action.ts";
import type { Assurance } from "./genesis.ts";
import type { FactOf, LeavingReason } from "./facts.ts";
import { shareSetName } from "./generations.ts";
import type { CopyContext } from "./copies-state.ts";
import { datesOf, type Dates } from "./people-dates.ts";
import { ONLOOKERS, type Role } from "./words.ts";
import type { Custody, ShareSetCustody } from "./custody.ts";

export interface Enrolled extends Dates {
  readonly person: string;
  readonly roles: readonly Role[];
  readonly card: Card;
  readonly cardSha256: string;
  readonly reference: string;
  /** The newest entry that renewed their dates, and its document. */
  readonly renewed?: { readonly at: string; readonly reference: string };
}

/** Somebody who was on the roster, with all that was on record when they were taken off it. */
export interface Former extends Enrolled {
  readonly revoked: {
    /** Time of the entry from which on they are on no roster. */
    readonly at: string;
    readonly reason: LeavingReason;
    readonly reference: string;
  };
}

/** What of custody the facts about people change. */
export interface PeopleState {
  readonly assurance: Assurance;
  readonly people: Map<string, Enrolled>;
  readonly former: Map<string, Former>;
  readonly attending: Custody["attending"];
}

/** Takes `person.enrolled`, or says why it contradicts custody. */
export function enrol(
  state: PeopleState,
  fact: FactOf<"person.enrolled">,
  card: Card | undefined,
): string | undefined {
  const { person, roles, reference } = fact;
  if (card === undefined) return `the card of ${person} is not attached`;
  if (card.person !== person) return `the card names ${card.person}, not ${person}`;
  if (card.assurance !== state.assurance) {
    return `the identity of ${person} is of ${card.assurance} assurance`;
  }
  const notNew = whyNotNew(state, person);
  if (notNew !== undefined) return notNew;
  const other = holderOfAKeyOf(state, card);
  if (other !== undefined) return `${person} presents a key of ${other}`;
  const known = { person, roles, card, cardSha256: fact.card, reference };
  state.people.set(person, { ...known, ...datesOf(fact) });
  return undefined;
}

/** Takes `person.renewed`, or says why it contradicts custody. A date that it does not state stays as it was. */
export function renew(
  state: PeopleState,
  fact: FactOf<"person.renewed">,
  { at }: Pick<CopyContext, "at">,
): string | undefined {
  const { person, reference } = fact;
  const enrolled = state.people.get(person);
  if (enrolled === undefined) return whyNotEnrolled(state, person);
  const dates = datesOf(fact);
  if (Object.keys(dates).length === 0) return `it states no date of ${person}`;
  state.people.set(person, { ...enrolled, ...dates, renewed: { at, reference } });
  return undefined;
}

/** Takes `person.revoked`, or says why it contradicts custody. */
export function revoke(
  state: PeopleState,
  { person, reason, reference }: FactOf<"person.revoked">,
  { at, foreseen }: Pick<CopyContext, "at" | "foreseen">,
): string | undefined {
  const enrolled = state.people.get(person);
  if (enrolled === undefined) return whyNotEnrolled(state, person);
  // They would have to cosign its end: a ceremony's people stay the same until it is over. A plan foresees
  // everybody at the roll call.
  const present = state.attending.some((one) => one.person === person);
  if (present && foreseen !== true) return `${person} is on the roll of the very ceremony`;
  state.people.delete(person);
  state.former.set(person, { ...enrolled, revoked: { at, reason, reference } });
  return undefined;
}

type Roster = Pick<Custody, "people" | "former">;

/** Why an id cannot be enrolled, or undefined: it stands for one person for ever. */
export function whyNotNew({ people, former }: Roster, person: string): string | undefined {
  if (people.has(person)) return `${person} is already enrolled`;
  const gone = former.get(person);
  return gone && `${whyFormer(gone)}: an id is not given twice`;
}

/** Why somebody who is not among the people of the roster is not. */
export function whyNotEnrolled({ former }: Pick<Roster, "former">, person: string): string {
  const gone = former.get(person);
  return gone === undefined ? `${person} is not on the roster` : whyFormer(gone);
}

function whyFormer({ person, revoked: { at, reason } }: Former): string {
  return `${person} was taken off the roster at ${at} (${reason})`;
}

/** Whether there are two who do not only look on: fewer can do nothing under dual control. */
export function canActTogether(people: readonly Enrolled[]): boolean {
  return people.filter(({ roles }) => roles.some((role) => !ONLOOKERS.includes(role))).length >= 2;
}

/** People in their roles, each with the card by which the roster knows them. */
export function withCards(
  { people }: Pick<Roster, "people">,
  attending: Custody["attending"],
): readonly Participant[] {
  return attending.flatMap(({ person, role }) => {
    const card = people.get(person)?.card;
    return card === undefined ? [] : [{ person, role, card }];
  });
}

/** Why the first who may not act in their role may not, or undefined. */
export function impostorAmong(roster: Roster, acting: Custody["attending"]): string | undefined {
  const found = acting.find(
    ({ person, role }) => roster.people.get(person)?.roles.includes(role) !== true,
  );
  if (found === undefined) return undefined;
  const { person, role } = found;
  if (roster.former.has(person)) return whyNotEnrolled(roster, person);
  return `${person} does not hold the role ${role}`;
}

/** Who holds a key of a card already, or held it: one key is never that of two people. */
export function holderOfAKeyOf(roster: Roster, card: Card): string | undefined {
  return everEnrolled(roster).find((one) => shareAKey(card, one.card))?.person;
}

/** Everybody whose earlier signatures still count: whoever is on the roster, then whoever was. */
export function everEnrolled({ people, former }: Roster): readonly Enrolled[] {
  return [...people.values(), ...former.values()];
}

/** Somebody who is or was on the roster. */
export function everKnown({ people, former }: Roster, person: string): Enrolled | undefined {
  return people.get(person) ?? former.get(person);
}

/** Holders of a share set who were revoked: their shares count as lost. */
export function lostHolders(
  { former }: Pick<Roster, "former">,
  { holders }: Pick<ShareSetCustody, "holders">,
): readonly string[] {
  return holders.filter((person) => former.has(person));
}

/** The share sets that open something now: of tokens in custody, and of escrowed KEKs. */
export function currentShareSets(
  custody: Pick<Custody, "tokens" | "keks" | "shareSets">,
): readonly ShareSetCustody[] {
  const { tokens, keks, shareSets } = custody;
  const current = new Set<string>();
  for (const { sets } of tokens.values()) {
    for (const ref of Object.values(sets)) current.add(shareSetName(ref));
  }
  for (const { escrow } of keks.values()) if (escrow !== null) current.add(shareSetName(escrow));
  return [...shareSets.values()].filter((made) => current.has(shareSetName(made)));
}
