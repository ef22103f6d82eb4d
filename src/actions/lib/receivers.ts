/** Who a KEK is sent to: a token of this site by its recorded transport key, or one of another site. */

import type { Room } from "../../ceremony/action.ts";
import { sha256Hex } from "../../lib/encoding.ts";
import { KeyriteError } from "../../lib/errors.ts";
import type { Fingerprint } from "./fingerprints.ts";
import { openerFingerprint, openerOf, transportSpki, type Opener } from "./transports.ts";

/** Folder in a vault in which another site hands over its transport keys. */
export const PEER_FOLDER = "peer";
/** SPKI of RSA-4096 has 550 bytes. */
const LONGEST_SPKI = 2048;

export interface Receiver {
  readonly opener: Opener;
  readonly spki: Uint8Array;
  readonly fingerprint: Fingerprint;
}

/**
 * The transport key a KEK is sent to.
 * @param agreed its digest, once people have agreed to it.
 * @throws KeyriteError usage.bad-file, people.agreement-invalid when the file was exchanged meanwhile
 */
export async function receiverOf(
  room: Room,
  { to, peer }: { readonly to: string; readonly peer?: string | undefined },
  agreed?: string,
): Promise<Receiver> {
  if (peer === undefined) {
    const opener = openerOf(room.custody, to);
    const spki = transportSpki(room, opener.spki);
    return { opener, spki, fingerprint: openerFingerprint(opener) };
  }
  const folder = await room.vaults.open(peer, PEER_FOLDER);
  const spki = await folder.read(`transport/${to}.spki`, LONGEST_SPKI);
  const digest = sha256Hex(spki);
  if (agreed !== undefined && agreed !== digest) {
    throw new KeyriteError(
      "people.agreement-invalid",
      `${PEER_FOLDER}/transport/${to}.spki is not the transport key that people agreed to`,
      { hints: ["somebody changed it during the step: find out who before going on"] },
    );
  }
  // What the other token opens is not known here; every transport key opens SHA-1.
  const opener: Opener = { token: to, spki: digest, oaep: ["sha1"] };
  const of = `transport key of ${to}, a token of another site`;
  const against = "the words that the other site reads out over a line of its own";
  return { opener, spki, fingerprint: { of, spki: digest, against } };
}
