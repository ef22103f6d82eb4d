/** The words in which a schema objects. A second line, where there is one, is the hint. */

import { visible } from "./encoding.ts";
import type { RawIssue } from "./schema.ts";
import { didYouMean } from "./suggest.ts";

const EXPECTED: ReadonlyMap<string, string> = new Map([
  ["string", "text"],
  ["number", "a number"],
  ["int", "a whole number"],
  ["boolean", "true or false"],
  ["array", "a list"],
  ["tuple", "a list"],
  ["object", "a mapping"],
  ["record", "a mapping"],
  ["null", "nothing"],
  ["never", "nothing"],
]);

export function expectedWord(expected: string): string {
  return EXPECTED.get(expected) ?? expected;
}

/** A value as the author of a file knows it; text is cut and made safe to show. */
export function foundWord(value: unknown): string {
  if (value === null || value === undefined) return "nothing";
  if (typeof value === "string") return `the text "${shown(value)}"`;
  if (typeof value === "number") return `the number ${value}`;
  if (typeof value === "boolean") return String(value);
  return Array.isArray(value) ? "a list" : "a mapping";
}

/** A word that is none of a closed list. */
export function enumText(options: readonly unknown[], found: unknown): string {
  const words = options.map(String);
  if (typeof found !== "string") {
    return `expected ${words.map((word) => `"${word}"`).join(" or ")}, found ${foundWord(found)}`;
  }
  const [only] = words;
  const text =
    words.length === 1 && only !== undefined
      ? `expected "${only}", found "${shown(found)}"`
      : `"${shown(found)}" is not one of ${words.join(", ")}`;
  const meant = didYouMean(found, words);
  return meant === undefined ? text : `${text}\ndid you mean "${meant}"?`;
}

/** Text for an issue whose schema gives no message of its own. */
export function issueText(issue: RawIssue): string | undefined {
  switch (issue.code) {
    case "invalid_type": {
      const text = `expected ${expectedWord(issue.expected)}, found ${foundWord(issue.input)}`;
      const quotable = typeof issue.input === "number" || typeof issue.input === "boolean";
      return issue.expected === "string" && quotable ? `${text}\nput it in quotes` : text;
    }
    case "invalid_value":
      return enumText(issue.values, issue.input);
    case "too_small":
      return `must ${bound("at least", issue.origin, issue.minimum, issue.inclusive)}`;
    case "too_big":
      return `must ${bound("at most", issue.origin, issue.maximum, issue.inclusive)}`;
    case "not_multiple_of":
      return `must be a multiple of ${issue.divisor}`;
    case "invalid_format":
      return `${foundWord(issue.input)} is not in the right form`;
    case "custom":
      return "is not allowed";
    case "unrecognized_keys":
    case "invalid_union":
    case "invalid_key":
    case "invalid_element":
      // Told by what they contain.
      return undefined;
  }
}

function bound(
  word: "at least" | "at most",
  origin: string,
  limit: number | bigint,
  inclusive: boolean | undefined,
): string {
  const unit = UNITS.get(origin);
  if (unit !== undefined) return `have ${word} ${limit} ${unit}${limit === 1 ? "" : "s"}`;
  if (inclusive !== false) return `be ${word} ${limit}`;
  return `be ${word === "at least" ? "above" : "below"} ${limit}`;
}

const UNITS: ReadonlyMap<string, string> = new Map([
  ["string", "character"],
  ["array", "item"],
  ["object", "key"],
  ["record", "key"],
]);

function shown(text: string): string {
  const [first = ""] = text.split("\n");
  return visible(first.length > 60 || first !== text ? `${first.slice(0, 60)}…` : first);
}
