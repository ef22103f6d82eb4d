/** Questions about copies, KEKs and envelopes that conditions, actions and status share. */

import type { Custody } from "./custody.ts";
import {
  kekName,
  type BackupCustody,
  type CopiesCustody,
  type KekCustody,
  type TokenCopy,
} from "./custody-copies.ts";

/** A copy on a token with the key it is of. */
export interface CopyOnToken extends TokenCopy {
  /** SHA-256 of the key's SubjectPublicKeyInfo. */
  readonly spki: string;
}

/** The copies on a token, in the order in which their keys came into custody. */
export function copiesOn(custody: CopiesCustody, token: string): readonly CopyOnToken[] {
  const found: CopyOnToken[] = [];
  for (const [spki, { tokens }] of custody.copies) {
    const copy = tokens.get(token);
    if (copy !== undefined) found.push({ ...copy, spki });
  }
  return found;
}

/** The copies that a wrap could take out of their token: each is an open obligation. */
export function extractableCopies(custody: CopiesCustody): readonly CopyOnToken[] {
  const found: CopyOnToken[] = [];
  for (const [spki, { tokens }] of custody.copies) {
    for (const copy of tokens.values()) if (copy.extractable) found.push({ ...copy, spki });
  }
  return found;
}

/** The newest generation of a KEK. */
export function newestKek(custody: CopiesCustody, kek: string): KekCustody | undefined {
  let newest: KekCustody | undefined;
  for (let generation = 1; ; generation += 1) {
    const next = custody.keks.get(kekName({ kek, generation }));
    if (next === undefined) return newest;
    newest = next;
  }
}

/** Tokens that hold a KEK, or whose transport key opens an envelope of it. */
export function openersOf(custody: CopiesCustody, kek: KekCustody): readonly string[] {
  const ours = new Map([...custody.transports.values()].map(({ spki, token }) => [spki, token]));
  const openable = [...kek.envelopes.values()].flatMap(({ token, spki }) => {
    const own = ours.get(spki);
    // Another site's transport key is not in custody here; its envelope opens there.
    return own !== undefined ? [own] : custody.transports.has(token) ? [] : [token];
  });
  return [...new Set([...kek.tokens.keys(), ...openable])];
}

/** A backup that was completed: signed, in its vaults, and so one that counts. */
export function isComplete(backup: BackupCustody | undefined): backup is BackupCustody {
  return backup !== undefined && backup.sha256 !== null;
}

/** The backups of a key that count. */
export function backupsOf(custody: CopiesCustody, spki: string): readonly BackupCustody[] {
  const named = [...(custody.copies.get(spki)?.backups.keys() ?? [])];
  return named.map((name) => custody.backups.get(name)).filter(isComplete);
}

/** The key on a token under a label, if it is exactly one. */
export function keyLabelled(
  custody: CopiesCustody,
  token: string,
  label: string,
): CopyOnToken | undefined {
  const named = copiesOn(custody, token).filter((copy) => copy.label === label);
  return named.length === 1 ? named[0] : undefined;
}

/** The rule that a deviation names before an extractable key may be left behind. */
const EXTRACTABLE_KEY = "extractable-key";

/** Whether this ceremony may leave an extractable key: people recorded the deviation on purpose. */
export function mayLeaveExtractable(custody: Pick<Custody, "waived">): boolean {
  return custody.waived.has(EXTRACTABLE_KEY);
}
