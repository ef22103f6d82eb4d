/**
 * Key lists: what a step that acts on many keys shows and cites, so that one agreement covers a batch by
 * the digest of its list. Format: a JSON list of objects, sorted by `spki`.
 */

import { fromUtf8, utf8 } from "../lib/encoding.ts";
import { canonicalJson, isJsonObject, type Json, type JsonObject } from "../lib/json.ts";
import { stringOf } from "./record.ts";

export interface KeyListItem extends JsonObject {
  /** SHA-256 of the key's SubjectPublicKeyInfo. */
  readonly spki: string;
  readonly label: string;
  /** CKA_ID in hex, on the token the step acts on. */
  readonly ckaId: string;
}

/** The bytes of a list, to be attached as `application/json`. */
export function keyListBytes(items: readonly KeyListItem[]): Uint8Array {
  return utf8(canonicalJson(items.toSorted((a, b) => (a.spki < b.spki ? -1 : 1))));
}

/** Reads a list by SPKI digest; undefined for anything that is not one. */
export function readKeyList(bytes: Uint8Array): ReadonlyMap<string, KeyListItem> | undefined {
  let raw: unknown;
  try {
    raw = JSON.parse(fromUtf8(bytes));
  } catch {
    return undefined;
  }
  if (!Array.isArray(raw)) return undefined;
  const list = new Map<string, KeyListItem>();
  for (const item of raw as readonly Json[]) {
    if (!isJsonObject(item)) return undefined;
    const [spki, label, ckaId] = ["spki", "label", "ckaId"].map((name) => stringOf(item, name));
    if (spki === undefined || label === undefined || ckaId === undefined) return undefined;
    list.set(spki, { ...item, spki, label, ckaId });
  }
  return list;
}
