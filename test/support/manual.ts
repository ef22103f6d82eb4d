/** The manuals as tests read them: blocks that people type, and blocks that quote the screen. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..", "..");

export interface Block {
  /**
   * `typed` is typed as it stands; `shown` quotes the screen of those who type; `rehearsed` that of the
   * demo; `generated` comes from the sources.
   */
  readonly kind: string;
  readonly name: string;
  readonly text: string;
}

const BLOCK = /<!-- (typed|shown|rehearsed): ([a-z-]+) -->\n```[a-z]*\n([\s\S]*?)\n```/g;
const GENERATED = /<!-- (generated): ([a-z-]+) -->\n([\s\S]*?)\n<!-- end -->/g;

/** The marked blocks of a page, in order. */
export function blocksOf(page: string): readonly Block[] {
  const text = readFileSync(join(ROOT, page), "utf8");
  return [...text.matchAll(BLOCK), ...text.matchAll(GENERATED)].map(
    ([, kind = "", name = "", body = ""]) => ({ kind, name, text: body }),
  );
}

export function blockOf(page: string, kind: string, name: string): string {
  const found = blocksOf(page).filter((block) => block.kind === kind && block.name === name);
  assert.equal(found.length, 1, `${page} has one block ${kind}: ${name}`);
  return found[0]?.text ?? "";
}

/** The commands of a typed block; a line that ends in a backslash goes on in the next. */
export function commandsOf(page: string, name: string): readonly string[] {
  return blockOf(page, "typed", name)
    .replaceAll("\\\n", "\\\u0000")
    .split("\n")
    .map((command) => command.replaceAll("\u0000", "\n"));
}

/** What differs from one day, machine and key to the next. */
const VARYING: readonly (readonly [RegExp, string])[] = [
  [/\b\d{8}-([a-z-]+)-[a-z2-7]{4}\b/g, "<date>-$1-<id>"],
  [/\b\d{4}-\d\d-\d\dT[\d:.]+Z/g, "<time>"],
  [/\b\d{1,2} [A-Z][a-z]+ \d{4}, \d\d:\d\d:\d\d UTC/g, "<time>"],
  [/\b[0-9a-f]{12,}\b/g, "<hex>"],
  [/\b(?:[0-9a-f]{4} )+[0-9a-f]{4}\b/g, "<hex>"],
  [/^ {4,5}(?:[A-Za-z]+ ){7,31}[A-Za-z]+$/gm, "    <words>"],
  [/\bs[a-z2-7]{10}\b/g, "<set>"],
  [/\bsize \d+/g, "size <n>"],
  [/\b\d+ entries\b/g, "<n> entries"],
  [/[ .]+\d+\.\d s$/gm, " <seconds>"],
];

export function normalised(text: string): string {
  const plain = text.replace(/[ \t]+$/gm, "");
  return VARYING.reduce((done, [pattern, word]) => done.replace(pattern, word), plain);
}

/**
 * Asserts that a quotation occurs on the screen: its parts between lines of `…` in this order, each
 * without a gap.
 */
export function assertQuoted(name: string, quotation: string, screen: string): void {
  const shown = `\n${normalised(screen)}\n`;
  let from = 0;
  for (const part of normalised(quotation).split(/^…$/m)) {
    const wanted = `\n${part.replace(/^\n|\n$/g, "")}\n`;
    const at = shown.indexOf(wanted, from);
    assert.ok(at >= 0, `${name}: the screen does not show\n${wanted}`);
    from = at + wanted.length - 1;
  }
}
