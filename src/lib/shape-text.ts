/** The words in which a schema objects. A second line, where there is one, is the hint. */

import { visible } from "./encoding.ts";
import { didYouMean } from "./suggest.ts";

/** A value as the author of a file knows it; text is cut and made safe to show. */
export function foundWord(value: unknown): string {
  if (value === null || value === undefined) return "nothing";
  if (typeof value === "string") return `the text "${shown(value)}"`;
  if (typeof value === "number") return `the number ${value}`;
  if (typeof value === "boolean") return String(value);
  return Array.isArray(value) ? "a list" : "a mapping";
}

/** A word that is none of a closed list. */
export function oneOfText(words: readonly string[], found: unknown): string {
  if (typeof found !== "string") {
    return `expected ${words.map(quoted).join(" or ")}, found ${foundWord(found)}`;
  }
  const [only] = words;
  const text =
    words.length === 1 && only !== undefined
      ? `expected "${only}", found "${shown(found)}"`
      : `"${shown(found)}" is not one of ${words.join(", ")}`;
  const meant = didYouMean(found, words);
  return meant === undefined ? text : `${text}\ndid you mean "${meant}"?`;
}

export function quoted(word: string): string {
  return `"${word}"`;
}

export function unknownKeyText(name: string, known: readonly string[]): string {
  const text = `unknown key "${name}"`;
  const meant = didYouMean(name, known);
  if (meant !== undefined) return `${text}\ndid you mean "${meant}"?`;
  return known.length === 0 ? text : `${text}\nknown here: ${known.join(", ")}`;
}

export type Unit = "character" | "item";

/** `must have at least 2 items`, or without a unit `must be at least 2`. */
export function boundText(word: "at least" | "at most", limit: number, unit?: Unit): string {
  if (unit === undefined) return `must be ${word} ${limit}`;
  return `must have ${word} ${limit} ${unit}${limit === 1 ? "" : "s"}`;
}

function shown(text: string): string {
  const [first = ""] = text.split("\n");
  return visible(first.length > 60 || first !== text ? `${first.slice(0, 60)}…` : first);
}
