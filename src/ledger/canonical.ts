/**
 * The narrow JSON of ledger entries: plain member names, whole numbers, NFC text, bounded depth.
 * Within it `JSON.stringify` of sorted members is RFC 8785, which makes checking cheap.
 */

import type { Json } from "../lib/json.ts";

/** Bytes; the largest length a tlog-tiles entry bundle can state. */
export const LONGEST_ENTRY = 65_535;

/** Nested objects and lists, the outermost included. */
export const DEEPEST = 32;

const MEMBER_NAME = /^[a-z][A-Za-z0-9]*$/;

/**
 * The value of a canonical text.
 * @throws Error that names the member when the text is not JSON, not canonical, or outside the
 * narrow form.
 */
export function parseCanonical(text: string): Json {
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch (error) {
    throw new Error("the entry is not JSON", { cause: error });
  }
  checked(value, "the entry", 1, false);
  checkTexts(value, text);
  // Member names never look like array indexes, so V8 keeps the order of the text, and any other
  // white space, escape, number form, duplicate or -0 shows as a difference.
  if (JSON.stringify(value) !== text) throw new Error("the entry is not in canonical form");
  return value;
}

/** A value in canonical form: the data, its members sorted, and the text. */
export interface Canonical {
  readonly value: Json;
  readonly text: string;
}

/**
 * The canonical form of a value of the narrow form.
 * @throws Error that names the member when the value is outside the narrow form.
 */
export function formatCanonical(given: unknown): Canonical {
  const value = checked(given, "the entry", 1, true);
  const text = JSON.stringify(value);
  checkTexts(value, text);
  return { value, text };
}

// Returns the value itself when its members are sorted. Unsorted ones are sorted into a copy, or
// refused. Paths are only spelt out for objects, lists and faults: appends wait for this.
function checked(value: unknown, path: string, depth: number, sort: boolean): Json {
  if (typeof value === "string" || typeof value === "boolean" || value === null) return value;
  if (typeof value === "number") return checkedNumber(value, path);
  if (typeof value !== "object") throw new Error(`${path} is ${typeof value}, which JSON lacks`);
  if (depth > DEEPEST) throw new Error(`${path} is nested more than ${DEEPEST} deep`);
  if (Array.isArray(value)) return checkedList(value, path, depth, sort);
  return checkedMembers(value, path, depth, sort);
}

function checkedList(
  list: readonly unknown[],
  path: string,
  depth: number,
  sort: boolean,
): readonly Json[] {
  let copy: Json[] | undefined;
  for (let i = 0; i < list.length; i += 1) {
    const item = checked(list[i], `${path}[${i}]`, depth + 1, sort);
    if (copy === undefined && item !== list[i]) copy = list.slice(0, i) as Json[];
    copy?.push(item);
  }
  return copy ?? (list as readonly Json[]);
}

function checkedMembers(value: object, path: string, depth: number, sort: boolean): Json {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    throw new Error(`${path} is not plain data`);
  }
  const names = Object.keys(value);
  const sorted = isSorted(names);
  if (!sorted && !sort) throw new Error(`the members of ${path} are not sorted`);
  let copy: Record<string, Json> | undefined;
  if (!sorted) {
    names.sort();
    copy = {};
  }
  const source = value as Readonly<Record<string, unknown>>;
  for (let i = 0; i < names.length; i += 1) {
    const name = names[i] ?? "";
    const given = source[name];
    if (!isMemberName(name)) throw new Error(`${inside(path, name)} is no member name`);
    const plain = typeof given === "string" || typeof given === "boolean";
    const member = plain ? given : checked(given, inside(path, name), depth + 1, sort);
    if (copy === undefined && member !== given) copy = firstOf(source, names, i);
    if (copy !== undefined) copy[name] = member;
  }
  return copy ?? (value as Json);
}

function inside(path: string, name: string): string {
  return path === "the entry" ? name : `${path}.${name}`;
}

function firstOf(
  source: Readonly<Record<string, unknown>>,
  names: readonly string[],
  count: number,
): Record<string, Json> {
  return Object.fromEntries(names.slice(0, count).map((name) => [name, source[name] as Json]));
}

function isSorted(names: readonly string[]): boolean {
  for (let i = 1; i < names.length; i += 1) {
    // The default order of strings is that of UTF-16 code units, as RFC 8785 §3.2.3 asks.
    if ((names[i - 1] ?? "") >= (names[i] ?? "")) return false;
  }
  return true;
}

// The same few dozen names come with every entry; looking one up is cheaper than matching it.
const knownNames = new Set<string>();

function isMemberName(name: string): boolean {
  if (knownNames.has(name)) return true;
  if (!MEMBER_NAME.test(name)) return false;
  if (knownNames.size < 1000) knownNames.add(name);
  return true;
}

function checkedNumber(value: number, path: string): number {
  if (!Number.isSafeInteger(value) || Object.is(value, -0)) {
    throw new Error(`${path} is not a whole number below 2^53`);
  }
  return value;
}

// One look at the whole text spares most entries a look at every string: JSON escapes a lone
// surrogate as \udXXX, and everything else that is refused is beyond ASCII.
function checkTexts(value: Json, text: string): void {
  if (!text.includes("\\ud") && (isAscii(text) || isSound(text))) return;
  checkText(value, "the entry");
}

// A tenth of what a pattern takes that walks over every character.
function isAscii(text: string): boolean {
  return Buffer.byteLength(text) === text.length;
}

// Below U+0300 nothing composes or decomposes, and neither do dashes, quotation marks and dots: NFC_Quick_Check is
// yes for all of them (Unicode Standard Annex 15 §9). Whoever signs notes writes a dash, so most entries have one.
const SURELY_NFC = /^[\0-\u02ff\u2010-\u2027]*$/;

/** Every part of a text in form NFC is in form NFC (Unicode Standard Annex 15 §1). */
function isSound(text: string): boolean {
  if (SURELY_NFC.test(text)) return true;
  return text.isWellFormed() && !text.includes("\uFFFD") && text.normalize("NFC") === text;
}

function checkText(value: Json, path: string): void {
  if (typeof value === "object" && value !== null) {
    const isList = Array.isArray(value);
    for (const [name, member] of Object.entries<Json>(value)) {
      checkText(member, isList ? `${path}[${name}]` : inside(path, name));
    }
    return;
  }
  if (typeof value !== "string" || isAscii(value)) return;
  if (!value.isWellFormed()) throw new Error(`${path} holds a lone surrogate`);
  // What is not UTF-8 in the file reads back as U+FFFD, so no entry may hold one honestly.
  if (value.includes("\uFFFD")) throw new Error(`${path} is not UTF-8, or holds U+FFFD`);
  if (value.normalize("NFC") !== value) throw new Error(`${path} is not in Unicode form NFC`);
}
