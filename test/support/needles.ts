/** Looks for very many byte strings in much memory at once: by their first three bytes, so that one pass does. */

export interface Needle {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const PAGE = 4096;
const ZEROS = Buffer.alloc(PAGE);
const PREFIX = 3;

export class Needles {
  readonly #byPrefix = new Map<number, Needle[]>();
  readonly #known = new Uint8Array(1 << 24);

  constructor(needles: readonly Needle[]) {
    for (const needle of needles) {
      const { bytes } = needle;
      if (bytes.length < 12) throw new Error(`${needle.name} is too short to be no chance`);
      const prefix = prefixAt(bytes, 0);
      this.#known[prefix] = 1;
      const same = this.#byPrefix.get(prefix);
      if (same === undefined) this.#byPrefix.set(prefix, [needle]);
      else same.push(needle);
    }
  }

  /** Adds each find to `found`, by the name of the needle. */
  count(haystack: Buffer, found: Map<string, number>): void {
    for (let page = 0; page < haystack.length; page += PAGE) {
      const end = Math.min(page + PAGE, haystack.length - PREFIX + 1);
      // Most of what a process has was never written.
      if (haystack.compare(ZEROS, 0, end - page, page, end) === 0) continue;
      for (let at = page; at < end; at += 1) {
        const prefix = prefixAt(haystack, at);
        if (this.#known[prefix] === 1) this.#compare(haystack, at, prefix, found);
      }
    }
  }

  #compare(haystack: Buffer, at: number, prefix: number, found: Map<string, number>): void {
    for (const { name, bytes } of this.#byPrefix.get(prefix) ?? []) {
      const there = haystack.subarray(at, at + bytes.length);
      if (there.equals(bytes)) found.set(name, (found.get(name) ?? 0) + 1);
    }
  }
}

function prefixAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
}
