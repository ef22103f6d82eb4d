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
  if (typeof value === "string") return canonicalString(value);
  if (typeof value === "number") return canonicalNumber(value);
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value !== "object") throw new TypeError(`${typeof value} has no JSON form`);
  if (isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  const members = Object.keys(value)
    .sort()
    .map((name) => `${canonicalString(name)}:${canonicalJson(value[name] as Json)}`);
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
  // JSON.stringify would escape a lone surrogate silently; RFC 8785 §3.2.2.2 demands an error.
  if (!text.isWellFormed()) throw new TypeError("a string holds a lone surrogate");
  return JSON.stringify(text);
}

function canonicalNumber(value: number): string {
  if (!Number.isFinite(value)) throw new TypeError(`${value} has no JSON form`);
  return JSON.stringify(value);
}
