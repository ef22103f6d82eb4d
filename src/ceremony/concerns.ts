/** What needs somebody's attention at a site, one sentence each, the worst first. Pure. */

import { findingLines } from "./finding.ts";
import { isComplete } from "./copies-query.ts";
import type { Custody } from "./custody.ts";
import type { History } from "./history.ts";
import { plural, thinKeks, type KeyStatus } from "./key-status.ts";

/** How many keys are named one by one before the rest is only counted. */
export const MOST_KEYS = 20;

/** Stands before what is to be put right before anything else: never said by colour alone. */
const RED = "RED:";

/** All concerns; empty when all is well. */
export function concerns(history: History, keys: readonly KeyStatus[]): readonly string[] {
  const { custody } = history;
  return [
    ...ledgerConcerns(history),
    ...named(keys, extractable, "more keys are extractable"),
    ...thinKeks(custody).map((text) => `${RED} ${text}`),
    ...tokenConcerns(custody),
    ...unfinishedBackups(custody, keys),
    ...named(keys, lacking, "more keys lack what the policy wants"),
    ...named(keys, retained, "more keys have copies that were retained"),
  ];
}

function ledgerConcerns(history: History): readonly string[] {
  const list: string[] = [];
  if (history.size === 0) list.push("the site is not founded yet: keyrite run establish-site");
  if (history.open !== null) list.push(...findingLines(history.open));
  else if (history.cosigned < history.size) {
    list.push(
      `entries ${history.cosigned} to ${history.size - 1} are not cosigned; the next roll call shows them`,
    );
  }
  return [...list, ...history.findings.map(({ text }) => text)];
}

function tokenConcerns({ tokens }: Custody): readonly string[] {
  return [...tokens.values()]
    .filter(({ activation, sets }) => activation === "sealed" && sets.activation === undefined)
    .map(({ token }) => `token ${token} has no activation share set`);
}

function extractable({ label, tokens }: KeyStatus): readonly string[] {
  return tokens
    .filter((copy) => copy.extractable)
    .map(
      ({ token }) =>
        `${RED} key ${label} can be taken out of token ${token}; back it up and lock it in the next ceremony`,
    );
}

function lacking({ label, missing }: KeyStatus): readonly string[] {
  return missing.map((text) => `key ${label}: ${text}`);
}

function retained({ label, retained: copies }: KeyStatus): readonly string[] {
  return copies.map(({ copy, reason }) => `key ${label}: ${copy} keeps a copy: ${reason}`);
}

/** Backups that were begun, never completed, and whose keys were not taken out of the record again. */
function unfinishedBackups(custody: Custody, keys: readonly KeyStatus[]): readonly string[] {
  const held = new Map<string, number>();
  for (const { backup, completed } of keys.flatMap(({ backups }) => backups)) {
    if (!completed) held.set(backup, (held.get(backup) ?? 0) + 1);
  }
  return [...held]
    .filter(([backup]) => !isComplete(custody.backups.get(backup)))
    .map(
      ([backup, count]) =>
        `backup ${backup} was begun with ${plural(count, "key")} and never completed: it does not count`,
    );
}

function named(
  keys: readonly KeyStatus[],
  say: (key: KeyStatus) => readonly string[],
  others: string,
): readonly string[] {
  const concerned = keys.map(say).filter((texts) => texts.length > 0);
  const more = concerned.length - MOST_KEYS;
  return [...concerned.slice(0, MOST_KEYS).flat(), ...(more > 0 ? [`${more} ${others}`] : [])];
}
