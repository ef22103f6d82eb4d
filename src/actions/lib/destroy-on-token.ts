/** Destroys copies of keys on one token, group by group, and proves with a listing that they are gone. */

import type { Act, Room } from "../../ceremony/action.ts";
import type { FactOf } from "../../ceremony/facts.ts";
import type { KeyListItem } from "../../ceremony/key-list.ts";
import type { DoomedKey } from "../../hsm/backup.ts";
import type { Session } from "../../hsm/token.ts";
import { visible } from "../../lib/encoding.ts";
import type { JsonObject } from "../../lib/json.ts";
import { copiesOnToken, otherCopies, type KeyChoice } from "./copies.ts";
import { countedProgress } from "./counted-progress.ts";
import { agreedKeys, attachKeys, inGroups, publicKeyOf } from "./key-lists.ts";

/** What two people agree to: the exact list of copies, by the digest of the attached list. */
export interface OnToken extends JsonObject {
  readonly token: string;
  readonly serial: string;
  readonly keyList: string;
  readonly count: number;
}

/** The exact copies, as custody knows them and the room reads them. */
export function planOnToken(
  room: Room,
  token: string,
  keys: KeyChoice,
): { readonly data: OnToken; readonly shown: readonly string[] } {
  const { serial } = room.tokens.session(token).info;
  const items = copiesOnToken(room.custody, token, keys);
  const { keyList, shown } = attachKeys(room, items);
  return {
    data: { token, serial, keyList, count: items.length },
    shown: [
      `To be destroyed on token ${token} (serial ${visible(serial)}):`,
      ...shown,
      ...leftLines(room, token, items),
    ],
  };
}

// What matters before the last word is whether the keys live on, and where.
function leftLines(room: Room, token: string, items: readonly KeyListItem[]): readonly string[] {
  const left = items.map(({ spki, label }) => ({
    label,
    others: otherCopies(room.custody, spki, token),
  }));
  const last = left.filter(({ others }) => others.length === 0).map(({ label }) => label);
  const places = [...new Set(left.flatMap(({ others }) => others))];
  return [
    ...(places.length === 0 ? [] : [`Copies stay in: ${places.join(", ")}.`]),
    ...last.map((label) => `NO OTHER COPY of key ${label} is in custody.`),
  ];
}

/** What a copy's end means for custody. */
export function destroyedFact(
  spki: string,
  place: "token" | "backup",
  name: string,
): FactOf<"copy.destroyed"> {
  return { kind: "copy.destroyed", spki, place, name };
}

/** Destroys what was agreed to; each copy has an entry of its own. @returns how many objects went */
export async function destroyOnToken(
  room: Room,
  { token, keyList }: OnToken,
  { batch, settled }: Pick<Act<JsonObject>, "batch" | "settled">,
): Promise<{ readonly copies: number; readonly objects: number }> {
  const session = room.tokens.session(token);
  const all = agreedKeys(room, keyList);
  // After an interruption some may be gone already, or by half.
  const remains = settled === null ? undefined : await remainsOn(session);
  const due = all.filter(({ spki }) => !batch.done.has(spki));
  const progress = countedProgress(room, `destroying copies on token ${token}`, all.length);
  let objects = 0;
  try {
    progress.done(all.length - due.length);
    for (const group of inGroups(due)) {
      batch.intend(group.map(({ spki, ckaId }) => ({ item: spki, ckaId })));
      const doomed = group.map(({ spki, ckaId }) => ({ ckaId, spki: publicKeyOf(room, spki) }));
      objects += await session.destroyKeys(doomed.flatMap((key) => whatIsLeft(key, remains)));
      await session.settleStorage();
      batch.record(group.map((item) => goneOutcome(token, item)));
      progress.done(group.length);
    }
  } finally {
    progress.end();
  }
  return { copies: all.length, objects };
}

/** What of each CKA_ID is on a token. */
export type Remains = ReadonlyMap<string, { readonly half: boolean }>;

/** One look at a token after an interruption: keys by CKA_ID, and whether a key has lost its private half. */
export async function remainsOn(session: Pick<Session, "inventory">): Promise<Remains> {
  const found = new Map<string, { half: boolean }>();
  for (const { ckaId, objectClass } of await session.inventory()) {
    if (objectClass === "secret") continue;
    const half = objectClass === "public" && found.get(ckaId)?.half !== false;
    found.set(ckaId, { half });
  }
  return found;
}

/** A key as it has to be destroyed: as recorded, by its CKA_ID alone when only a half is left, or not at all. */
export function whatIsLeft(key: DoomedKey, remains: Remains | undefined): readonly DoomedKey[] {
  if (remains === undefined) return [key];
  const left = remains.get(key.ckaId);
  if (left === undefined) return [];
  return [left.half ? { ckaId: key.ckaId, spki: undefined } : key];
}

/** What a room reads of an interrupted destruction. */
export function remainsLines(
  token: string,
  ckaIds: readonly string[],
  remains: Remains,
): readonly string[] {
  const left = ckaIds.filter((ckaId) => remains.has(ckaId));
  const half = left.filter((ckaId) => remains.get(ckaId)?.half === true);
  return [
    `Token ${token} was listed: of ${ckaIds.length} copies in doubt ${ckaIds.length - left.length} are gone and ${left.length} are there, ${half.length} of them by half.`,
  ];
}

function goneOutcome(token: string, { spki, label, ckaId }: KeyListItem) {
  return {
    item: spki,
    evidence: { label, ckaId, absenceVerified: true },
    facts: [destroyedFact(spki, "token", token)],
  };
}
