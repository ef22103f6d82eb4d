/** Untrusted text made safe to show. Imports nothing, for a page in a browser shows text the same way. */

/**
 * Untrusted text made safe to show: control, format and bidirectional characters, and backslashes,
 * become escapes, so no text can move the cursor, hide or reorder what the room reads.
 */
export function visible(text: string): string {
  // Most text; the Unicode tables behind the pattern below take a millisecond to make.
  if (/^[ -[\]-~]*$/.test(text)) return text;
  return text
    .toWellFormed()
    .replace(
      /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\\]/gu,
      (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`,
    );
}
