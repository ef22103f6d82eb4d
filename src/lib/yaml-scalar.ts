/** What an unquoted YAML scalar means here: one spelling for each value, and no reader who differs. */

export type ScalarReading =
  | { readonly ok: true; readonly value: null | boolean | number | string }
  | { readonly ok: false; readonly text: string; readonly hint: string };

const WORDS: ReadonlyMap<string, null | boolean> = new Map([
  ["", null],
  ["~", null],
  ["null", null],
  ["true", true],
  ["false", false],
]);

// Core-schema words in the spellings that YAML 1.1, YAML 1.2 and JSON do not share.
const ODD_WORD = /^(?:True|TRUE|False|FALSE|Null|NULL)$/;

// Whatever some version of YAML takes for a number; sexagesimals and dates are left to be text.
const NUMBER_LIKE = new RegExp(
  "^[-+]?(?:" +
    [
      "0[xX][0-9a-fA-F_]+",
      "0[oO][0-7_]+",
      "0[bB][01_]+",
      "[0-9][0-9_]*(?:\\.[0-9_]*)?(?:[eE][-+]?[0-9]+)?",
      "\\.[0-9][0-9_]*(?:[eE][-+]?[0-9]+)?",
      "\\.(?:inf|Inf|INF)",
      "\\.(?:nan|NaN|NAN)",
    ].join("|") +
    ")$",
);

/**
 * The value of an unquoted scalar. A number must be written exactly as ECMAScript (and so RFC 8785)
 * prints it: that rules out `010`, `0x1F`, `1e3`, `1_000`, `+1`, `1.0`, `-0`, `.inf` and integers
 * that a double cannot hold, all of which some reader takes for another value.
 */
export function readPlainScalar(text: string): ScalarReading {
  const word = WORDS.get(text);
  if (word !== undefined) return { ok: true, value: word };
  if (ODD_WORD.test(text)) {
    return odd("can be read as a word or as a value", `write ${text.toLowerCase()}, or quote it`);
  }
  if (!NUMBER_LIKE.test(text)) return { ok: true, value: text };
  const value = Number(text);
  const safe = Number.isFinite(value) && Math.abs(value) <= Number.MAX_SAFE_INTEGER;
  if (safe && String(value) === text) return { ok: true, value };
  return odd(
    "is not a plain number",
    "quote it if it is text; write a number in decimal, without leading zeros, exponent or sign",
  );
}

function odd(text: string, hint: string): ScalarReading {
  return { ok: false, text, hint };
}
