/**
 * What every schema can do: judge a value that came from outside, note each fault with its path, and
 * return the value with its type. The kinds of schema stand in shape-values.ts and shape-parts.ts.
 */

import type { JsonObject } from "./json.ts";
import { foundWord, unknownKeyText } from "./shape-text.ts";

export type Path = readonly (string | number)[];

/** Instead of a value that does not fit; its faults are noted by then. */
export const WRONG: unique symbol = Symbol("wrong");
export type Wrong = typeof WRONG;

export interface Fault {
  /** From the judged value down. */
  readonly path: Path;
  /** Whether the value at `path` is at fault or the key it stands under. */
  readonly part: "key" | "value";
  /** What is wrong and, on a second line, what to do about it. */
  readonly message: string;
  /** When the value is of another kind than can be read here: the kinds that can. */
  readonly wanted?: readonly string[];
}

/** One judgement under way: where in the value it stands, and the faults so far. */
export class Judgement {
  readonly path: (string | number)[] = [];
  readonly faults: Fault[] = [];

  /** Judges what stands under `name`. */
  within<T>(name: string | number, schema: Schema<T>, value: unknown): T | Wrong {
    this.path.push(name);
    const read = schema.read(value, this);
    this.path.pop();
    return read;
  }

  fault(message: string, wanted?: readonly string[]): Wrong {
    const fault = { path: [...this.path], part: "value", message } as const;
    this.faults.push(wanted === undefined ? fault : { ...fault, wanted });
    return WRONG;
  }

  /** The value is of another kind than `wanted`. */
  mismatch(wanted: string, value: unknown, hint = ""): Wrong {
    return this.fault(`expected ${wanted}, found ${foundWord(value)}${hint}`, [wanted]);
  }

  missing(name: string): void {
    this.faults.push({
      path: [...this.path, name],
      part: "value",
      message: `missing key "${name}"`,
    });
  }

  badKey(name: string, message: string): void {
    this.faults.push({ path: [...this.path, name], part: "key", message });
  }

  unknownKey(name: string, known: readonly string[]): void {
    this.badKey(name, unknownKeyText(name, known));
  }
}

export type Parsed<T> =
  | { readonly success: true; readonly data: T }
  | { readonly success: false; readonly error: { readonly issues: readonly Fault[] } };

export abstract class Schema<T = unknown> {
  /** Whether a mapping may leave out the key that this stands under. */
  readonly mayBeAbsent: boolean = false;

  /** The value as it is read, or WRONG after at least one fault was noted. */
  abstract read(value: unknown, judgement: Judgement): T | Wrong;

  /** JSON Schema (draft 2020-12) of what is read, as far as that can say it. */
  abstract describe(): JsonObject;

  safeParse(value: unknown): Parsed<T> {
    const judgement = new Judgement();
    const data = this.read(value, judgement);
    if (data !== WRONG) return { success: true, data };
    return { success: false, error: { issues: judgement.faults } };
  }

  /** @throws TypeError for a value that does not fit. */
  parse(value: unknown): T {
    const parsed = this.safeParse(value);
    if (parsed.success) return parsed.data;
    const { issues } = parsed.error;
    throw new TypeError(issues.map((i) => `${i.path.join(".")}: ${i.message}`).join("; "));
  }

  optional(): Optional<T> {
    return new Optional(this);
  }

  /** Reads `value` where nothing is given; it is not judged. */
  default(value: T): Schema<T> {
    return new Default(this, value);
  }

  /** Refuses with `message` what does not pass a test; only what fits otherwise is tested. */
  refine(passes: (value: T) => boolean, message: string): Schema<T> {
    return new Refined(this, passes, message);
  }

  transform<U>(change: (value: T) => U): Schema<U> {
    return new Transformed(this, change);
  }
}

export class Optional<T> extends Schema<T | undefined> {
  override readonly mayBeAbsent = true;
  readonly #inner: Schema<T>;

  constructor(inner: Schema<T>) {
    super();
    this.#inner = inner;
  }

  read(value: unknown, judgement: Judgement): T | undefined | Wrong {
    // A default stands in for what is absent even where that is optional.
    if (value === undefined && !this.#inner.mayBeAbsent) return undefined;
    return this.#inner.read(value, judgement);
  }

  describe(): JsonObject {
    return this.#inner.describe();
  }
}

class Default<T> extends Schema<T> {
  override readonly mayBeAbsent = true;
  readonly #inner: Schema<T>;
  readonly #value: T;

  constructor(inner: Schema<T>, value: T) {
    super();
    this.#inner = inner;
    this.#value = value;
  }

  read(value: unknown, judgement: Judgement): T | Wrong {
    return value === undefined ? this.#value : this.#inner.read(value, judgement);
  }

  describe(): JsonObject {
    // Whoever writes a file writes JSON values, so what stands for one of them is one.
    return { default: this.#value as JsonObject, ...this.#inner.describe() };
  }
}

class Refined<T> extends Schema<T> {
  override readonly mayBeAbsent: boolean;
  readonly #inner: Schema<T>;
  readonly #passes: (value: T) => boolean;
  readonly #message: string;

  constructor(inner: Schema<T>, passes: (value: T) => boolean, message: string) {
    super();
    this.mayBeAbsent = inner.mayBeAbsent;
    this.#inner = inner;
    this.#passes = passes;
    this.#message = message;
  }

  read(value: unknown, judgement: Judgement): T | Wrong {
    const read = this.#inner.read(value, judgement);
    if (read === WRONG || this.#passes(read)) return read;
    return judgement.fault(this.#message);
  }

  describe(): JsonObject {
    return this.#inner.describe();
  }
}

class Transformed<T, U> extends Schema<U> {
  override readonly mayBeAbsent: boolean;
  readonly #inner: Schema<T>;
  readonly #change: (value: T) => U;

  constructor(inner: Schema<T>, change: (value: T) => U) {
    super();
    this.mayBeAbsent = inner.mayBeAbsent;
    this.#inner = inner;
    this.#change = change;
  }

  read(value: unknown, judgement: Judgement): U | Wrong {
    const read = this.#inner.read(value, judgement);
    return read === WRONG ? WRONG : this.#change(read);
  }

  describe(): JsonObject {
    return this.#inner.describe();
  }
}
