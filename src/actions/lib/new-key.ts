/** What people agree to before a key pair is made: its CKA_ID, chosen and on record before the call. */

import type { Room, Subject } from "../../ceremony/action.ts";
import type { KeyAlgorithm } from "../../lib/algorithms.ts";
import { hex, visible } from "../../lib/encoding.ts";
import { KeyriteError } from "../../lib/errors.ts";
import type { JsonObject } from "../../lib/json.ts";

const CKA_ID_BYTES = 16;

export interface NewKeyIntent extends JsonObject {
  /** In hex. */
  readonly ckaId: string;
  /** Serial of the token. */
  readonly serial: string;
}

/**
 * The subject of a step that makes a key pair; `what` is the line that names it.
 * @throws KeyriteError hsm.not-supported when the token has no such algorithm
 */
export function newKeySubject(
  room: Room,
  token: string,
  algorithm: KeyAlgorithm,
  what: string,
): Subject<NewKeyIntent> {
  const { info } = room.tokens.session(token);
  if (!info.algorithms.includes(algorithm)) {
    throw new KeyriteError("hsm.not-supported", `token ${token} has no ${algorithm}`, {
      hints: [`it has ${info.algorithms.join(", ")}`],
    });
  }
  const ckaId = hex(room.random.bytes(CKA_ID_BYTES));
  return {
    data: { ckaId, serial: info.serial },
    shown: [what, `Serial of the token ${visible(info.serial)}; CKA_ID of the new key ${ckaId}.`],
  };
}
