/**
 * Q08: one person on a roster twice, under another name, with one key of somebody else or with all of them, in every
 * place of every order; and everything that up to three of a room can say to a step. One person counts once.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { missingFrom, type Quorum } from "../../src/ceremony/authority.ts";
import { refuseSharedKeys } from "../../src/ceremony/genesis.ts";
import type { Role } from "../../src/ceremony/words.ts";
import { KeyriteError } from "../../src/lib/errors.ts";
import { formatCard, parseCard, type Card } from "../../src/people/card.ts";
import { figure } from "../support/fault-run.ts";
import { makePerson } from "../support/identities.ts";

const PEOPLE = ["ana", "ben", "cleo", "dan"];
const cards = await Promise.all(PEOPLE.map(async (person) => (await makePerson(person)).card));

/** Well-formed cards of everybody's keys under everybody else's name. */
const aliases = new Map<string, Card>();
for (const first of PEOPLE) {
  for (const person of PEOPLE.filter((one) => one !== first)) {
    aliases.set(`${first} as ${person}`, (await makePerson(person, "test", first)).card);
  }
}

/** How somebody comes to the roster a second time: what their second card has of the first. */
const AGAIN: Readonly<Record<string, (first: Card, second: Card) => Card>> = {
  "the same card": (first) => first,
  "the same id": (first, second) => ({ ...second, person: first.person }),
  "an identity of the same keys": (first, { person }) =>
    aliases.get(`${first.person} as ${person}`) ?? assert.fail("nobody goes by that name"),
  "the same signing key": (first, second) => ({
    ...second,
    signing: first.signing,
    cosigning: first.cosigning,
  }),
  "the same key for signing alone": (first, second) => ({ ...second, signing: first.signing }),
  "the same recipient": (first, second) => ({ ...second, recipient: first.recipient }),
};

function* orders<T>(items: readonly T[]): Iterable<readonly T[]> {
  if (items.length === 0) yield [];
  for (const [place, item] of items.entries()) {
    const rest = items.filter((_, other) => other !== place);
    for (const order of orders(rest)) yield [item, ...order];
  }
}

function isRefused(roster: readonly Card[]): boolean {
  try {
    refuseSharedKeys(roster);
    return false;
  } catch (error) {
    assert.ok(error instanceof KeyriteError && error.code === "people.same-person", String(error));
    return true;
  }
}

test("Q08: a roster with one person under two names is refused, whichever key they share and in any order", () => {
  const counts = { rosters: 0, refused: 0, passed: 0, honest: 0, accused: 0 };
  for (const order of orders(cards)) {
    counts.honest += 1;
    if (isRefused(order)) counts.accused += 1;
    for (const first of order) {
      for (const second of order.filter((card) => card !== first)) {
        for (const [what, make] of Object.entries(AGAIN)) {
          const roster = order.map((card) => (card === second ? make(first, second) : card));
          counts.rosters += 1;
          if (isRefused(roster)) counts.refused += 1;
          else {
            counts.passed += 1;
            process.stdout.write(`passed: ${what}\n`);
          }
        }
      }
    }
  }
  figure("Q08", "rosters with one person under two names", counts);
  assert.deepEqual([counts.passed, counts.accused], [0, 0]);
});

test("Q08: a card whose cosignatures are by somebody else's key is no card", () => {
  const [first, second] = cards;
  assert.ok(first && second);
  assert.deepEqual(parseCard(formatCard(second)), second);
  const mixed = formatCard({ ...second, cosigning: first.cosigning });
  assert.throws(() => parseCard(mixed), KeyriteError);
});

interface Said {
  readonly person: string;
  readonly role: Role;
}

const ROOM: readonly Said[] = [
  { person: "ana", role: "ceremony-administrator" },
  { person: "ben", role: "custodian" },
  { person: "cleo", role: "custodian" },
  { person: "dan", role: "internal-witness" },
];
const SAID: readonly Said[] = [...PEOPLE, "stranger"].flatMap((person) =>
  (["ceremony-administrator", "custodian", "internal-witness"] as const).map((role) => ({
    person,
    role,
  })),
);
const QUORUMS: readonly Quorum[] = [
  { control: "single", by: ["custodian"], attending: ROOM },
  { control: "dual", by: ["custodian"], attending: ROOM },
  { control: "dual", by: ["custodian", "custodian"], attending: ROOM },
  { control: "dual", by: ["ceremony-administrator", "internal-witness"], attending: ROOM },
  { control: "dual", by: "everyone", attending: ROOM },
];

function* lists(length: number): Iterable<readonly Said[]> {
  yield [];
  if (length > 0)
    for (const rest of lists(length - 1)) for (const one of SAID) yield [one, ...rest];
}

/** The same question, asked of people instead of agreements. */
function suffice({ control, by }: Quorum, agreed: readonly Said[]): boolean {
  const present = ROOM.filter((seat) => agreed.some((one) => one.person === seat.person));
  const honest = agreed.every((one) =>
    ROOM.some((seat) => seat.person === one.person && seat.role === one.role),
  );
  if (!honest || present.length !== agreed.length) return false;
  if (present.length < (control === "single" ? 1 : 2)) return false;
  if (by === "everyone") return present.length === ROOM.length;
  const left = present.map(({ role }) => role);
  return by.every((role) => {
    const at = left.indexOf(role);
    return at >= 0 && left.splice(at, 1).length === 1;
  });
}

test("Q08: of everything that up to three can say to a step, what suffices is said by different people", () => {
  const counts = { agreements: 0, enough: 0, refused: 0, twiceCounted: 0, wrong: 0 };
  for (const quorum of QUORUMS) {
    for (const agreed of lists(3)) {
      const isEnough = missingFrom(quorum, agreed) === undefined;
      counts.agreements += 1;
      counts[isEnough ? "enough" : "refused"] += 1;
      const people = new Set(agreed.map(({ person }) => person));
      if (isEnough && people.size < agreed.length) counts.twiceCounted += 1;
      if (isEnough !== suffice(quorum, agreed)) counts.wrong += 1;
    }
  }
  figure("Q08", "agreements of up to three to steps of five kinds", counts);
  assert.deepEqual([counts.twiceCounted, counts.wrong], [0, 0]);
  assert.ok(counts.enough > 0);
});
