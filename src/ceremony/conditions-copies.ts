/**
 * The named conditions about copies of keys: transport keys, KEKs, backups, and what a token owes. Each
 * is checked when planning and again right before acting.
 */

import { whyNotWrappable } from "../hsm/backup.ts";
import { PROFILES } from "../hsm/profiles.ts";
import type { KeyAlgorithm } from "../lib/algorithms.ts";
import { condition, type Condition } from "./conditions.ts";
import {
  backupsOf,
  copiesOn,
  extractableCopies,
  mayLeaveExtractable,
  newestKek,
  type CopyOnToken,
} from "./copies-query.ts";
import type { Custody } from "./custody.ts";
import { kekName } from "./custody-copies.ts";
import { ALL_CA_KEYS, keysNamed, type KeyChoice, type NamedKey } from "./key-choice.ts";

/** The bindings say where a vault is. Whether its medium is there is seen when it is used. */
export function vaultIsBound(vault: string, param: string): Condition {
  return condition(
    param,
    ({ vaults }) =>
      vaults?.has(vault) === false &&
      `no binding names a vault ${vault}: name its folder in site.yaml, or with --vault ${vault}=DIR`,
  );
}

export function transportIsOn(token: string, param = "token"): Condition {
  return condition(
    param,
    ({ custody }) =>
      !custody.transports.has(token) && `token ${token} has no transport key by then`,
  );
}

export function transportIsFree(token: string, param = "token"): Condition {
  return condition(
    param,
    ({ custody }) => custody.transports.has(token) && `token ${token} has a transport key already`,
  );
}

export function kekIsNew(kek: string, param = "kek"): Condition {
  return condition(
    param,
    ({ custody }) => newestKek(custody, kek) !== undefined && `there is a KEK ${kek} already`,
  );
}

export function kekExists(kek: string, param = "kek"): Condition {
  return condition(
    param,
    ({ custody }) => newestKek(custody, kek) === undefined && `there is no KEK ${kek} by then`,
  );
}

/** The newest generation of the KEK is on the token: nothing is wrapped under a superseded one. */
export function kekIsOn(token: string, kek: string, param = "kek"): Condition {
  return condition(param, ({ custody }) => {
    const newest = newestKek(custody, kek);
    if (newest === undefined) return `there is no KEK ${kek} by then`;
    return (
      !newest.tokens.has(token) &&
      `KEK ${kekName(newest)} is not on token ${token} by then; load it in an earlier step`
    );
  });
}

export function keysAreOn(token: string, keys: KeyChoice, param = "keys"): Condition {
  return condition(param, ({ custody }) => ofEach(custody, token, keys, () => undefined));
}

/**
 * Each key can still be wrapped: it was made with `backup: wrap` and is not locked yet. Of all CA keys
 * one has to be, for a locked key is what a backed-up one becomes.
 */
export function keysAreExtractable(token: string, keys: KeyChoice, param = "keys"): Condition {
  return condition(param, ({ custody }) => {
    const any = copiesOn(custody, token).some(({ extractable }) => extractable);
    if (keys === ALL_CA_KEYS) {
      return !any && `token ${token} holds no key that can leave it by then`;
    }
    return ofEach(custody, token, keys, ({ spki, label }) =>
      custody.copies.get(spki)?.tokens.get(token)?.extractable === true
        ? undefined
        : `key ${label} on token ${token} cannot leave it by then: only a key generated with backup: wrap can be wrapped, and only until it is locked; ${insteadOfWrapping(custody, spki)}`,
    );
  });
}

function insteadOfWrapping(custody: Custody, spki: string): string {
  const restorable = backupsOf(custody, spki).length > 0;
  return restorable
    ? "restore another copy from its backup"
    : "copy it with the vendor's own tools (record-native-backup), or let another key take its place";
}

export function policyAllowsEscrow(param = "mode"): Condition {
  return condition(
    param,
    ({ policy }) =>
      policy.kek.escrow !== "allowed" &&
      "the policy forbids an escrowed KEK; make it hsm-to-hsm, or change the policy",
  );
}

/** A token of its kind can wrap private keys of the algorithm; a blank token is judged once it is bound. */
export function keyIsWrappable(
  token: string,
  algorithm: KeyAlgorithm,
  param = "backup",
): Condition {
  return condition(param, ({ custody }) => {
    const why = notWrappable(custody, token, algorithm);
    return (
      why !== undefined &&
      `${why}; generate it with backup: native and the vendor's own cloning, or use another algorithm`
    );
  });
}

/** As `keyIsWrappable`, of keys that are on the token. */
export function keysAreWrappable(token: string, keys: KeyChoice, param = "keys"): Condition {
  return condition(param, ({ custody }) =>
    ofEach(custody, token, keys, ({ label, algorithm }) => {
      const why = notWrappable(custody, token, algorithm);
      return why && `key ${label}: ${why}; copy it with the vendor's own tools`;
    }),
  );
}

function notWrappable(
  custody: Custody,
  token: string,
  algorithm: KeyAlgorithm,
): string | undefined {
  const profile = custody.tokens.get(token)?.profile;
  // A token that an earlier step of the same script initializes has no profile on record yet.
  if (profile === undefined || PROFILES.every(({ name }) => name !== profile)) return undefined;
  return whyNotWrappable(profile, algorithm);
}

/** A token that an earlier ceremony left with an extractable key may only pay that debt in this one. */
export function tokenOwesNothing(token: string, param = "token"): Condition {
  return condition(
    param,
    ({ custody }) =>
      custody.owing.has(token) &&
      `token ${token} was left with an extractable key: in this ceremony it may only be backed up, locked or destroyed on`,
  );
}

/** The token keeps no extractable key, or a deviation of this ceremony says why it does. */
export function nothingIsExtractable(token: string, param = "token"): Condition {
  return condition(param, ({ custody }) => {
    if (mayLeaveExtractable(custody)) return undefined;
    const copy = copiesOn(custody, token).find(({ extractable }) => extractable);
    return copy && leftExtractable(copy);
  });
}

/** Why an extractable key may not be left behind, with what to do. */
export function leftExtractable(copy: { readonly label: string; readonly token: string }): string {
  return `key ${copy.label} on token ${copy.token} is still extractable by then: lock it with lock-key, or record the deviation extractable-key`;
}

/**
 * The copies for which the open ceremony must not close: every extractable one, unless a deviation says
 * why it stays, or nobody touched its token and an earlier ceremony left it so.
 */
export function owedBeforeClose(custody: Custody): readonly CopyOnToken[] {
  if (mayLeaveExtractable(custody)) return [];
  const { owing, touched } = custody;
  return extractableCopies(custody).filter(({ token }) => touched.has(token) || !owing.has(token));
}

/** The first problem of the choice itself, or of a key in it. */
function ofEach(
  custody: Custody,
  token: string,
  keys: KeyChoice,
  problem: (key: NamedKey) => string | undefined,
): string | undefined {
  const choice = keysNamed(custody, token, keys);
  if (!choice.ok) return choice.problem;
  for (const key of choice.keys) {
    const found = problem(key);
    if (found !== undefined) return found;
  }
  return undefined;
}
