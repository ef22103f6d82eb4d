/**
 * DER written by hand, a value at a time: tests make with it what no builder of ours would write. It
 * shares nothing with the sources, so that an error in them is not repeated here.
 */

export type Bytes = Buffer;

/** One value: tag, shortest length, content. */
export function tlv(tag: number, ...content: readonly Uint8Array[]): Bytes {
  const body = Buffer.concat(content);
  return Buffer.concat([Buffer.of(tag), lengthBytes(body.length), body]);
}

export function lengthBytes(length: number): Bytes {
  if (length < 0x80) return Buffer.of(length);
  const digits = length.toString(16);
  const bytes = Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, "hex");
  return Buffer.concat([Buffer.of(0x80 | bytes.length), bytes]);
}

export const seq = (...parts: readonly Uint8Array[]): Bytes => tlv(0x30, ...parts);
export const set = (...parts: readonly Uint8Array[]): Bytes => tlv(0x31, ...parts);
/** Constructed context tag. */
export const ctx = (tag: number, ...parts: readonly Uint8Array[]): Bytes =>
  tlv(0xa0 | tag, ...parts);
/** Primitive context tag. */
export const prim = (tag: number, content: Uint8Array): Bytes => tlv(0x80 | tag, content);
/** INTEGER of its content bytes in hex, as they stand. */
export const int = (hex: string): Bytes => tlv(0x02, Buffer.from(hex, "hex"));
export const bool = (value: boolean): Bytes => tlv(0x01, Buffer.of(value ? 0xff : 0));
export const octets = (content: Uint8Array): Bytes => tlv(0x04, content);
export const bits = (content: Uint8Array, unused = 0): Bytes =>
  tlv(0x03, Buffer.of(unused), content);
export const NULL = tlv(0x05);
export const enumerated = (value: number): Bytes => tlv(0x0a, Buffer.of(value));
export const utf8String = (text: string): Bytes => tlv(0x0c, Buffer.from(text));
export const printable = (text: string): Bytes => tlv(0x13, Buffer.from(text));
export const ia5 = (text: string): Bytes => tlv(0x16, Buffer.from(text, "latin1"));
export const hexBytes = (text: string): Bytes => Buffer.from(text, "hex");

/** UTCTime through 2049, GeneralizedTime after, unless told. `2026-11-23T09:30:00Z` */
export function time(iso: string, form = iso < "2050" ? "utc" : "generalized"): Bytes {
  const digits = iso.replace(/[-:T]/g, "");
  return form === "utc" ? tlv(0x17, Buffer.from(digits.slice(2))) : tlv(0x18, Buffer.from(digits));
}

export function oid(dotted: string): Bytes {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  return tlv(0x06, Buffer.concat([40 * first + second, ...rest].map(base128)));
}

function base128(value: number): Bytes {
  const digits = [value % 128];
  for (let left = Math.floor(value / 128); left > 0; left = Math.floor(left / 128)) {
    digits.unshift((left % 128) | 0x80);
  }
  return Buffer.from(digits);
}

/** The values a constructed DER value holds, header included: `parts(seq(a, b))` is `[a, b]`. */
export function parts(der: Uint8Array): readonly Bytes[] {
  const bytes = Buffer.from(der);
  const found: Bytes[] = [];
  let at = header(bytes, 0).start;
  while (at < bytes.length) {
    const { end } = header(bytes, at);
    found.push(bytes.subarray(at, end));
    at = end;
  }
  return found;
}

/** Content of one DER value. */
export function contentOf(der: Uint8Array): Bytes {
  const bytes = Buffer.from(der);
  const { start, end } = header(bytes, 0);
  return bytes.subarray(start, end);
}

export function header(
  bytes: Buffer,
  at: number,
): { readonly start: number; readonly end: number } {
  const first = bytes[at + 1] ?? 0;
  if (first < 0x80) return { start: at + 2, end: at + 2 + first };
  const count = first & 0x7f;
  const start = at + 2 + count;
  return { start, end: start + bytes.readUIntBE(at + 2, count) };
}
