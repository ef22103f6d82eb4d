/**
 * The one error class. A code says what happened, its first word says who must act next, and the
 * exit code follows from that word. Functions that judge return findings; functions that act throw.
 */

/** Exit code by the first word of an error code: the exit code says who acts next. */
export const EXIT = {
  internal: 1,
  usage: 2,
  site: 2,
  script: 3,
  people: 4,
  hsm: 5,
  ledger: 6,
  halted: 7,
  interrupted: 130,
} as const;

export type ErrorCode =
  | "internal.bug"
  // the operator at the prompt
  | "usage.bad-option"
  | "usage.no-terminal"
  | "usage.refused"
  | "usage.bad-file"
  | "site.missing"
  | "site.exists"
  | "site.locked"
  | "site.permissions"
  | "site.clock"
  | "site.bindings"
  | "site.file-exists"
  | "site.disk"
  // the script's author
  | "script.unreadable"
  | "script.refused"
  | "script.answers"
  // the people in the room
  | "people.quorum-not-met"
  | "people.same-person"
  | "people.not-on-roster"
  | "people.role-not-held"
  | "people.authentication-failed"
  | "people.medium"
  | "people.declined"
  | "people.agreement-invalid"
  | "people.share-rejected"
  // the HSM administrator
  | "hsm.module-unavailable"
  | "hsm.module-differs"
  | "hsm.module-ended"
  | "hsm.token-absent"
  | "hsm.wrong-token"
  | "hsm.not-initialized"
  | "hsm.not-blank"
  | "hsm.not-allowed"
  | "hsm.pin-rejected"
  | "hsm.pin-locked"
  | "hsm.not-supported"
  | "hsm.object-exists"
  | "hsm.object-missing"
  | "hsm.attribute-differs"
  | "hsm.not-extractable"
  | "hsm.wrong-kek"
  | "hsm.token-full"
  | "hsm.bad-output"
  | "hsm.call-failed"
  | "hsm.drill-failed"
  // the auditor
  | "ledger.missing"
  | "ledger.damaged"
  | "ledger.shorter-than-head"
  | "ledger.forked"
  | "ledger.policy-differs"
  | "ledger.backup-damaged"
  | "ledger.backup-stale"
  | "ledger.not-trusted"
  | "ledger.not-conforming"
  // operators and witness decide
  | "halted.ceremony-open"
  | "halted.in-doubt"
  | "halted.step-failed"
  | "halted.not-durable"
  | "halted.interrupted"
  | "halted.undone"
  | "halted.step-skipped"
  | "interrupted.by-operator";

export interface ErrorOptions {
  /** What to try next, one suggestion a line, in the words of an instruction. */
  readonly hints?: readonly string[];
  readonly cause?: unknown;
}

/**
 * A failure that a person can act on. The message is one lower-case sentence without a final full
 * stop, fit to be read aloud; untrusted text inside it is escaped by whoever prints it.
 */
export class KeyriteError extends Error {
  override readonly name = "KeyriteError";
  readonly code: ErrorCode;
  readonly hints: readonly string[];

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.hints = options.hints ?? [];
  }
}

/** The exit code of anything thrown; what is not ours is a bug and exits 1. */
export function exitCodeOf(error: unknown): number {
  if (!(error instanceof KeyriteError)) return EXIT.internal;
  const word = error.code.slice(0, error.code.indexOf(".")) as keyof typeof EXIT;
  return EXIT[word];
}

/** The message of anything thrown, for recording as data. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
