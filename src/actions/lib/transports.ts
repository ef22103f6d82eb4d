/** Transport keys in the room: read from the ledger, shown, and matched with what people agreed to. */

import type { Room } from "../../ceremony/action.ts";
import type { Custody } from "../../ceremony/custody.ts";
import type { TransportCustody } from "../../ceremony/custody-copies.ts";
import { groupedHex } from "../../lib/encoding.ts";
import { KeyriteError } from "../../lib/errors.ts";
import type { JsonObject } from "../../lib/json.ts";
import type { KeyName, OaepHash } from "../../hsm/backup.ts";
import type { Fingerprint } from "./fingerprints.ts";

/** A transport key as people agree that something is sealed to it. */
export interface Opener extends JsonObject {
  readonly token: string;
  /** SHA-256 of the SubjectPublicKeyInfo. */
  readonly spki: string;
  /** OAEP hashes that its token opens. */
  readonly oaep: readonly OaepHash[];
}

/** @throws KeyriteError script.refused when the token has none */
export function transportOf(custody: Custody, token: string): TransportCustody {
  const transport = custody.transports.get(token);
  if (transport !== undefined) return transport;
  throw new KeyriteError("script.refused", `token ${token} has no transport key`, {
    hints: ["make one there: make-transport-key"],
  });
}

export function openerOf(custody: Custody, token: string): Opener {
  const { spki, oaep } = transportOf(custody, token);
  return { token, spki, oaep: [...oaep] };
}

/** The transport key by the two names that must agree on its token. */
export function transportName(room: Room, token: string): KeyName {
  const { ckaId, spki } = transportOf(room.custody, token);
  return { ckaId, spki: transportSpki(room, spki) };
}

/** A transport key's SPKI as it was attached when the key was made. @throws KeyriteError ledger.damaged */
export function transportSpki(room: Room, spki: string): Uint8Array {
  const bytes = room.attachment(spki);
  if (bytes !== undefined) return bytes;
  throw new KeyriteError("ledger.damaged", `the transport key ${spki} is not attached`);
}

export function openerLine({ token, spki }: Opener): string {
  return `  token ${token}, transport key ${groupedHex(spki)}`;
}

export function openerFingerprint({ token, spki }: Opener): Fingerprint {
  return {
    of: `transport key of token ${token}`,
    spki,
    against: "the words written down when that key was made",
  };
}
