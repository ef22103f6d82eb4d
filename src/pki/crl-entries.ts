/**
 * Entries of a revocation list, written straight into one buffer: a list may have a hundred thousand of
 * them, and a tree of objects for each would cost more than the rest of the list together.
 */

import { visible } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import { REASON_CODES, REVOCATION_REASONS, type RevocationReason } from "./crl-names.ts";
import { TAG } from "./der.ts";
import { LONGEST_TIME, writeTime } from "./der-time.ts";
import { Serials } from "./serials.ts";

export interface CrlEntry {
  /** Content bytes of the serial number's INTEGER in hex. */
  readonly serial: string;
  /** UTC to the second, `2026-11-23T09:30:00Z`. */
  readonly revokedAt: string;
  readonly reason: RevocationReason;
}

export interface WrittenEntries {
  /** The members of revokedCertificates, from `start` to `end`, with the room asked for around them. */
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly count: number;
}

/** Octets to leave free, so that what stands around the entries is written without moving them. */
export interface Margins {
  readonly before: number;
  readonly after: number;
}

/** RFC 5280 §4.1.2.2 */
const MOST_SERIAL_OCTETS = 20;
/** crlEntryExtensions up to the reason: one Extension, reasonCode, not critical, an ENUMERATED. */
export const REASON_PREFIX = Buffer.from("300c300a0603551d1504030a01", "hex");
/** Serial number, GeneralizedTime and extensions of the longest entry, all headers included. */
const LONGEST = 2 + 2 + MOST_SERIAL_OCTETS + LONGEST_TIME + REASON_PREFIX.length + 1;
/** Room at first, when nobody knows how many entries there will be. */
const FEW = 1000;

const REASONS = new Map(REVOCATION_REASONS.map((name) => [name, REASON_CODES[name] ?? 0]));

/**
 * The entries in the order given.
 * @throws KeyriteError script.refused for a serial number that is none or stands twice, a time or a
 * reason that cannot be written
 */
export function writeEntries(
  entries: Iterable<CrlEntry>,
  { before, after }: Margins,
): WrittenEntries {
  // Room that is right at once spares copying megabytes from one buffer to the next larger one.
  const expected = Array.isArray(entries) ? entries.length : FEW;
  const need = LONGEST + after;
  let bytes = new Uint8Array(before + expected * LONGEST + need);
  let at = before;
  const serials = new Serials(expected);
  for (const entry of entries) {
    if (bytes.length - at < need) {
      const larger = new Uint8Array(bytes.length * 2);
      larger.set(bytes);
      bytes = larger;
    }
    const serial = at + 4;
    at = writeEntry(bytes, at, entry);
    serials.note(bytes, serial);
  }
  const twice = serials.repeated(bytes);
  if (twice !== undefined) refuse(`serial number ${twice} stands twice`);
  return { bytes, start: before, end: at, count: serials.count };
}

function writeEntry(bytes: Uint8Array, start: number, entry: CrlEntry): number {
  // Where the content of the serial number begins: behind the headers of the entry and its own.
  let at = writeSerial(bytes, start + 4, entry.serial);
  bytes[start + 2] = TAG.INTEGER;
  bytes[start + 3] = at - start - 4;
  at = writeTime(bytes, at, entry.revokedAt);
  if (at === 0) refuse(`the time ${visible(entry.revokedAt)} is none`);
  for (let i = 0; i < REASON_PREFIX.length; i++) bytes[at + i] = REASON_PREFIX[i] ?? 0;
  at += REASON_PREFIX.length;
  const reason = REASONS.get(entry.reason);
  if (reason === undefined) refuse(`the reason ${visible(entry.reason)} is none`);
  bytes[at++] = reason;
  // At most 57 octets: every length fits in one.
  bytes[start] = TAG.SEQUENCE;
  bytes[start + 1] = at - start - 2;
  return at;
}

/** Value of a lower-case hex digit by its character code, else NO_DIGIT. */
const NO_DIGIT = 256;
const DIGITS = new Uint16Array(128).fill(NO_DIGIT);
for (let value = 0; value < 16; value++) DIGITS[value.toString(16).charCodeAt(0)] = value;

// Positive, in shortest form, at most 20 octets. Written out, because the pattern that says the same
// costs as much as the rest of the entry.
function writeSerial(bytes: Uint8Array, start: number, serial: string): number {
  const octets = serial.length >> 1;
  if (octets === 0 || octets > MOST_SERIAL_OCTETS || serial.length % 2 !== 0) badSerial(serial);
  let all = 0;
  for (let i = 0; i < octets; i++) {
    const high = DIGITS[serial.charCodeAt(2 * i)] ?? NO_DIGIT;
    const low = DIGITS[serial.charCodeAt(2 * i + 1)] ?? NO_DIGIT;
    all |= high | low;
    bytes[start + i] = (high << 4) | low;
  }
  const first = bytes[start] ?? 0;
  const negative = first >= 0x80;
  const needless = first === 0 && (octets === 1 || (bytes[start + 1] ?? 0) < 0x80);
  if (all >= NO_DIGIT || negative || needless) badSerial(serial);
  return start + octets;
}

function badSerial(serial: string): never {
  refuse(`serial number ${visible(serial)} cannot stand in a list`);
}

function refuse(message: string): never {
  throw new KeyriteError("script.refused", `the revocation list cannot be made: ${message}`);
}
