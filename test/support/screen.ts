/**
 * What a person sees of the bytes a program wrote: just enough of a terminal (ECMA-48 CSI A B C D G K,
 * line feed, carriage return, backspace) to follow a prompt that redraws its line. Nothing scrolls away.
 */

const TOKEN = new RegExp(
  `${String.fromCharCode(0x1b)}\\[([0-?]*)[ -/]*([@-~])|[\\r\\n\\b]|[^\\r\\n\\b${String.fromCharCode(0x1b)}]+`,
  "gu",
);

class Screen {
  readonly #lines: string[][] = [[]];
  #row = 0;
  #column = 0;

  take(token: RegExpMatchArray): void {
    const [text, argument, final] = token;
    if (final !== undefined) this.#control(final, argument ?? "");
    else if (text === "\r") this.#column = 0;
    else if (text === "\n") this.#row++;
    else if (text === "\b") this.#column = Math.max(0, this.#column - 1);
    else for (const char of text) this.#line()[this.#column++] = char;
  }

  /** Its lines; that of the cursor reaches at least to the cursor, so that one can see where it waits. */
  get text(): string {
    return this.#lines
      .map((line) => Array.from(line, (char: string | undefined) => char ?? " ").join(""))
      .map((line, row) => (row === this.#row ? line.padEnd(this.#column) : line))
      .join("\n");
  }

  #line(): string[] {
    while (this.#lines.length <= this.#row) this.#lines.push([]);
    return this.#lines[this.#row] ?? [];
  }

  #control(final: string, argument: string): void {
    const count = Number(argument === "" ? "1" : argument);
    if (final === "A") this.#row = Math.max(0, this.#row - count);
    if (final === "B") this.#row += count;
    if (final === "C") this.#column += count;
    if (final === "D") this.#column = Math.max(0, this.#column - count);
    if (final === "G") this.#column = count - 1;
    if (final === "K") this.#line().length = argument === "2" ? 0 : this.#column;
  }
}

/** The screen after these bytes, with everything that scrolled above it. */
export function screenOf(written: string): string {
  const screen = new Screen();
  for (const token of written.matchAll(TOKEN)) screen.take(token);
  return screen.text;
}
