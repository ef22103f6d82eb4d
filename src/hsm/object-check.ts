/** Comparing an object with the template it was made from: every attribute, each waiver by name. */

import { KeyriteError } from "../lib/errors.ts";
import {
  decodeAll,
  encode,
  readAttributes,
  readTogether,
  sameValue,
  toJson,
  type Attributes,
} from "./attributes.ts";
import type { AttributeName } from "./constants.ts";
import type { Context } from "./objects.ts";
import { waiversFor, type ModuleProfile, type Subject, type Waiver } from "./profiles.ts";
import type { Handle, RawAttribute } from "./raw.ts";
import type { TemplateEntry } from "./templates.ts";

/** What an object shall be, and what its module is excused for. */
export interface Expectation {
  readonly entries: readonly TemplateEntry[];
  readonly waivers: ReadonlyMap<AttributeName, Waiver>;
}

/** The expectation of one kind of object on a module. */
export function expectation(
  profile: ModuleProfile,
  subject: Subject,
  entries: readonly TemplateEntry[],
): Expectation {
  return { entries, waivers: waiversFor(profile, subject) };
}

/**
 * The template to ask with: without what the token sets itself or the module refuses. SoftHSM 2.6
 * applies a template to an unwrapped key in its order, so what forbids changes comes last.
 */
export function askedTemplate({ entries, waivers }: Expectation): readonly RawAttribute[] {
  const asked = entries.filter(
    (entry) => entry.role === "asked" && waivers.get(entry.name)?.omit !== true,
  );
  asked.sort((a, b) => Number(a.name === "MODIFIABLE") - Number(b.name === "MODIFIABLE"));
  return asked.map(({ name, value }) => encode(name, value));
}

export interface Checked {
  /** Attributes of the expectation, as read back. */
  readonly attributes: Attributes;
  /** Differences that no waiver excuses, one phrase each. */
  readonly differences: readonly string[];
  /** Sentences of the waivers that were used. */
  readonly waived: readonly string[];
  /** True when every attribute is, byte by byte, what was expected. */
  readonly exact: boolean;
}

/**
 * Reads every expected attribute back and compares it. Attributes that the module is known not to
 * give are read by themselves, so that all others come in one call.
 */
export function checkObject(context: Context, object: Handle, expected: Expectation): Checked {
  const values = readAll(context, object, expected);
  if (values !== undefined && areAsExpected(values, expected)) {
    const attributes = new Map(expected.entries.map(({ name, value }) => [name, value]));
    return { attributes, differences: [], waived: [], exact: true };
  }
  const attributes =
    values === undefined
      ? readExpected(context, object, expected)
      : decodeAll(namesIn(expected), values);
  const differing = expected.entries.filter((entry) => differs(entry, attributes));
  const excused = (entry: TemplateEntry): boolean =>
    expected.waivers.get(entry.name)?.reads === (attributes.get(entry.name) ?? "nothing");
  return {
    attributes,
    differences: differing
      .filter((entry) => !excused(entry))
      .map((entry) => difference(entry, attributes)),
    waived: differing.flatMap((entry) => expected.waivers.get(entry.name)?.sentence ?? []),
    exact: false,
  };
}

/**
 * As `checkObject`, for objects that must be right.
 * @param name what the object is called in the error.
 * @throws KeyriteError hsm.attribute-differs
 */
export function requireObject(
  context: Context,
  object: Handle,
  expected: Expectation,
  name: string,
  hints: readonly string[],
): Checked {
  const checked = checkObject(context, object, expected);
  if (checked.differences.length === 0) return checked;
  throw new KeyriteError(
    "hsm.attribute-differs",
    `${name} is not what was asked for: ${checked.differences.join("; ")}`,
    { hints },
  );
}

function namesIn({ entries }: Expectation): readonly AttributeName[] {
  return entries.map(({ name }) => name);
}

type Values = readonly (Uint8Array | undefined)[];

function readAll(
  { module, session }: Context,
  object: Handle,
  expected: Expectation,
): Values | undefined {
  const { entries, waivers } = expected;
  if (waivers.size > 0 && entries.some(({ name }) => waivers.get(name)?.reads === "nothing")) {
    return undefined;
  }
  return readTogether(module, session, object, namesIn(expected));
}

// Nearly every object is exactly what was asked for: then comparing bytes tells, and nothing has to be
// decoded. Anything else is judged by what it means, from the same answer.
function areAsExpected(values: Values, { entries }: Expectation): boolean {
  for (let i = 0; i < entries.length; i += 1) {
    const [entry, read] = [entries[i], values[i]];
    if (entry === undefined || read === undefined) return false;
    if (Buffer.compare(read, encode(entry.name, entry.value).value) !== 0) return false;
  }
  return true;
}

function readExpected(
  { module, session }: Context,
  object: Handle,
  expected: Expectation,
): Attributes {
  const names = expected.entries.map(({ name }) => name);
  const given = names.filter((name) => expected.waivers.get(name)?.reads !== "nothing");
  if (given.length === names.length) return readAttributes(module, session, object, names);
  const attributes = new Map(readAttributes(module, session, object, given));
  for (const name of names) {
    if (given.includes(name)) continue;
    for (const [key, value] of readAttributes(module, session, object, [name])) {
      attributes.set(key, value);
    }
  }
  return attributes;
}

function differs(entry: TemplateEntry, attributes: Attributes): boolean {
  const value = attributes.get(entry.name);
  if (value === undefined) return true;
  if (sameValue(value, entry.value)) return false;
  return entry.alternative === undefined || !sameValue(value, entry.alternative);
}

function difference(entry: TemplateEntry, attributes: Attributes): string {
  const wanted = String(toJson(entry.name, entry.value));
  const value = attributes.get(entry.name);
  const found = value === undefined ? "not given" : String(toJson(entry.name, value));
  return `CKA_${entry.name} is ${found}, not ${wanted}`;
}
