/** What every explanation in plain words is made of: labelled lines, names, times, keys, algorithms. */

import { groupedHex, visible } from "../lib/encoding.ts";
import { type AlgorithmView, schemeInWords } from "./algorithms.ts";
import type { KeyView } from "./keys.ts";
import type { DistinguishedName } from "./names.ts";
import type { TimeView } from "./view.ts";

/** Columns of the longest line; the room's terminal and the paper both hold it. */
const WIDTH = 96;
const LABEL = 20;
/** Hex groups of four in a line: 32 bytes make two lines. */
const GROUPS = 8;

/** A label and what stands behind it, in lines of at most 96 columns. */
export function field(label: string, lines: readonly string[]): readonly string[] {
  const wrapped = lines.flatMap((line) => wrap(line, WIDTH - LABEL));
  return wrapped.map((line, index) => (index === 0 ? label : "").padEnd(LABEL) + line);
}

const ATTRIBUTE_WORDS: Readonly<Record<string, string>> = {
  DC: "domain component",
  C: "country",
  ST: "state or province",
  L: "locality",
  O: "organisation",
  OU: "organisational unit",
  CN: "common name",
  serialNumber: "serial number",
  organizationIdentifier: "organisation id",
};
const ATTRIBUTE_COLUMN = 20;

/** Most specific attribute first, as people say a name. */
export function nameLines(name: DistinguishedName): readonly string[] {
  if (name.length === 0) return ["empty"];
  return [...name].reverse().flatMap((rdn) =>
    rdn.map(({ type, form, value }) => {
      const words = ATTRIBUTE_WORDS[type] ?? type;
      return (
        words.padEnd(ATTRIBUTE_COLUMN) + (form === "other" ? `bytes ${value}` : visible(value))
      );
    }),
  );
}

const MONTHS = [
  ...["January", "February", "March", "April", "May", "June", "July"],
  ...["August", "September", "October", "November", "December"],
];

export function timeInWords({ time }: TimeView): string {
  const date = new Date(time);
  const month = MONTHS[date.getUTCMonth()] ?? "";
  const clock = time.slice(11, 19);
  return `${date.getUTCDate()} ${month} ${date.getUTCFullYear()}, ${clock} UTC`;
}

export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

export function keyInWords(key: KeyView): string {
  switch (key.kind) {
    case "rsa":
      return `RSA, ${key.bits} bits, exponent ${BigInt(`0x${key.exponent}`).toString()}`;
    case "ec":
      return `elliptic curve ${key.curve.toUpperCase()} (ECDSA)`;
    case "ed25519":
      return "elliptic curve Ed25519";
  }
}

export function algorithmInWords({ scheme, oid, parameters }: AlgorithmView): string {
  if (scheme !== null) return schemeInWords(scheme);
  return `unknown algorithm ${oid}, parameters ${parameters ?? "absent"}`;
}

export function hexLines(digits: string): readonly string[] {
  const groups = groupedHex(digits).split(" ");
  const lines = Math.ceil(groups.length / GROUPS);
  return Array.from({ length: lines }, (_, line) =>
    groups.slice(line * GROUPS, (line + 1) * GROUPS).join(" "),
  );
}

/** A cut this near to the end of a line is moved to the space before it. */
const NEAR = 30;

/** Cuts a line at `columns`, at a space if one is near; no character of it is left out. */
function wrap(line: string, columns: number): readonly string[] {
  const lines: string[] = [];
  let current = "";
  for (const char of line) {
    if (columnsOf(current) + columnsOf(char) > columns) {
      const space = current.lastIndexOf(" ") + 1;
      const cut = space > current.length - NEAR && char !== " " ? space : current.length;
      lines.push(current.slice(0, cut));
      current = current.slice(cut);
    }
    current += char;
  }
  return [...lines, current];
}

/** East Asian and other wide characters count as two. */
function columnsOf(text: string): number {
  return Array.from(text).reduce(
    (sum, char) => sum + ((char.codePointAt(0) ?? 0) >= 0x1100 ? 2 : 1),
    0,
  );
}
