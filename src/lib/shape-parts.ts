/** Schemas of what has parts: lists, mappings with known keys, and tables with any keys of a form. */

import type { JsonObject } from "./json.ts";
import { Schema, WRONG, type Judgement, type Optional, type Wrong } from "./shape.ts";
import { boundText } from "./shape-text.ts";
import { describeRules, obey, OneOf, type Rule } from "./shape-values.ts";

/** The type of what a schema reads. */
export type Infer<S> = S extends Schema<infer T> ? T : never;

class List<T> extends Schema<readonly T[]> {
  readonly #item: Schema<T>;
  readonly #rules: readonly Rule<readonly unknown[]>[];

  constructor(item: Schema<T>, rules: readonly Rule<readonly unknown[]>[] = []) {
    super();
    this.#item = item;
    this.#rules = rules;
  }

  read(value: unknown, judgement: Judgement): readonly T[] | Wrong {
    if (!Array.isArray(value)) return judgement.mismatch("a list", value);
    const items: T[] = [];
    for (const [index, given] of value.entries()) {
      const item = judgement.within(index, this.#item, given);
      if (item !== WRONG) items.push(item);
    }
    const obeyed = obey(value, this.#rules, judgement);
    return obeyed && items.length === value.length ? items : WRONG;
  }

  describe(): JsonObject {
    return { type: "array", items: this.#item.describe(), ...describeRules(this.#rules) };
  }

  min(limit: number): List<T> {
    const message = boundText("at least", limit, "item");
    return this.#with((list) => list.length >= limit, message, { minItems: limit });
  }

  max(limit: number): List<T> {
    const message = boundText("at most", limit, "item");
    return this.#with((list) => list.length <= limit, message, { maxItems: limit });
  }

  #with(holds: Rule<readonly unknown[]>["holds"], message: string, described: JsonObject): List<T> {
    return new List(this.#item, [...this.#rules, { holds, message: () => message, described }]);
  }
}

export type Members = Readonly<Record<string, Schema>>;
type OptionalNames<M> = { [K in keyof M]: M[K] extends Optional<unknown> ? K : never }[keyof M];
type Flat<T> = { [K in keyof T]: T[K] };
/** What a mapping with these members is read as. */
type Fields<M> = Flat<
  { readonly [K in Exclude<keyof M, OptionalNames<M>>]: Infer<M[K]> } & {
    readonly [K in OptionalNames<M>]?: Exclude<Infer<M[K]>, undefined>;
  }
>;

export class Mapping<M extends Members> extends Schema<Fields<M>> {
  readonly shape: M;
  readonly #members: readonly (readonly [string, Schema])[];
  readonly #strict: boolean;

  constructor(shape: M, strict: boolean) {
    super();
    this.shape = shape;
    this.#members = Object.entries(shape);
    this.#strict = strict;
  }

  read(value: unknown, judgement: Judgement): Fields<M> | Wrong {
    if (!isMapping(value)) return judgement.mismatch("a mapping", value);
    const faults = judgement.faults.length;
    const fields: Record<string, unknown> = {};
    for (const [name, member] of this.#members) {
      // Inherited names, constructor for one, are not given.
      const given = Object.hasOwn(value, name) ? value[name] : undefined;
      if (given !== undefined || member.mayBeAbsent) {
        const read = judgement.within(name, member, given);
        if (read !== undefined) fields[name] = read;
      } else judgement.missing(name);
    }
    if (this.#strict) this.#refuseOthers(value, judgement);
    return judgement.faults.length === faults ? (fields as Fields<M>) : WRONG;
  }

  #refuseOthers(value: object, judgement: Judgement): void {
    for (const name of Object.keys(value)) {
      if (Object.hasOwn(this.shape, name)) continue;
      judgement.unknownKey(name, Object.keys(this.shape));
    }
  }

  describe(): JsonObject {
    const required = this.#members.filter(([, { mayBeAbsent }]) => !mayBeAbsent);
    return {
      type: "object",
      properties: Object.fromEntries(this.#members.map(([name, s]) => [name, s.describe()])),
      ...(required.length === 0 ? {} : { required: required.map(([name]) => name) }),
      ...(this.#strict ? { additionalProperties: false } : {}),
    };
  }

  /** The same mapping with every key optional. */
  partial(): Mapping<{ [K in keyof M]: Optional<Infer<M[K]>> }> {
    const members = this.#members.map(([name, member]) => [name, member.optional()] as const);
    const shape = Object.fromEntries(members) as { [K in keyof M]: Optional<Infer<M[K]>> };
    return new Mapping(shape, this.#strict);
  }
}

class Table<K extends string, T> extends Schema<Readonly<Record<K, T>>> {
  readonly #key: Schema<K>;
  readonly #item: Schema<T>;

  constructor(key: Schema<K>, item: Schema<T>) {
    super();
    this.#key = key;
    this.#item = item;
  }

  read(value: unknown, judgement: Judgement): Readonly<Record<K, T>> | Wrong {
    if (!isMapping(value)) return judgement.mismatch("a mapping", value);
    const faults = judgement.faults.length;
    const table = {} as Record<string, T>;
    for (const [name, given] of Object.entries(value)) {
      if (!this.#knows(name, judgement)) continue;
      const item = judgement.within(name, this.#item, given);
      if (item !== WRONG) table[name] = item;
    }
    return judgement.faults.length === faults ? (table as Readonly<Record<K, T>>) : WRONG;
  }

  #knows(name: string, judgement: Judgement): boolean {
    const { faults } = judgement;
    const before = faults.length;
    // Assigning to that name would change the prototype of the table instead of filling it.
    const bad = name === "__proto__" || judgement.within(name, this.#key, name) === WRONG;
    if (!bad) return true;
    const messages = faults.splice(before).map(({ message }) => message);
    const known = this.#key instanceof OneOf ? (this.#key.words as readonly string[]) : [];
    if (name === "__proto__" || known.length > 0) judgement.unknownKey(name, known);
    else judgement.badKey(name, `key "${name}": ${messages.join("\n")}`);
    return false;
  }

  describe(): JsonObject {
    return {
      type: "object",
      propertyNames: this.#key.describe(),
      additionalProperties: this.#item.describe(),
    };
  }
}

export function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function array<T>(item: Schema<T>): List<T> {
  return new List(item);
}

/** A mapping with these keys; others are refused. */
export function strictObject<M extends Members>(shape: M): Mapping<M> {
  return new Mapping(shape, true);
}

/** A mapping with these keys; others are left out of what is read. */
export function object<M extends Members>(shape: M): Mapping<M> {
  return new Mapping(shape, false);
}

/** A mapping from names of a form. */
export function record<T>(
  key: Schema<string>,
  item: Schema<T>,
): Schema<Readonly<Record<string, T>>> {
  return new Table(key, item);
}

/** A mapping from some of the words of a closed list. */
export function partialRecord<K extends string, T>(
  key: OneOf<K>,
  item: Schema<T>,
): Schema<Readonly<Partial<Record<K, T>>>> {
  return new Table<K, T>(key, item);
}
