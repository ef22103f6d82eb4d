/**
 * The keys a step acts on, as a list that is attached, shown and agreed to by its digest: one agreement
 * covers a batch, and no fact about another key counts.
 */

import type { Cited, Room } from "../../ceremony/action.ts";
import { ALL_CA_KEYS, type KeyChoice, type NamedKey } from "../../ceremony/key-choice.ts";
import { keyListBytes, readKeyList, type KeyListItem } from "../../ceremony/key-list.ts";
import { digestLines } from "../../ceremony/spoken.ts";
import { label } from "../../ceremony/words.ts";
import { visible } from "../../lib/encoding.ts";
import { KeyriteError } from "../../lib/errors.ts";
import { z } from "../../lib/schema.ts";

/** Keys that are read out one by one; of more the digest and the number are read. */
const READ_OUT = 10;

/** `keys:` of a step: a label, a list of labels, or all-ca-keys. */
export function keyChoice(): z.Schema<KeyChoice> {
  return z.union([label, z.array(label).min(1).max(1000)]);
}

/** How an instruction names a choice. */
export function saidKeys(keys: KeyChoice): string {
  if (keys === ALL_CA_KEYS) return "all CA keys";
  if (typeof keys === "string") return `key ${keys}`;
  return keys.length === 1 ? `key ${keys[0] ?? ""}` : `keys ${keys.join(", ")}`;
}

/** Attaches a list of keys to the step's intent and says how the room reads it. */
export function attachKeys(
  room: Room,
  keys: readonly (KeyListItem | NamedKey)[],
): { readonly keyList: string; readonly shown: readonly string[] } {
  const items = keys.map((key): KeyListItem => ({ ...key }));
  const keyList = room.attach("application/json", keyListBytes(items));
  const first = items.slice(0, READ_OUT);
  const more = items.length - first.length;
  return {
    keyList,
    shown: [
      `${items.length} ${items.length === 1 ? "key" : "keys"}:`,
      ...first.map(({ label: name, spki }) => `  ${visible(name)}  SHA-256 ${spki.slice(0, 32)}…`),
      ...(more > 0 ? [`  and ${more} more, each in the attached list`] : []),
      ...digestLines("List of the keys, SHA-256", keyList),
    ],
  };
}

/**
 * The keys that people agreed to, in the order of the list.
 * @throws KeyriteError ledger.damaged when the list is not attached
 */
export function agreedKeys(room: Room, keyList: string): readonly KeyListItem[] {
  const bytes = room.attachment(keyList);
  const list = bytes === undefined ? undefined : readKeyList(bytes);
  if (list === undefined) {
    throw new KeyriteError("ledger.damaged", `the list of keys ${keyList} is not attached`);
  }
  return [...list.values()];
}

/** Whether people agreed to act on this key. */
export function isListed(cited: Cited, keyList: string, spki: string): boolean {
  return cited.keyList(keyList).has(spki);
}

/** Whether people agreed to act on this key under this very name, and of this algorithm if one is named. */
export function isListedAs(
  cited: Cited,
  keyList: string,
  key: Omit<NamedKey, "algorithm"> & Partial<NamedKey>,
): boolean {
  const item = cited.keyList(keyList).get(key.spki);
  return (
    item?.label === key.label &&
    item.ckaId === key.ckaId &&
    (key.algorithm === undefined || item["algorithm"] === key.algorithm)
  );
}

/** The agreed keys as custody knows them. @throws KeyriteError as `agreedKeys` */
export function agreedNamedKeys(room: Room, keyList: string): readonly NamedKey[] {
  return agreedKeys(room, keyList).map(({ spki, label: name, ckaId }) => {
    const algorithm = room.custody.keys.get(spki)?.algorithm;
    if (algorithm !== undefined) return { spki, label: name, ckaId, algorithm };
    throw new KeyriteError("ledger.damaged", `key ${spki} is not in custody`);
  });
}

/** The recorded public key. @throws KeyriteError ledger.damaged when it is not attached */
export function publicKeyOf(room: Room, spki: string): Uint8Array {
  const bytes = room.attachment(spki);
  if (bytes !== undefined) return bytes;
  throw new KeyriteError("ledger.damaged", `the public key ${spki} is not attached`, {
    hints: ["keyrite verify says what else is missing from the ledger"],
  });
}

/** Parts of a list, each of at most `size` items: a group has one intent. */
export function* inGroups<T>(items: readonly T[], size = 100): Generator<readonly T[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}
