/** Digests as the room reads them: hex in groups of four and words to read aloud. */

import { fromHex, groupedHex } from "../lib/encoding.ts";
import { spokenWords } from "../lib/words.ts";

const WORDS_A_LINE = 8;

/** A digest with its name: two lines of hex, then four of words. */
export function digestLines(name: string, digest: string): readonly string[] {
  const words = spokenWords(fromHex(digest) ?? new Uint8Array());
  const lines: string[] = [`${name}:`];
  const groups = groupedHex(digest).split(" ");
  for (let i = 0; i < groups.length; i += 8) lines.push(`    ${groups.slice(i, i + 8).join(" ")}`);
  for (let i = 0; i < words.length; i += WORDS_A_LINE) {
    lines.push(`    ${words.slice(i, i + WORDS_A_LINE).join(" ")}`);
  }
  return lines;
}
