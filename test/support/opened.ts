/** Secrets of a rehearsed site, opened by its people's passphrases: what a test compares or looks for. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fromHex, fromUtf8 } from "../../src/lib/encoding.ts";
import type { Secret } from "../../src/lib/secret.ts";
import { parseCard } from "../../src/people/card.ts";
import { openIdentity, type OpenedIdentity } from "../../src/people/identity.ts";
import { shareSetName } from "../../src/ceremony/custody.ts";
import { parseFact } from "../../src/ceremony/facts.ts";
import { parseShareSet, type SharePurpose, type ShareSet } from "../../src/shares/share-set.ts";
import { combine, openShare } from "../../src/shares/use-share-set.ts";
import type { RehearsedSite } from "./rehearsed-site.ts";
import { secretOf } from "./identities.ts";

/** The share set of a purpose, with where its files lie. */
export interface FoundSet {
  readonly set: ShareSet;
  /** `<id>.g<generation>` */
  readonly name: string;
  readonly folder: string;
}

export function shareSetOf(site: RehearsedSite, purpose: SharePurpose, token = "alpha"): FoundSet {
  const made = site
    .entries()
    .flatMap(({ facts }) => facts.map(parseFact))
    .filter((fact) => typeof fact !== "string")
    .find((f) => f.kind === "share-set.made" && f.purpose === purpose && f.token === token);
  if (made?.kind !== "share-set.made") throw new Error(`there is no ${purpose} set of ${token}`);
  const name = shareSetName(made);
  const folder = join(site.file("share-sets"), name);
  return { set: parseShareSet(readFileSync(join(folder, "share-set.json"))), name, folder };
}

export function shareFileOf(site: RehearsedSite, person: string, { name }: FoundSet): string {
  return join(site.medium(person), "shares", `${name}.share.age`);
}

export function identityFileOf(site: RehearsedSite, person: string): string {
  return join(site.medium(person), "keyrite", "identity.age");
}

export function openedPerson(
  site: RehearsedSite,
  person: string,
  passphrase = `${person} drill`,
): Promise<OpenedIdentity> {
  const card = parseCard(readFileSync(join(site.medium(person), "keyrite", "card.json")));
  return openIdentity(readFileSync(identityFileOf(site, person)), secretOf(passphrase), card);
}

/** The text of a person's share file. */
export async function shareTextOf(
  site: RehearsedSite,
  person: string,
  found: FoundSet,
  passphrase?: string,
): Promise<string> {
  const { opener } = await openedPerson(site, person, passphrase);
  const content = await opener.open(readFileSync(shareFileOf(site, person, found)));
  return content.use((bytes) => fromUtf8(bytes));
}

/** The share in a share file's text. */
export function shareIn(text: string): Uint8Array {
  const share = fromHex(/^share ([0-9a-f]{66})$/m.exec(text)?.[1] ?? "");
  if (share === undefined) throw new Error("the text holds no share");
  return share;
}

/** The PIN behind a share set, from the shares of these people. */
export async function pinOf(
  site: RehearsedSite,
  purpose: "activation" | "security-officer",
  people: Readonly<Record<string, string>>,
  token: { readonly serial: string; readonly label: string },
): Promise<Secret> {
  const found = shareSetOf(site, purpose, token.label);
  const entered = [];
  for (const [person, passphrase] of Object.entries(people)) {
    const { opener } = await openedPerson(site, person, passphrase);
    const file = readFileSync(shareFileOf(site, person, found));
    entered.push({
      person,
      share: await openShare(found.set, person, file, (bytes) => opener.open(bytes)),
    });
  }
  const sealed = readFileSync(join(found.folder, "sealed.age"));
  return combine(found.set, entered, sealed, token);
}
