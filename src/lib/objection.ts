/** What a judgement of a written file found wrong, and where; every objection is reported at once. */

import { KeyriteError, type ErrorCode } from "./errors.ts";

export interface Objection {
  /** `file:line:col`, both from 1; the column counts UTF-16 units. */
  readonly at: string;
  /** What is wrong, lower-case, without a final full stop. */
  readonly text: string;
  /** What to do about it. */
  readonly hint?: string;
}

/** A file with more than this many faults is not read on: nobody corrects them one by one. */
export const objectionLimit = 20;

/** One objection a line, as it is shown and read aloud: `script.yaml:5:5: unknown key "algoritm"`. */
export function objectionLine(objection: Objection): string {
  return `${objection.at}: ${objection.text}`;
}

/**
 * The objections as one error: a line for each in the message, every hint once.
 * The caller has at least one objection.
 */
export function objectionsError(code: ErrorCode, objections: readonly Objection[]): KeyriteError {
  const hints = new Set(objections.flatMap(({ hint }) => (hint === undefined ? [] : [hint])));
  return new KeyriteError(code, objections.map(objectionLine).join("\n"), { hints: [...hints] });
}
