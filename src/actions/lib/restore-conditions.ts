/** What a restore requires, as far as custody tells before the backup is looked at. */

import { condition, type Condition } from "../../ceremony/conditions.ts";
import type { Custody } from "../../ceremony/custody.ts";
import { kekName } from "../../ceremony/custody-copies.ts";
import { chosenBackup, keysIn, NEWEST, type BackupChoice } from "./chosen-backup.ts";

/** The KEK is on the token, in the generation that the backup is wrapped under. */
export function kekOpens(token: string, under: string, choice: BackupChoice): Condition {
  return condition("under", ({ custody }) => {
    const backup = chosenBackup(custody, choice);
    if (backup === undefined) {
      return !holdsAny(custody, token, under) && `KEK ${under} is not on token ${token} by then`;
    }
    if (backup.kek !== under) {
      return `backup ${backup.backup} is wrapped under KEK ${backup.kek}, not ${under}`;
    }
    const name = kekName(backup);
    return (
      custody.keks.get(name)?.tokens.has(token) !== true &&
      `KEK ${name}, under which ${backup.backup} is wrapped, is not on token ${token} by then; load it with load-kek`
    );
  });
}

function holdsAny(custody: Custody, token: string, under: string): boolean {
  return [...custody.keks.values()].some((one) => one.kek === under && one.tokens.has(token));
}

/** None of the keys is on the token already, or destroyed: a backup of it may have been retained. */
export function keysAreAbsent(token: string, choice: BackupChoice): Condition {
  return condition("keys", ({ custody }) => {
    const backup = chosenBackup(custody, choice);
    const keys = backup === undefined ? undefined : keysIn(custody, backup.backup, choice.keys);
    const there = keys?.find(({ spki }) => custody.copies.get(spki)?.tokens.has(token) === true);
    if (there !== undefined)
      return `key ${there.label} is on token ${token} already by then: choose the keys that are not, by label, or another token`;
    const gone = keys?.find(({ spki }) => custody.copies.get(spki)?.destroyed === true);
    return gone && `key ${gone.label} is on record as destroyed by then: it stays so`;
  });
}

/** A choice of the newest backup finds one; an id that is unknown here may be another site's. */
export function backupIsKnown(choice: BackupChoice): Condition {
  return condition(
    "backup",
    ({ custody }) =>
      choice.backup === NEWEST &&
      chosenBackup(custody, choice) === undefined &&
      `no completed backup in vault ${choice.from} holds these keys by then`,
  );
}
