/** The envelope of a KEK that a token opens: found by its transport key, whatever the token is called. */

import type { Room } from "../../ceremony/action.ts";
import { kekName, type EnvelopeCustody, type KekCustody } from "../../ceremony/custody-copies.ts";
import { KeyriteError } from "../../lib/errors.ts";
import { transportOf } from "./transports.ts";

/** @throws KeyriteError script.refused when no envelope is to this token's transport key */
export function ownEnvelope(room: Room, kek: KekCustody, token: string): EnvelopeCustody {
  const { spki } = transportOf(room.custody, token);
  const envelope = [...kek.envelopes.values()].find((one) => one.spki === spki);
  if (envelope !== undefined) return envelope;
  throw new KeyriteError(
    "script.refused",
    `KEK ${kekName(kek)} has no envelope for token ${token}`,
    { hints: ["a token that opens the KEK sends it: send-kek"] },
  );
}
