/** Share sets for tests, and what their holders and attackers do with them. */

import { encryptTo, x25519Recipient } from "../../src/lib/age.ts";
import { Secret } from "../../src/lib/secret.ts";
import { makeShareSet, type MadeShareSet } from "../../src/shares/make-share-set.ts";
import { openShare, type EnteredShare } from "../../src/shares/use-share-set.ts";
import { makePerson, secretOf, seededRandom, type TestPerson } from "./identities.ts";

export const NAMES = ["ana", "ben", "cleo", "dora", "eve"] as const;
export const PIN = "correct-horse-4711";
export const TOKEN = { serial: "0123456789abcdef", label: "alpha" };

const people = new Map<string, TestPerson>();
for (const name of NAMES) people.set(name, await makePerson(name));

export function personOf(name: string): TestPerson {
  const person = people.get(name);
  if (person === undefined) throw new Error(`${name} is not among the people of the test`);
  return person;
}

/** A k-of-n set held by the first n people. */
export function makeSet(
  threshold: number,
  n: number,
  change: Partial<Parameters<typeof makeShareSet>[0]> = {},
): Promise<MadeShareSet> {
  return makeShareSet({
    purpose: "activation",
    id: "salpha",
    generation: 1,
    token: TOKEN,
    threshold,
    holders: NAMES.slice(0, n).map((person) => ({
      person,
      recipient: personOf(person).card.recipient,
    })),
    secret: secretOf(PIN),
    random: seededRandom(`${threshold} of ${n} ${change.id ?? ""} ${change.generation ?? 1}`),
    ...change,
  });
}

export function shareFile(made: MadeShareSet, person: string): Uint8Array {
  const file = made.shares.get(person);
  if (file === undefined) throw new Error(`${person} was issued no share`);
  return file;
}

/** Enters the share of `person` into `made`: their own file unless another is given. */
export async function enter(
  made: MadeShareSet,
  person: string,
  file = shareFile(made, person),
): Promise<EnteredShare> {
  const { opener } = personOf(person).opened;
  return { person, share: await openShare(made.set, person, file, (f) => opener.open(f)) };
}

/** The bytes of a person's issued share file, opened. */
export async function shareText(made: MadeShareSet, person: string): Promise<Uint8Array> {
  const content = await personOf(person).opened.opener.open(shareFile(made, person));
  return content.use((bytes) => Uint8Array.from(bytes));
}

/** A file that its holder sealed to themselves. */
export function sealFor(person: string, content: Uint8Array): Promise<Uint8Array> {
  return encryptTo([x25519Recipient(personOf(person).card.recipient)], content);
}

/** An opener that hands out these bytes, for contents that would be slow to seal one by one. */
export function handingOut(content: Uint8Array): () => Promise<Secret> {
  return () => Promise.resolve(Secret.copy(content));
}

/** Every subset of a list. */
export function subsets<T>(list: readonly T[]): T[][] {
  return list.reduce<T[][]>((all, one) => [...all, ...all.map((set) => [...set, one])], [[]]);
}
