/** A console whose people a test programs: they answer, agree and mistype as it says, and nobody else. */

import { EVERYONE } from "../../src/console/console.ts";
import type {
  ChoiceQuestion,
  OperatorConsole,
  Progress,
  Question,
  SecretQuestion,
  TextQuestion,
} from "../../src/console/console.ts";
import type { Secret } from "../../src/lib/secret.ts";
import { secretOf } from "./identities.ts";

/** What the people in the room do in one ceremony. */
export interface Cast {
  /** Who says to be present, in which role. */
  readonly present: Readonly<Record<string, string>>;
  /**
   * Answers by question id, or lists of them for repeated asking; everything else is answered by its
   * preset, or with yes.
   */
  readonly answers?: Readonly<Record<string, string | readonly string[]>>;
  /** Everybody agrees to everything unless this says no. */
  readonly agrees?: (question: Question) => boolean;
  /** What goes on before somebody answers whether they agree. */
  readonly waits?: (question: Question) => Promise<void>;
  /** What is chosen by question, the first that is offered. */
  readonly prefers?: Readonly<Record<string, readonly string[]>>;
  /** `<person> drill` unless this says otherwise; attempts count from 1 in each step. */
  readonly passphrase?: (person: string, step: string, attempt: number) => string;
}

export class StageConsole implements OperatorConsole {
  readonly waitedMs = 0;
  /** Every line the room has read, in order. */
  readonly shown: string[] = [];
  /** Every question as `step id person`, in order. */
  readonly asked: string[] = [];
  readonly #cast: Cast;
  readonly #attempts = new Map<string, number>();
  readonly #given = new Map<string, number>();

  constructor(cast: Cast) {
    this.#cast = cast;
  }

  tell(text: string): void {
    this.shown.push(text);
  }

  heading(text: string): void {
    this.shown.push(text);
  }

  warn(text: string): void {
    this.shown.push(`WARNING: ${text}`);
  }

  ask(question: TextQuestion): Promise<string> {
    this.#note(question);
    const answer = this.#answer(question.id) ?? question.preset ?? "yes";
    const problem = question.check?.(answer);
    if (problem !== undefined) throw new Error(`${question.id}: "${answer}" ${problem}`);
    return Promise.resolve(answer);
  }

  choose(question: ChoiceQuestion): Promise<string> {
    this.#note(question);
    const { person } = question.to;
    const answer =
      question.id === "present" && person !== EVERYONE.person
        ? (this.#cast.present[person] ?? "absent")
        : (this.#preferred(question) ?? this.#answer(question.id) ?? question.preset ?? "");
    if (question.choices.every(({ value }) => value !== answer)) {
      throw new Error(`${question.id}: "${answer}" is not a choice of ${person}`);
    }
    return Promise.resolve(answer);
  }

  async agree(question: Question): Promise<boolean> {
    this.#note(question);
    await this.#cast.waits?.(question);
    return this.#cast.agrees?.(question) ?? true;
  }

  askSecret(question: SecretQuestion): Promise<Secret> {
    this.#note(question);
    const { step, to } = question;
    const place = `${step} ${to.person}`;
    const attempt = (this.#attempts.get(place) ?? 0) + 1;
    this.#attempts.set(place, attempt);
    const text = this.#cast.passphrase?.(to.person, step, attempt) ?? `${to.person} drill`;
    return Promise.resolve(secretOf(text));
  }

  progress(): Progress {
    return { report: () => undefined, end: () => undefined };
  }

  finish(): void {
    // Unused answers are the concern of answers files.
  }

  #answer(id: string): string | undefined {
    const given = this.#cast.answers?.[id];
    if (given === undefined || typeof given === "string") return given;
    const count = this.#given.get(id) ?? 0;
    this.#given.set(id, count + 1);
    return given[count] ?? given.at(-1);
  }

  #preferred({ id, choices }: ChoiceQuestion): string | undefined {
    return this.#cast.prefers?.[id]?.find((one) => choices.some(({ value }) => value === one));
  }

  #note({ step, id, to }: Question): void {
    this.asked.push(`${step} ${id} ${to.person}`);
  }
}
