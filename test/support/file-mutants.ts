/** Random changes of a file's bytes, lines and words: the same seed makes the same mutants on every machine. */

import { concat, utf8 } from "../../src/lib/encoding.ts";
import type { Dice } from "./random-mutations.ts";

export type Change = (bytes: Uint8Array, dice: Dice) => Uint8Array;
/** What is done, by a name for it. */
export type Changes = Readonly<Record<string, Change>>;

function cutAt(bytes: Uint8Array, at: number, remove: number, insert: Uint8Array): Uint8Array {
  return concat(bytes.subarray(0, at), insert, bytes.subarray(at + remove));
}

function altered(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[at] = value & 0xff;
  return copy;
}

function noise(dice: Dice, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => dice.below(256));
}

/** Changes that know nothing of the format. */
export const OF_BYTES: Changes = {
  "a bit": (bytes, dice) => flipped(bytes, dice),
  "a byte": (bytes, dice) => altered(bytes, dice.below(bytes.length), dice.below(256)),
  "the end cut off": (bytes, dice) => bytes.subarray(0, dice.below(bytes.length)),
  "the beginning cut off": (bytes, dice) => bytes.subarray(1 + dice.below(bytes.length)),
  "bytes gone": (bytes, dice) =>
    cutAt(bytes, dice.below(bytes.length), 1 + dice.below(64), new Uint8Array()),
  "bytes inserted": (bytes, dice) =>
    cutAt(bytes, dice.below(bytes.length + 1), 0, noise(dice, 1 + dice.below(40))),
  "bytes overwritten": (bytes, dice) => {
    const length = 1 + dice.below(40);
    return cutAt(bytes, dice.below(bytes.length), length, noise(dice, length));
  },
  "a run twice": (bytes, dice) => {
    const at = dice.below(bytes.length);
    return cutAt(bytes, at, 0, bytes.subarray(at, at + 1 + dice.below(200)));
  },
  "a run moved": (bytes, dice) => {
    const at = dice.below(bytes.length);
    const run = bytes.slice(at, at + 1 + dice.below(100));
    const rest = cutAt(bytes, at, run.length, new Uint8Array());
    return cutAt(rest, dice.below(rest.length + 1), 0, run);
  },
  "all of it twice": (bytes) => concat(bytes, bytes),
  "something behind it": (bytes, dice) => concat(bytes, noise(dice, 1 + dice.below(20))),
};

function flipped(bytes: Uint8Array, dice: Dice): Uint8Array {
  const at = dice.below(bytes.length);
  return altered(bytes, at, (bytes[at] ?? 0) ^ (1 << dice.below(8)));
}

/** Scraps that some reader of text takes for more than it shows. */
export const HOSTILE: readonly Uint8Array[] = [
  ...[
    "\0",
    "\r",
    "\r\n",
    "\t",
    "\uFEFF",
    "\u202E",
    "\u2066",
    "\u200B",
    "\u00AD",
    "\u2028",
    "\u0085",
  ],
  ...["\u001B[2J", "\u0007", "\u009B", "\u00A0", "\uFFFD", "\uE000", "e\u0301", "\u212B", "ﬁ", "а"],
  ...["ı", "\u{1F600}", "\uFFFF", '"', "'", "\\", "\\u0000", "\\ud800", "\n", " ", "", "-0", "1e3"],
  ...["9007199254740993", "010", "0x1F", "null", "true", "True", "~", "[]", "{}", "__proto__"],
  ...["constructor", "../", "/etc/passwd", "%s", "${x}", "$token"],
].map(utf8);
const INVALID = ["c080", "eda080", "f4908080", "ff", "80", "e2", "fe"].map((digits) =>
  Uint8Array.from(Buffer.from(digits, "hex")),
);
const SCRAPS: readonly Uint8Array[] = [...HOSTILE, ...INVALID];

/** A change of the text, by its words and lines; `latin1` so that every byte stays what it was. */
function ofText(change: (text: string, dice: Dice) => string): Change {
  return (bytes, dice) =>
    Uint8Array.from(Buffer.from(change(Buffer.from(bytes).toString("latin1"), dice), "latin1"));
}

function ofLines(change: (lines: string[], dice: Dice) => void): Change {
  return ofText((text, dice) => {
    const lines = text.split("\n");
    change(lines, dice);
    return lines.join("\n");
  });
}

const WORD = /[^\s,:"'{}[\]]+/g;

function ofWord(other: (word: string, words: readonly string[], dice: Dice) => string): Change {
  return ofText((text, dice) => {
    const found = [...text.matchAll(WORD)];
    if (found.length === 0) return `${text}x`;
    const one = dice.pick(found);
    const words = found.map(([word]) => word);
    const [word] = one;
    return (
      text.slice(0, one.index) + other(word, words, dice) + text.slice(one.index + word.length)
    );
  });
}

/** Changes that keep most of a text's form, so that many of them come through the first look. */
export const OF_TEXT: Changes = {
  "a word for another": ofWord((_, words, dice) => dice.pick(words)),
  "a word twice": ofWord((word) => `${word} ${word}`),
  "a word gone": ofWord(() => ""),
  "a letter gone": ofWord((word, _, dice) => without(word, dice)),
  "a letter for another": ofWord((word, _, dice) => relettered(word, dice)),
  "another number": ofText((text, dice) => renumbered(text, dice)),
  "a scrap inserted": (bytes, dice) =>
    cutAt(bytes, dice.below(bytes.length + 1), 0, dice.pick(SCRAPS)),
  "a word for a scrap": ofWord((_, _words, dice) =>
    Buffer.from(dice.pick(SCRAPS)).toString("latin1"),
  ),
  "a line twice": ofLines((lines, dice) => {
    const at = dice.below(lines.length);
    lines.splice(at, 0, lines[at] ?? "");
  }),
  "a line gone": ofLines((lines, dice) => {
    lines.splice(dice.below(lines.length), 1);
  }),
  "two lines exchanged": ofLines((lines, dice) => {
    const [a, b] = [dice.below(lines.length), dice.below(lines.length)];
    [lines[a], lines[b]] = [lines[b] ?? "", lines[a] ?? ""];
  }),
  "a line moved in": ofLines((lines, dice) => {
    const at = dice.below(lines.length);
    lines[at] = `${" ".repeat(1 + dice.below(4))}${lines[at] ?? ""}`;
  }),
  "a line moved out": ofLines((lines, dice) => {
    const at = dice.below(lines.length);
    lines[at] = (lines[at] ?? "").replace(/^ {1,2}/, "");
  }),
  "two lines in one": ofLines((lines, dice) => {
    const at = dice.below(lines.length);
    lines.splice(at, 2, `${lines[at] ?? ""}${lines[at + 1] ?? ""}`);
  }),
};

function renumbered(text: string, dice: Dice): string {
  const digits = [...text.matchAll(/[0-9]/g)];
  const at = digits.length === 0 ? text.length : dice.pick(digits).index;
  return `${text.slice(0, at)}${dice.below(10)}${text.slice(at + 1)}`;
}

function without(word: string, dice: Dice): string {
  const at = dice.below(word.length);
  return word.slice(0, at) + word.slice(at + 1);
}

function relettered(word: string, dice: Dice): string {
  const at = dice.below(word.length);
  return word.slice(0, at) + String.fromCharCode(0x21 + dice.below(94)) + word.slice(at + 1);
}

/** Changes of JSON that keep it JSON: members gone, twice, renamed, exchanged, of another kind. */
export const OF_JSON: Changes = {
  "a value for another": ofToken((tokens, dice) => dice.pick(tokens)),
  "a value of another kind": ofToken((_, dice) =>
    dice.pick(["null", "[]", "{}", "0", "-1", '""', "true", "1e400", '"\\ud800"']),
  ),
  "a text grown": ofToken((tokens, dice) => `"${dice.pick(tokens).replaceAll('"', "")}x"`),
  "a space": ofText((text, dice) => spaced(text, dice)),
};

const TOKEN = /"(?:[^"\\]|\\.)*"|-?[0-9][0-9.eE+-]*|true|false|null/g;

function ofToken(other: (tokens: readonly string[], dice: Dice) => string): Change {
  return ofText((text, dice) => {
    const found = [...text.matchAll(TOKEN)];
    if (found.length === 0) return `${text}0`;
    const one = dice.pick(found);
    const [token] = one;
    const tokens = found.map(([all]) => all);
    return text.slice(0, one.index) + other(tokens, dice) + text.slice(one.index + token.length);
  });
}

function spaced(text: string, dice: Dice): string {
  const marks = [...text.matchAll(/[,:[{]/g)];
  const at = marks.length === 0 ? 0 : dice.pick(marks).index + 1;
  return `${text.slice(0, at)} ${text.slice(at)}`;
}

/** A piece of the file gives way to a piece of another one of its kind. */
export function crossedWith(others: readonly Uint8Array[]): Changes {
  return {
    "a piece of another": (bytes, dice) => {
      const other = dice.pick(others);
      const from = dice.below(other.length);
      const piece = other.subarray(from, from + 1 + dice.below(300));
      return cutAt(bytes, dice.below(bytes.length + 1), dice.below(300), piece);
    },
    "the end of another": (bytes, dice) => {
      const other = dice.pick(others);
      return concat(
        bytes.subarray(0, dice.below(bytes.length)),
        other.subarray(dice.below(other.length)),
      );
    },
  };
}
