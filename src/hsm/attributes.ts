/** Attribute values: their bytes in memory, and how they stand in records. */

import { concat, fromUtf8, hex, utf8 } from "../lib/encoding.ts";
import { ckrOf } from "./ckr.ts";
import { CKA, CKK, CKM, CKO, nameOf, type AttributeName } from "./constants.ts";
import type { Handle, RawAttribute, RawModule } from "./raw.ts";

export type AttributeValue = boolean | number | string | Uint8Array;

/** What an object answered: an attribute it does not give is absent. */
export type Attributes = ReadonlyMap<AttributeName, AttributeValue>;

/** One attribute as the module wants it. A value of the wrong form is a bug. */
export function encode(name: AttributeName, value: AttributeValue): RawAttribute {
  return { type: CKA[name].type, value: bytesOf(value) };
}

// Most of a template is the same for every key: those bytes are made once, in the form the binding takes
// without a copy. Nobody writes to them.
const FLAGS: Readonly<Record<"true" | "false", Uint8Array>> = {
  true: Buffer.of(1),
  false: Buffer.of(0),
};
const numbers = new Map<number, Uint8Array>();

function bytesOf(value: AttributeValue): Uint8Array {
  if (typeof value === "boolean") return FLAGS[value ? "true" : "false"];
  if (typeof value === "string") return utf8(value);
  if (typeof value === "object") return value;
  const known = numbers.get(value);
  if (known !== undefined) return known;
  const bytes = Buffer.from(new BigUint64Array([BigInt(value)]).buffer);
  numbers.set(value, bytes);
  return bytes;
}

/** The value of an attribute from its bytes, or undefined when they do not have its form. */
export function decode(name: AttributeName, bytes: Uint8Array): AttributeValue | undefined {
  switch (CKA[name].kind) {
    case "flag":
      return bytes.length === 1 ? bytes[0] !== 0 : undefined;
    case "number":
    case "class":
    case "keyType":
    case "mechanism":
      return unsignedLong(bytes);
    case "text":
      return text(bytes);
    case "bytes":
      return Uint8Array.from(bytes);
  }
}

// CK_UNAVAILABLE_INFORMATION (all ones) is no value either.
function unsignedLong(bytes: Uint8Array): number | undefined {
  if (bytes.length !== 8) return undefined;
  const [value] = new BigUint64Array(concat(bytes).buffer);
  if (value === undefined || value > BigInt(Number.MAX_SAFE_INTEGER)) return undefined;
  return Number(value);
}

function text(bytes: Uint8Array): string | undefined {
  try {
    return fromUtf8(bytes);
  } catch {
    return undefined;
  }
}

type JsonScalar = boolean | number | string;

/** A value as it stands in evidence: numbers that have a name by their name, bytes in hex. */
export function toJson(name: AttributeName, value: AttributeValue): JsonScalar {
  if (typeof value === "object") return hex(value);
  if (typeof value !== "number") return value;
  switch (CKA[name].kind) {
    case "class":
      return nameOf("CKO", CKO, value);
    case "keyType":
      return nameOf("CKK", CKK, value);
    case "mechanism":
      return nameOf("CKM", CKM, value);
    case "flag":
    case "number":
    case "bytes":
    case "text":
      return value;
  }
}

/** All attributes by their CKA_* name, as they stand in evidence. */
export function attributesToJson(attributes: Attributes): Readonly<Record<string, JsonScalar>> {
  const json: Record<string, JsonScalar> = {};
  for (const [name, value] of attributes) json[FULL_NAMES[name]] = toJson(name, value);
  return json;
}

// Spelt once: new strings would be hashed again for every attribute of every object.
const FULL_NAMES = Object.fromEntries(
  Object.keys(CKA).map((name) => [name, `CKA_${name}`]),
) as Readonly<Record<AttributeName, string>>;

// What a module answers for an attribute it does not know, or will not show.
const NOT_GIVEN = new Set([
  "CKR_ATTRIBUTE_TYPE_INVALID",
  "CKR_ATTRIBUTE_SENSITIVE",
  "CKR_ATTRIBUTE_VALUE_INVALID",
]);

/**
 * Reads the named attributes of an object. One call when the module knows them all, else one each:
 * a single unknown attribute fails the whole call.
 * @throws KeyriteError of the call when it fails for any other reason.
 */
export function readAttributes(
  module: RawModule,
  session: Handle,
  object: Handle,
  names: readonly AttributeName[],
): Attributes {
  const together = readGroup(module, session, object, names);
  if (together !== undefined) return together;
  const found = new Map<AttributeName, AttributeValue>();
  for (const name of names) {
    for (const [key, value] of readGroup(module, session, object, [name]) ?? []) {
      found.set(key, value);
    }
  }
  return found;
}

function readGroup(
  module: RawModule,
  session: Handle,
  object: Handle,
  names: readonly AttributeName[],
): Map<AttributeName, AttributeValue> | undefined {
  const values = readTogether(module, session, object, names);
  return values === undefined ? undefined : decodeAll(names, values);
}

/** Attributes from their bytes; what has none, or not the form of its attribute, is absent. */
export function decodeAll(
  names: readonly AttributeName[],
  values: readonly (Uint8Array | undefined)[],
): Map<AttributeName, AttributeValue> {
  const found = new Map<AttributeName, AttributeValue>();
  for (const [index, name] of names.entries()) {
    const bytes = values[index];
    const value = bytes === undefined ? undefined : decode(name, bytes);
    if (value !== undefined) found.set(name, value);
  }
  return found;
}

/**
 * The bytes of the named attributes in one call, or undefined when the object does not give them all.
 * @throws KeyriteError of the call when it fails for any other reason.
 */
export function readTogether(
  module: RawModule,
  session: Handle,
  object: Handle,
  names: readonly AttributeName[],
): readonly (Uint8Array | undefined)[] | undefined {
  try {
    return module.getAttributes(
      session,
      object,
      names.map((name) => CKA[name].type),
    );
  } catch (error) {
    const ckr = ckrOf(error);
    if (ckr !== undefined && NOT_GIVEN.has(ckr)) return undefined;
    throw error;
  }
}

/** Equality of two values of the same attribute. */
export function sameValue(a: AttributeValue, b: AttributeValue): boolean {
  if (typeof a === "object" && typeof b === "object") return Buffer.compare(a, b) === 0;
  return a === b;
}
