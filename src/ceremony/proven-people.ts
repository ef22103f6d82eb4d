/**
 * Somebody of another site's roster, and whether people known before bore what a proven entry says of them: each by
 * an agreement that names this very step, while their own dates were not over.
 */

import type { Entry } from "../ledger/entry.ts";
import { parseTimestamp } from "../lib/clock.ts";
import { canonicalJson, isJsonObject } from "../lib/json.ts";
import { parseNote } from "../lib/note.ts";
import { checkAgreement, parseAgreement, type Agreement } from "../people/agreement.ts";
import type { Card } from "../people/card.ts";
import type { FactOf } from "./facts.ts";
import { whyRunOut, type Dates } from "./people-dates.ts";
import { integerOf, stringOf } from "./record.ts";
import { subjectDigest } from "./step-authority.ts";
import { ONLOOKERS, type Role } from "./words.ts";

/** Somebody on the roster of the other site. */
export interface ProvenPerson {
  readonly card: Card;
  readonly roles: readonly Role[];
  /** Index of the entry that enrolled them; 0 for founders. */
  readonly since: number;
  /** Index of the entry that took them off it; null when none is proven that does. */
  readonly until: number | null;
  /** Their dates as the proven entries left them, one after the other, the newest last. */
  readonly dates: readonly DatesSince[];
}

/** Dates as they were from an entry on. */
export interface DatesSince {
  readonly since: number;
  readonly dates: Dates;
}

/** Why the dates of somebody, as the entries before `seq` left them, were over at a time; or undefined. */
export function whyLate(
  { card, dates }: ProvenPerson,
  at: string,
  seq: number,
): string | undefined {
  const then = dates.findLast(({ since }) => since < seq)?.dates ?? {};
  return whyRunOut({ person: card.person, ...then }, at, []);
}

/** Whether an entry began the step that another completed, and by an agreement of theirs to it. */
export function beganWith(card: Card, begun: Entry, completed: Entry): boolean {
  const { type, ceremony, step, agreements } = begun;
  if (type !== "step.begun" || ceremony !== completed.ceremony || step !== completed.step) {
    return false;
  }
  return agreements.some((note) => {
    if (parseAgreement(parseNote(note).text).person !== card.person) return false;
    const agreement = checkAgreement(note, card);
    return agreement.ceremony === ceremony && agreement.step.n === integerOf(begun.data, "n");
  });
}

interface AgreedStep {
  readonly people: ReadonlyMap<string, ProvenPerson>;
  readonly opened: Entry;
  readonly begun: Entry;
  readonly fact: FactOf<"person.enrolled" | "person.renewed">;
  /** Of the newcomer, who has to agree too; null when somebody known is renewed. */
  readonly card: Card | null;
}

/** Why a fact is not borne by the agreements of people known before it, or undefined. */
export function agreedProblem(
  people: ReadonlyMap<string, ProvenPerson>,
  entries: ReadonlyMap<number, Entry>,
  completed: Entry,
  fact: AgreedStep["fact"],
  card: Card | null,
): string | undefined {
  const opened = entries.get(completed.refs["opened"] ?? -1);
  const begun = entries.get(completed.refs["begun"] ?? -1);
  if (opened?.type !== "step.opened" || begun?.type !== "step.begun") {
    return "the entries that show who agreed to it are not proven";
  }
  return agreementProblem({ people, opened, begun, fact, card });
}

function agreementProblem(step: AgreedStep): string | undefined {
  const { people, opened, begun, fact, card } = step;
  if (begun.refs["opened"] !== opened.seq || begun.ceremony !== opened.ceremony) {
    return "its entries are not of one step";
  }
  if (!isAbout(step)) return `nobody agreed to ${card === null ? "these dates" : "this card"}`;
  const vouching = new Set<string>();
  let candidate = false;
  for (const note of begun.agreements) {
    const { person } = parseAgreement(parseNote(note).text);
    const newcomer = person === fact.person ? card : null;
    const signer = newcomer ?? people.get(person)?.card;
    if (signer === undefined) continue;
    const agreement = checkAgreement(note, signer);
    if (!isFor(agreement, step)) return `the agreement of ${person} is for something else`;
    if (newcomer !== null) candidate = true;
    else if (mayVouch(people.get(person), agreement.role, begun)) vouching.add(person);
  }
  if (card !== null && !candidate) return "they did not agree themselves";
  return vouching.size < 2 ? "fewer than two people known before it agreed" : undefined;
}

/** Whether what was shown and agreed to is this enrolment, or this renewal. */
function isAbout({ opened, begun, fact }: AgreedStep): boolean {
  const shown = opened.data["shown"];
  const intent = begun.data["intent"];
  if (!isJsonObject(intent) || !Array.isArray(shown)) return false;
  const { candidate, vettedUntil = null, trainedUntil = null } = intent;
  const said = { vettedUntil: fact.vettedUntil ?? null, trainedUntil: fact.trainedUntil ?? null };
  const same =
    subjectDigest(intent, shown.map(String)) === opened.data["subject"] &&
    canonicalJson({ vettedUntil, trainedUntil }) === canonicalJson(said);
  if (fact.kind === "person.renewed") return same && intent["person"] === fact.person;
  return (
    same &&
    isJsonObject(candidate) &&
    candidate["person"] === fact.person &&
    candidate["card"] === fact.card &&
    canonicalJson(intent["roles"] ?? null) === canonicalJson(fact.roles)
  );
}

// The plan and the build of the software, which agreements name too, are not part of the proof.
function isFor(agreement: Agreement, { opened, begun }: AgreedStep): boolean {
  return (
    agreement.origin === begun.origin &&
    agreement.ceremony === begun.ceremony &&
    agreement.decision === "agree" &&
    agreement.step.n === integerOf(begun.data, "n") &&
    agreement.step.digest === stringOf(opened.data, "step") &&
    agreement.subject === stringOf(opened.data, "subject") &&
    agreement.nonce === stringOf(opened.data, "nonce") &&
    agreement.opened.size === opened.seq + 1 &&
    (parseTimestamp(agreement.expires) ?? 0) >= (parseTimestamp(begun.time) ?? Infinity)
  );
}

function mayVouch(who: ProvenPerson | undefined, role: string, begun: Entry): boolean {
  if (who?.until !== null || whyLate(who, begun.time, begun.seq) !== undefined) return false;
  return who.roles.some((held) => held === role && !ONLOOKERS.includes(held));
}
