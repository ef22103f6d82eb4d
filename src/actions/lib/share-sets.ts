/** Share sets in the room: made, handed out, proved by every holder, and gathered again. */

import type { Participant, Room } from "../../ceremony/action.ts";
import { shareSetName, type ShareSetCustody } from "../../ceremony/custody.ts";
import type { FactOf } from "../../ceremony/facts.ts";
import { equalBytes, sha256Hex } from "../../lib/encoding.ts";
import { KeyriteError } from "../../lib/errors.ts";
import { wiping, type Secret } from "../../lib/secret.ts";
import type { Opener } from "../../people/signer.ts";
import { makeShareSet, PENDING, type MadeShareSet } from "../../shares/make-share-set.ts";
import { parseShareSet, type SharePurpose, type ShareSet } from "../../shares/share-set.ts";
import { combine, openShare } from "../../shares/use-share-set.ts";

export const SHARE_SET_FILE = "share-set.json";
export const SEALED_FILE = "sealed.age";

/** What proving a set takes of the room. */
export type ProvingRoom = Pick<Room, "people" | "console">;

export interface NewSet {
  readonly id: string;
  readonly purpose: SharePurpose;
  readonly threshold: number;
  /** Label of the token, or name of the KEK, that stands inside the sealed file. */
  readonly token: string;
  readonly holders: readonly Participant[];
}

/** Seals a secret under a new share set and puts every file on every holder's medium, fsynced. */
export async function issueShareSet(
  room: Room,
  set: NewSet,
  secret: Secret,
): Promise<MadeShareSet> {
  const made = await makeShareSet({
    purpose: set.purpose,
    id: set.id,
    generation: 1,
    token: { serial: PENDING, label: set.token },
    threshold: set.threshold,
    holders: set.holders.map(({ person, card }) => ({ person, recipient: card.recipient })),
    secret,
    random: room.random,
  });
  const name = shareSetName({ set: set.id, generation: 1 });
  await room.files.writeShareSetFile(name, SHARE_SET_FILE, made.json);
  await room.files.writeShareSetFile(name, SEALED_FILE, made.sealed);
  for (const { person, card } of set.holders) {
    const medium = await room.people.medium(person, card.name);
    const share = made.shares.get(person);
    if (share === undefined) throw new Error(`no share was made for ${person}`);
    medium.writeShare(made.set, share);
    medium.writeSealed(made.set, made.sealed);
  }
  return made;
}

/** A share that its holder has opened. */
export interface EnteredShare {
  readonly person: string;
  readonly share: Secret;
}

/**
 * Every holder opens theirs, one after the other, and the room hears of each.
 * @param entered takes each share at once, so that the caller wipes those that came before a failure.
 */
export async function enterShares(
  room: ProvingRoom,
  set: ShareSet,
  holders: readonly Participant[],
  entered: EnteredShare[],
): Promise<void> {
  for (const holder of holders) {
    const opener = await room.people.open(holder);
    entered.push({ person: holder.person, share: await readShare(room, set, holder, opener) });
    room.console.tell(
      `${holder.person} opened share ${entered.length} of ${holders.length} of set ${set.id}.`,
    );
  }
}

/**
 * Every holder reads their share back from their medium and opens it, and every share helps to rebuild the
 * secret: nobody finds out on the day of need that a share was never readable, or is one of another split.
 */
export async function proveShareSet(
  room: ProvingRoom,
  made: MadeShareSet,
  token: string,
  holders: readonly Participant[],
  secret: Secret,
): Promise<void> {
  const { set } = made;
  const entered: EnteredShare[] = [];
  room.console.tell(`The shares of set ${set.id} are written. Each holder proves theirs now.`);
  try {
    await enterShares(room, set, holders, entered);
    // The same shares but one with each of the others: a share that does not fit is in one of these quorums.
    const fixed = entered.slice(0, set.threshold - 1);
    for (const other of entered.slice(set.threshold - 1)) {
      const quorum = [...fixed, other];
      const rebuilt = await combine(set, quorum, made.sealed, { serial: PENDING, label: token });
      await wiping([rebuilt], () => {
        if (!rebuilt.use((a) => secret.use((b) => equalBytes(a, b)))) {
          throw new KeyriteError("people.share-rejected", `set ${set.id} opens something else`);
        }
      });
    }
  } finally {
    for (const { share } of entered) share.wipe();
  }
}

/** A holder's share from their medium, compared with everything the ledger says of it. */
export async function readShare(
  room: Pick<Room, "people">,
  set: ShareSet,
  holder: Participant,
  opener: Opener,
): Promise<Secret> {
  const medium = await room.people.medium(holder.person, holder.card.name);
  const file = medium.readShare(set);
  if (file === undefined) {
    throw new KeyriteError(
      "people.share-rejected",
      `the medium of ${holder.person} holds no share of set ${set.id}, generation ${set.generation}`,
      { hints: ["insert the medium that was written when the set was made"] },
    );
  }
  return openShare(set, holder.person, file, (bytes) => opener.open(bytes));
}

/** The share set as it was attached to the ledger: never one from a medium or the site folder. */
export function recordedShareSet(room: Room, custody: ShareSetCustody): ShareSet {
  const bytes = room.attachment(custody.sha256);
  if (bytes === undefined) {
    throw new KeyriteError(
      "ledger.damaged",
      `share-set.json of set ${custody.set} is not attached`,
    );
  }
  return parseShareSet(bytes);
}

/** The sealed secret: from the site, or from the first medium that still has the right bytes. */
export async function readSealed(
  room: Room,
  set: ShareSet,
  holders: readonly Participant[],
): Promise<Uint8Array> {
  const name = shareSetName({ set: set.id, generation: set.generation });
  const atSite = await room.files.readShareSetFile(name, SEALED_FILE).catch(() => undefined);
  if (atSite !== undefined && sha256Hex(atSite) === set.sealed) return atSite;
  for (const { person, card } of holders) {
    const copy = (await room.people.medium(person, card.name)).readSealed(set);
    if (copy !== undefined && sha256Hex(copy) === set.sealed) return copy;
  }
  throw new KeyriteError(
    "people.share-rejected",
    `no copy of the sealed secret of set ${set.id} is the one that was made with it`,
    { hints: ["look for an unchanged sealed file on the other holders' media"] },
  );
}

/** The fact of a new set. */
export function shareSetFact(
  made: Pick<MadeShareSet, "set" | "json">,
  token: string,
): FactOf<"share-set.made"> {
  return {
    kind: "share-set.made",
    set: made.set.id,
    generation: made.set.generation,
    purpose: made.set.purpose,
    token,
    threshold: made.set.threshold,
    holders: made.set.holders.map(({ person }) => person),
    sha256: sha256Hex(made.json),
    sealed: made.set.sealed,
  };
}
