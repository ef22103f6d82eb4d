/**
 * What the engine and the actions may ask of the room. Two implementations: `terminal` for people,
 * `scripted` for rehearsals from an answers file. Neither keeps what a person typed.
 */

import type { Secret } from "../lib/secret.ts";

/** Somebody a prompt is addressed to. */
export interface Addressee {
  /** Person id, `[a-z][a-z0-9-]{1,30}`. */
  readonly person: string;
  /** Name as on the card, for the prompt. */
  readonly name: string;
}

/**
 * The whole room: for questions that no single person answers. Whoever sits at the keyboard types what
 * the room has settled aloud. In an answers file it goes by this id.
 */
export const EVERYONE: Addressee = { person: "room", name: "Everyone" };

export interface Question {
  /** Step id in the script; with `id` and the person it keys the scripted answer. */
  readonly step: string;
  /** Stable name of the question, `[a-z][a-z0-9-]*`. */
  readonly id: string;
  readonly to: Addressee;
  /** One question, without the name, a colon or the allowed answers: the console adds these. */
  readonly text: string;
}

export interface TextQuestion extends Question {
  /** What is wrong with the answer, or undefined. A wrong answer is asked again, never fatal. */
  readonly check?: (answer: string) => string | undefined;
  /** The answer given by just pressing return, and by an answers file that is silent. */
  readonly preset?: string;
}

export interface ChoiceQuestion extends Question {
  readonly choices: readonly { readonly value: string; readonly label: string }[];
  /** The answer of an answers file that is silent. */
  readonly preset?: string;
}

/** A secret is a passphrase of the addressee: `identity` opens theirs, `new` is chosen now. */
export interface SecretQuestion extends Question {
  readonly purpose: "identity" | "new";
}

export interface Progress {
  /** `done` out of `total` units are finished; with `total` 0 the work has no known length. */
  report(done: number, total: number): void;
  /** Ends the display. Harmless when repeated. */
  end(): void;
}

export interface OperatorConsole {
  /** Shows lines to the whole room. Untrusted text must already be `visible`. */
  tell(text: string): void;
  /** Opens a section: a step with its number and instruction. */
  heading(text: string): void;
  /** A warning to the whole room: never by colour alone. */
  warn(text: string): void;
  /** Asks for a value that may be recorded. */
  ask(question: TextQuestion): Promise<string>;
  choose(question: ChoiceQuestion): Promise<string>;
  /**
   * Asks for agreement to what was just shown. False means declined; an answers file decides by
   * its `agree` member.
   */
  agree(question: Question): Promise<boolean>;
  /** Asks for bytes that are never echoed, recorded or logged. The caller wipes the secret. */
  askSecret(question: SecretQuestion): Promise<Secret>;
  /** Shows that long work goes on, e.g. while the HSM generates a key. */
  progress(text: string): Progress;
  /** Milliseconds spent so far waiting for people. */
  readonly waitedMs: number;
  /**
   * Ends the conversation.
   * @throws KeyriteError script.answers when an answers file holds answers nobody asked for.
   */
  finish(): void;
}
