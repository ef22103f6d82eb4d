/**
 * What a few proven entries of another site's ledger say: who is on its roster, and what is recorded,
 * starting from nothing but the digest of its genesis. Whoever owns that site's host can append noise
 * that people cosign unseen, so an enrolment counts only by the agreements of people known before.
 */

import { verifyCosigned, verifyProof } from "../ledger/proof.ts";
import type { Checkpoint } from "../ledger/checkpoint.ts";
import type { Entry } from "../ledger/entry.ts";
import { timestamp } from "../lib/clock.ts";
import { messageOf } from "../lib/errors.ts";
import { cosignatureTime, parseNote, parseVerifierKey, type VerifierKey } from "../lib/note.ts";
import { cardDigest, cardKey, parseCard, shareAKey, type Card } from "../people/card.ts";
import type { FactOf } from "./facts.ts";
import { readGenesis, type Genesis } from "./genesis.ts";
import { datesOf } from "./people-dates.ts";
import type { ProofFiles } from "./proof-folder.ts";
import { agreedProblem, whyLate, type ProvenPerson } from "./proven-people.ts";
import { readFacts } from "./step-authority.ts";

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
  const times = [...entries.values()].sort((a, b) => a.seq - b.seq).map(({ time }) => time);
  const back = times.find((time, at) => time < (times[at - 1] ?? ""));
  if (back !== undefined) return { problems: [`an entry of ${back} stands behind a later one`] };
  const { people, problems } = rosterOf(genesis, entries, files.cards.map(parseCard));
  const newest = times.at(-1) ?? "";
  const { checkpoint, cosigners } = cosignersOf(files.checkpoint, key, people, newest);
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
  newest: string,
): { readonly checkpoint: Checkpoint; readonly cosigners: readonly string[] } {
  const current = [...people.values()].filter(({ until }) => until === null);
  const byKey = new Map(current.map((one) => [cardKey(one.card, "cosignature"), one]));
  const { checkpoint, signers } = verifyCosigned(note, key, [...byKey.keys()]);
  const { signatures } = parseNote(note);
  const cosigners = signers.flatMap((signer) => {
    const who = byKey.get(signer);
    const line = signatures.find((one) => one.name === signer.name && one.keyId === signer.keyId);
    if (who === undefined || line === undefined) return [];
    // No entry is proven that tells of the roll: they are judged by when they say that they cosigned, which was not
    // before the entries that they vouch for.
    const said = timestamp(cosignatureTime(line) * 1000);
    const at = said < newest ? newest : said;
    return whyLate(who, at, checkpoint.size) === undefined ? [who.card.person] : [];
  });
  return { checkpoint, cosigners };
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
