/** Times of X.509 (RFC 5280 §4.1.2.5): UTCTime through 2049, GeneralizedTime from 2050, to the second. */

import { element, type Item, TAG } from "./der.ts";
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
  // Without a pattern and without Date: a revocation list asks this of every entry.
  if (text.length !== 20) return false;
  if (text.charCodeAt(4) !== DASH || text.charCodeAt(7) !== DASH) return false;
  if (text.charCodeAt(13) !== COLON || text.charCodeAt(16) !== COLON) return false;
  if (text.charCodeAt(10) !== LETTER_T || text.charCodeAt(19) !== LETTER_Z) return false;
  // What is no number fails every comparison.
  if (!(two(text, 11) <= 23 && two(text, 14) <= 59 && two(text, 17) <= 59)) return false;
  const month = two(text, 5);
  const day = two(text, 8);
  const year = two(text, 0) * 100 + two(text, 2);
  return year >= 0 && month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month);
}

/** True for a moment that is written as UTCTime. */
export function isUtcTime(iso: string): boolean {
  const century = two(iso, 0);
  return century === (two(iso, 2) < 50 ? 20 : 19);
}

/** The number in two digits, or NaN. */
function two(text: string, at: number): number {
  const tens = text.charCodeAt(at) - 0x30;
  const units = text.charCodeAt(at + 1) - 0x30;
  return tens >= 0 && tens <= 9 && units >= 0 && units <= 9 ? tens * 10 + units : Number.NaN;
}

const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function daysIn(year: number, month: number): number {
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  return month === 2 && leap ? 29 : (DAYS[month - 1] ?? Number.NaN);
}

/** DER of a time that `isIsoTime` takes. */
export function encodeTime(iso: string): Uint8Array {
  const digits = iso.replace(/[-:TZ]/g, "");
  const utc = isUtcTime(iso);
  const tag = utc ? TAG.UTC_TIME : TAG.GENERALIZED_TIME;
  return element(tag, new Uint8Array(Buffer.from(`${utc ? digits.slice(2) : digits}Z`, "latin1")));
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
