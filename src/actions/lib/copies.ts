/**
 * Copies of keys as those see them who take one away: which ones a step names, which others would be left,
 * and which tokens could still open a KEK.
 */

import { condition, type Condition } from "../../ceremony/conditions.ts";
import { backupsOf, copiesOn, openersOf } from "../../ceremony/copies-query.ts";
import type { Custody } from "../../ceremony/custody.ts";
import { kekName, type KekCustody } from "../../ceremony/custody-copies.ts";
import { ALL_CA_KEYS, type KeyChoice } from "../../ceremony/key-choice.ts";
import type { KeyListItem } from "../../ceremony/key-list.ts";

export { ALL_CA_KEYS, openersOf, type KeyChoice };

/** The rule that a deviation has to name before a last copy, or what alone opens one, may go. */
export const LAST_COPY = "last-copy";

/** The labels of a choice; undefined stands for all keys. */
export function labelsOf(keys: KeyChoice): readonly string[] | undefined {
  if (keys === ALL_CA_KEYS) return undefined;
  return typeof keys === "string" ? [keys] : [...new Set(keys)];
}

/** The copies on a token that a choice means, by label; labels that it holds no copy of are left out. */
export function copiesOnToken(
  custody: Custody,
  token: string,
  keys: KeyChoice,
): readonly KeyListItem[] {
  const labels = labelsOf(keys);
  return copiesOn(custody, token)
    .filter((copy) => labels?.includes(copy.label) !== false)
    .map(({ spki, label, ckaId }) => ({ spki, label, ckaId }));
}

/** Whether nothing could open a KEK any more without this token; an escrowed value still could. */
function lostWithout(custody: Custody, kek: KekCustody | undefined, token: string): boolean {
  if (kek === undefined) return true;
  return kek.escrow === null && openersOf(custody, kek).every((opener) => opener === token);
}

/** What else could bring a key back once the copy on this token is gone, e.g. `backup backup-20261123-abcd`. */
export function otherCopies(custody: Custody, spki: string, token: string): readonly string[] {
  const key = custody.copies.get(spki);
  if (key === undefined) return [];
  const tokens = [...key.tokens.keys()].filter((name) => name !== token);
  const backups = backupsOf(custody, spki).map(({ backup }) => backup);
  return [
    ...tokens.map((name) => `token ${name}`),
    ...backups.map((name) => `backup ${name}`),
  ].filter((copy) => !key.retained.has(copy));
}

/** The same, but for a token that is lost as a whole: what only it can open does not count. */
function othersWithout(custody: Custody, spki: string, token: string): readonly string[] {
  return otherCopies(custody, spki, token).filter((copy) => {
    const backup = custody.backups.get(copy.replace(/^backup /, ""));
    return backup === undefined || !lostWithout(custody, custody.keks.get(kekName(backup)), token);
  });
}

/** The copies among these that are the last of their keys; of a destroyed key none is missed. */
function lastOf(custody: Custody, token: string, keys: KeyChoice): readonly KeyListItem[] {
  return copiesOnToken(custody, token, keys).filter(
    ({ spki }) => !isDestroyed(custody, spki) && otherCopies(custody, spki, token).length === 0,
  );
}

function isDestroyed(custody: Custody, spki: string): boolean {
  return custody.copies.get(spki)?.destroyed === true;
}

/** The last copy of a key goes only with the key itself, or under a deviation. */
export function notTheLastCopies(token: string, keys: KeyChoice): Condition {
  return condition("keys", ({ custody }) => {
    const [last] = custody.waived.has(LAST_COPY) ? [] : lastOf(custody, token, keys);
    return (
      last !== undefined &&
      `the copy on token ${token} is the last of key ${last.label}: destroy the key everywhere, or record the deviation ${LAST_COPY} first`
    );
  });
}

/** What would be lost with a token, in words; nothing when everything on it is elsewhere too. */
export function lossesWithout(custody: Custody, token: string): readonly string[] {
  const keys = copiesOnToken(custody, token, ALL_CA_KEYS)
    .filter(({ spki }) => !isDestroyed(custody, spki))
    .filter(({ spki }) => othersWithout(custody, spki, token).length === 0)
    .map(({ label }) => `the only one from which key ${label} could come back`);
  const keks = [...custody.keks.values()]
    .filter((kek) => openersOf(custody, kek).includes(token) && isInUse(custody, kek))
    .filter((kek) => lostWithout(custody, kek, token))
    .map((kek) => `the last that opens KEK ${kekName(kek)}, under which keys are backed up`);
  return [...keys, ...keks];
}

/** Whether a key is backed up under this KEK. */
function isInUse(custody: Custody, kek: KekCustody): boolean {
  const name = kekName(kek);
  const backups = [...custody.backups.values()].filter((backup) => kekName(backup) === name);
  return backups.some(({ backup }) =>
    [...custody.copies.values()].some((key) => key.backups.has(backup) && !key.destroyed),
  );
}

/** A token leaves only when nothing is lost with it, or under a deviation. */
export function nothingIsLostWith(token: string): Condition {
  return condition("token", ({ custody }) => {
    const [loss] = custody.waived.has(LAST_COPY) ? [] : lossesWithout(custody, token);
    return (
      loss !== undefined &&
      `token ${token} is ${loss}: give it a second one first, or record the deviation ${LAST_COPY}`
    );
  });
}

/** Every label of a choice stands for a copy on the token; "all" may stand for none. */
export function copiesAreOn(token: string, keys: KeyChoice): Condition {
  return condition("keys", ({ custody }) => {
    const there = copiesOnToken(custody, token, keys).map(({ label }) => label);
    const absent = labelsOf(keys)?.find((label) => !there.includes(label));
    return (
      absent !== undefined && `token ${token} holds no copy of a key labelled ${absent} by then`
    );
  });
}
