/**
 * Text that means what it shows. A reviewer approves what an editor displays, so whatever an editor
 * hides, reorders or draws as something else is refused before anything is made of the bytes.
 */

import { fromUtf8, hex } from "./encoding.ts";
import { objectionLimit, type Objection } from "./objection.ts";

/** 1-based line and column (UTF-16 units). */
export interface Position {
  readonly line: number;
  readonly col: number;
}

// Control, format and bidirectional characters, odd spaces and line ends, private use, lone
// surrogates, characters that draw nothing, and U+FFFD, which is how damaged bytes read back.
const HIDDEN =
  /(?![\n ])[\p{Cc}\p{Cf}\p{Zs}\p{Zl}\p{Zp}\p{Co}\p{Cs}\p{Default_Ignorable_Code_Point}\uFFFD]/gu;

// Nearly every text; the classes above are slow to compile and to match.
const PLAIN_ASCII = /^[\n -~]*$/;

export interface Hidden {
  readonly index: number;
  /** `U+202E` */
  readonly name: string;
}

/** Every character that does not show as itself; line feeds and spaces do. */
export function* hiddenCharacters(text: string): Generator<Hidden> {
  if (PLAIN_ASCII.test(text)) return;
  for (const match of text.matchAll(HIDDEN)) {
    const code = (match[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
    yield { index: match.index, name: `U+${code}` };
  }
}

export type TextReading =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly objections: readonly Objection[] };

/**
 * Text of a file that people wrote: UTF-8 without byte order mark, lines that end in LF, no hidden
 * character but tabs, not above `limit` bytes.
 */
export function readPlainText(bytes: Uint8Array, file: string, limit: number): TextReading {
  if (bytes.length > limit) {
    return refused(file, { line: 1, col: 1 }, `the file is larger than ${limit / 1024} KiB`);
  }
  const text = decode(bytes);
  if (text === undefined) {
    const offset = firstBadByte(bytes);
    const before = new TextDecoder().decode(bytes.subarray(0, offset), { stream: true });
    const byte = hex(bytes.subarray(offset, offset + 1));
    return refused(file, positionIn(before, before.length), `byte 0x${byte} is not UTF-8 here`);
  }
  const objections: Objection[] = [];
  for (const { index, name } of hiddenCharacters(text)) {
    if (text[index] === "\t") continue;
    if (objections.length === objectionLimit) break;
    const at = `${file}:${place(positionIn(text, index))}`;
    if (text[index] === "\r") {
      // Every further line would say the same.
      objections.push({ at, text: "a line ends in CR", hint: "save the file with LF line ends" });
      break;
    }
    const what = index === 0 && name === "U+FEFF" ? "a byte order mark" : `the character ${name}`;
    objections.push({ at, text: `${what} does not show and is not allowed` });
  }
  return objections.length > 0 ? { ok: false, objections } : { ok: true, text };
}

/** `line:col` as it stands in an objection. */
export function place(position: Position): string {
  return `${position.line}:${position.col}`;
}

function refused(file: string, position: Position, text: string): TextReading {
  return { ok: false, objections: [{ at: `${file}:${place(position)}`, text }] };
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return fromUtf8(bytes);
  } catch {
    return undefined;
  }
}

/** Offset of the first byte that cannot continue UTF-8, or the end when the text breaks off. */
function firstBadByte(bytes: Uint8Array): number {
  let good = 0;
  let bad = bytes.length + 1;
  // A streaming decoder objects to a prefix exactly when it holds the bad byte: so bisect.
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (isPrefix(bytes.subarray(0, middle))) good = middle;
    else bad = middle;
  }
  return Math.min(good, bytes.length - 1);
}

function isPrefix(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}

/** Place of an offset in UTF-16 units. */
export function positionIn(text: string, index: number): Position {
  const before = text.slice(0, index);
  const lineStart = before.lastIndexOf("\n") + 1;
  return { line: before.split("\n").length, col: index - lineStart + 1 };
}
