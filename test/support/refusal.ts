/** All that a refusal says, for tests that hold every word of it. */

import assert from "node:assert/strict";
import { KeyriteError, type ErrorCode } from "../../src/lib/errors.ts";

export interface Refusal {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hints: readonly string[];
}

/** What is refused when this runs; whatever else is thrown is thrown on. */
export function refusalOf(run: () => unknown): Refusal {
  try {
    run();
  } catch (error) {
    if (!(error instanceof KeyriteError)) throw error;
    return { code: error.code, message: error.message, hints: error.hints };
  }
  return assert.fail("nothing was refused");
}

/** A refusal with `ledger.damaged`. */
export function damaged(message: string, ...hints: readonly string[]): Refusal {
  return { code: "ledger.damaged", message, hints };
}
