/**
 * Finds a serial number that stands twice in a long list. A table of a hundred thousand serial numbers
 * costs more than writing the list that they stand in, so most are told apart by one bit of a hash.
 */

import { hex } from "../lib/encoding.ts";

/** Bits for each serial number expected: then about one in sixty-four meets a bit that is set. */
const BITS_EACH = 32;

export class Serials {
  readonly #bits: Uint32Array;
  readonly #mask: number;
  /** Bits that two or more of them share. */
  readonly #shared = new Set<number>();
  #hashes: Uint32Array;
  #places: Uint32Array;
  #count = 0;

  /** @param expected about how many there will be; with many more it gets slower and stays right */
  constructor(expected: number) {
    const size = 2 ** Math.ceil(Math.log2(BITS_EACH * Math.max(expected, 32)));
    this.#bits = new Uint32Array(size / 32);
    this.#mask = size - 1;
    this.#hashes = new Uint32Array(expected);
    this.#places = new Uint32Array(expected);
  }

  /**
   * Notes the serial number that begins at `at` in the bytes; the byte before it is its length, as
   * DER has it.
   */
  note(bytes: Uint8Array, at: number): void {
    if (this.#count === this.#hashes.length) {
      this.#hashes = enlarged(this.#hashes);
      this.#places = enlarged(this.#places);
    }
    const hash = hashOf(bytes, at);
    const place = hash & this.#mask;
    const word = this.#bits[place >>> 5] ?? 0;
    const bit = 1 << (place & 31);
    if ((word & bit) !== 0) this.#shared.add(place);
    this.#bits[place >>> 5] = word | bit;
    this.#hashes[this.#count] = hash;
    this.#places[this.#count] = at;
    this.#count++;
  }

  get count(): number {
    return this.#count;
  }

  /** One in hex that was noted twice, or undefined; `bytes` hold all that were noted. */
  repeated(bytes: Uint8Array): string | undefined {
    const first = new Map<number, number>();
    const seen = new Set<string>();
    for (let i = 0; this.#shared.size > 0 && i < this.#count; i++) {
      const hash = this.#hashes[i] ?? 0;
      if (!this.#shared.has(hash & this.#mask)) continue;
      const place = this.#places[i] ?? 0;
      // Most share the bit alone: only what shares the whole hash is worth comparing.
      const other = first.get(hash);
      if (other === undefined) {
        first.set(hash, place);
        continue;
      }
      const serial = serialAt(bytes, place);
      if (serial === serialAt(bytes, other) || seen.has(serial)) return serial;
      seen.add(serial);
    }
    return undefined;
  }
}

function serialAt(bytes: Uint8Array, at: number): string {
  return hex(bytes.subarray(at, at + (bytes[at - 1] ?? 0)));
}

function enlarged(list: Uint32Array): Uint32Array {
  const larger = new Uint32Array(2 * list.length + 16);
  larger.set(list);
  return larger;
}

/** FNV-1a over words of four octets, folded. Whoever chooses serial numbers that share one gains nothing. */
function hashOf(bytes: Uint8Array, at: number): number {
  const end = at + (bytes[at - 1] ?? 0);
  let hash = 0x811c9dc5;
  let i = at;
  for (; i + 4 <= end; i += 4) {
    const low = (bytes[i] ?? 0) | ((bytes[i + 1] ?? 0) << 8);
    const high = ((bytes[i + 2] ?? 0) << 16) | ((bytes[i + 3] ?? 0) << 24);
    hash = Math.imul(hash ^ low ^ high, 0x01000193);
  }
  for (; i < end; i++) hash = Math.imul(hash ^ (bytes[i] ?? 0), 0x01000193);
  return hash ^ (hash >>> 15);
}
