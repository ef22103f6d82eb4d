/**
 * Settling steps that change nothing outside the ledger, or only what ends with the process, as a login
 * does: there is nothing to find, so they are finished as agreed to, or begun anew.
 */

import type { ActionSpec } from "../../ceremony/action.ts";
import type { JsonObject } from "../../lib/json.ts";

type Settling = Pick<ActionSpec<unknown, JsonObject, JsonObject>, "settle" | "undo">;

/** `what` says in one sentence why nothing is left. */
export function nothingIsLeft(what: string): Required<Settling> {
  return {
    settle: () =>
      Promise.resolve({ shown: [what], data: {}, choices: ["finish", "undo"] as const }),
    undo: () => Promise.resolve(),
  };
}
