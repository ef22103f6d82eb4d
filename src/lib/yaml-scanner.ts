/**
 * The reading head over a YAML text: white space, comments, line ends and the scalars in each of
 * their notations (YAML 1.2.2, chapters 6 to 8). A scalar without or in quotes stands on one line.
 */

import { blank, YamlStop, type Objector, type YamlScalar } from "./yaml-node.ts";

// Far above any script; keeps a file made of commas from costing seconds.
const MAX_VALUES = 50_000;

const FLOW_MARKS = ",[]{}";
/** What text without quotes cannot begin with: it has, or once had, a meaning of its own in YAML. */
const RESERVED = `${FLOW_MARKS}#|>"'%@\`&*!`;

const PROPERTIES: ReadonlyMap<string, string> = new Map([
  ["&", "an anchor (&)"],
  ["*", "an alias (*)"],
  ["!", "a tag (!)"],
]);

// Those of JSON, and the others that every version of YAML has.
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ["\\", "\\"],
  ["/", "/"],
  ["0", "\0"],
  ["a", "\x07"],
  ["b", "\b"],
  ["t", "\t"],
  ["n", "\n"],
  ["v", "\v"],
  ["f", "\f"],
  ["r", "\r"],
  ["e", "\x1b"],
]);

export class YamlScanner {
  readonly text: string;
  /** Offset of what is read next. */
  at = 0;
  #lineStart = 0;
  #values = 0;
  readonly #object: Objector;

  constructor(text: string, object: Objector) {
    this.text = text;
    this.#object = object;
  }

  /** From 0. */
  get column(): number {
    return this.at - this.#lineStart;
  }

  get next(): string {
    return this.text.charAt(this.at);
  }

  /** `---`, `...` or "" for neither here. */
  get marker(): string {
    if (this.column !== 0) return "";
    const mark = this.text.slice(this.at, this.at + 3);
    return (mark === "---" || mark === "...") && this.isSpace(this.at + 3) ? mark : "";
  }

  get ended(): boolean {
    return this.at >= this.text.length || this.marker !== "";
  }

  /** Whether nothing, or only a comment, follows on this line. */
  get lineEnds(): boolean {
    const next = this.next;
    return next === "" || next === "\n" || (next === "#" && this.isSpace(this.at - 1));
  }

  /** Whether the text has a space, a line end or its own end there. */
  isSpace(offset: number): boolean {
    const char = this.text.charAt(offset);
    return char === " " || char === "\n" || char === "";
  }

  /** Whether here stands `mark` by itself: followed by a space, or in brackets by one of theirs. */
  isMark(mark: string, inFlow: boolean): boolean {
    return this.next === mark && this.#endsWord(this.at + 1, inFlow);
  }

  #endsWord(offset: number, inFlow: boolean): boolean {
    return this.isSpace(offset) || (inFlow && FLOW_MARKS.includes(this.text.charAt(offset)));
  }

  stop(text: string, hint?: string, offset = this.at): never {
    throw new YamlStop(offset, text, hint);
  }

  /** Over spaces. A tab looks like some number of them. */
  spaces(): void {
    while (this.next === " ") this.at++;
    if (this.next === "\t") this.stop("tabs are not allowed between values", "use spaces");
  }

  /** Over spaces, comments and line ends. Returns whether a line ended. */
  skip(): boolean {
    const { text } = this;
    const line = this.#lineStart;
    for (;;) {
      this.spaces();
      if (!this.lineEnds || this.at >= text.length) return this.#lineStart !== line;
      const end = text.indexOf("\n", this.at);
      this.at = end === -1 ? text.length : end + 1;
      if (end !== -1) this.#lineStart = this.at;
    }
  }

  /** Only a comment may follow on this line. */
  endLine(): void {
    this.spaces();
    if (!this.lineEnds)
      this.stop("this cannot stand behind a value", "quote text that holds signs");
  }

  /** Objects to anchors, aliases and tags, and passes over them. */
  properties(inFlow: boolean): void {
    for (;;) {
      const what = PROPERTIES.get(this.next);
      if (what === undefined) return;
      this.#object(this.at, `${what} is not allowed`, "write it out");
      while (!this.#endsWord(this.at, inFlow)) this.at++;
      this.spaces();
    }
  }

  /** Counts a value that begins here. */
  count(): number {
    this.#values++;
    if (this.#values > MAX_VALUES) this.stop(`more than ${MAX_VALUES} values`);
    return this.at;
  }

  scalar(inFlow: boolean): YamlScalar {
    if (this.isMark(":", inFlow)) return blank(this.count());
    if (this.next === '"') return this.#doubleQuoted();
    return this.next === "'" ? this.#singleQuoted() : this.#plain(inFlow);
  }

  #plain(inFlow: boolean): YamlScalar {
    const { text } = this;
    const offset = this.count();
    if (RESERVED.includes(this.next) || ["-", "?"].some((mark) => this.isMark(mark, inFlow))) {
      this.stop("text without quotes cannot begin with this", "put it in quotes");
    }
    let end = offset;
    for (let i = offset; i < text.length; i++) {
      const char = text.charAt(i);
      if (char === " ") continue;
      if (char === "\n" || (char === "#" && end < i)) break;
      if (char === ":" && this.#endsWord(i + 1, inFlow)) break;
      if (inFlow && FLOW_MARKS.includes(char)) break;
      end = i + 1;
    }
    this.at = end;
    return { kind: "scalar", offset, text: text.slice(offset, end), plain: true };
  }

  #singleQuoted(): YamlScalar {
    const { offset, body } = this.#quoted(/'([^'\n]*(?:''[^'\n]*)*)'/y);
    return { kind: "scalar", offset, text: body.replaceAll("''", "'"), plain: false };
  }

  #doubleQuoted(): YamlScalar {
    const { offset, body } = this.#quoted(/"([^"\\\n]*(?:\\.[^"\\\n]*)*)"/y);
    const escape = /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))/g;
    const text = body.replace(
      escape,
      (all, x?: string, u?: string, long?: string, one?: string) => {
        const code = Number.parseInt(x ?? u ?? long ?? "", 16);
        const char = code <= 0x10ffff ? String.fromCodePoint(code) : ESCAPES.get(one ?? "");
        return char ?? this.stop(`${all} stands for no character`, undefined, offset);
      },
    );
    return { kind: "scalar", offset, text, plain: false };
  }

  #quoted(pattern: RegExp): { readonly offset: number; readonly body: string } {
    const offset = this.count();
    pattern.lastIndex = offset;
    const [all, body] = pattern.exec(this.text) ?? [];
    if (all === undefined || body === undefined) {
      const end = this.text.indexOf("\n", offset);
      const hint = "end it on its line; for longer text use > or |";
      return this.stop("a closing quote is missing", hint, end === -1 ? this.text.length : end);
    }
    this.at += all.length;
    return { offset, body };
  }

  /** Text in lines of its own behind `|` or `>`; `parent` is the column that it is indented against. */
  block(parent: number): YamlScalar {
    const offset = this.count();
    // Without anything to be indented against, a comment could be a line of the text.
    if (parent < 0) this.stop("text behind | or > needs a key or a dash before it");
    // Where it may stand alone on a line, readers differ on what it is indented against.
    if (this.text.slice(this.#lineStart, this.at).trim() === "") {
      this.stop("text behind | or > begins on the line of its key or dash");
    }
    const header = /([|>])([-+]?)(?=[ \n]|$)/y;
    header.lastIndex = offset;
    const [all = "", style, chomp] = header.exec(this.text) ?? [];
    if (all === "") this.stop("only - or + may stand right behind | or >");
    this.at += all.length;
    this.endLine();
    const lines = this.#blockLines(parent, style === ">");
    const last = lines.findLastIndex((line) => line !== "");
    const content = lines.slice(0, last + 1);
    const body = style === ">" ? folded(content) : content.join("\n");
    const kept = chomp === "+" ? lines.length - content.length : 0;
    const end = chomp === "-" || last === -1 ? "" : "\n";
    return { kind: "scalar", offset, text: body + end + "\n".repeat(kept), plain: false };
  }

  #blockLines(parent: number, folds: boolean): readonly string[] {
    const { text } = this;
    const lines: string[] = [];
    let indent: number | undefined;
    let widest = 0;
    for (let start = this.#lineAfter(this.at); start < text.length;) {
      const after = this.#lineAfter(start);
      const line = text.slice(start, text[after - 1] === "\n" ? after - 1 : after);
      const width = line.search(/[^ ]|$/);
      if (width < line.length) {
        if (width < (indent ?? parent + 1)) break;
        indent ??= width;
        if (folds && /[ \t]/.test(line.charAt(indent))) {
          this.stop("in text behind > every line begins in the same column", "use |", start);
        }
      }
      widest = Math.max(widest, width === line.length ? width : 0);
      // At the very end of the file readers differ on whether spaces are a line.
      const unended = width > 0 && width === line.length && text[after - 1] !== "\n";
      if (unended || widest > (indent ?? widest)) {
        this.stop("a line of nothing but spaces", "empty it", start);
      }
      lines.push(line.slice(indent ?? width));
      start = after;
      this.at = this.#lineStart = start;
    }
    return lines;
  }

  #lineAfter(offset: number): number {
    const end = this.text.indexOf("\n", offset);
    return end === -1 ? this.text.length : end + 1;
  }
}

/** Line ends become spaces, and empty lines become line ends. */
function folded(lines: readonly string[]): string {
  let text = "";
  let between = "";
  for (const line of lines) {
    if (line === "") between = between === " " ? "\n" : `${between}\n`;
    else {
      text += between + line;
      between = " ";
    }
  }
  return text;
}
