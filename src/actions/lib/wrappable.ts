/**
 * Which keys can leave a token wrapped: known from the record, so that a script that cannot work is
 * refused when planning and not in the room.
 */

import { keysAreExtractable, keysAreWrappable } from "../../ceremony/conditions-copies.ts";
import { condition, type Condition } from "../../ceremony/conditions.ts";
import { backupsOf, copiesOn } from "../../ceremony/copies-query.ts";
import type { Custody } from "../../ceremony/custody.ts";
import {
  ALL_CA_KEYS,
  keysNamed,
  type KeyChoice,
  type NamedKey,
} from "../../ceremony/key-choice.ts";

/** The rule that a deviation names before the only copy of a key is locked in. */
const SINGLE_COPY = "single-copy";

/**
 * The keys of a choice that a token can give away, none when the choice itself is wrong; all-ca-keys means
 * those that still can leave, because a locked key is what a backed-up key becomes.
 */
export function wrappableKeys(
  custody: Custody,
  token: string,
  keys: KeyChoice,
): readonly NamedKey[] {
  const choice = keysNamed(custody, token, keys);
  if (!choice.ok) return [];
  if (keys !== ALL_CA_KEYS) return choice.keys;
  return choice.keys.filter(
    ({ spki }) => custody.copies.get(spki)?.tokens.get(token)?.extractable === true,
  );
}

/** Labels of the keys that all-ca-keys leaves out because they are locked. */
export function lockedKeys(custody: Custody, token: string): readonly string[] {
  return copiesOn(custody, token)
    .filter(({ extractable }) => !extractable)
    .map(({ label }) => label);
}

/** The keys can be wrapped: extractable, and of an algorithm that the token's module wraps. */
export function canBeWrapped(token: string, keys: KeyChoice): readonly Condition[] {
  const each = [keysAreExtractable(token, keys), keysAreWrappable(token, keys)];
  return keys === ALL_CA_KEYS ? [someAreExtractable(token)] : each;
}

function someAreExtractable(token: string): Condition {
  return condition(
    "keys",
    ({ custody }) =>
      wrappableKeys(custody, token, ALL_CA_KEYS).length === 0 &&
      `token ${token} holds no CA key that can leave it by then: only a key generated with backup: wrap can, and only until it is locked`,
  );
}

/** Nobody locks a key in of which there could then never be a second copy. */
export function canBeLocked(token: string, keys: KeyChoice): readonly Condition[] {
  const several = condition("keys", ({ custody }) => {
    const alone = wrappableKeys(custody, token, keys).find(
      ({ spki }) =>
        custody.copies.get(spki)?.tokens.size === 1 && backupsOf(custody, spki).length === 0,
    );
    if (alone === undefined || custody.waived.has(SINGLE_COPY)) return undefined;
    return `key ${alone.label} has no other copy by then, and locking it makes one impossible: back it up or clone it first, or record the deviation ${SINGLE_COPY}`;
  });
  return keys === ALL_CA_KEYS
    ? [someAreExtractable(token), several]
    : [keysAreExtractable(token, keys), several];
}
