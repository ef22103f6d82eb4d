/**
 * DER of the structures that asn1-x509 models loosely or not at all: extension values, requests,
 * revocation lists, bundles. Reading rests on tlv.ts; what is read is encoded again by its caller and
 * compared.
 */

import { concat, hex } from "../lib/encoding.ts";
import { bytesOf, contentOf, elementAt, elementsIn, onlyElement } from "./tlv.ts";

export const TAG = {
  BOOLEAN: 0x01,
  INTEGER: 0x02,
  BIT_STRING: 0x03,
  OCTET_STRING: 0x04,
  NULL: 0x05,
  OID: 0x06,
  ENUMERATED: 0x0a,
  IA5_STRING: 0x16,
  UTC_TIME: 0x17,
  GENERALIZED_TIME: 0x18,
  SEQUENCE: 0x30,
  SET: 0x31,
} as const;

/** A context tag, for a primitive or (implicitly or explicitly) for a constructed value. */
export function context(number: number, constructed: boolean): number {
  return 0x80 | (constructed ? 0x20 : 0) | number;
}

/** Header bytes of an element whose content is that long. */
export function header(tag: number, length: number): Uint8Array {
  if (length < 0x80) return Uint8Array.of(tag, length);
  const digits = length.toString(16);
  const octets = Buffer.from(digits.padStart(digits.length + (digits.length % 2), "0"), "hex");
  return Uint8Array.of(tag, 0x80 | octets.length, ...octets);
}

/** One element: tag, length in the shortest form, and the parts as its content. */
export function element(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return concat(header(tag, length), ...parts);
}

export function sequence(...parts: readonly Uint8Array[]): Uint8Array {
  return element(TAG.SEQUENCE, ...parts);
}

/** An INTEGER that is not negative. */
export function integer(value: bigint): Uint8Array {
  return element(TAG.INTEGER, integerContent(value));
}

/** Content bytes of an INTEGER that is not negative: the shortest, with a zero before a high bit. */
export function integerContent(value: bigint): Uint8Array {
  if (value < 0n) throw new RangeError("a negative number is not written");
  const digits = value.toString(16);
  const even = digits.length % 2 === 0 ? digits : `0${digits}`;
  return new Uint8Array(Buffer.from(/^[89a-f]/.test(even) ? `00${even}` : even, "hex"));
}

/** Printable ASCII without spaces, as it stands in addresses of every kind. */
const ADDRESS = /^[!-~]*$/;

/** @throws Error for text that is no address. */
export function addressContent(text: string): Uint8Array {
  if (!ADDRESS.test(text)) throw new Error("an address holds more than printable ASCII");
  return new Uint8Array(Buffer.from(text, "latin1"));
}

/** @throws Error */
export function readAddress(content: Uint8Array): string {
  const text = Buffer.from(content).toString("latin1");
  if (!ADDRESS.test(text)) throw new Error("an address holds more than printable ASCII");
  return text;
}

/** A BIT STRING of whole bytes. */
export function bitString(bytes: Uint8Array): Uint8Array {
  return element(TAG.BIT_STRING, Uint8Array.of(0), bytes);
}

/** An OBJECT IDENTIFIER from dotted numbers. @throws Error for what is none. */
export function oid(dotted: string): Uint8Array {
  if (!/^[0-2](\.(0|[1-9]\d{0,38}))+$/.test(dotted)) throw new Error(`${dotted} is no identifier`);
  const [first = 0n, second = 0n, ...rest] = dotted.split(".").map(BigInt);
  if (first < 2n && second > 39n) throw new Error(`${dotted} is no identifier`);
  const arcs = [first * 40n + second, ...rest];
  return element(TAG.OID, ...arcs.map(base128));
}

function base128(arc: bigint): Uint8Array {
  const octets = [Number(arc & 0x7fn)];
  for (let rest = arc >> 7n; rest > 0n; rest >>= 7n) octets.unshift(Number(rest & 0x7fn) | 0x80);
  return Uint8Array.from(octets);
}

/** One element with its bytes. */
export interface Item {
  readonly tag: number;
  /** The whole element. */
  readonly der: Uint8Array;
  readonly content: Uint8Array;
}

/** The one element that fills the bytes. @throws Error */
export function readOne(bytes: Uint8Array, tag?: number): Item {
  const found = onlyElement(bytes);
  const item = { tag: found.tag, der: bytesOf(bytes, found), content: contentOf(bytes, found) };
  if (tag !== undefined) expectTag(item, tag);
  return item;
}

/** The elements that fill the bytes, one after the other, `most` at the most. @throws Error */
export function readMany(content: Uint8Array, most: number): readonly Item[] {
  const items: Item[] = [];
  const outer = { tag: TAG.SEQUENCE, at: 0, start: 0, end: content.length };
  for (const found of elementsIn(content, outer)) {
    if (items.length === most) throw new Error(`more than ${most} values stand in one list`);
    items.push({
      tag: found.tag,
      der: bytesOf(content, found),
      content: contentOf(content, found),
    });
  }
  return items;
}

/** The members of a SEQUENCE. @throws Error */
export function readSequence(bytes: Uint8Array, most: number): readonly Item[] {
  return readMany(readOne(bytes, TAG.SEQUENCE).content, most);
}

/** @throws Error when it is missing or of another type. */
export function need(item: Item | undefined, tag?: number): Item {
  if (item === undefined) throw new Error("a value is missing");
  if (tag !== undefined) expectTag(item, tag);
  return item;
}

function expectTag(item: Item, tag: number): void {
  if (item.tag !== tag) {
    throw new Error(
      `found a value of type 0x${hex(Uint8Array.of(item.tag))}, not 0x${tag.toString(16)}`,
    );
  }
}

/** Longest arc that is read: 128 bits, as identifiers made from UUIDs have (X.667). */
const MOST_ARC_OCTETS = 19;

/** An OBJECT IDENTIFIER in dotted numbers. @throws Error */
export function readOid(item: Item | undefined): string {
  const { content } = need(item, TAG.OID);
  const arcs: bigint[] = [];
  let arc = 0n;
  let octets = 0;
  for (const octet of content) {
    if (octets === 0 && octet === 0x80) throw new Error("an identifier is not in shortest form");
    if (++octets > MOST_ARC_OCTETS) throw new Error("an identifier holds too large a number");
    arc = (arc << 7n) | BigInt(octet & 0x7f);
    if (octet >= 0x80) continue;
    arcs.push(arc);
    arc = 0n;
    octets = 0;
  }
  const [first] = arcs;
  if (first === undefined || octets !== 0) throw new Error("an identifier is cut off");
  const top = first < 80n ? first / 40n : 2n;
  return [top, first - top * 40n, ...arcs.slice(1)].join(".");
}

/** Deeper than certificates, requests and bundles nest. */
const DEEPEST = 24;

/**
 * Walks every constructed value in bytes, so that a recursive decoder behind it meets no depth, length
 * or tag that it could not handle.
 * @throws Error for what is not DER in tags and lengths, or nests deeper than 24 levels.
 */
export function walk(bytes: Uint8Array): void {
  onlyElement(bytes);
  const open: number[] = [];
  for (let at = 0; at < bytes.length;) {
    while (open.length > 0 && at >= (open.at(-1) ?? 0)) open.pop();
    const found = elementAt(bytes, at, open.at(-1) ?? bytes.length);
    const constructed = (found.tag & 0x20) !== 0;
    if (constructed) open.push(found.end);
    if (open.length > DEEPEST) throw new Error(`it nests deeper than ${DEEPEST} levels`);
    if (!constructed) checkPrimitive(found.tag, contentOf(bytes, found));
    at = constructed ? found.start : found.end;
  }
}

/** The one form of a value in DER (X.690 §8.3, §10.2, §11.1, §11.2). @throws Error */
function checkPrimitive(tag: number, content: Uint8Array): void {
  const [first = 0, second = 0] = content;
  switch (tag) {
    case TAG.INTEGER:
    case TAG.ENUMERATED: {
      const needless = first === 0 ? second < 0x80 : first === 0xff && second >= 0x80;
      if (content.length === 0 || (content.length > 1 && needless)) {
        throw new Error("a number is empty or not in shortest form");
      }
      return;
    }
    case TAG.BOOLEAN:
      if (content.length !== 1 || (first !== 0 && first !== 0xff)) {
        throw new Error("a truth value is neither 00 nor ff");
      }
      return;
    case TAG.NULL:
      if (content.length > 0) throw new Error("a NULL holds something");
      return;
    case TAG.BIT_STRING: {
      const rest = (content.at(-1) ?? 0) & ((1 << first) - 1);
      if (content.length === 0 || first > 7 || (content.length === 1 && first > 0) || rest > 0) {
        throw new Error("a string of bits is not in its one form");
      }
      return;
    }
    default:
      return;
  }
}
