/**
 * Distinguished names as people write them (RFC 4514) and as certificates order them. Stricter than
 * the RFC: one spelling for one name, because a name is read aloud and agreed to.
 */

import { visible } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";

export const ATTRIBUTE_TYPES = [
  "DC",
  "C",
  "ST",
  "L",
  "O",
  "OU",
  "CN",
  "serialNumber",
  "organizationIdentifier",
] as const;
export type AttributeType = (typeof ATTRIBUTE_TYPES)[number];

/** Object identifiers of the types (RFC 4519, RFC 4524; X.520 for the last of them). */
export const ATTRIBUTE_OIDS: Readonly<Record<AttributeType, string>> = {
  CN: "2.5.4.3",
  serialNumber: "2.5.4.5",
  C: "2.5.4.6",
  L: "2.5.4.7",
  ST: "2.5.4.8",
  O: "2.5.4.10",
  OU: "2.5.4.11",
  organizationIdentifier: "2.5.4.97",
  DC: "0.9.2342.19200300.100.1.25",
};

/** The string types we write, and `other` for what a foreign certificate holds (value then in hex). */
export type StringForm = "utf8" | "printable" | "ia5" | "other";

export interface NameAttribute {
  /** Our short name, or the dotted object identifier of a type outside our table. */
  readonly type: string;
  readonly form: StringForm;
  /** The text; for the form `other` the DER of the value in hex. */
  readonly value: string;
}

/** Relative names in the order of the encoding: the first is the outermost, e.g. the country. */
export type DistinguishedName = readonly (readonly NameAttribute[])[];

interface AttributeRule {
  /** Form we write: RFC 5280 appendix A fixes it for C, serialNumber and DC. */
  readonly form: StringForm;
  /** Upper bound in characters: RFC 5280 appendix A.1; DC is a DNS label (BR 7.1.4.2). */
  readonly longest: number;
  readonly pattern?: { readonly shape: RegExp; readonly words: string };
}

const PRINTABLE = {
  shape: /^[A-Za-z0-9 '()+,\-./:=?]+$/,
  words: "letters, digits and '()+,-./:=?",
};

export const ATTRIBUTE_RULES: Readonly<Record<AttributeType, AttributeRule>> = {
  DC: {
    form: "ia5",
    longest: 63,
    pattern: {
      shape: /^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?$/,
      words: "one DNS label",
    },
  },
  C: {
    form: "printable",
    longest: 2,
    pattern: { shape: /^[A-Z]{2}$/, words: "two upper-case letters (ISO 3166-1)" },
  },
  ST: { form: "utf8", longest: 128 },
  L: { form: "utf8", longest: 128 },
  O: { form: "utf8", longest: 64 },
  OU: { form: "utf8", longest: 64 },
  CN: { form: "utf8", longest: 64 },
  serialNumber: { form: "printable", longest: 64, pattern: PRINTABLE },
  // X.520 sets no bound; the semantics identifiers of EN 319 412-1 are far shorter than this.
  organizationIdentifier: { form: "utf8", longest: 128 },
};

/** May stand several times in one name: BR 7.1.4.1 allows it of no other type we take. */
const REPEATABLE: readonly string[] = ["DC"];

const LONGEST_NAME = 1024;

/**
 * Reads a distinguished name as RFC 4514 writes it, last attribute first: "CN=Root,O=Example,C=DE"
 * is encoded C, O, CN.
 * @throws KeyriteError script.refused, saying what is wrong and at which character.
 */
export function parseDn(text: string): DistinguishedName {
  if (text.length === 0) refuse("a distinguished name is empty");
  if (text.length > LONGEST_NAME) {
    refuse(`a distinguished name is longer than ${LONGEST_NAME} characters`);
  }
  const names: NameAttribute[] = [];
  let at = 0;
  while (at <= text.length) {
    const read = readAttribute(text, at);
    if (!REPEATABLE.includes(read.type) && names.some((name) => name.type === read.type)) {
      refuse(`attribute ${read.type} stands twice in a distinguished name`);
    }
    names.push({ type: read.type, form: ATTRIBUTE_RULES[read.type].form, value: read.value });
    at = read.end + 1;
  }
  const name = names.reverse().map((attribute) => [attribute]);
  if (formatDn(name) !== text) {
    refuse("a distinguished name holds a needless escape", `write ${visible(formatDn(name))}`);
  }
  return name;
}

/** What is wrong with a distinguished name, or undefined: for checking parameters and answers. */
export function dnProblem(text: string): string | undefined {
  try {
    parseDn(text);
    return undefined;
  } catch (error) {
    if (error instanceof KeyriteError) return error.message;
    throw error;
  }
}

/**
 * A distinguished name in RFC 4514 form, most specific attribute first; the one spelling `parseDn`
 * reads back. Not `visible`: whoever prints the name of a foreign certificate escapes it.
 */
export function formatDn(name: DistinguishedName): string {
  return [...name]
    .reverse()
    .map((rdn) => rdn.map(formatAttribute).join("+"))
    .join(",");
}

function formatAttribute({ type, form, value }: NameAttribute): string {
  if (form === "other" || /^\d/.test(type)) return `${type}=#${value}`;
  const escaped = value
    .replace(/[\\",+;<>]/g, (char) => `\\${char}`)
    .replace(/^[# ]/, (char) => `\\${char}`)
    .replace(/ $/, "\\ ");
  return `${type}=${escaped}`;
}

interface ReadAttribute {
  readonly type: AttributeType;
  readonly value: string;
  /** Position of the comma after it, or the end of the text. */
  readonly end: number;
}

function readAttribute(text: string, start: number): ReadAttribute {
  const equals = text.indexOf("=", start);
  if (equals < 0) refuse(`character ${start + 1}: an attribute has no "="`);
  const type = readType(text.slice(start, equals), start);
  const { value, end } = readValue(text, equals + 1);
  const problem = valueProblem(type, value);
  if (problem !== undefined) refuse(`attribute ${type} ${problem}`);
  return { type, value, end };
}

function readType(written: string, start: number): AttributeType {
  const found = ATTRIBUTE_TYPES.find((type) => type === written);
  if (found !== undefined) return found;
  const near = ATTRIBUTE_TYPES.find((type) => type.toLowerCase() === written.trim().toLowerCase());
  const hint =
    near === undefined
      ? `allowed are ${ATTRIBUTE_TYPES.join(", ")}`
      : `write ${near} without space`;
  refuse(
    `character ${start + 1}: unknown attribute type ${JSON.stringify(visible(written))}`,
    hint,
  );
}

function readValue(text: string, start: number): { value: string; end: number } {
  if (text[start] === "#") refuse(`character ${start + 1}: values in hex are not taken`);
  let value = "";
  let at = start;
  while (at < text.length && text[at] !== ",") {
    const char = String.fromCodePoint(text.codePointAt(at) ?? 0);
    if (char === "+") refuse(`character ${at + 1}: "+" joins attributes; escape it as "\\+"`);
    if (/["<>;]/.test(char)) refuse(`character ${at + 1}: ${char} must be escaped as "\\${char}"`);
    const escaped = char === "\\" ? readEscape(text, at) : undefined;
    value += escaped ?? char;
    at += escaped === undefined ? char.length : 2;
  }
  return { value, end: at };
}

/** `\` and one special character (RFC 4514 §2.4). Hex pairs, legal there, would be a second spelling. */
function readEscape(text: string, at: number): string {
  const next = text[at + 1];
  if (next === undefined || !/[\\",+;<>#= ]/.test(next)) {
    refuse(`character ${at + 1}: "\\" escapes one of \\ " , + ; < > # = or space, nothing else`);
  }
  return next;
}

/** What is wrong with the value of an attribute, as the end of a sentence, or undefined. */
export function valueProblem(type: AttributeType, value: string): string | undefined {
  const { longest, pattern } = ATTRIBUTE_RULES[type];
  if (value.length === 0) return "is empty";
  // Characters nobody in the room could see, or tell from a plain space.
  if (/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\u{fffd}]/u.test(value)) {
    return "holds an invisible or control character";
  }
  if (/(?! )\p{Zs}/u.test(value)) return "holds a space that is not the plain one";
  // RFC 5280 §7.1 compares names with such spaces removed: two spellings of one name.
  if (value.trim() !== value || value.includes("  ")) {
    return "begins or ends with a space, or holds two in a row";
  }
  if (value.normalize("NFC") !== value) return "is not in Unicode form NFC";
  const length = Array.from(value).length;
  if (length > longest) return `has ${length} characters, at most ${longest} are allowed`;
  if (pattern !== undefined && !pattern.shape.test(value)) return `must be ${pattern.words}`;
  return undefined;
}

function refuse(message: string, hint?: string): never {
  throw new KeyriteError("script.refused", message, hint === undefined ? {} : { hints: [hint] });
}
