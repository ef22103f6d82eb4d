/** The one error of everything that is read from a backup's folder and does not hold. */

import { KeyriteError } from "../lib/errors.ts";

/** A `ledger.backup-damaged`: `what` begins with the name of the file or part. */
export function damaged(what: string, cause?: unknown): KeyriteError {
  return new KeyriteError("ledger.backup-damaged", what, {
    hints: [
      "nothing is restored from it: use the copy in another vault, and call the auditor",
      "keyrite backup verify DIR lists everything that is wrong with a backup",
    ],
    cause,
  });
}
