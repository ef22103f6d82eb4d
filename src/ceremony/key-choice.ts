/** Which keys a step means by `keys:`: a label, a list of labels, or every CA key its token holds. */

import type { KeyAlgorithm } from "../lib/algorithms.ts";
import { didYouMean } from "../lib/suggest.ts";
import { copiesOn, type CopyOnToken } from "./copies-query.ts";
import type { Custody } from "./custody.ts";

/** Instead of labels: every CA key that the token holds. */
export const ALL_CA_KEYS = "all-ca-keys";

export type KeyChoice = string | readonly string[];

export interface NamedKey {
  /** SHA-256 of the key's SubjectPublicKeyInfo. */
  readonly spki: string;
  readonly label: string;
  /** On the token asked about. */
  readonly ckaId: string;
  readonly algorithm: KeyAlgorithm;
}

export type NamedKeys =
  | { readonly ok: true; readonly keys: readonly NamedKey[] }
  | { readonly ok: false; readonly problem: string };

/**
 * The keys a choice names among those that custody has on a token; at least one.
 * @returns the keys in the order asked for, or in words why the choice is none: a label that the token
 * does not hold, one given twice, or one that two of its keys bear.
 */
export function keysNamed(custody: Custody, token: string, keys: KeyChoice): NamedKeys {
  const held = copiesOn(custody, token);
  if (keys === ALL_CA_KEYS) {
    if (held.length === 0) return no(`token ${token} holds no CA key by then`);
    return { ok: true, keys: held.flatMap((copy) => named(custody, copy)) };
  }
  const labels = typeof keys === "string" ? [keys] : keys;
  if (labels.includes(ALL_CA_KEYS)) return no(`${ALL_CA_KEYS} stands alone, not in a list`);
  const byLabel = new Map<string, CopyOnToken | "several">();
  for (const copy of held) byLabel.set(copy.label, byLabel.has(copy.label) ? "several" : copy);
  const chosen: CopyOnToken[] = [];
  for (const label of new Set(labels)) {
    const copy = byLabel.get(label);
    if (copy === undefined) return no(unknown(token, label, [...byLabel.keys()]));
    if (copy === "several") return no(`token ${token} holds several keys labelled ${label}`);
    chosen.push(copy);
  }
  if (chosen.length === 0) return no("it names no key");
  if (chosen.length < labels.length) return no("it names a key twice");
  return { ok: true, keys: chosen.flatMap((copy) => named(custody, copy)) };
}

function no(problem: string): NamedKeys {
  return { ok: false, problem };
}

function named(custody: Custody, { spki, label, ckaId }: CopyOnToken): readonly NamedKey[] {
  const key = custody.keys.get(spki);
  return key === undefined ? [] : [{ spki, label, ckaId, algorithm: key.algorithm }];
}

function unknown(token: string, label: string, known: readonly string[]): string {
  const near = didYouMean(label, known);
  const hint = near === undefined ? "" : `; did you mean ${near}?`;
  return `token ${token} holds no key labelled ${label} by then${hint}`;
}
