/** JSON as a type and RFC 8785 canonical form (JCS): one value, one sequence of bytes. */

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [name: string]: Json;
}

/**
 * The canonical text of a JSON value (RFC 8785): members sorted by UTF-16 code units, numbers as
 * ECMAScript prints them, no white space.
 * @throws TypeError for what JSON cannot say: undefined, NaN, infinities, lone surrogates.
 */
export function canonicalJson(value: Json): string {
  // Nearly all of it is in order already, and then the language's own way is several times as fast.
  if (!isInOrder(value)) return inOrder(value);
  const text = JSON.stringify(value);
  // It escapes a lone surrogate silently; RFC 8785 §3.2.2.2 demands an error.
  return text.includes("\\ud") ? inOrder(value) : text;
}

/** Whether a text is the canonical form of the value; text that is not Unicode has none. */
export function isCanonicalText(value: Json, text: string): boolean {
  try {
    return canonicalJson(value) === text;
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
}

/** Whether `JSON.stringify` writes what is asked for: members sorted, and nothing that it would leave out. */
function isInOrder(value: Json | undefined): boolean {
  if (typeof value === "string" || typeof value === "boolean" || value === null) return true;
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object") return false;
  if (isArray(value)) return value.every(isInOrder);
  if (Object.getPrototypeOf(value) !== Object.prototype) return false;
  let before = "";
  for (const name in value) {
    // Names that read like numbers come first whatever their order.
    if (name <= before && before !== "") return false;
    if (isIndexLike(name) || !isInOrder(value[name])) return false;
    before = name;
  }
  return true;
}

function isIndexLike(name: string): boolean {
  const first = name.charCodeAt(0);
  return first >= 0x30 && first <= 0x39 && name.length <= 10;
}

function inOrder(value: Json): string {
  if (typeof value === "string") return canonicalString(value);
  if (typeof value === "number") return canonicalNumber(value);
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value !== "object") throw new TypeError(`${typeof value} has no JSON form`);
  if (isArray(value)) return `[${value.map(inOrder).join(",")}]`;
  const members = Object.keys(value)
    .sort()
    .map((name) => `${canonicalString(name)}:${inOrder(value[name] as Json)}`);
  return `{${members.join(",")}}`;
}

// Array.isArray does not narrow readonly arrays out of a union.
function isArray(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

export function isJsonObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function canonicalString(text: string): string {
  if (!text.isWellFormed()) throw new TypeError("a string holds a lone surrogate");
  return JSON.stringify(text);
}

function canonicalNumber(value: number): string {
  if (!Number.isFinite(value)) throw new TypeError(`${value} has no JSON form`);
  return JSON.stringify(value);
}
