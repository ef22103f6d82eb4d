/**
 * The public side of a share set, share-set.json: who holds which share of which split, and by what
 * digests each file and each share is recognised. Format: docs/formats/share-set.md.
 */

import { whyRecipientRefused } from "../lib/age.ts";
import { equalBytes, fromUtf8, sha256Hex, utf8 } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import { canonicalJson, isJsonObject, type Json, type JsonObject } from "../lib/json.ts";

export const PURPOSES = ["activation", "security-officer", "kek"] as const;
/** What is sealed: the user's PIN, the security officer's PIN, or the value of an escrowed KEK in hex. */
export type SharePurpose = (typeof PURPOSES)[number];

export interface ShareHolder {
  /** 1 to n, in the order of the list. It is not the x byte of the share. */
  readonly index: number;
  readonly person: string;
  /** age recipient that the share was sealed to. */
  readonly recipient: string;
  /** `commitmentOf` the share, in hex. */
  readonly commitment: string;
  /** SHA-256 of the share file as issued, in hex. */
  readonly file: string;
}

/** Exactly the members of share-set.json. */
export interface ShareSet {
  readonly keyrite: "share-set/v1";
  /** `[a-z][a-z0-9-]{1,30}`, random. */
  readonly id: string;
  /** 1 for the first split, one more for each re-split of the same activation data. */
  readonly generation: number;
  readonly purpose: SharePurpose;
  readonly threshold: number;
  /** age recipient of the activation key: what a right recombination leads to. */
  readonly recipient: string;
  /** SHA-256 of the sealed secret's file, in hex. */
  readonly sealed: string;
  readonly holders: readonly ShareHolder[];
}

const SLUG = /^[a-z][a-z0-9-]{1,30}$/;
const DIGEST = /^[0-9a-f]{64}$/;
const MOST_HOLDERS = 255;

/** Whether a text can be the id of a share set or a person. */
export function isSlug(text: string): boolean {
  return SLUG.test(text);
}

/** `<id>.g<generation>`: a share set's name in files and messages. */
export function shareSetTitle(set: Pick<ShareSet, "id" | "generation">): string {
  return `${set.id}.g${set.generation}`;
}

/**
 * What recognises a share without revealing it: SHA-256 of `keyrite/share/v1`, LF, `<id>.g<generation>`,
 * LF, the index in decimal, LF, and the bytes of the share. A share has 32 random bytes, so the digest
 * is no oracle for guessing.
 */
export function commitmentOf(
  set: Pick<ShareSet, "id" | "generation">,
  index: number,
  share: Uint8Array,
): string {
  return sha256Hex(`keyrite/share/v1\n${shareSetTitle(set)}\n${index}\n`, share);
}

/** The exact bytes of share-set.json: canonical JSON, so that one set has one digest. */
export function formatShareSet(set: ShareSet): Uint8Array {
  const holders = set.holders.map((holder) => ({ ...holder }));
  return utf8(canonicalJson({ ...set, holders }));
}

/** SHA-256 of share-set.json, in hex. */
export function shareSetDigest(set: ShareSet): string {
  return sha256Hex(formatShareSet(set));
}

/**
 * Reads share-set.json, strictly. Its digest is for the caller to compare with the ledger.
 * @throws KeyriteError usage.bad-file
 */
export function parseShareSet(bytes: Uint8Array): ShareSet {
  const value = parseJson(bytes);
  if (!isJsonObject(value)) throw bad("it is not a JSON object");
  if (value["keyrite"] !== "share-set/v1") throw bad('keyrite is not "share-set/v1"');
  const holders = value["holders"];
  if (!Array.isArray(holders)) throw bad("holders is not a list");
  const set: ShareSet = {
    keyrite: "share-set/v1",
    id: text(value, "id", SLUG),
    generation: count(value, "generation"),
    purpose: purposeOf(value["purpose"]),
    threshold: count(value, "threshold"),
    recipient: recipient(value),
    sealed: text(value, "sealed", DIGEST),
    holders: (holders as readonly Json[]).map(readHolder),
  };
  checkShareSet(set);
  // Also refuses members that we do not know, repeated ones and other spellings of the same.
  if (!equalBytes(formatShareSet(set), bytes)) throw bad("it is not exactly its canonical form");
  return set;
}

/** @throws KeyriteError usage.bad-file when threshold, places, people or digests contradict. */
function checkShareSet({ threshold, holders }: ShareSet): void {
  if (holders.length > MOST_HOLDERS) throw bad(`it has more than ${MOST_HOLDERS} holders`);
  if (threshold < 2 || threshold > holders.length) {
    throw bad(`${threshold} of ${holders.length} is not a threshold`);
  }
  if (holders.some((holder, i) => holder.index !== i + 1)) throw bad("its places are not 1 to n");
  for (const member of ["person", "recipient", "commitment", "file"] as const) {
    if (new Set(holders.map((holder) => holder[member])).size !== holders.length) {
      throw bad(`two holders have the same ${member}`);
    }
  }
}

function readHolder(value: Json): ShareHolder {
  if (!isJsonObject(value)) throw bad("a holder is not a JSON object");
  return {
    index: count(value, "index"),
    person: text(value, "person", SLUG),
    recipient: recipient(value),
    commitment: text(value, "commitment", DIGEST),
    file: text(value, "file", DIGEST),
  };
}

function text(object: JsonObject, name: string, grammar: RegExp): string {
  const value = object[name];
  if (typeof value !== "string" || !grammar.test(value)) throw bad(`${name} is malformed`);
  return value;
}

function count(object: JsonObject, name: string): number {
  const value = object[name];
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 1) {
    throw bad(`${name} is not a whole number from 1`);
  }
  return value;
}

function recipient(object: JsonObject): string {
  const value = text(object, "recipient", /^age1/);
  const refusal = whyRecipientRefused(value);
  if (refusal !== undefined) throw bad(`a recipient ${refusal}`);
  return value;
}

function purposeOf(value: Json | undefined): SharePurpose {
  const found = PURPOSES.find((purpose) => purpose === value);
  if (found === undefined) throw bad("the purpose is unknown");
  return found;
}

function parseJson(bytes: Uint8Array): Json {
  try {
    return JSON.parse(fromUtf8(bytes)) as Json;
  } catch {
    throw bad("it is not JSON");
  }
}

function bad(problem: string): KeyriteError {
  return new KeyriteError("usage.bad-file", `the share set is refused: ${problem}`, {
    hints: ["use share-set.json as it was written when the set was made"],
  });
}
