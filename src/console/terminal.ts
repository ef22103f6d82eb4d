/**
 * The console of people at a terminal. Its rules, because the screen is filmed and printed:
 *
 *   - Everything is talk and goes to standard error: plain lines, wrapped at 100 characters.
 *   - Nothing is erased but the line being typed; a wrong answer stays, and what is wrong with it.
 *   - Nothing is said by colour alone: warnings begin with WARNING.
 *   - A prompt addresses one person by name and ends in a colon: `Ana Alvarez (ana), number:`.
 *   - A mistyped answer is asked again, as often as it takes.
 *   - Agreement is the whole word yes; refusal the whole word no; nothing else is either. The whole word
 *     pause stops there, as Ctrl-C does: the ceremony is gone on with another time.
 *   - An answer counts only when it was typed after its question was shown.
 *   - Secrets are not shown, not even their length.
 *   - No prompt without a terminal.
 */

import type { Clock } from "../lib/clock.ts";
import { equalBytes } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import { hiddenCharacters } from "../lib/plain-text.ts";
import { wiping, type Secret } from "../lib/secret.ts";
import type { Style } from "../lib/style.ts";
import type {
  ChoiceQuestion,
  OperatorConsole,
  Progress,
  Question,
  SecretQuestion,
  TextQuestion,
} from "./console.ts";
import { promptLine } from "./line-prompt.ts";
import { Page, presetForm, type Output, type Recording } from "./page.ts";
import { startProgress } from "./progress.ts";
import { readSecret } from "./secret-reader.ts";
import type { TerminalInput } from "./terminal-input.ts";

export interface TerminalOptions {
  /** Standard input: `openTerminalInput(0)`. */
  readonly input: TerminalInput;
  /** Standard error, a terminal. */
  readonly output: Output;
  readonly style: Style;
  readonly clock: Pick<Clock, "monotonic">;
  /** Columns of the terminal now, where it tells. */
  readonly size: () => number | undefined;
  /**
   * Aborted on SIGTERM, SIGHUP and their like: an open prompt then ends as by Ctrl-C. The handler
   * that aborts must stay installed, since inquirer kills the process when it is the only listener.
   */
  readonly signal?: AbortSignal;
  /** Told of what the room reads and types; never of a secret, nor of an answer that was refused. */
  readonly record?: Recording;
}

/** @throws KeyriteError usage.no-terminal unless people can both read and type. */
export function requireTerminal(
  input: { readonly isTTY?: boolean },
  output: { readonly isTTY?: boolean },
): void {
  if (input.isTTY === true && output.isTTY === true) return;
  const what = input.isTTY === true ? "standard error" : "standard input";
  throw new KeyriteError("usage.no-terminal", `${what} is not a terminal, and people must answer`, {
    hints: [
      "run the command at a terminal, without redirecting standard input or standard error",
      "to rehearse on a test site without people, use --answers FILE",
    ],
  });
}

export class TerminalConsole implements OperatorConsole {
  readonly #options: TerminalOptions;
  readonly #page: Page;
  #waitedMs = 0;

  constructor(options: TerminalOptions) {
    this.#options = options;
    this.#page = new Page(options.output, options.style, options.record);
  }

  get waitedMs(): number {
    return this.#waitedMs;
  }

  tell(text: string): void {
    this.#page.tell(text);
  }

  heading(text: string): void {
    this.#page.heading(text);
  }

  warn(text: string): void {
    this.#page.warn(text);
  }

  async ask(question: TextQuestion): Promise<string> {
    for (;;) {
      const words = this.#page.prompt(question, presetForm(question.preset));
      const typed = await this.#line(words);
      const answer = typed === "" ? (question.preset ?? "") : typed;
      const problem = problemOf(answer, question);
      if (problem === undefined) return this.#accept(words, answer, answer);
      this.#refuse(words, problem);
    }
  }

  async choose(question: ChoiceQuestion): Promise<string> {
    this.#page.choices(question);
    const form = `number, 1 to ${question.choices.length}`;
    for (;;) {
      const words = this.#page.prompt({ ...question, text: form }, "", "number");
      const typed = await this.#line(words);
      const chosen = question.choices.find(
        ({ value }, i) => typed === String(i + 1) || typed === value,
      );
      if (chosen !== undefined) return this.#accept(words, typed, chosen.value);
      this.#refuse(words, `type one number from 1 to ${question.choices.length}`);
    }
  }

  async agree(question: Question): Promise<boolean> {
    for (;;) {
      const words = this.#page.prompt(question, "yes or no", "word");
      const typed = await this.#line(words);
      if (typed === "yes" || typed === "no") return this.#accept(words, typed, typed === "yes");
      if (typed === "pause") {
        this.#accept(words, typed, false);
        throw new KeyriteError("halted.interrupted", "the room paused at a prompt");
      }
      this.#refuse(words, "type the whole word yes, or the whole word no, in small letters");
    }
  }

  /** A `new` passphrase is typed twice, because nobody can see a slip in it. */
  async askSecret(question: SecretQuestion): Promise<Secret> {
    for (;;) {
      const first = await this.#secret(question, "not shown");
      if (question.purpose === "identity") return first;
      const second = await wiping([first], async () => {
        const repeated = await this.#secret(question, "again, not shown");
        if (sameBytes(first, repeated)) return repeated;
        repeated.wipe();
        return undefined;
      });
      if (second !== undefined) return second;
      this.#again("the two passphrases differ");
    }
  }

  progress(text: string): Progress {
    return startProgress({ page: this.#page, text, tty: true, clock: this.#options.clock });
  }

  finish(): void {
    this.#page.closeLine();
  }

  async #secret(question: SecretQuestion, form: string): Promise<Secret> {
    const { input, output, signal } = this.#options;
    for (;;) {
      const words = this.#page.prompt(question, form, "secret");
      this.#page.closeLine();
      const show = (): void => {
        output.write(`${words} `);
      };
      const reading = await this.#waiting(() =>
        readSecret({ input, signal, show }).finally(() => output.write("\n")),
      );
      this.#page.typed(words, NOT_KEPT);
      if (reading.ok) return reading.secret;
      this.#again(reading.problem);
    }
  }

  #accept<T>(words: string, typed: string, value: T): T {
    this.#page.typed(words, typed);
    return value;
  }

  // It may be a passphrase, typed at the wrong prompt.
  #refuse(words: string, problem: string): void {
    this.#page.typed(words, NOT_KEPT);
    this.#again(problem);
  }

  async #line(words: string): Promise<string> {
    const { input, output, signal, size } = this.#options;
    this.#page.closeLine();
    const width = size() ?? 80;
    const typed = await this.#waiting(() => promptLine({ input, output, signal, width, words }));
    // One form in records and digests, whatever the keyboard composes.
    return typed.trim().normalize("NFC");
  }

  async #waiting<T>(prompt: () => Promise<T>): Promise<T> {
    const { clock } = this.#options;
    const started = clock.monotonic();
    this.#page.isAsking = true;
    try {
      return await prompt();
    } finally {
      this.#page.isAsking = false;
      this.#waitedMs += clock.monotonic() - started;
    }
  }

  #again(problem: string): void {
    this.#page.tell(`  ${problem}: please answer again`);
  }
}

/** Stands in the terminal record for what was typed. */
const NOT_KEPT = "[typed, not kept]";

function problemOf(answer: string, question: TextQuestion): string | undefined {
  if (answer === "" && question.preset !== "") return "nothing was typed";
  for (const { name } of hiddenCharacters(answer)) {
    return `the answer holds the character ${name}, which does not show`;
  }
  return question.check?.(answer);
}

function sameBytes(a: Secret, b: Secret): boolean {
  return a.use((left) => b.use((right) => equalBytes(left, right)));
}
