/** Custody as a report tells it: tokens, keys and their copies, places, share sets and KEKs. */

import { openersOf } from "../ceremony/copies-query.ts";
import type { Custody } from "../ceremony/custody.ts";
import { currentShareSets } from "../ceremony/custody-people.ts";
import { kekName, placeKey, type PlaceCustody } from "../ceremony/custody-copies.ts";
import type { KeyStatus, Whereabouts } from "../ceremony/key-status.ts";
import type { KekPart, PlacePart, ShareSetPart, TokenPart } from "./report-types.ts";

export function tokenParts(custody: Custody): readonly TokenPart[] {
  return [...custody.tokens.values()].map((bound) => {
    const { token, serial, manufacturer, model, firmware, profile, module, activation } = bound;
    const place = whereabouts(custody.places.get(placeKey("token", token, token)));
    return { token, serial, manufacturer, model, firmware, profile, module, activation, ...place };
  });
}

/** Every set that was made; one that a later generation replaced is not current. */
export function shareSetParts(custody: Custody): readonly ShareSetPart[] {
  const current = new Set(currentShareSets(custody));
  return [...custody.shareSets.values()].map((made) => {
    const { set, generation, purpose, token, threshold, holders, sha256, sealed } = made;
    const part = { set, generation, purpose, token, threshold, holders, sha256, sealed };
    return { ...part, current: current.has(made) };
  });
}

export function kekParts(custody: Custody): readonly KekPart[] {
  return [...custody.keks.values()].map((kek) => ({
    kek: kekName(kek),
    mode: kek.mode,
    checkValue: kek.checkValue,
    tokens: [...kek.tokens.keys()],
    openers: openersOf(custody, kek),
    escrow: kek.escrow === null ? null : `${kek.escrow.set}.g${kek.escrow.generation}`,
  }));
}

/** Tokens and vaults with what lies there; a vault in two containers is two places. */
export function placeParts(custody: Custody, keys: readonly KeyStatus[]): readonly PlacePart[] {
  const tokens = [...custody.tokens.keys()].map((name): PlacePart => {
    const place = whereabouts(custody.places.get(placeKey("token", name, name)));
    const there = keys.filter((key) => key.tokens.some(({ token }) => token === name));
    return { kind: "token", name, ...place, keys: there.map(({ label }) => label), backups: [] };
  });
  const vaults = new Map<string, { place: Whereabouts; keys: Set<string>; backups: Set<string> }>();
  for (const { label, backups } of keys) {
    for (const { backup, completed, vaults: lying } of backups) {
      if (!completed) continue;
      for (const { vault, ...place } of lying) {
        const where = JSON.stringify([vault, place.site, place.offSite, place.container]);
        const known = vaults.get(where) ?? { place, keys: new Set(), backups: new Set() };
        vaults.set(where, known);
        known.keys.add(label);
        known.backups.add(backup);
      }
    }
  }
  const lying = [...vaults].map(([where, { place, ...there }]): PlacePart => {
    const [name] = JSON.parse(where) as [string];
    return { kind: "vault", name, ...place, keys: [...there.keys], backups: [...there.backups] };
  });
  return [...tokens, ...lying];
}

function whereabouts(place: PlaceCustody | undefined): Whereabouts {
  return {
    site: place?.site ?? null,
    offSite: place?.offSite ?? false,
    container: place?.container ?? null,
    holders: place?.holders ?? [],
  };
}
