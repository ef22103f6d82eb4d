/** Puts a person on the roster: two vouchers, a document reference, proof of both keys. */

import { CANDIDATE_ROLE, line, role, slug } from "../ceremony/words.ts";
import { defineAction, type Participant, type Room } from "../ceremony/action.ts";
import { personIsNew } from "../ceremony/conditions.ts";
import { holderOfAKeyOf } from "../ceremony/custody-people.ts";
import { dateParams, datesOf, datesText, sameDates } from "../ceremony/people-dates.ts";
import { separationProblem } from "../ceremony/policy.ts";
import { digestLines } from "../ceremony/spoken.ts";
import { visible } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import type { JsonObject } from "../lib/json.ts";
import { z } from "../lib/schema.ts";
import { cardDigest, formatCard, type Card } from "../people/card.ts";
import { answerChallenge, sealChallenge } from "../people/genesis-note.ts";
import { nothingIsLeft } from "./lib/settle-nothing.ts";

const params = () =>
  z.strictObject({
    person: slug,
    roles: z.array(role).min(1),
    reference: line,
    ...dateParams,
  });
type Params = z.infer<ReturnType<typeof params>>;

interface Candidate extends JsonObject {
  readonly candidate: { readonly person: string; readonly card: string };
  readonly roles: readonly string[];
  readonly reference: string;
  /** The dates that were stated, as the fact has them. */
  readonly vettedUntil?: string;
  readonly trainedUntil?: string;
}
interface Enrolment extends Candidate {
  readonly challenge: string;
}

/** Enrols the person whose medium holds the card; they agree too, which proves their signing key. */
export const enrollPerson = defineAction<Params, Candidate, Enrolment>({
  name: "enroll-person",
  control: "dual",
  params,
  facts: ["person.enrolled"],
  instruction: (p) =>
    `Enrol ${p.person} as ${p.roles.join(", ")}, by document ${p.reference}${untilWhen(p)}.`,
  requires: (p) => [personIsNew(p.person)],
  forecast: (p) => ({
    candidate: { person: p.person, card: "0".repeat(64) },
    roles: p.roles,
    reference: p.reference,
    ...datesOf(p),
    challenge: "0".repeat(64),
  }),
  establishes: (p, { candidate }) => [
    {
      kind: "person.enrolled",
      person: p.person,
      roles: [...p.roles],
      card: candidate.card,
      reference: p.reference,
      ...datesOf(p),
    },
  ],
  admits: (p, subject, fact) =>
    fact.kind === "person.enrolled" &&
    fact.person === p.person &&
    fact.card === subject.candidate.card &&
    fact.reference === p.reference &&
    fact.roles.join() === p.roles.join() &&
    sameDates(fact, datesOf(p)) &&
    fact.reference === subject.reference &&
    JSON.stringify(fact.roles) === JSON.stringify(subject.roles) &&
    sameDates(fact, subject),
  async subject(p, room) {
    const medium = await room.people.medium(p.person, p.person);
    const card = medium.readCard();
    refuseCard(p, room, card);
    // With the subject, so that the newcomer's own agreement can be judged as soon as it is recorded.
    const digest = room.attach("application/json", formatCard(card));
    return {
      data: {
        candidate: { person: p.person, card: digest },
        roles: p.roles,
        reference: p.reference,
        ...datesOf(p),
      },
      shown: [
        `${visible(card.name)} (${card.person}), known to notes as ${card.keyName}`,
        `Roles: ${p.roles.join(", ")}. Identity checked by document ${visible(p.reference)}${untilWhen(p)}.`,
        ...digestLines("Card", digest),
      ],
      candidate: { person: p.person, role: CANDIDATE_ROLE, card },
    };
  },
  async run(p, room, { subject }) {
    const card = (await room.people.medium(p.person, p.person)).readCard();
    if (cardDigest(card) !== subject.candidate.card) {
      throw new KeyriteError("people.medium", "the card changed after people agreed to it");
    }
    const candidate: Participant = { person: p.person, role: CANDIDATE_ROLE, card };
    const challenge = await sealChallenge(card.recipient, room.random);
    const answer = await answerChallenge(await room.people.open(candidate), challenge.file);
    if (answer !== challenge.digest) {
      throw new KeyriteError(
        "people.authentication-failed",
        `${p.person} does not hold the age key of their card`,
      );
    }
    return { ...subject, challenge: answer };
  },
  // The newcomer's agreement is their proof of possession: nobody else's to finish stands for it.
  ...nothingIsLeft("Nothing but the record was to be made; the newcomer agrees anew.", ["undo"]),
});

/** Nothing where no date is stated: then the sentence is what it was before there were dates. */
function untilWhen(p: Params): string {
  const stated = datesText(datesOf(p));
  return stated === "" ? "" : `; ${stated}`;
}

function refuseCard(p: Params, room: Room, card: Card): void {
  if (card.person !== p.person) {
    throw new KeyriteError(
      "people.same-person",
      `the medium is that of ${card.person}, not ${p.person}`,
    );
  }
  if (card.assurance !== room.assurance) {
    throw new KeyriteError(
      "people.role-not-held",
      `the identity is of ${card.assurance} assurance, the site of ${room.assurance}`,
      { hints: ["make a new identity; test identities never enter a production site"] },
    );
  }
  const other = holderOfAKeyOf(room.custody, card);
  if (other !== undefined) {
    throw new KeyriteError("people.same-person", `${p.person} presents a key of ${other}`, {
      hints: ["every person makes an identity of their own with keyrite identity new"],
    });
  }
  const problem = separationProblem(room.policy, p.roles);
  if (problem !== undefined) throw new KeyriteError("people.role-not-held", problem);
}
