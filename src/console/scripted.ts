/**
 * The console of a rehearsal: the same talk as at a terminal, with answers from a file. A missing
 * and an unused answer both fail, so a rehearsal cannot drift from its script.
 */

import type { Clock } from "../lib/clock.ts";
import { utf8 } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import { moveToOwn, Secret } from "../lib/secret.ts";
import type { Style } from "../lib/style.ts";
import { didYouMean } from "../lib/suggest.ts";
import type { Answers, RecordedAnswers } from "./answers.ts";
import type {
  ChoiceQuestion,
  OperatorConsole,
  Progress,
  Question,
  SecretQuestion,
  TextQuestion,
} from "./console.ts";
import { Page, presetForm, type Output, type Recording } from "./page.ts";
import { startProgress } from "./progress.ts";

export interface ScriptedOptions {
  readonly answers: Answers;
  readonly output: Output;
  readonly style: Style;
  readonly clock: Pick<Clock, "monotonic">;
  /** True when `output` is a terminal: progress then grows by dots. */
  readonly tty: boolean;
  /**
   * Passphrases from a file descriptor, by person; they take the place of the file's, and the last
   * one repeats. The caller wipes them when the console has finished.
   */
  readonly secretsFrom?: ReadonlyMap<string, readonly Secret[]>;
  /** Told of what the room reads, answers included; never of a passphrase. */
  readonly record?: Recording;
}

export class ScriptedConsole implements OperatorConsole {
  /** Nobody is waited for. */
  readonly waitedMs = 0;
  readonly #options: ScriptedOptions;
  readonly #page: Page;
  /** How many answers were taken, by entry of the file. */
  readonly #taken = new Map<RecordedAnswers, number>();
  /** Agreements that were asked for, as `step person`. */
  readonly #agreed = new Set<string>();
  readonly #passphrasesTaken = new Map<string, number>();

  constructor(options: ScriptedOptions) {
    this.#options = options;
    this.#page = new Page(options.output, options.style, options.record);
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

  /** A refused answer is followed by the next of its list: so a rehearsal can mistype. */
  ask(question: TextQuestion): Promise<string> {
    return this.#answer(question, question.preset, (answer) => {
      this.#show(question, presetForm(question.preset), answer);
      const problem = question.check?.(answer);
      return problem === undefined ? { value: answer } : { problem };
    });
  }

  choose(question: ChoiceQuestion): Promise<string> {
    this.#page.choices(question);
    const form = `number, 1 to ${question.choices.length}`;
    const values = question.choices.map(({ value }) => value);
    return this.#answer(question, question.preset, (answer) => {
      const index = values.indexOf(answer);
      const typed = index < 0 ? answer : String(index + 1);
      this.#show({ ...question, text: form }, "", typed, "number");
      if (index >= 0) return { value: answer };
      const meant = didYouMean(answer, values);
      const hint = meant === undefined ? "" : `, did you mean "${meant}"?`;
      return { problem: `"${answer}" is not one of ${values.join(", ")}${hint}` };
    });
  }

  agree(question: Question): Promise<boolean> {
    const { agree } = this.#options.answers;
    const { step } = question;
    const { person } = question.to;
    this.#agreed.add(`${step} ${person}`);
    const agrees =
      agree === "all" || agree.some((one) => one.step === step && one.person === person);
    this.#show(question, "yes or no", agrees ? "yes" : "no", "word");
    return Promise.resolve(agrees);
  }

  askSecret(question: SecretQuestion): Promise<Secret> {
    const { person } = question.to;
    const { answers, secretsFrom } = this.#options;
    this.#page.tell(this.#page.prompt(question, "not shown", "secret"));
    const taken = this.#passphrasesTaken.get(person) ?? 0;
    this.#passphrasesTaken.set(person, taken + 1);
    const given = secretsFrom?.get(person);
    if (given !== undefined) {
      const secret = given[taken] ?? given.at(-1);
      if (secret !== undefined) return Promise.resolve(secret.use((bytes) => Secret.copy(bytes)));
    }
    const written = answers.passphrases.get(person);
    const text = written?.[taken] ?? written?.at(-1);
    if (text !== undefined) return Promise.resolve(Secret.take(moveToOwn(utf8(text))));
    return Promise.reject(
      new KeyriteError(
        "script.answers",
        `${answers.file} has no passphrase of ${person}, who is asked for one at step "${question.step}"`,
        { hints: [`add ${person} under passphrases`] },
      ),
    );
  }

  progress(text: string): Progress {
    const { clock, tty } = this.#options;
    return startProgress({ page: this.#page, text, tty, clock });
  }

  /** Passphrases may stay unused: a person may be absent from one ceremony of several. */
  finish(): void {
    this.#page.closeLine();
    const { answers } = this.#options;
    const unused = [
      ...answers.answers.filter((entry) => (this.#taken.get(entry) ?? 0) < entry.answers.length),
      ...(answers.agree === "all" ? [] : answers.agree)
        .filter(({ step, person }) => !this.#agreed.has(`${step} ${person}`))
        .map((entry) => ({ ...entry, question: "agree" })),
    ];
    if (unused.length === 0) return;
    const list = unused.map(
      ({ step, question, person }) => `step "${step}", question "${question}", person "${person}"`,
    );
    throw new KeyriteError(
      "script.answers",
      `${answers.file} answers what nobody asked: ${list.join("; ")}`,
      { hints: ["remove these answers, or correct the step, the question or the person"] },
    );
  }

  #show(question: Question, form: string, answer: string, room?: "word" | "number"): void {
    this.#page.tell(`${this.#page.prompt(question, form, room)} ${answer}`);
  }

  /** Takes recorded answers until one is accepted. */
  #answer(
    question: Question,
    preset: string | undefined,
    accept: (answer: string) => { readonly value: string } | { readonly problem: string },
  ): Promise<string> {
    const entry = this.#options.answers.answers.find(
      (one) =>
        one.step === question.step &&
        one.question === question.id &&
        one.person === question.to.person,
    );
    let problem: string | undefined;
    for (;;) {
      const answer = entry === undefined && problem === undefined ? preset : this.#next(entry);
      if (answer === undefined) return Promise.reject(this.#missing(question, problem));
      const judged = accept(answer);
      if ("value" in judged) return Promise.resolve(judged.value);
      problem = judged.problem;
      this.#page.tell(`  ${problem}: please answer again`);
    }
  }

  #next(entry: RecordedAnswers | undefined): string | undefined {
    if (entry === undefined) return undefined;
    const taken = this.#taken.get(entry) ?? 0;
    this.#taken.set(entry, Math.min(taken + 1, entry.answers.length));
    return entry.answers[taken];
  }

  #missing(question: Question, problem: string | undefined): KeyriteError {
    const { step, id, to } = question;
    const where = `step "${step}", question "${id}", person "${to.person}"`;
    const reason = problem === undefined ? "" : ` (the last one was refused: ${problem})`;
    return new KeyriteError(
      "script.answers",
      `${this.#options.answers.file} has no answer left for ${where}${reason}`,
      { hints: [`add under answers: ${step}: { ${id}: { ${to.person}: … } }`] },
    );
  }
}
