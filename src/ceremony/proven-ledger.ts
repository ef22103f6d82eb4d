/**
 * What a few proven entries of another site's ledger say: who is on its roster, and what is recorded,
 * starting from nothing but the digest of its genesis. Whoever owns that site's host can append noise
 * that people cosign unseen, so an enrolment counts only by the agreements of people known before.
 */

import { verifyCosigned, verifyProof } from "../ledger/proof.ts";
import type { Checkpoint } from "../ledger/checkpoint.ts";
import type { Entry } from "../ledger/entry.ts";
import { parseTimestamp, timestamp } from "../lib/clock.ts";
import { messageOf } from "../lib/errors.ts";
import { canonicalJson, isJsonObject } from "../lib/json.ts";
import { cosignatureTime, parseNote, parseVerifierKey, type VerifierKey } from "../lib/note.ts";
import { checkAgreement, parseAgreement, type Agreement } from "../people/agreement.ts";
import { cardDigest, cardKey, parseCard, shareAKey, type Card } from "../people/card.ts";
import type { FactOf } from "./facts.ts";
import { readGenesis, type Genesis } from "./genesis.ts";
import { datesOf, whyRunOut, type Dates } from "./people-dates.ts";
import type { ProofFiles } from "./proof-folder.ts";
import { integerOf, stringOf } from "./record.ts";
import { readFacts, subjectDigest } from "./step-authority.ts";
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

export interface ProvenLedger {
  readonly genesis: Genesis;
  readonly checkpoint: Checkpoint;
  readonly people: ReadonlyMap<string, ProvenPerson>;
  /** Proven entries by index. */
  readonly entries: ReadonlyMap<number, Entry>;
  /** Proven people who cosigned the checkpoint. */
  readonly cosigners: readonly string[];
}

/**
 * Judges a folder of proofs.
 * @param genesis the digest that this site's people adopted.
 * @returns what they prove, or what is wrong with them: for one, that fewer than two proven people
 * cosigned the checkpoint, or that an enrolment is not borne by people known before it.
 */
export function proveLedger(
  files: ProofFiles,
  genesis: string,
): { readonly ledger?: ProvenLedger; readonly problems: readonly string[] } {
  try {
    return judge(files, genesis);
  } catch (error) {
    return { problems: [messageOf(error)] };
  }
}

function judge(
  files: ProofFiles,
  expected: string,
): { readonly ledger?: ProvenLedger; readonly problems: readonly string[] } {
  const genesis = readGenesis(files.genesis);
  if (genesis.sha256 !== expected) {
    return { problems: [`its genesis is ${genesis.sha256}, not the adopted ${expected}`] };
  }
  const key = parseVerifierKey(genesis.ledgerKey);
  const entries = new Map<number, Entry>();
  for (const text of files.proofs) {
    const { entry } = verifyProof(text, key);
    if (!text.endsWith(`\n\n${files.checkpoint}`)) {
      return { problems: [`the proof of entry ${entry.seq} is under another checkpoint`] };
    }
    entries.set(entry.seq, entry);
  }
  const { people, problems } = rosterOf(genesis, entries, files.cards.map(parseCard));
  const { checkpoint, cosigners } = cosignersOf(files.checkpoint, key, people);
  if (cosigners.length < 2) {
    const who = cosigners.length === 0 ? "nobody" : `only ${cosigners.join()}`;
    return { problems: [...problems, `${who} of its proven roster cosigned its checkpoint`] };
  }
  if (problems.length > 0) return { problems };
  return { ledger: { genesis, checkpoint, people, entries, cosigners }, problems };
}

function cosignersOf(
  note: string,
  key: VerifierKey,
  people: ReadonlyMap<string, ProvenPerson>,
): { readonly checkpoint: Checkpoint; readonly cosigners: readonly string[] } {
  const current = [...people.values()].filter(({ until }) => until === null);
  const byKey = new Map(current.map((one) => [cardKey(one.card, "cosignature"), one]));
  const { checkpoint, signers } = verifyCosigned(note, key, [...byKey.keys()]);
  const { signatures } = parseNote(note);
  const cosigners = signers.flatMap((signer) => {
    const who = byKey.get(signer);
    const line = signatures.find((one) => one.name === signer.name && one.keyId === signer.keyId);
    if (who === undefined || line === undefined) return [];
    // No entry is proven that tells of the roll: they are judged by when they say that they cosigned.
    const at = timestamp(cosignatureTime(line) * 1000);
    return whyLate(who, at, checkpoint.size) === undefined ? [who.card.person] : [];
  });
  return { checkpoint, cosigners };
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

/** Founders by the genesis, and whoever was enrolled by two people known before, in the ledger's order. */
function rosterOf(
  genesis: Genesis,
  entries: ReadonlyMap<number, Entry>,
  cards: readonly Card[],
): { readonly people: ReadonlyMap<string, ProvenPerson>; readonly problems: readonly string[] } {
  const people = new Map<string, ProvenPerson>(
    genesis.founders.map(({ person, roles, card }) => [
      person,
      { card, roles, since: 0, until: null, dates: [] },
    ]),
  );
  const known = new Map(cards.map((card) => [cardDigest(card), card]));
  const problems: string[] = [];
  for (const entry of [...entries.values()].sort((a, b) => a.seq - b.seq)) {
    if (entry.type !== "step.completed") continue;
    for (const fact of factsAboutPeople(entry)) {
      if (fact.kind === "person.revoked") {
        revoke(people, fact.person, entry.seq);
        continue;
      }
      const renews = fact.kind === "person.renewed";
      const problem = renews
        ? renew(people, entries, entry, fact)
        : enrol(people, entries, entry, fact, known.get(fact.card));
      const what = renews ? "renewal" : "enrolment";
      if (problem !== undefined) problems.push(`${what} of ${fact.person}: ${problem}`);
    }
  }
  return { people, problems };
}

type AboutPeople = FactOf<"person.enrolled" | "person.renewed" | "person.revoked">;

function factsAboutPeople(entry: Entry): readonly AboutPeople[] {
  const facts = readFacts(entry);
  if (typeof facts === "string") return [];
  return facts.filter(
    (fact): fact is AboutPeople & typeof fact =>
      fact.kind === "person.enrolled" ||
      fact.kind === "person.renewed" ||
      fact.kind === "person.revoked",
  );
}

// Who agreed to it is not asked: whoever owns that site's host gains nothing by one person less.
function revoke(people: Map<string, ProvenPerson>, person: string, until: number): void {
  const known = people.get(person);
  if (known?.until === null) people.set(person, { ...known, until });
}

function enrol(
  people: Map<string, ProvenPerson>,
  entries: ReadonlyMap<number, Entry>,
  completed: Entry,
  fact: FactOf<"person.enrolled">,
  card: Card | undefined,
): string | undefined {
  if (card?.person !== fact.person) return "their card is not here";
  if (people.has(fact.person)) return "they are on the roster already";
  for (const [other, theirs] of people) {
    if (shareAKey(card, theirs.card)) return `they present a key of ${other}`;
  }
  const problem = agreedProblem(people, entries, completed, fact, card);
  if (problem !== undefined) return problem;
  const since = completed.seq;
  const dates = [{ since, dates: datesOf(fact) }];
  people.set(fact.person, { card, roles: fact.roles, since, until: null, dates });
  return undefined;
}

function renew(
  people: Map<string, ProvenPerson>,
  entries: ReadonlyMap<number, Entry>,
  completed: Entry,
  fact: FactOf<"person.renewed">,
): string | undefined {
  const known = people.get(fact.person);
  // Of somebody whose enrolment is not proven nothing rests on their dates.
  if (known === undefined) return undefined;
  const problem = agreedProblem(people, entries, completed, fact, null);
  if (problem !== undefined) return problem;
  const before = known.dates.at(-1)?.dates ?? {};
  const dates = { since: completed.seq, dates: { ...before, ...datesOf(fact) } };
  people.set(fact.person, { ...known, dates: [...known.dates, dates] });
  return undefined;
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
function agreedProblem(
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
