/**
 * Founding: entry 0. Every founder proves possession of both keys and signs the genesis digest; the
 * facts of the genesis have authority only when all of them did.
 */

import type { Entry } from "../ledger/entry.ts";
import { messageOf } from "../lib/errors.ts";
import { formatNote } from "../lib/note.ts";
import { cardDigest, formatCard } from "../people/card.ts";
import {
  answerChallenge,
  checkGenesisNote,
  formatGenesisText,
  sealChallenge,
} from "../people/genesis-note.ts";
import { KeyriteError } from "../lib/errors.ts";
import type { Participant } from "./action.ts";
import { parseFact, type Fact } from "./facts.ts";
import type { Genesis } from "./genesis.ts";
import type { Hall } from "./hall.ts";
import { PeopleInStep } from "./people-in-step.ts";
import { stringOf, type DraftParts } from "./record.ts";
import type { Attached, Recorder } from "./recorder.ts";
import { digestLines } from "./spoken.ts";

const STEP = "founding";
const NOTHING_YET =
  "the site is not founded and nothing is recorded: start again when every founder agrees";

/** The facts of entry 0, from the genesis alone. */
export function genesisFacts(genesis: Genesis): readonly Fact[] {
  return [
    { kind: "policy.adopted", sha256: genesis.policy },
    ...genesis.founders.map(({ person, roles, card }): Fact => ({
      kind: "person.enrolled",
      person,
      roles: [...roles],
      card: cardDigest(card),
      reference: "founder",
    })),
  ];
}

/** The facts that entry 0 establishes, or why the founding is void. */
export function foundingFacts(
  entry: Entry,
  genesis: Genesis,
  attachment: (sha256: string) => Uint8Array | undefined,
): readonly Fact[] | string {
  if (entry.seq !== 0) return "it is not entry 0";
  if (stringOf(entry.data, "genesis") !== genesis.sha256) return "it names another genesis";
  if (attachment(genesis.sha256) === undefined) return "the genesis is not attached";
  const signed = new Set<string>();
  for (const note of entry.agreements) {
    const founder = genesis.founders.find((f) => note.includes(`\nperson ${f.person}\n`));
    if (founder === undefined) return "somebody signed who is no founder";
    try {
      const statement = checkGenesisNote(note, founder.card);
      if (statement.genesis !== genesis.sha256 || statement.origin !== genesis.origin) {
        return `${founder.person} signed another genesis`;
      }
    } catch (error) {
      return messageOf(error);
    }
    signed.add(founder.person);
  }
  const missing = genesis.founders.find((f) => !signed.has(f.person));
  if (missing !== undefined) return `${missing.person} did not sign`;
  const expected = genesisFacts(genesis);
  const recorded = entry.facts.map(parseFact);
  const same =
    JSON.stringify(recorded) === JSON.stringify(expected.map((f) => parseFact({ ...f })));
  return same ? expected : "its facts are not those of the genesis";
}

/**
 * Conducts the founding at the start of the first ceremony and appends entry 0.
 * @throws KeyriteError people.* when a founder is missing, declines or cannot open their identity,
 * halted.interrupted; nothing is recorded then.
 */
export async function found(hall: Hall, recorder: Recorder, ceremony: string): Promise<void> {
  try {
    await conductFounding(hall, recorder, ceremony);
  } catch (error) {
    if (!(error instanceof KeyriteError) || recorder.history.size > 0) throw error;
    const { code, message, hints } = error;
    throw new KeyriteError(code, message, { hints: [...hints, NOTHING_YET], cause: error });
  }
}

async function conductFounding(hall: Hall, recorder: Recorder, ceremony: string): Promise<void> {
  const { genesis, console } = hall;
  console.heading("Founding of the site");
  console.tell(`Origin ${genesis.origin}, assurance ${genesis.assurance}.`);
  for (const line of digestLines("Genesis", genesis.sha256)) console.tell(line);
  console.tell(
    "Read this aloud and compare it with the genesis sheet; then every founder signs it here.",
  );
  const attending = genesis.founders.map(({ person, card, roles }): Participant => ({
    person,
    card,
    role: roles[0] ?? "recorder",
  }));
  // Entry 0 is the founding or there is none: mistyped passphrases are recorded right behind it.
  const failures: DraftParts[] = [];
  const people = new PeopleInStep({
    console,
    recorder: { append: (failure) => failures.push(failure) },
    ceremony,
    step: STEP,
    medium: (person, name) => hall.medium(person, name),
    attending,
    performers: attending,
  });
  try {
    const notes: string[] = [];
    for (const founder of attending) notes.push(await signGenesis(hall, people, founder));
    recorder.append(
      {
        type: "ledger.created",
        ceremony,
        actors: attending.map(({ person, role }) => ({ person, role, part: "authorized" })),
        description: `The founders established the site ${genesis.origin}.`,
        agreements: notes,
        facts: genesisFacts(genesis).map((fact) => ({ ...fact })),
        data: { genesis: genesis.sha256, assurance: genesis.assurance },
      },
      foundingAttachments(hall),
    );
    for (const failure of failures) recorder.append(failure);
  } finally {
    people.end();
  }
}

function foundingAttachments(hall: Hall): readonly Attached[] {
  return [
    { mediaType: "application/json", bytes: hall.genesisBytes },
    { mediaType: "application/yaml", bytes: hall.policyBytes },
    ...hall.genesis.founders.map((founder) => ({
      mediaType: "application/json",
      bytes: formatCard(founder.card),
    })),
  ];
}

async function signGenesis(
  hall: Hall,
  people: PeopleInStep,
  founder: Participant,
): Promise<string> {
  const { genesis, console, random } = hall;
  const to = { person: founder.person, name: founder.card.name };
  const text = "do you found this site?";
  if (!(await console.agree({ step: STEP, id: "agree", to, text }))) {
    throw new KeyriteError("people.declined", `${founder.person} declined to found the site`);
  }
  const { signer, opener } = await people.identify(founder);
  const challenge = await sealChallenge(founder.card.recipient, random);
  const answer = await answerChallenge(opener, challenge.file);
  if (answer !== challenge.digest) {
    throw new KeyriteError(
      "people.authentication-failed",
      `${founder.person} does not hold the age key of their card`,
    );
  }
  const statement = formatGenesisText({
    origin: genesis.origin,
    assurance: genesis.assurance,
    genesis: genesis.sha256,
    person: founder.person,
    challenge: challenge.digest,
  });
  return formatNote(statement, [signer.signNote(statement)]);
}
