/**
 * Tags and lengths of DER, and nothing of its meaning: enough to tell what a file holds, and to walk a long
 * list without building a tree of it.
 */

export interface Element {
  readonly tag: number;
  /** Where its header begins, its content begins, and both end. */
  readonly at: number;
  readonly start: number;
  readonly end: number;
}

/** A header longer than this would announce more than 4 GiB. */
const MOST_LENGTH_BYTES = 4;
/** Tags in one byte are all that certificates use. */
const LONG_TAG = 0x1f;

/**
 * The element whose header stands at `at`, which must end at or before `limit`.
 * @throws Error when there is none, or its length is not in the shortest form.
 */
export function elementAt(bytes: Uint8Array, at: number, limit = bytes.length): Element {
  if (at + 2 > limit) throw new Error(`the bytes end at ${at}, where a value should begin`);
  const tag = bytes[at] ?? 0;
  if ((tag & LONG_TAG) === LONG_TAG) throw new Error(`a tag of several bytes stands at ${at}`);
  const { length, start } = lengthAt(bytes, at + 1, limit);
  if (start + length > limit) throw new Error(`the value at ${at} ends after what holds it`);
  return { tag, at, start, end: start + length };
}

function lengthAt(
  bytes: Uint8Array,
  at: number,
  limit: number,
): { readonly length: number; readonly start: number } {
  const first = bytes[at] ?? 0;
  if (first < 0x80) return { length: first, start: at + 1 };
  const count = first & 0x7f;
  if (count === 0 || count > MOST_LENGTH_BYTES || at + 1 + count > limit) {
    throw new Error(`the length at ${at} is indefinite, too long or cut off`);
  }
  let length = 0;
  for (let i = 0; i < count; i++) length = length * 256 + (bytes[at + 1 + i] ?? 0);
  const shortest = length < 0x80 ? 0 : Math.ceil((32 - Math.clz32(length)) / 8);
  if (shortest !== count) throw new Error(`the length at ${at} is not in the shortest form`);
  return { length, start: at + 1 + count };
}

/** The elements inside another, in order. @throws Error */
export function* elementsIn(bytes: Uint8Array, outer: Element): Generator<Element> {
  for (let at = outer.start; at < outer.end;) {
    const element = elementAt(bytes, at, outer.end);
    yield element;
    at = element.end;
  }
}

/** The first `most` elements inside another. @throws Error */
export function firstIn(bytes: Uint8Array, outer: Element, most: number): readonly Element[] {
  const found: Element[] = [];
  for (const element of elementsIn(bytes, outer)) {
    if (found.length === most) break;
    found.push(element);
  }
  return found;
}

/** The one element that fills all of the bytes. @throws Error */
export function onlyElement(bytes: Uint8Array): Element {
  const element = elementAt(bytes, 0);
  if (element.end !== bytes.length)
    throw new Error(`bytes follow the value that ends at ${element.end}`);
  return element;
}

/** Header and content of an element. */
export function bytesOf(bytes: Uint8Array, { at, end }: Element): Uint8Array {
  return bytes.subarray(at, end);
}

export function contentOf(bytes: Uint8Array, { start, end }: Element): Uint8Array {
  return bytes.subarray(start, end);
}
