/**
 * Keys that came onto a token are done only when they would survive the power failing now: a software
 * token's files are synced, and another process finds them.
 */

import type { Room } from "../../ceremony/action.ts";
import { KeyriteError } from "../../lib/errors.ts";
import type { JsonObject } from "../../lib/json.ts";

/** What a new process found. */
export interface Durable extends JsonObject {
  /** False for a token that keeps its keys itself: its maker answers for their being stored. */
  readonly softwareToken: boolean;
  /** Public objects of the keys that a new process found, without login; null where none was started. */
  readonly foundByNewProcess: number | null;
  /** What that does not show. */
  readonly unchecked: string;
}

/**
 * Settles a token's storage and has a new process find these keys.
 * @param keys SHA-256 of the public keys, with the CKA_ID on the token.
 * @throws KeyriteError hsm.bad-output when one of them is not found
 */
export async function makeDurable(
  room: Room,
  token: string,
  keys: readonly { readonly spki: string; readonly ckaId: string }[],
): Promise<Durable> {
  const working = room.console.progress(`making ${token} durable and reading it back`);
  try {
    await room.tokens.session(token).settleStorage();
    const found = await room.tokens.publicKeysFromNewProcess(token);
    if (found === undefined) {
      const unchecked = "whether the token has stored the keys for good: it says so itself";
      return { softwareToken: false, foundByNewProcess: null, unchecked };
    }
    const there = new Set(found.map(({ spkiSha256, ckaId }) => `${spkiSha256} ${ckaId}`));
    const lost = keys.filter(({ spki, ckaId }) => !there.has(`${spki} ${ckaId}`));
    if (lost.length > 0) throw notThere(token, lost.length, keys.length, lost[0]?.ckaId ?? "");
    return {
      softwareToken: true,
      foundByNewProcess: keys.length,
      unchecked: "the private objects, which a new process sees only after a login of its own",
    };
  } finally {
    working.end();
  }
}

function notThere(token: string, lost: number, all: number, first: string): KeyriteError {
  return new KeyriteError(
    "hsm.bad-output",
    `a new process finds ${all - lost} of ${all} keys on token ${token}; the first that is missing has CKA_ID ${first}`,
    { hints: ["the token lost what it said it had stored: do not count on it, look at its disk"] },
  );
}
