/**
 * Text that holds secrets, as bytes from end to end: `name value` lines that a person can read with
 * stock tools, written and read without ever making a string of a secret value.
 */

import { concat, utf8 } from "./encoding.ts";
import { ownBytes } from "./secret.ts";

const LINE_FEED = 0x0a;
const DIGITS = utf8("0123456789abcdef");

/** Lower-case hex of `bytes` as ASCII bytes; the caller wipes them. */
export function hexBytes(bytes: Uint8Array): Uint8Array {
  const out = ownBytes(bytes.length * 2);
  bytes.forEach((byte, i) => {
    out[2 * i] = DIGITS[byte >>> 4] ?? 0;
    out[2 * i + 1] = DIGITS[byte & 15] ?? 0;
  });
  return out;
}

/** Bytes of lower-case hex in ASCII bytes, or undefined for anything else. */
export function fromHexBytes(text: Uint8Array): Uint8Array | undefined {
  if (text.length % 2 !== 0) return undefined;
  const out = ownBytes(text.length / 2);
  for (let i = 0; i < out.length; i++) {
    const high = DIGITS.indexOf(text[2 * i] ?? 0);
    const low = DIGITS.indexOf(text[2 * i + 1] ?? 0);
    if (high === -1 || low === -1) {
      out.fill(0);
      return undefined;
    }
    out[i] = high * 16 + low;
  }
  return out;
}

/** A line: words that are public, then perhaps bytes that are not. */
export type Line = readonly [text: string, secret?: Uint8Array];

/** The lines, each with its newline, in one array; the caller wipes it and the parts. */
export function joinLines(lines: readonly Line[]): Uint8Array {
  const parts = lines.flatMap(([text, secret = new Uint8Array()]) => [
    utf8(text),
    secret,
    Uint8Array.of(LINE_FEED),
  ]);
  return concat(...parts);
}

/**
 * Views of the lines of `text` without their newlines, or undefined unless the last line ends with
 * one. Splitting stops after `most` lines: the last one holds whatever is left, newlines included.
 */
export function splitLines(text: Uint8Array, most: number): readonly Uint8Array[] | undefined {
  if (text.at(-1) !== LINE_FEED) return undefined;
  const lines: Uint8Array[] = [];
  let rest = text.subarray(0, -1);
  while (lines.length < most - 1) {
    const end = rest.indexOf(LINE_FEED);
    if (end === -1) break;
    lines.push(rest.subarray(0, end));
    rest = rest.subarray(end + 1);
  }
  return [...lines, rest];
}

/** What follows `name` in a line, or undefined when the line begins otherwise. */
export function valueAfter(line: Uint8Array | undefined, name: string): Uint8Array | undefined {
  const head = utf8(name);
  if (line === undefined || line.length < head.length) return undefined;
  return head.every((byte, i) => line[i] === byte) ? line.subarray(head.length) : undefined;
}
