/** Which backup a restore means, as far as custody tells: by its id, or the newest that holds the keys. */

import { ALL_CA_KEYS, type KeyChoice, type NamedKey } from "../../ceremony/key-choice.ts";
import { isComplete } from "../../ceremony/copies-query.ts";
import type { Custody } from "../../ceremony/custody.ts";
import type { BackupCustody } from "../../ceremony/custody-copies.ts";

/** Instead of an id: the newest completed backup in the vault that holds all the keys. */
export const NEWEST = "newest";

/** Where a restore finds its keys. */
export interface BackupChoice {
  readonly backup: string;
  readonly from: string;
  readonly keys: KeyChoice;
}

/** The backup of this site that a choice means; undefined when custody knows none. */
export function chosenBackup(custody: Custody, choice: BackupChoice): BackupCustody | undefined {
  if (choice.backup !== NEWEST) {
    const named = custody.backups.get(choice.backup);
    return isComplete(named) ? named : undefined;
  }
  // Backups come into custody in the order in which they were made.
  return [...custody.backups.values()]
    .reverse()
    .find(
      (one) =>
        isComplete(one) &&
        one.vaults.includes(choice.from) &&
        keysIn(custody, one.backup, choice.keys) !== undefined,
    );
}

/**
 * The keys of a choice that custody knows in a backup; undefined when it lacks one of them, or all. Of
 * all-ca-keys those are left out that are on record as destroyed: a copy may have been retained.
 */
export function keysIn(
  custody: Custody,
  backup: string,
  keys: KeyChoice,
): readonly NamedKey[] | undefined {
  const held: NamedKey[] = [];
  for (const [spki, { backups }] of custody.copies) {
    const key = backups.has(backup) ? custody.keys.get(spki) : undefined;
    if (key === undefined) continue;
    const { label, ckaId, algorithm } = key;
    held.push({ spki, label, ckaId, algorithm });
  }
  if (keys === ALL_CA_KEYS) {
    const alive = held.filter(({ spki }) => custody.copies.get(spki)?.destroyed !== true);
    return alive.length === 0 ? undefined : alive;
  }
  const labels = typeof keys === "string" ? [keys] : keys;
  const chosen = labels.flatMap((label) => held.filter((key) => key.label === label));
  return chosen.length === labels.length ? chosen : undefined;
}

/** The newest completed backup of a key. */
export function newestBackupOf(custody: Custody, spki: string): BackupCustody | undefined {
  const held = custody.copies.get(spki)?.backups;
  return [...custody.backups.values()]
    .reverse()
    .find((one) => isComplete(one) && held?.has(one.backup) === true);
}
