/** Folds the facts about backups into custody: what contradicts it is not taken. */

import { firstOf, onKey, whyUnbound, type CopiesState, type CopyContext } from "./copies-state.ts";
import type { BackupCustody } from "./custody-copies.ts";
import type { FactOf } from "./facts.ts";
import { kekName } from "./generations.ts";

/** A key was wrapped into a backup that is being made, and opened again. */
export function makeBackup(
  state: CopiesState,
  fact: FactOf<"backup.made">,
  { at, ceremony }: CopyContext,
): string | undefined {
  const { spki, backup, kek, generation, blob } = fact;
  const known = state.backups.get(backup);
  const problem = firstOf(
    whyNotUnder(state, fact),
    known === undefined ? undefined : whyNotThis(known, fact, ceremony),
  );
  if (problem !== undefined) return problem;
  const unmade = onKey(state, spki, (key) => {
    const copy = key.tokens.get(fact.token);
    if (copy === undefined) return `token ${fact.token} holds no copy of key ${spki}`;
    if (!copy.extractable)
      return `key ${spki} on token ${fact.token} is locked and cannot be wrapped`;
    if (key.backups.has(backup)) return `backup ${backup} holds key ${spki} already`;
    return { ...key, backups: new Map(key.backups).set(backup, { backup, blob, proved: at }) };
  });
  if (unmade !== undefined) return unmade;
  const fresh = { backup, kek, generation, sha256: null, keys: 0, vaults: [], signers: [] };
  const entry: BackupCustody = known ?? { ...fresh, made: at, ceremony };
  state.backups.set(backup, { ...entry, keys: entry.keys + 1 });
  return undefined;
}

function whyNotUnder(state: CopiesState, fact: FactOf<"backup.made">): string | undefined {
  const { kek, generation, token, provedOn } = fact;
  const name = kekName(fact);
  const known = state.keks.get(name);
  if (known === undefined) return `KEK ${name} is not in custody`;
  if (state.keks.has(kekName({ kek, generation: generation + 1 }))) {
    return `KEK ${name} has a newer generation`;
  }
  return firstOf(
    ...[token, provedOn].flatMap((one) => [
      whyUnbound(state, one),
      known.tokens.has(one) ? undefined : `token ${one} does not hold KEK ${name}`,
    ]),
  );
}

function whyNotThis(
  known: BackupCustody,
  fact: FactOf<"backup.made">,
  ceremony: string,
): string | undefined {
  if (known.sha256 !== null || known.ceremony !== ceremony) {
    return `backup ${known.backup} is already made`;
  }
  return kekName(known) === kekName(fact)
    ? undefined
    : `backup ${known.backup} is wrapped under KEK ${kekName(known)}`;
}

/** A backup lies in its vaults, whole and signed: only now it counts. */
export function completeBackup(
  state: CopiesState,
  fact: FactOf<"backup.completed">,
  { ceremony, foreseen }: CopyContext,
): string | undefined {
  const { backup, sha256, vaults, signers } = fact;
  const known = state.backups.get(backup);
  if (known?.sha256 !== null || known.ceremony !== ceremony) {
    return `backup ${backup} is not being made`;
  }
  if (known.keys !== fact.keys) return `backup ${backup} holds ${known.keys} keys`;
  if (new Set(vaults).size < vaults.length) return "a vault is named twice";
  if (new Set(signers).size < signers.length) return "one person signed twice";
  const stranger = signers.find((person) => !state.people.has(person));
  if (stranger !== undefined && foreseen !== true) return `${stranger} is not on the roster`;
  state.backups.set(backup, { ...known, sha256, vaults, signers });
  return undefined;
}
