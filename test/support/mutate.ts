/** A seeded mutator of DER: the same seed makes the same mutants, and a failing one is named by its number. */

import { createHash } from "node:crypto";
import { header, lengthBytes } from "./der.ts";

/** Numbers from a seed, by SHA-256 in counter mode. */
export class Dice {
  readonly #seed: string;
  #count = 0;

  constructor(seed: string) {
    this.#seed = seed;
  }

  /** A whole number from 0 to `limit` - 1. */
  below(limit: number): number {
    this.#count += 1;
    const digest = createHash("sha256").update(`${this.#seed} ${this.#count}`).digest();
    return digest.readUIntBE(0, 6) % limit;
  }

  pick<T>(list: readonly T[]): T {
    const found = list[this.below(list.length)];
    if (found === undefined) throw new Error("there is nothing to pick from");
    return found;
  }
}

interface Place {
  readonly at: number;
  readonly start: number;
  readonly end: number;
  /** Positions of the elements that hold it, outermost first. */
  readonly above: readonly number[];
}

/** Every element of a DER value, constructed ones and their members. */
function placesIn(der: Buffer, from = 0, to = der.length, above: readonly number[] = []): Place[] {
  const places: Place[] = [];
  for (let at = from; at < to;) {
    const { start, end } = header(der, at);
    places.push({ at, start, end, above });
    if (((der[at] ?? 0) & 0x20) !== 0) places.push(...placesIn(der, start, end, [...above, at]));
    at = end;
  }
  return places;
}

/** Replaces the bytes of an element; the lengths of all that hold it are corrected. */
function replaced(der: Buffer, { at, end, above }: Place, by: Buffer): Buffer {
  let bytes = Buffer.concat([der.subarray(0, at), by, der.subarray(end)]);
  let grown = by.length - (end - at);
  for (const outer of [...above].reverse()) {
    const before = header(der, outer);
    const head = Buffer.concat([
      der.subarray(outer, outer + 1),
      lengthBytes(before.end - before.start + grown),
    ]);
    bytes = Buffer.concat([bytes.subarray(0, outer), head, bytes.subarray(before.start)]);
    grown += head.length - (before.start - outer);
  }
  return bytes;
}

type Change = (der: Buffer, dice: Dice) => Buffer;

const HOSTILE_TEXTS = ["a\u0000b", "\u202eevil", "x\u001b[2J", "\u200b", "a\nb", "é", "\uffff"];
const TAGS = [
  0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0c, 0x13, 0x16, 0x17, 0x1e, 0x30, 0x31, 0xa0, 0x1f,
];

/** Changes of bytes wherever they stand. */
const BLIND: readonly Change[] = [
  (der, dice) => flipped(der, dice.below(der.length), 1 << dice.below(8)),
  (der, dice) => flipped(der, dice.below(der.length), 1 + dice.below(255)),
  (der, dice) => der.subarray(0, dice.below(der.length)),
  (der, dice) => Buffer.concat([der, der.subarray(0, 1 + dice.below(40))]),
  (der, dice) => spliced(der, dice.below(der.length), dice.below(9), Buffer.of()),
  (der, dice) => spliced(der, dice.below(der.length), 0, bytesFrom(dice, 1 + dice.below(9))),
];

/** Changes of one element, after which every length is right. */
const WELL_FORMED: readonly Change[] = [
  onPlace((bytes) => Buffer.concat([bytes, bytes])),
  onPlace(() => Buffer.of()),
  onPlace((bytes, dice) => Buffer.concat([Buffer.of(dice.pick(TAGS)), bytes.subarray(1)])),
  onPlace((_, dice) => element(dice.pick(TAGS), bytesFrom(dice, dice.below(40)))),
  onPlace((bytes, dice, start) => element(bytes[0] ?? 0, flippedIn(bytes.subarray(start), dice))),
  onPlace((bytes, _, start) =>
    element(bytes[0] ?? 0, Buffer.concat([Buffer.of(0), bytes.subarray(start)])),
  ),
  onPlace((bytes) => element(0x30, bytes)),
  onPlace((bytes, dice) =>
    element(isText(bytes[0]) ? (bytes[0] ?? 0) : 0x0c, Buffer.from(dice.pick(HOSTILE_TEXTS))),
  ),
  onPlace((bytes, _, start) =>
    Buffer.concat([bytes.subarray(0, 1), Buffer.of(0x80), bytes.subarray(start), Buffer.of(0, 0)]),
  ),
  onPlace((bytes, _, start) =>
    Buffer.concat([
      bytes.subarray(0, 1),
      Buffer.of(0x84),
      lengthIn4(bytes.length - start),
      bytes.subarray(start),
    ]),
  ),
  onPlace((bytes, dice, start) =>
    element(
      bytes[0] ?? 0,
      Buffer.concat([bytes.subarray(start), bytesFrom(dice, 1 + dice.below(3000))]),
    ),
  ),
];

/** One mutant; what it is mutated from may be any DER. */
export function mutant(der: Uint8Array, dice: Dice): Buffer {
  const changes = dice.below(3) === 0 ? BLIND : WELL_FORMED;
  return dice.pick(changes)(Buffer.from(der), dice);
}

/** The same, always with right lengths, so that it can be signed again. */
export function wellFormedMutant(der: Uint8Array, dice: Dice): Buffer {
  return dice.pick(WELL_FORMED)(Buffer.from(der), dice);
}

function onPlace(change: (bytes: Buffer, dice: Dice, start: number) => Buffer): Change {
  return (der, dice) => {
    const place = dice.pick(placesIn(der));
    const bytes = der.subarray(place.at, place.end);
    return replaced(der, place, change(bytes, dice, place.start - place.at));
  };
}

function isText(tag: number | undefined): boolean {
  return tag !== undefined && [0x0c, 0x13, 0x16].includes(tag);
}

function element(tag: number, content: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(tag), lengthBytes(content.length), content]);
}

function lengthIn4(length: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(length);
  return bytes;
}

function flipped(der: Buffer, at: number, mask: number): Buffer {
  const bytes = Buffer.from(der);
  bytes[at] = (bytes[at] ?? 0) ^ mask;
  return bytes;
}

function flippedIn(content: Buffer, dice: Dice): Buffer {
  return content.length === 0
    ? Buffer.of(0)
    : flipped(content, dice.below(content.length), 1 << dice.below(8));
}

function spliced(der: Buffer, at: number, remove: number, insert: Buffer): Buffer {
  return Buffer.concat([der.subarray(0, at), insert, der.subarray(at + remove)]);
}

function bytesFrom(dice: Dice, count: number): Buffer {
  return Buffer.from(Array.from({ length: count }, () => dice.below(256)));
}
