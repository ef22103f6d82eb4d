/** Heads that somebody outside the site holds: a file, the folder of a medium, another copy of the ledger, or words on paper. */

import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { fromHex, fromUtf8 } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import { readBounded } from "../lib/files.ts";
import { bytesOfWords } from "../lib/spoken-words.ts";
import { headName } from "../people/medium.ts";

/** What somebody holds; `stated` bears no signature, whoever typed it read it somewhere. */
export type HeadGiven = { readonly file: string } & (
  | { readonly kind: "note"; readonly note: (origin: string) => string }
  | { readonly kind: "stated"; readonly size: number; readonly root: Uint8Array }
  | { readonly kind: "ledger"; readonly path: string }
);

const LARGEST = 1 << 20;
const SQLITE = "SQLite format 3\0";

/**
 * Understands one `--head`.
 * @throws KeyriteError usage.bad-option for what is neither a file, a folder, nor a size with words
 */
export function headGiven(text: string): HeadGiven {
  if (!existsSync(text)) return stated(text);
  if (statSync(text).isDirectory()) {
    return { file: text, kind: "note", note: (origin) => headOnMedium(text, origin) };
  }
  const start = new TextDecoder("latin1").decode(startOf(text));
  if (start === SQLITE) return { file: text, kind: "ledger", path: text };
  return { file: text, kind: "note", note: () => fromUtf8(readBounded(text, LARGEST)) };
}

function startOf(file: string): Uint8Array {
  // A ledger is far larger than any head: its size alone says that it cannot be read as a note.
  if (statSync(file).size > LARGEST) return new TextEncoder().encode(SQLITE);
  return readBounded(file, LARGEST).subarray(0, SQLITE.length);
}

function headOnMedium(folder: string, origin: string): string {
  const name = headName(origin);
  const places = [join(folder, "heads", name), join(folder, name)];
  const place = places.find((one) => existsSync(one));
  if (place !== undefined) return fromUtf8(readBounded(place, LARGEST));
  throw new KeyriteError("usage.bad-option", `${folder} holds no head of ${origin}`, {
    hints: [`looked for ${places.join(" and ")}`, "is it the medium of somebody who was there?"],
  });
}

const FORMS =
  'a head is a file, the folder of a medium, or "SIZE WORDS": the size and the 32 words, or the hex, as printed at the close';

function stated(text: string): HeadGiven {
  const [first = "", ...rest] = text.trim().split(/\s+/);
  const number = /^(?:size[:=]?)?([1-9][0-9]{0,14})[,:]?$/i.exec(first)?.[1];
  if (number === undefined || rest.length === 0) {
    throw new KeyriteError("usage.bad-option", `there is no head at ${text}`, { hints: [FORMS] });
  }
  const joined = rest.join("").toLowerCase();
  const root = /^[0-9a-f]{64}$/.test(joined) ? fromHex(joined) : bytesOfHeadWords(rest);
  if (root === undefined) throw new Error("64 hex digits are no bytes");
  return { file: `paper, size ${number}`, kind: "stated", size: Number(number), root };
}

function bytesOfHeadWords(words: readonly string[]): Uint8Array {
  return wordsOf(words, "type the size and the 32 words of the head as they stand on the paper");
}

/**
 * The 32 bytes that 32 words stand for.
 * @throws KeyriteError usage.bad-option naming the first word that is not in its place on the list
 */
export function wordsOf(words: readonly string[], hint: string): Uint8Array {
  const bytes = bytesOfWords(words);
  if (typeof bytes === "number") {
    const word = words[bytes] ?? "";
    const text = `word ${bytes + 1}, "${word}", is not on the list of words at that place`;
    throw new KeyriteError("usage.bad-option", text, { hints: [hint] });
  }
  if (bytes.length === 32) return bytes;
  throw new KeyriteError("usage.bad-option", `${bytes.length} words were given, a digest has 32`, {
    hints: [hint],
  });
}
