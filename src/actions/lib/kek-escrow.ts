/**
 * Escrowed KEKs: the value is read out of the token once, sealed under a share set that every holder
 * proves, and only then imported. From that moment on it has existed outside an HSM.
 */

import type { Contribution, Participant, Room } from "../../ceremony/action.ts";
import { shareSetName, type ShareSetCustody } from "../../ceremony/custody.ts";
import { kekName, type KekCustody } from "../../ceremony/custody-copies.ts";
import { KeyriteError } from "../../lib/errors.ts";
import { fromHexBytes, hexBytes } from "../../lib/secret-text.ts";
import { Secret, wiping } from "../../lib/secret.ts";
import type { Kek } from "../../hsm/backup.ts";
import type { Opener } from "../../people/signer.ts";
import { PENDING } from "../../shares/make-share-set.ts";
import { combine } from "../../shares/use-share-set.ts";
import { kekEvidence, lintKeks } from "./keks.ts";
import type { KekIntent, KekMade, KekParams } from "./kek-facts.ts";
import { splitAndProve, type SetIntent } from "./new-share-sets.ts";
import { quorumOf } from "./quorum.ts";
import { readSealed, readShare, recordedShareSet, shareSetFact } from "./share-sets.ts";

/** Makes an escrowed KEK. Shares are on all media and proved before the token holds it. */
export async function escrowKek(
  p: KekParams,
  room: Room,
  intent: KekIntent,
  shareSet: SetIntent,
): Promise<KekMade> {
  const session = room.tokens.session(p.token);
  const label = kekName(intent);
  const value = await session.exportedKek();
  const text = Secret.take(value.use(hexBytes));
  return wiping([value, text], async () => {
    const set = await splitAndProve(room, { ...shareSet, purpose: "kek", label }, text);
    const kek = await session.importKek(value, { label, ckaId: intent.ckaId });
    const lint = await lintKeks(room, p.token, [kek.ckaId]);
    const object = kekEvidence(intent, kek, lint);
    return { ...intent, object, envelopes: [], shares: shareSetFact(set, p.token) };
  });
}

/** The share set that opens an escrowed KEK. @throws KeyriteError script.refused */
export function escrowSet(room: Room, kek: KekCustody): ShareSetCustody {
  const set =
    kek.escrow === null ? undefined : room.custody.shareSets.get(shareSetName(kek.escrow));
  if (set !== undefined) return set;
  throw new KeyriteError("script.refused", `KEK ${kekName(kek)} is not escrowed`);
}

/** The performers, all of whom bring shares. @throws KeyriteError people.quorum-not-met, people.share-rejected */
export function escrowHolders(room: Room, kek: KekCustody): readonly string[] {
  return quorumOf(escrowSet(room, kek), room.people.performers);
}

/** A holder's share of an escrowed KEK, from their medium. */
export function escrowShare(
  room: Room,
  kek: KekCustody,
  who: Participant,
  opener: Opener,
): Promise<Secret> {
  return readShare(room, recordedShareSet(room, escrowSet(room, kek)), who, opener);
}

/** Rebuilds the value from the shares that were contributed, and imports it. */
export async function importFromShares(
  room: Room,
  kek: KekCustody,
  contributions: readonly Contribution[],
  { token, ckaId }: { readonly token: string; readonly ckaId: string },
): Promise<Kek> {
  const set = recordedShareSet(room, escrowSet(room, kek));
  const entered = contributions.map(({ person, secret }) => ({ person, share: secret }));
  const sealed = await readSealed(room, set, room.people.performers);
  const label = kekName(kek);
  const text = await combine(set, entered, sealed, { serial: PENDING, label });
  return wiping([text], () => {
    const value = valueOf(kek, text);
    const { checkValue } = kek;
    return wiping([value], () =>
      room.tokens.session(token).importKek(value, { label, ckaId, checkValue }),
    );
  });
}

function valueOf(kek: KekCustody, text: Secret): Secret {
  const bytes = text.use(fromHexBytes);
  if (bytes !== undefined) return Secret.take(bytes);
  throw new KeyriteError("hsm.wrong-kek", `what is sealed for KEK ${kekName(kek)} is no AES key`);
}
