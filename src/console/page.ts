/**
 * What the room reads: plain lines of stable width, written to one stream, with nothing on them
 * that could move the cursor, hide text or reorder it.
 */

import type { Style } from "../lib/style.ts";
import { EVERYONE, type Addressee, type ChoiceQuestion, type Question } from "./console.ts";

const WIDTH = 100;

/** Characters a prompt leaves free behind it, by what is typed there. */
export const ANSWER_WIDTH = { line: 30, word: 5, number: 3, secret: 0 } as const;

/** Where talk goes: standard error, or whatever a test reads. */
export interface Output {
  write(text: string): unknown;
}

// A last line of defence: our callers make untrusted text visible where they know it as untrusted.
const UNPRINTABLE = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** Text without a character that acts on a terminal; line feeds stay. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`);
}

/** `Ana Alvarez (ana)`, or `Everyone`: how a prompt addresses somebody. */
export function addressed(to: Addressee): string {
  if (to.person === EVERYONE.person && to.name === EVERYONE.name) return to.name;
  return `${printable(to.name)} (${printable(to.person)})`.replaceAll("\n", " ");
}

/** How a prompt says what Enter alone answers. */
export function presetForm(preset: string | undefined): string {
  return preset === undefined || preset === "" ? "" : `Enter for ${preset}`;
}

/** Lines of at most `width` characters; a wrapped line keeps its indent, a long word stays whole. */
export function wrap(text: string, width: number = WIDTH): readonly string[] {
  return printable(text)
    .split("\n")
    .flatMap((line) => (line.length <= width ? [line] : wrapLine(line, width)));
}

function wrapLine(line: string, width: number): string[] {
  const indent = /^ */.exec(line)?.[0] ?? "";
  const lines: string[] = [];
  let current = "";
  for (const word of line.slice(indent.length).split(" ")) {
    if (current !== "" && indent.length + current.length + 1 + word.length > width) {
      lines.push(indent + current);
      current = word;
    } else {
      current = current === "" ? word : `${current} ${word}`;
    }
  }
  return [...lines, indent + current];
}

/** Told of every finished line that the room can read, without its style. */
export type Recording = (text: string) => void;

/** Writes lines; knows whether the last one is still open, as a growing line of progress is. */
export class Page {
  readonly #out: Output;
  readonly #style: Style;
  readonly #record: Recording;
  #lineIsOpen = false;
  /** Somebody is typing behind a prompt: whatever grows by itself waits. */
  isAsking = false;

  constructor(out: Output, style: Style, record: Recording = () => undefined) {
    this.#out = out;
    this.#style = style;
    this.#record = record;
  }

  tell(text: string): void {
    this.#lines(wrap(text));
  }

  heading(text: string): void {
    this.#lines(["", ...wrap(text)], (line) => this.#style.bold(line));
  }

  warn(text: string): void {
    this.#lines(wrap(`WARNING: ${text}`), (line) => this.#style.yellow(line));
  }

  /** Records a prompt whose answer was typed behind it; the terminal showed both itself. */
  typed(words: string, answer: string): void {
    this.#record(printable(`${words} ${answer}`));
  }

  /**
   * The words of a prompt, without the space that follows them. A question too long to leave room
   * for the answer is told first, and the prompt only asks for the answer.
   */
  prompt(question: Question, form: string, room: keyof typeof ANSWER_WIDTH = "line"): string {
    const suffix = form === "" ? "" : ` (${form})`;
    const words = `${addressed(question.to)}, ${printable(question.text)}${printable(suffix)}:`;
    if (words.length <= WIDTH - ANSWER_WIDTH[room] && !words.includes("\n")) return words;
    this.#question(question);
    return `${addressed(question.to)}, your answer${printable(suffix)}:`;
  }

  /** A question on lines of its own; what already ends as a sentence gets no colon. */
  #question({ to, text }: Question): void {
    this.tell(`${addressed(to)}, ${text}${/[?.!]$/.test(text) ? "" : ":"}`);
  }

  /** A question with its numbered choices, one a line. */
  choices(question: ChoiceQuestion): void {
    this.#question(question);
    const digits = String(question.choices.length).length;
    for (const [index, { label }] of question.choices.entries()) {
      this.tell(`  ${String(index + 1).padStart(digits)}  ${label}`);
    }
  }

  /** Ends a line of progress that is still growing. */
  closeLine(): void {
    if (this.#lineIsOpen) this.#out.write("\n");
    this.#lineIsOpen = false;
  }

  /** Adds to the open line, or opens one. */
  grow(text: string): void {
    this.#out.write(printable(text));
    this.#lineIsOpen = true;
  }

  get lineIsOpen(): boolean {
    return this.#lineIsOpen;
  }

  #lines(lines: readonly string[], style: (text: string) => string = (text) => text): void {
    this.closeLine();
    this.#record(lines.join("\n"));
    this.#out.write(lines.map((line) => `${line === "" ? "" : style(line)}\n`).join(""));
  }
}
