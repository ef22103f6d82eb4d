/** Who may have signed: the ledger's key out of the genesis, people's keys out of the cards that entries cite. */

import { isJsonObject, type Json, type JsonObject } from "../../lib/json.ts";
import { fromBase64, hex, utf8 } from "./bytes.ts";
import type { PageCrypto } from "./crypto.ts";
import { objectsAt, textAt, type ReadEntry } from "./entries.ts";
import type { CarriedDocument } from "./evidence.ts";
import { readKey, type Key } from "./note.ts";

export interface Person {
  readonly person: string;
  readonly roles: readonly string[];
  readonly signing: Key;
  readonly cosigning: Key;
  /** Index of the entry that enrolled them. */
  readonly since: number;
  /** Index of the entry that took them off the roster, or null. */
  readonly until: number | null;
  /** Their dates, as they were from an entry on; the newest last. */
  readonly dates: readonly Dates[];
}

interface Dates {
  readonly since: number;
  /** The last days on which they may act, each undefined where none is stated. */
  readonly vetting: string | undefined;
  readonly training: string | undefined;
}

export interface Documents {
  /** Bytes of the documents that have their digest, by digest in hex. */
  readonly bytes: ReadonlyMap<string, Uint8Array>;
  readonly problems: readonly string[];
}

/** The carried documents, each hashed again. */
export async function readDocuments(
  crypto: PageCrypto,
  documents: readonly CarriedDocument[],
): Promise<Documents> {
  const bytes = new Map<string, Uint8Array>();
  const problems: string[] = [];
  for (const { sha256, base64, mediaType } of documents) {
    const decoded = fromBase64(base64);
    const digest = decoded === undefined ? "" : hex(await crypto.sha256(decoded));
    if (decoded === undefined || digest !== sha256) {
      problems.push(`the document ${sha256} (${mediaType}) was changed: it has another digest`);
    } else bytes.set(sha256, decoded);
  }
  return { bytes, problems };
}

/** A JSON document by its digest, or undefined. */
export function jsonOf(documents: Documents, sha256: string): JsonObject | undefined {
  const bytes = documents.bytes.get(sha256);
  if (bytes === undefined) return undefined;
  try {
    const value = JSON.parse(new TextDecoder().decode(bytes)) as Json;
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export interface Roster {
  readonly people: ReadonlyMap<string, Person>;
  readonly ledgerKey: Key | undefined;
  readonly genesis: string | null;
  readonly problems: readonly string[];
}

/** The keys that the entries give authority: founders and whoever was enrolled. */
export async function readRoster(
  crypto: PageCrypto,
  entries: ReadonlyMap<number, ReadEntry>,
  documents: Documents,
): Promise<Roster> {
  const problems: string[] = [];
  const people = new Map<string, Person>();
  const founding = entries.get(0);
  const digest = founding === undefined ? "" : textAt(founding.data, "genesis");
  const genesis = jsonOf(documents, digest);
  if (genesis === undefined) problems.push("the genesis that entry 0 cites is not here");
  const ledgerKey = await readKey(crypto, textAt(genesis ?? {}, "ledgerKey"));
  for (const { seq, value, type } of [...entries.values()].sort((a, b) => a.seq - b.seq)) {
    if (type !== "ledger.created" && type !== "step.completed") continue;
    for (const fact of objectsAt(value, "facts")) {
      if (fact["kind"] === "person.revoked") {
        const gone = people.get(textAt(fact, "person"));
        if (gone?.until === null) people.set(gone.person, { ...gone, until: seq });
      }
      if (fact["kind"] === "person.renewed") {
        const known = people.get(textAt(fact, "person"));
        const dates = [...(known?.dates ?? []), datesIn(fact, seq, known?.dates.at(-1))];
        if (known !== undefined) people.set(known.person, { ...known, dates });
      }
      if (fact["kind"] !== "person.enrolled") continue;
      const person = await enrolled(crypto, fact, jsonOf(documents, textAt(fact, "card")), seq);
      if (typeof person === "string") problems.push(person);
      else if (!people.has(person.person)) people.set(person.person, person);
    }
  }
  return { people, ledgerKey, genesis: genesis === undefined ? null : digest, problems };
}

async function enrolled(
  crypto: PageCrypto,
  fact: JsonObject,
  card: JsonObject | undefined,
  since: number,
): Promise<Person | string> {
  const person = textAt(fact, "person");
  if (card === undefined) return `the card of ${person}, which entry ${since} cites, is not here`;
  const signing = await readKey(crypto, textAt(card, "signing"));
  const cosigning = await readKey(crypto, textAt(card, "cosigning"));
  const fits = signing?.type === 1 && cosigning?.type === 4 && textAt(card, "person") === person;
  if (!fits) return `the card of ${person} does not bear keys of theirs`;
  const roles = fact["roles"];
  const held = Array.isArray(roles) ? roles.map(String) : [];
  const dates = [datesIn(fact, since)];
  return { person, roles: held, signing, cosigning, since, until: null, dates };
}

function datesIn(fact: JsonObject, since: number, before?: Dates): Dates {
  return {
    since,
    vetting: textAt(fact, "vettedUntil") || before?.vetting,
    training: textAt(fact, "trainedUntil") || before?.training,
  };
}

/**
 * Why a record of somebody was over at a time, by the entries before `seq`; or undefined. A date that the policy
 * requires and nobody stated is judged by `keyrite verify`.
 */
export function whyLate({ dates }: Person, time: string, seq: number): string | undefined {
  const { vetting, training } = dates.findLast(({ since }) => since < seq) ?? {};
  for (const [what, until] of Object.entries({ vetting, training })) {
    if (until !== undefined && time.slice(0, 10) > until) return `${what} was good until ${until}`;
  }
  return undefined;
}

/** Who is on the roll of the ceremony that an entry ends, as far as its entries are carried. */
export function rollOf(
  entries: ReadonlyMap<number, ReadEntry>,
  { type, value }: ReadEntry,
): ReadonlySet<string> {
  if (type !== "ceremony.closed" && type !== "ceremony.abandoned") return new Set();
  const own = [...entries.values()].filter((one) => one.value["ceremony"] === value["ceremony"]);
  const facts = own.flatMap((one) => objectsAt(one.value, "facts"));
  const roll = facts.findLast((fact) => fact["kind"] === "people.present") ?? {};
  return new Set(objectsAt(roll, "attending").map((one) => textAt(one, "person")));
}

/** SHA-256 of the canonical JSON text of a value, in hex. */
export async function digestOfText(crypto: PageCrypto, text: string): Promise<string> {
  return hex(await crypto.sha256(utf8(text)));
}
