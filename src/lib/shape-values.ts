/** Schemas of single values: text, whole numbers, yes and no, words of a closed list, any JSON. */

import type { Json, JsonObject } from "./json.ts";
import { Schema, WRONG, type Judgement, type Wrong } from "./shape.ts";
import { boundText, foundWord, oneOfText, quoted } from "./shape-text.ts";

/** One demand on a value of the right kind. */
export interface Rule<T> {
  readonly holds: (value: T) => boolean;
  readonly message: (value: T) => string;
  /** The same in JSON Schema. */
  readonly described: JsonObject;
}

/** Notes every rule that the value breaks. */
export function obey<T>(value: T, rules: readonly Rule<T>[], judgement: Judgement): boolean {
  let obeyed = true;
  for (const { holds, message } of rules) {
    if (holds(value)) continue;
    judgement.fault(message(value));
    obeyed = false;
  }
  return obeyed;
}

export function describeRules<T>(rules: readonly Rule<T>[]): JsonObject {
  return Object.assign({}, ...rules.map(({ described }) => described)) as JsonObject;
}

class Text extends Schema<string> {
  readonly #rules: readonly Rule<string>[];

  constructor(rules: readonly Rule<string>[] = []) {
    super();
    this.#rules = rules;
  }

  read(value: unknown, judgement: Judgement): string | Wrong {
    if (typeof value !== "string") {
      const quotable = typeof value === "number" || typeof value === "boolean";
      return judgement.mismatch("text", value, quotable ? "\nput it in quotes" : "");
    }
    return obey(value, this.#rules, judgement) ? value : WRONG;
  }

  describe(): JsonObject {
    return { type: "string", ...describeRules(this.#rules) };
  }

  /** Lengths count UTF-16 units. */
  min(limit: number): Text {
    const message = boundText("at least", limit, "character");
    return this.#with((text) => text.length >= limit, message, { minLength: limit });
  }

  max(limit: number): Text {
    const message = boundText("at most", limit, "character");
    return this.#with((text) => text.length <= limit, message, { maxLength: limit });
  }

  /** `pattern` has no flag that makes it remember where it was (g, y). */
  regex(pattern: RegExp, message?: string): Text {
    const described = { pattern: pattern.source };
    return this.#with((text) => pattern.test(text), message, described);
  }

  #with(
    holds: (text: string) => boolean,
    message: string | undefined,
    described: JsonObject,
  ): Text {
    const say = (text: string): string => message ?? `${foundWord(text)} is not in the right form`;
    return new Text([...this.#rules, { holds, message: say, described }]);
  }
}

class Whole extends Schema<number> {
  readonly #min: number;
  readonly #max: number;

  constructor(min: number, max: number) {
    super();
    this.#min = min;
    this.#max = max;
  }

  read(value: unknown, judgement: Judgement): number | Wrong {
    if (typeof value !== "number") return judgement.mismatch("a number", value);
    if (!Number.isInteger(value)) return judgement.mismatch("a whole number", value);
    if (value < this.#min) return judgement.fault(boundText("at least", this.#min));
    if (value > this.#max) return judgement.fault(boundText("at most", this.#max));
    return value;
  }

  describe(): JsonObject {
    return { type: "integer", minimum: this.#min, maximum: this.#max };
  }

  min(limit: number): Whole {
    return new Whole(limit, this.#max);
  }

  max(limit: number): Whole {
    return new Whole(this.#min, limit);
  }
}

class YesOrNo extends Schema<boolean> {
  read(value: unknown, judgement: Judgement): boolean | Wrong {
    return typeof value === "boolean" ? value : judgement.mismatch("true or false", value);
  }

  describe(): JsonObject {
    return { type: "boolean" };
  }
}

export class OneOf<W extends string> extends Schema<W> {
  readonly words: readonly W[];

  constructor(words: readonly W[]) {
    super();
    this.words = words;
  }

  read(value: unknown, judgement: Judgement): W | Wrong {
    const word = this.words.find((one) => one === value);
    return word ?? judgement.fault(oneOfText(this.words, value), this.words.map(quoted));
  }

  describe(): JsonObject {
    return { type: "string", enum: this.words };
  }
}

export class Literal<W extends string> extends OneOf<W> {
  override describe(): JsonObject {
    return { type: "string", const: this.words[0] ?? "" };
  }
}

// More than any of our files nests; what is deeper is meant to exhaust the stack of whoever walks it.
const DEEPEST_JSON = 64;

class AnyJson extends Schema<Json> {
  read(value: unknown, judgement: Judgement): Json | Wrong {
    return isJson(value, DEEPEST_JSON)
      ? value
      : judgement.fault(
          `${foundWord(value)} holds what cannot stand in JSON or is nested too deep`,
        );
  }

  describe(): JsonObject {
    return {};
  }
}

function isJson(value: unknown, depth: number): value is Json {
  if (value === null || typeof value === "string" || typeof value === "boolean") return true;
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object" || depth === 0) return false;
  if (Array.isArray(value)) return value.every((item) => isJson(item, depth - 1));
  // A key of this name changes the prototype of whatever object it is copied to by assignment.
  return Object.entries(value).every(([n, item]) => n !== "__proto__" && isJson(item, depth - 1));
}

export function string(): Text {
  return new Text();
}

/** A whole number that is represented exactly. */
export function int(): Whole {
  return new Whole(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
}

export function boolean(): Schema<boolean> {
  return new YesOrNo();
}

export function literal<W extends string>(word: W): Literal<W> {
  return new Literal([word]);
}

export function oneOf<const W extends string>(words: readonly W[]): OneOf<W> {
  return new OneOf(words);
}

/** Any JSON value of moderate depth. */
export function json(): Schema<Json> {
  return new AnyJson();
}
