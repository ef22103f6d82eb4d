/**
 * Takes a person off the roster: from the entry that records it they are called, agree, cosign and vouch no
 * more. What they did before stays as good as it was.
 */

import { defineAction, type Room } from "../ceremony/action.ts";
import { condition, personIsOnRoster } from "../ceremony/conditions.ts";
import { currentShareSets } from "../ceremony/custody-people.ts";
import { shareSetName, type Custody } from "../ceremony/custody.ts";
import { LEAVING_REASONS, type FactOf } from "../ceremony/facts.ts";
import { digestLines } from "../ceremony/spoken.ts";
import { line, slug } from "../ceremony/words.ts";
import { visible } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import type { JsonObject } from "../lib/json.ts";
import { z } from "../lib/schema.ts";
import { whyNeeded } from "./lib/needed-person.ts";
import { nothingIsLeft } from "./lib/settle-nothing.ts";

const params = () =>
  z.strictObject({ person: slug, reason: z.enum(LEAVING_REASONS), reference: line });
type Params = z.infer<ReturnType<typeof params>>;

interface Leaving extends JsonObject {
  readonly person: string;
  /** SHA-256 of the card by which they were known. */
  readonly card: string;
  readonly reason: Params["reason"];
  readonly reference: string;
  /** Names of the share sets that they keep a share of. */
  readonly shareSets: readonly string[];
}

export const revokePerson = defineAction<Params, Leaving, Leaving>({
  name: "revoke-person",
  control: "dual",
  params,
  facts: ["person.revoked"],
  instruction: (p) =>
    `Take ${p.person} off the roster, reason ${p.reason}, by document ${p.reference}. This cannot be taken back.`,
  requires: (p) => [
    personIsOnRoster(p.person),
    condition("person", (situation) => whyNeeded(situation, p.person, situation.nowMs)),
  ],
  forecast: (p, custody) => leaving(p, custody),
  establishes: (_, evidence) => [factOf(evidence)],
  admits: (p, _, fact) =>
    fact.kind === "person.revoked" &&
    fact.person === p.person &&
    fact.reason === p.reason &&
    fact.reference === p.reference,
  subject(p, room) {
    refuseWhoIsHere(p, room);
    const needed = whyNeeded(room, p.person, room.clock.now());
    if (needed !== undefined) throw new KeyriteError("script.refused", needed);
    const data = leaving(p, room.custody);
    return Promise.resolve({ data, shown: lines(p, room.custody, data) });
  },
  run: (_, __, { subject }) => Promise.resolve(subject),
  ...nothingIsLeft("Nothing but the record was to be made."),
});

function factOf({ person, reason, reference }: Leaving): FactOf<"person.revoked"> {
  return { kind: "person.revoked", person, reason, reference };
}

function leaving({ person, reason, reference }: Params, custody: Custody): Leaving {
  const card = custody.people.get(person)?.cardSha256 ?? "0".repeat(64);
  const held = currentShareSets(custody).filter(({ holders }) => holders.includes(person));
  return { person, card, reason, reference, shareSets: held.map(shareSetName) };
}

function refuseWhoIsHere({ person }: Params, { custody }: Room): void {
  if (!custody.attending.some((one) => one.person === person)) return;
  throw new KeyriteError(
    "people.role-not-held",
    `${person} is on the roll: nobody takes part in the ceremony that takes them off the roster`,
    { hints: [`begin again, with ${person} not present at the roll call`] },
  );
}

function lines(p: Params, custody: Custody, { card, shareSets }: Leaving): readonly string[] {
  const known = custody.people.get(p.person);
  const name = known === undefined ? "" : `${visible(known.card.name)} (${p.person})`;
  return [
    `Off the roster for good: ${name}, ${known?.roles.join(", ") ?? ""}`,
    `Reason ${p.reason}, by document ${visible(p.reference)}.`,
    ...digestLines("Card", card),
    "What they agreed to before stays good. They are not enrolled again under this id or with these keys.",
    ...(shareSets.length === 0
      ? ["They hold no share."]
      : [
          `They keep a share of ${shareSets.join(", ")}: from now on each counts as lost.`,
          "Take back their medium. keyrite status says what to do about each set.",
        ]),
  ];
}
