/** Finding in a listing exactly the objects that records mean, and refusing anything doubtful. */

import { equalBytes, sha256Hex } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import type { Random } from "../lib/clock.ts";
import type { KeyName, UnwrapItem } from "./backup.ts";
import type { Listed } from "./inventory.ts";
import { idBytes, type Context } from "./objects.ts";
import { keyForm, type KeyForm } from "./recorded-key.ts";
import { whyNotPossessed } from "./sign.ts";

/** The objects of a listing by CKA_ID. */
export type ListedById = ReadonlyMap<string, readonly Listed[]>;

export function byId(listing: readonly Listed[]): ListedById {
  const map = new Map<string, Listed[]>();
  for (const object of listing) {
    const same = map.get(object.ckaId);
    if (same === undefined) map.set(object.ckaId, [object]);
    else same.push(object);
  }
  return map;
}

export interface Matched {
  readonly key: KeyForm;
  readonly privateKey: Listed;
  /** Public objects of the same CKA_ID: one, or none. */
  readonly publicKeys: readonly Listed[];
}

/**
 * The private object of a recorded key, held against its modulus or its public object; where there is
 * neither, it signs a challenge.
 * @throws KeyriteError hsm.object-missing when there is none, more than one, or another key.
 */
export async function matchKey(
  context: Context,
  objects: ReadonlyMap<string, readonly Listed[]>,
  { ckaId, spki }: KeyName,
  random: Random,
): Promise<Matched> {
  const key = keyForm(spki);
  const same = objects.get(ckaId) ?? [];
  const privateKeys = same.filter(({ objectClass }) => objectClass === "private");
  const publicKeys = same.filter(({ objectClass }) => objectClass === "public");
  const [privateKey] = privateKeys;
  if (privateKey === undefined || privateKeys.length > 1 || publicKeys.length > 1) {
    throw missing(
      `the token holds ${privateKeys.length} private and ${publicKeys.length} public keys with CKA_ID ${ckaId}, not one of each`,
    );
  }
  const foreign =
    publicKeys.some((object) => object.spki === undefined || !equalBytes(object.spki, spki)) ||
    !sameModulus(key, privateKey) ||
    (publicKeys.length === 0 &&
      (await whyNotPossessed(context, privateKey.handle, key, { random, apart: true })) !==
        undefined);
  if (foreign) {
    throw missing(`the key with CKA_ID ${ckaId} on the token is not the recorded one`);
  }
  return { key, privateKey, publicKeys };
}

function sameModulus({ facts, values }: KeyForm, { modulus }: Listed): boolean {
  if (facts.family !== "rsa" || modulus === undefined) return true;
  const recorded = values.find(([name]) => name === "MODULUS")?.[1];
  return typeof recorded === "object" && equalBytes(withoutZeros(recorded), withoutZeros(modulus));
}

function withoutZeros(bytes: Uint8Array): Uint8Array {
  const first = bytes.findIndex((byte) => byte !== 0);
  return first < 0 ? bytes.subarray(0, 0) : bytes.subarray(first);
}

function missing(message: string): KeyriteError {
  return new KeyriteError("hsm.object-missing", message, {
    hints: [
      "`keyrite hsm inspect` lists the objects",
      "the token or the object may have been exchanged: compare them with `keyrite status`",
    ],
  });
}

/**
 * Refuses names and keys that are on the token already, or twice in the list: a second object of the
 * same name is one that nobody can tell from the first.
 * @throws KeyriteError hsm.object-exists
 */
export function refusePresent(listing: readonly Listed[], items: readonly UnwrapItem[]): void {
  const taken = {
    ckaIds: new Set(listing.map(({ ckaId }) => ckaId)),
    labels: new Set(listing.map(({ label }) => label)),
    spkis: new Set(listing.map(({ spkiSha256 }) => spkiSha256 ?? "")),
  };
  for (const { label, ckaId, spki } of items) {
    idBytes(ckaId);
    const spkiSha256 = sha256Hex(spki);
    const what = taken.ckaIds.has(ckaId)
      ? `CKA_ID ${ckaId}`
      : taken.labels.has(label)
        ? `the label ${label}`
        : taken.spkis.has(spkiSha256)
          ? `the public key ${spkiSha256}`
          : undefined;
    if (what !== undefined) throw present(what, label);
    taken.ckaIds.add(ckaId);
    taken.labels.add(label);
    taken.spkis.add(spkiSha256);
  }
}

function present(what: string, label: string): KeyriteError {
  return new KeyriteError(
    "hsm.object-exists",
    `${what} is on the token or in the list already: ${label} was not unwrapped, nor any other key`,
    { hints: ["restore into a token that does not hold the key, or destroy the one there first"] },
  );
}
