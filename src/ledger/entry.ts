/**
 * The envelope of a ledger entry and its one encoding: RFC 8785 JSON that reads back to itself.
 * Written by hand, without a schema library: every append and every verification passes here.
 */

import { parseTimestamp } from "../lib/clock.ts";
import { KeyriteError, messageOf } from "../lib/errors.ts";
import type { Json, JsonObject } from "../lib/json.ts";
import { formatCanonical, LONGEST_ENTRY, parseCanonical } from "./canonical.ts";

export const ENTRY_TYPES = [
  "ledger.created",
  "ceremony.opened",
  "ceremony.closed",
  "ceremony.abandoned",
  "step.opened",
  "step.begun",
  "step.completed",
  "step.failed",
  "step.refused",
  "auth.failed",
  "tail.adopted",
  "deviation.recorded",
  "plan.amended",
  "clock.attested",
] as const;
export type EntryType = (typeof ENTRY_TYPES)[number];

const OUTCOMES = ["success", "failure", "refused", "pending"] as const;
export type Outcome = (typeof OUTCOMES)[number];

const SOURCES = ["auto", "manual"] as const;
export type Source = (typeof SOURCES)[number];

export interface Actor {
  readonly person: string;
  readonly role: string;
  readonly part: string;
}

/** Something a completed step made true; its other members depend on `kind`. */
export type EntryFact = JsonObject & { readonly kind: string };

export interface Entry {
  readonly v: 1;
  readonly origin: string;
  /** Index in the ledger, from 0. */
  readonly seq: number;
  /** RFC 3339 UTC with milliseconds. */
  readonly time: string;
  readonly type: EntryType;
  readonly outcome: Outcome;
  readonly source: Source;
  readonly ceremony: string | null;
  readonly step: string | null;
  readonly actors: readonly Actor[];
  /** One sentence for people. */
  readonly description: string;
  readonly policyRefs: readonly string[];
  /** Full signed notes. */
  readonly agreements: readonly string[];
  readonly facts: readonly EntryFact[];
  readonly data: JsonObject;
  /** Indexes of other entries, by what they are to this one. */
  readonly refs: Readonly<Record<string, number>>;
}

/** What a caller says of an entry; the store adds the rest. */
export type EntryDraft = Omit<Entry, "v" | "origin" | "seq" | "time">;

/**
 * The entry that a draft becomes at its place. Members stand in canonical order: sorting them, or
 * spreading the draft, would cost an append more than all checks together.
 * @throws KeyriteError internal.bug when the draft has members that an entry lacks.
 */
export function completeEntry(
  draft: EntryDraft,
  place: Pick<Entry, "origin" | "seq" | "time">,
): Entry {
  if (Object.keys(draft).length !== ENVELOPE.length - 4) {
    throw new KeyriteError("internal.bug", "a draft has other members than an entry");
  }
  return {
    actors: draft.actors,
    agreements: draft.agreements,
    ceremony: draft.ceremony,
    data: draft.data,
    description: draft.description,
    facts: draft.facts,
    origin: place.origin,
    outcome: draft.outcome,
    policyRefs: draft.policyRefs,
    refs: draft.refs,
    seq: place.seq,
    source: draft.source,
    step: draft.step,
    time: place.time,
    type: draft.type,
    v: 1,
  };
}

/**
 * The exact text of an entry.
 * @throws KeyriteError internal.bug, naming the member, for what `decodeEntry` would refuse.
 */
export function encodeEntry(entry: Entry): string {
  try {
    const { value, text } = formatCanonical(entry);
    checkEnvelope(value);
    checkLength(text);
    return text;
  } catch (error) {
    throw new KeyriteError("internal.bug", `entry ${entry.seq}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/**
 * The entry of an exact text.
 * @throws KeyriteError ledger.damaged, naming the member, for any text `encodeEntry` cannot have made.
 */
export function decodeEntry(text: string): Entry {
  try {
    checkLength(text);
    const value = parseCanonical(text);
    checkEnvelope(value);
    return value;
  } catch (error) {
    throw new KeyriteError("ledger.damaged", messageOf(error), { cause: error });
  }
}

// Every check takes a value and the member's name and throws an Error that names it.
type Check = (value: Json | undefined, name: string) => void;

const text: Check = (value, name) => {
  if (typeof value !== "string") fail(name, "is not a string");
};
const words: Check = (value, name) => {
  if (typeof value !== "string" || value === "")
    fail(name, "is not a string of one character or more");
};
const textOrNull: Check = (value, name) => {
  if (value !== null) words(value, name);
};
const index: Check = (value, name) => {
  if (typeof value !== "number" || value < 0) fail(name, "is not an index");
};

// In canonical order, so that one comparison per member finds what is missing, unknown or misplaced.
const ENVELOPE: readonly (readonly [keyof Entry, Check])[] = [
  ["actors", list(actor)],
  ["agreements", list(words)],
  ["ceremony", textOrNull],
  ["data", object],
  ["description", text],
  ["facts", list(fact)],
  ["origin", words],
  ["outcome", oneOf(OUTCOMES)],
  ["policyRefs", list(words)],
  ["refs", references],
  ["seq", index],
  ["source", oneOf(SOURCES)],
  ["step", textOrNull],
  ["time", time],
  ["type", oneOf(ENTRY_TYPES)],
  ["v", version],
];
const ACTOR: readonly (readonly [keyof Actor, Check])[] = [
  ["part", words],
  ["person", words],
  ["role", words],
];

function checkEnvelope(value: Json): asserts value is Json & Entry {
  members(value, "the entry", ENVELOPE, "");
}

function members(
  value: Json | undefined,
  name: string,
  expected: readonly (readonly [string, Check])[],
  prefix: string,
): void {
  const found = object(value, name);
  const names = Object.keys(found);
  let position = 0;
  for (const [member, check] of expected) {
    if (names[position] !== member) return wrongMembers(names, expected, prefix);
    check(found[member], prefix + member);
    position += 1;
  }
  if (names.length !== expected.length) wrongMembers(names, expected, prefix);
}

function wrongMembers(
  names: readonly string[],
  expected: readonly (readonly [string, Check])[],
  prefix: string,
): never {
  const unknown = names.find((given) => !expected.some(([known]) => known === given));
  if (unknown !== undefined) fail(prefix + unknown, "is not a member of this object");
  const missing = expected.find(([known]) => !names.includes(known))?.[0];
  fail(prefix + String(missing), "is missing");
}

function object(value: Json | undefined, name: string): JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    fail(name, "is not an object");
  }
  return value as JsonObject;
}

function list(check: Check): Check {
  return (value, name) => {
    if (!Array.isArray(value)) fail(name, "is not a list");
    let position = 0;
    for (const item of value as readonly Json[]) {
      check(item, `${name}[${position}]`);
      position += 1;
    }
  };
}

function actor(value: Json | undefined, name: string): void {
  members(value, name, ACTOR, `${name}.`);
}

function fact(value: Json | undefined, name: string): void {
  words(object(value, name)["kind"], `${name}.kind`);
}

function references(value: Json | undefined, name: string): void {
  for (const [member, target] of Object.entries(object(value, name))) {
    index(target, `${name}.${member}`);
  }
}

function oneOf(allowed: readonly string[]): Check {
  return (value, name) => {
    if (typeof value !== "string" || !allowed.includes(value)) fail(name, "is none of its values");
  };
}

function time(value: Json | undefined, name: string): void {
  // Years beyond four digits have an ISO form too, and would break the order of the texts.
  if (typeof value !== "string" || value.length !== 24 || parseTimestamp(value) === undefined) {
    fail(name, "is not a time like 2026-11-23T09:30:00.000Z");
  }
}

function version(value: Json | undefined, name: string): void {
  if (value !== 1) fail(name, "is not 1");
}

function checkLength(encoded: string): void {
  const bytes = Buffer.byteLength(encoded);
  // Two bytes hold an entry's length in a tlog-tiles bundle.
  if (bytes > LONGEST_ENTRY) {
    throw new Error(`the entry has ${bytes} bytes; ${LONGEST_ENTRY} is the most`);
  }
}

function fail(name: string, what: string): never {
  throw new Error(`${name} ${what}`);
}
