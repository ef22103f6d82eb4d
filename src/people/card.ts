/** Public cards: by what keys a person is known. Format: docs/formats/identity.md. */

import { equalBytes, fromUtf8, sha256Hex, utf8 } from "../lib/encoding.ts";
import { KeyriteError, messageOf } from "../lib/errors.ts";
import { canonicalJson, isCanonicalText, isJsonObject, type Json } from "../lib/json.ts";
import { parseVerifierKey, type KeyType, type VerifierKey } from "../lib/note.ts";
import { whyRecipientRefused } from "../lib/age-x25519.ts";

/** What an identity, a site and everything they make is good for; it never changes. */
export type Assurance = "production" | "test";

/** Exactly the members of card.json. */
export interface Card {
  readonly keyrite: "card/v1";
  /** `[a-z][a-z0-9-]{1,30}`, never reused. */
  readonly person: string;
  /** Name for people to read; escape it on output. */
  readonly name: string;
  /** `<domain>/people/<person>`: the name in notes and cosignatures, the same at all sites. */
  readonly keyName: string;
  /** C2SP verifier key for signed notes (type 01). */
  readonly signing: string;
  /** C2SP verifier key of the same Ed25519 key for cosignatures (type 04). */
  readonly cosigning: string;
  /** age recipient, `age1…`. */
  readonly recipient: string;
  readonly assurance: Assurance;
}

const MEMBERS: readonly (keyof Card)[] = [
  "assurance",
  "cosigning",
  "keyName",
  "keyrite",
  "name",
  "person",
  "recipient",
  "signing",
];
const PERSON = /^[a-z][a-z0-9-]{1,30}$/;
const DOMAIN = /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/;
const LONGEST_NAME = 100;

/** Whether a text can be a person id. */
export function isPersonId(text: string): boolean {
  return PERSON.test(text);
}

/** What is wrong with a display name, in words that follow "the name …", or undefined. */
export function whyNameRefused(name: string): string | undefined {
  if (name.length === 0 || name.trim() !== name) return "is empty or begins or ends with a space";
  if (name.length > LONGEST_NAME) return `is longer than ${LONGEST_NAME} characters`;
  // Most names; the tables behind the patterns below take longer to make than a card to read.
  if (/^[ -~]+$/.test(name)) return undefined;
  if (!name.isWellFormed() || name.includes("\uFFFD")) return "is not valid Unicode text";
  if (name.normalize("NFC") !== name) return "is not in Unicode normal form C";
  // Bidirectional and other invisible characters would let two people's prompts read alike.
  if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}]/u.test(name)) return "holds invisible characters";
  return undefined;
}

/** The name a person's keys bear in notes. @throws KeyriteError usage.refused for a bad domain. */
export function keyNameOf(domain: string, person: string): string {
  if (!DOMAIN.test(domain)) {
    throw new KeyriteError("usage.refused", `"${domain}" is not a domain name`, {
      hints: ["give the organisation's domain in lower case, e.g. example.org"],
    });
  }
  return `${domain}/people/${person}`;
}

/** The exact bytes of a card: canonical JSON, so that one card has one digest. */
export function formatCard(card: Card): Uint8Array {
  return utf8(canonicalJson({ ...card }));
}

/**
 * Whether two cards bear a common signing or age key: then they are one person's, for dual control
 * counts people. The name in front of a verifier key differs even when the key is the same.
 */
export function shareAKey(a: Card, b: Card): boolean {
  const material = ({ signing }: Card): string => signing.split("+").slice(2).join("+");
  return material(a) === material(b) || a.recipient === b.recipient;
}

/** SHA-256 of a card's bytes, in hex. */
export function cardDigest(card: Card): string {
  return sha256Hex(formatCard(card));
}

/**
 * Reads a card, strictly: exactly its members, in canonical JSON, names that belong together, keys
 * that name one person only (canonical, not of small order).
 * @throws KeyriteError usage.bad-file
 */
export function parseCard(bytes: Uint8Array): Card {
  const card = readMembers(bytes);
  const nameRefusal = whyNameRefused(card.name);
  if (!isPersonId(card.person)) throw bad(`"${card.person}" is not a person id`);
  if (nameRefusal !== undefined) throw bad(`the name ${nameRefusal}`);
  const suffix = `/people/${card.person}`;
  if (!card.keyName.endsWith(suffix) || !DOMAIN.test(card.keyName.slice(0, -suffix.length))) {
    throw bad(`the key name is not <domain>${suffix}`);
  }
  const signing = cardKey(card, "ed25519");
  const cosigning = cardKey(card, "cosignature");
  if (!equalBytes(signing.publicKey, cosigning.publicKey)) {
    throw bad("signing and cosigning key differ");
  }
  const recipientRefusal = whyRecipientRefused(card.recipient);
  if (recipientRefusal !== undefined) throw bad(`the recipient ${recipientRefusal}`);
  return card;
}

/**
 * The verifier key of a card for notes or for cosignatures.
 * @throws KeyriteError usage.bad-file when it is malformed or does not bear the card's key name
 */
export function cardKey(card: Card, type: KeyType): VerifierKey {
  const known = cardKeys.get(card)?.[type];
  if (known !== undefined) return known;
  const key = readCardKey(card, type);
  cardKeys.set(card, { ...cardKeys.get(card), [type]: key });
  return key;
}

// A card is read once and checks signatures by the dozen.
const cardKeys = new WeakMap<Card, Readonly<Partial<Record<KeyType, VerifierKey>>>>();

function readCardKey(card: Card, type: KeyType): VerifierKey {
  const [member, text] =
    type === "ed25519" ? ["signing", card.signing] : ["cosigning", card.cosigning];
  const key = readKey(member, text);
  if (key.type !== type) throw bad(`the ${member} key is of type ${key.type}`);
  if (key.name !== card.keyName) throw bad(`the ${member} key is named ${key.name}`);
  return key;
}

function readKey(member: string, text: string): VerifierKey {
  try {
    return parseVerifierKey(text);
  } catch (error) {
    throw bad(`the ${member} key is refused: ${messageOf(error)}`);
  }
}

function readMembers(bytes: Uint8Array): Card {
  const { text: written, value } = parseJson(bytes);
  if (!isJsonObject(value)) throw bad("it is not a JSON object");
  if (Object.keys(value).sort().join() !== MEMBERS.join()) {
    throw bad(`its members are not exactly ${MEMBERS.join(", ")}`);
  }
  const text = (name: keyof Card): string => {
    const member = value[name];
    if (typeof member !== "string") throw bad(`${name} is not a text`);
    return member;
  };
  const assurance = text("assurance");
  if (text("keyrite") !== "card/v1") throw bad('keyrite is not "card/v1"');
  if (assurance !== "production" && assurance !== "test") throw bad("the assurance is unknown");
  const card: Card = {
    keyrite: "card/v1",
    person: text("person"),
    name: text("name"),
    keyName: text("keyName"),
    signing: text("signing"),
    cosigning: text("cosigning"),
    recipient: text("recipient"),
    assurance,
  };
  // Also catches repeated members, which JSON.parse takes silently.
  if (!isCanonicalText({ ...card }, written)) throw bad("it is not canonical JSON (RFC 8785)");
  return card;
}

function parseJson(bytes: Uint8Array): { readonly text: string; readonly value: Json } {
  try {
    const text = fromUtf8(bytes);
    return { text, value: JSON.parse(text) as Json };
  } catch {
    throw bad("it is not JSON");
  }
}

function bad(problem: string): KeyriteError {
  return new KeyriteError("usage.bad-file", `the card is refused: ${problem}`, {
    hints: ["use card.json as keyrite identity new wrote it"],
  });
}
