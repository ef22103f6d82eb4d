/** Schemas of what may be one of several things. */

import type { JsonObject } from "./json.ts";
import { Schema, WRONG, type Fault, type Judgement, type Wrong } from "./shape.ts";
import { isMapping, type Infer, type Mapping, type Members } from "./shape-parts.ts";
import { foundWord } from "./shape-text.ts";
import { OneOf } from "./shape-values.ts";

class Union<T> extends Schema<T> {
  readonly #options: readonly Schema<T>[];

  constructor(options: readonly Schema<T>[]) {
    super();
    this.#options = options;
  }

  read(value: unknown, judgement: Judgement): T | Wrong {
    const { faults, path } = judgement;
    const before = faults.length;
    const tries: Fault[][] = [];
    for (const option of this.#options) {
      const read = option.read(value, judgement);
      if (read !== WRONG) return read;
      tries.push(faults.splice(before));
    }
    const near = nearest(tries, path.length);
    if (near !== undefined) {
      faults.push(...near);
      return WRONG;
    }
    const wanted = [...new Set(tries.flat().flatMap((fault) => fault.wanted ?? []))];
    return judgement.fault(`expected ${wanted.join(" or ")}, found ${foundWord(value)}`, wanted);
  }

  describe(): JsonObject {
    return { anyOf: this.#options.map((option) => option.describe()) };
  }
}

/**
 * The faults of the alternative that was probably meant: one whose kind of value fits, with the
 * fewest. Undefined when none fits.
 */
function nearest(tries: readonly Fault[][], depth: number): Fault[] | undefined {
  const fits = ({ path, wanted }: Fault): boolean => path.length > depth || wanted === undefined;
  return tries.filter((faults) => faults.every(fits)).sort((a, b) => a.length - b.length)[0];
}

/** Mappings of which one member, a closed word, says which one it is. */
class TaggedUnion<O extends Mapping<Members>> extends Schema<Infer<O>> {
  readonly #tag: string;
  readonly #options: ReadonlyMap<string, O>;

  constructor(tag: string, options: readonly O[]) {
    super();
    this.#tag = tag;
    this.#options = new Map(
      options.flatMap((option) => tagWords(option, tag).map((word) => [word, option])),
    );
  }

  read(value: unknown, judgement: Judgement): Infer<O> | Wrong {
    if (!isMapping(value)) return judgement.mismatch("a mapping", value);
    const given = Object.hasOwn(value, this.#tag) ? value[this.#tag] : undefined;
    const option = typeof given === "string" ? this.#options.get(given) : undefined;
    if (option !== undefined) return option.read(value, judgement) as Infer<O> | Wrong;
    if (given === undefined) judgement.missing(this.#tag);
    else judgement.within(this.#tag, new OneOf([...this.#options.keys()]), given);
    return WRONG;
  }

  describe(): JsonObject {
    return { oneOf: [...this.#options.values()].map((option) => option.describe()) };
  }
}

function tagWords(option: Mapping<Members>, tag: string): readonly string[] {
  const member = option.shape[tag];
  if (member instanceof OneOf) return member.words as readonly string[];
  throw new Error(`an alternative has no closed word under ${tag}`);
}

/** The first alternative that fits. */
export function union<const O extends readonly Schema[]>(options: O): Schema<Infer<O[number]>> {
  return new Union(options as unknown as readonly Schema<Infer<O[number]>>[]);
}

/** The alternative that the member `tag` names: what is wrong is said of that one alone. */
export function discriminatedUnion<O extends Mapping<Members>>(
  tag: string,
  options: readonly O[],
): Schema<Infer<O>> {
  return new TaggedUnion(tag, options);
}
