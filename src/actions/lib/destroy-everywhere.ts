/**
 * Destroys a key with all its copies in custody. What cannot be reached is named and stays with a reason:
 * the record never says that something is gone which nobody has seen go.
 */

import type { Act, Room, VaultFolder } from "../../ceremony/action.ts";
import type { Custody } from "../../ceremony/custody.ts";
import { kekName } from "../../ceremony/custody-copies.ts";
import type { Fact } from "../../ceremony/facts.ts";
import { line } from "../../ceremony/words.ts";
import { EVERYONE, type Addressee } from "../../console/console.ts";
import { visible } from "../../lib/encoding.ts";
import { KeyriteError, messageOf } from "../../lib/errors.ts";
import type { JsonObject } from "../../lib/json.ts";
import { destroyedFact, remainsOn, whatIsLeft } from "./destroy-on-token.ts";
import { publicKeyOf } from "./key-lists.ts";

interface Copy {
  readonly place: "token" | "backup";
  readonly name: string;
  /** CKA_ID on a token; empty in a backup. */
  readonly ckaId: string;
  /** Vaults from which the wrapped key is removed. */
  readonly vaults: readonly string[];
}

/** One copy in custody and what becomes of it. */
export interface CopyPlan extends Copy, JsonObject {
  /** Why the copy, or a part of it, stays; null when all of it is destroyed. */
  readonly retained: string | null;
}

export interface Everywhere extends JsonObject {
  readonly spki: string;
  readonly key: string;
  readonly reason: string;
  readonly copies: readonly CopyPlan[];
}

export interface Retained {
  readonly place: "token" | "backup";
  readonly name: string;
  readonly reason: string;
}

/** Digests of the keys that a label means and that are not destroyed yet. */
export function keysLabelled(custody: Custody, key: string): readonly string[] {
  return [...custody.copies]
    .filter(([spki, { tokens, destroyed }]) => {
      const labels = [custody.keys.get(spki)?.label, ...[...tokens.values()].map((c) => c.label)];
      return !destroyed && labels.includes(key);
    })
    .map(([spki]) => spki);
}

/** Why a label does not stand for exactly one key, or undefined. */
export function notOneKey(custody: Custody, key: string): string | undefined {
  const found = keysLabelled(custody, key);
  if (found.length === 1) return undefined;
  if (found.length === 0) return `no key labelled ${key} is in custody by then`;
  return `${found.length} keys in custody are labelled ${key}: destroy their copies token by token`;
}

/** Name of a wrapped key's file below the folder of its backup. */
export function blobName(spki: string): string {
  return `keys/${spki}.p8wrap`;
}

/** Asks for a reason, in one line, of whoever performs the step. */
async function askReason(room: Room, id: string, text: string): Promise<string> {
  const [first] = room.people.performers;
  const to: Addressee =
    first === undefined ? EVERYONE : { person: first.person, name: first.card.name };
  return room.console.ask({
    id,
    to,
    text,
    check: (answer) => (line.safeParse(answer).success ? undefined : "one line of text, please"),
  });
}

/** Looks for every copy and asks why those stay that cannot be reached. */
export async function planEverywhere(
  room: Room,
  given: { readonly key: string; readonly reason: string | undefined },
  retain: readonly Retained[],
): Promise<{ readonly data: Everywhere; readonly shown: readonly string[] }> {
  const [spki] = keysLabelled(room.custody, given.key);
  const known = spki === undefined ? undefined : room.custody.copies.get(spki);
  if (spki === undefined || known === undefined) {
    throw new KeyriteError("script.refused", `no key labelled ${given.key} is in custody`);
  }
  const copies: CopyPlan[] = [];
  const notFound: string[] = [];
  for (const { token, ckaId } of known.tokens.values()) {
    const copy = { place: "token", name: token, ckaId, vaults: [] } as const;
    copies.push(await settled(room, copy, whyNotActive(room, token), retain));
  }
  for (const backup of known.backups.keys()) {
    const { vaults, missing, without } = await reachableVaults(room, backup, spki);
    const copy = { place: "backup", name: backup, ckaId: "", vaults } as const;
    const plan = await settled(room, copy, missing, retain);
    copies.push(plan);
    for (const vault of without.filter((one) => plan.vaults.includes(one))) {
      notFound.push(notFoundIn(backup, vault));
    }
  }
  if (copies.every((copy) => copy.retained !== null && copy.vaults.length === 0)) {
    throw new KeyriteError("usage.refused", `no copy of key ${given.key} can be destroyed here`, {
      hints: ["activate the tokens that hold it, and bring its vaults"],
    });
  }
  const reason =
    given.reason ??
    (await askReason(room, "reason", `why is key ${given.key} destroyed, and who approved it`));
  return {
    data: { spki, key: given.key, reason, copies },
    shown: [
      `Key ${given.key}, public key ${spki}, is to be DESTROYED FOR GOOD: ${visible(reason)}`,
      ...copies.map(copyLine),
      ...notFound,
      ...backupLines(room, copies),
    ],
  };
}

function copyLine({ place, name, vaults, retained, ckaId }: CopyPlan): string {
  const where = `${place} ${name}`;
  const from = vaults.length === 0 ? "" : ` (in ${vaults.join(", ")})`;
  if (retained === null) {
    return place === "token"
      ? `  destroyed: ${where}, CKA_ID ${ckaId}`
      : `  destroyed: ${where}${from}`;
  }
  const part = vaults.length === 0 ? "" : `, apart from the file${from}`;
  return `  RETAINED: ${where}${part}: ${visible(retained)}`;
}

/** What nobody will see go may lie on another medium: the room knows before it calls the key destroyed. */
function notFoundIn(backup: string, vault: string): string {
  return `NOT FOUND: vault ${vault} has backup ${backup} without the file of this key. Is it the right medium, and who has the file?`;
}

// Overwriting would promise what flash and copying file systems do not keep.
function backupLines(room: Room, copies: readonly CopyPlan[]): readonly string[] {
  const keks = copies
    .map(({ name }) => room.custody.backups.get(name))
    .flatMap((backup) => (backup === undefined ? [] : [kekName(backup)]));
  if (keks.length === 0) return [];
  return [
    "Removing a file erases nothing for certain: flash and snapshots may keep its bytes. What could be",
    `found there is the key wrapped under KEK ${[...new Set(keks)].join(" and ")}, which stays as safe as that KEK.`,
  ];
}

function whyNotActive(room: Room, token: string): string | undefined {
  return room.custody.active.has(token) ? undefined : `token ${token} is not active`;
}

async function settled(
  room: Room,
  copy: Copy,
  unreachable: string | undefined,
  retain: readonly Retained[],
): Promise<CopyPlan> {
  const scripted = retain.find((one) => one.place === copy.place && one.name === copy.name);
  if (scripted !== undefined) return { ...copy, vaults: [], retained: scripted.reason };
  if (unreachable === undefined) return { ...copy, retained: null };
  const text = `${unreachable}: why does this copy stay, and where is it`;
  return { ...copy, retained: `${unreachable}: ${await askReason(room, "retained", text)}` };
}

interface Reachable {
  readonly vaults: readonly string[];
  readonly missing: string | undefined;
  /** Those of the vaults in which the backup lies without this key. */
  readonly without: readonly string[];
}

/** The vaults that are there, and what is to be said of those that are not. */
async function reachableVaults(room: Room, backup: string, spki: string): Promise<Reachable> {
  const all = room.custody.backups.get(backup)?.vaults ?? [];
  const vaults: string[] = [];
  const missing: string[] = [];
  const without: string[] = [];
  for (const vault of all) {
    try {
      const files = await (await room.vaults.open(vault, backup)).list();
      if (!files.includes(blobName(spki))) without.push(vault);
      vaults.push(vault);
    } catch (error) {
      if (!(error instanceof KeyriteError)) throw error;
      missing.push(vault);
      room.console.warn(`backup ${backup} in vault ${vault}: ${visible(messageOf(error))}`);
    }
  }
  if (all.length === 0) return { vaults, missing: `backup ${backup} was never completed`, without };
  if (missing.length === 0) return { vaults, missing: undefined, without };
  return { vaults, missing: `vault ${missing.join(", ")} is not here`, without };
}

/** Destroys what was agreed to; each copy has an entry of its own. @returns the copies that stay */
export async function destroyEverywhere(
  room: Room,
  { spki, copies }: Everywhere,
  { batch, settled }: Pick<Act<JsonObject>, "batch" | "settled">,
): Promise<readonly CopyPlan[]> {
  for (const copy of copies) {
    const item = itemOf(copy);
    if (batch.done.has(item)) continue;
    batch.intend([{ item, ckaId: copy.ckaId }]);
    const evidence = await destroyCopy(room, spki, copy, settled !== null);
    batch.record([{ item, evidence, facts: [factOf(spki, copy)] }]);
  }
  return copies.filter(({ retained }) => retained !== null);
}

/** Names a copy in the record of the batch. */
export function itemOf({ place, name }: Pick<CopyPlan, "place" | "name">): string {
  return `${place} ${name}`;
}

/** What becomes of a copy in custody. */
export function factOf(spki: string, { place, name, retained }: CopyPlan): Fact {
  return retained === null
    ? destroyedFact(spki, place, name)
    : { kind: "copy.retained", spki, place, name, reason: retained };
}

async function destroyCopy(
  room: Room,
  spki: string,
  copy: CopyPlan,
  resumed: boolean,
): Promise<JsonObject> {
  if (copy.place === "token") {
    if (copy.retained !== null) return { retained: copy.retained };
    const session = room.tokens.session(copy.name);
    const remains = resumed ? await remainsOn(session) : undefined;
    const key = { ckaId: copy.ckaId, spki: publicKeyOf(room, spki) };
    const objects = await session.destroyKeys(whatIsLeft(key, remains));
    await session.settleStorage();
    return { objects, absenceVerified: true };
  }
  const removed: string[] = [];
  const absent: string[] = [];
  for (const vault of copy.vaults) {
    const folder = await room.vaults.open(vault, copy.name);
    const there = await removeBlob(folder, spki, vault);
    (there ? removed : absent).push(vault);
    // After an interruption this very step has removed it.
    if (!there && !resumed) room.console.warn(notFoundIn(copy.name, vault));
  }
  return { removed, absent, retained: copy.retained };
}

/** Removes a wrapped key and looks again. @returns whether it was there at all */
export async function removeBlob(
  folder: VaultFolder,
  spki: string,
  vault: string,
): Promise<boolean> {
  const name = blobName(spki);
  if (!(await folder.list()).includes(name)) return false;
  await folder.remove([name]);
  if (!(await folder.list()).includes(name)) return true;
  throw new KeyriteError("site.disk", `${name} is still in vault ${vault} after it was removed`, {
    hints: ["look at the medium: it may be write-protected or failing"],
  });
}
