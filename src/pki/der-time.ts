/** Times of X.509 (RFC 5280 §4.1.2.5): UTCTime through 2049, GeneralizedTime from 2050, to the second. */

import { type Item, TAG } from "./der.ts";
import type { TimeView } from "./view.ts";

const DASH = 0x2d;
const COLON = 0x3a;
const LETTER_T = 0x54;
const LETTER_Z = 0x5a;

/** `2026-12-01T00:00:00Z`, with fields in their ranges; the calendar is Date's to check. */
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

/** UTC to the second of milliseconds since 1970, cut off. @throws RangeError outside the years 0 to 9999 */
export function isoTime(ms: number): string {
  const text = new Date(Math.floor(ms / 1000) * 1000).toISOString().replace(".000Z", "Z");
  if (!ISO.test(text)) throw new RangeError(`${text} cannot be written in a certificate`);
  return text;
}

/** True for a moment that exists; leap seconds are none (RFC 5280 §4.1.2.5 has no place for them). */
export function isIsoTime(text: string): boolean {
  return writeTime(new Uint8Array(LONGEST_TIME), 0, text) > 0;
}

/** DER of a time that `isIsoTime` takes. @throws RangeError for another */
export function encodeTime(iso: string): Uint8Array {
  const bytes = new Uint8Array(LONGEST_TIME);
  const end = writeTime(bytes, 0, iso);
  if (end === 0) throw new RangeError(`${iso} is no time`);
  return bytes.subarray(0, end);
}

/** Octets of a GeneralizedTime, header and all. */
export const LONGEST_TIME = 17;

/**
 * Writes the DER of a time at `at`.
 * @returns where it ends, or 0 for a moment that does not exist
 */
export function writeTime(bytes: Uint8Array, at: number, iso: string): number {
  // Without a pattern and without Date: a revocation list asks this of every entry.
  if (iso.length !== 20) return 0;
  if (iso.charCodeAt(4) !== DASH || iso.charCodeAt(7) !== DASH) return 0;
  if (iso.charCodeAt(13) !== COLON || iso.charCodeAt(16) !== COLON) return 0;
  if (iso.charCodeAt(10) !== LETTER_T || iso.charCodeAt(19) !== LETTER_Z) return 0;
  let end = at + 2;
  const century = copyTwo(bytes, end, iso, 0);
  const year = copyTwo(bytes, end + 2, iso, 2);
  const utc = century === (year < 50 ? 20 : 19);
  // UTCTime leaves the century out: the year is written over it.
  if (utc) copyTwo(bytes, end, iso, 2);
  end += utc ? 2 : 4;
  const month = copyTwo(bytes, end, iso, 5);
  const day = copyTwo(bytes, end + 2, iso, 8);
  const hour = copyTwo(bytes, end + 4, iso, 11);
  const minute = copyTwo(bytes, end + 6, iso, 14);
  const second = copyTwo(bytes, end + 8, iso, 17);
  if (century > 99 || year > 99 || hour > 23 || minute > 59 || second > 59) return 0;
  if (month < 1 || month > 12 || day < 1) return 0;
  if (day > 28 && day > daysIn(century * 100 + year, month)) return 0;
  end += 10;
  bytes[end++] = LETTER_Z;
  bytes[at] = utc ? TAG.UTC_TIME : TAG.GENERALIZED_TIME;
  bytes[at + 1] = end - at - 2;
  return end;
}

/** More than two digits can say. */
const NO_NUMBER = 255;

/** Copies two digits. @returns the number they say, or NO_NUMBER for what is none */
function copyTwo(bytes: Uint8Array, at: number, text: string, from: number): number {
  const first = text.charCodeAt(from);
  const second = text.charCodeAt(from + 1);
  bytes[at] = first;
  bytes[at + 1] = second;
  const tens = first - 0x30;
  const units = second - 0x30;
  return tens >= 0 && tens <= 9 && units >= 0 && units <= 9 ? tens * 10 + units : NO_NUMBER;
}

const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function daysIn(year: number, month: number): number {
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  return month === 2 && leap ? 29 : (DAYS[month - 1] ?? 0);
}

/** @throws Error for a time with fractions, an offset, or that does not exist. */
export function readTimeItem({ tag, content }: Item): TimeView {
  const utc = tag === TAG.UTC_TIME;
  if (!utc && tag !== TAG.GENERALIZED_TIME) throw new Error("a time has another type");
  const text = Buffer.from(content).toString("latin1");
  if (!(utc ? /^\d{12}Z$/ : /^\d{14}Z$/).test(text)) throw new Error("a time is malformed");
  // RFC 5280 §4.1.2.5.1: two-digit years from 50 on belong to the last century.
  const digits = utc ? `${text < "50" ? "20" : "19"}${text}` : text;
  const time = digits.replace(/^(....)(..)(..)(..)(..)(..)Z$/, "$1-$2-$3T$4:$5:$6Z");
  if (!isIsoTime(time)) throw new Error("a time does not exist");
  return { time, form: utc ? "utc" : "generalized" };
}
