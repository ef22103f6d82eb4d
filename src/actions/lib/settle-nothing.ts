/**
 * Settling steps that change nothing outside the ledger, or only what ends with the process, as a login
 * does: there is nothing to find, so they are finished as agreed to, or begun anew.
 */

import type { ActionSpec, Settlement } from "../../ceremony/action.ts";
import type { JsonObject } from "../../lib/json.ts";

type Settling = Pick<ActionSpec<unknown, JsonObject, JsonObject>, "settle" | "undo">;

/**
 * `what` says in one sentence why nothing is left.
 * @param choices only `undo` where what people agreed to has to be agreed to anew
 */
export function nothingIsLeft(
  what: string,
  choices: Settlement["choices"] = ["finish", "undo"],
): Required<Settling> {
  return {
    settle: () => Promise.resolve({ shown: [what], data: {}, choices }),
    undo: () => Promise.resolve(),
  };
}
