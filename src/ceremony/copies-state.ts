/** What the folds about copies work on: custody's own maps, written to in place. */

import type { CopiesCustody, KeyCopies, Recorded } from "./custody-copies.ts";
import type { Custody } from "./custody.ts";
import type { ObjectIds } from "./object-ids.ts";

type Writable = {
  -readonly [K in keyof CopiesCustody]: CopiesCustody[K] extends ReadonlyMap<infer A, infer B>
    ? Map<A, B>
    : CopiesCustody[K] extends readonly (infer E)[]
      ? E[]
      : never;
};

/** The copies, and what else of custody facts about them are judged by. */
export interface CopiesState
  extends
    Writable,
    Pick<
      Custody,
      "origin" | "assurance" | "genesis" | "people" | "tokens" | "shareSets" | "keys"
    > {}

/** Where a fact about copies stands. */
export interface CopyContext extends Recorded {
  /**
   * True when planning foresees the fact: names are as they will be, but CKA_IDs, digests and people
   * only take their places, so nothing is judged by them.
   */
  readonly foreseen?: boolean;
}

export interface CopiesFolding {
  readonly state: CopiesState;
  readonly ids: ObjectIds;
}

export const NO_COPY: KeyCopies = {
  tokens: new Map(),
  backups: new Map(),
  retained: new Map(),
  restored: null,
  drilled: null,
  destroyed: false,
};

/** Copies of the maps of custody, to be written to. */
export function writable(start: CopiesCustody): Writable {
  return {
    transports: new Map(start.transports),
    keks: new Map(start.keks),
    copies: new Map(start.copies),
    backups: new Map(start.backups),
    places: new Map(start.places),
    peers: new Map(start.peers),
    drills: [...start.drills],
  };
}

/** A map without one of its keys; the map itself stays as it was. */
export function minus<V>(map: ReadonlyMap<string, V>, key: string): ReadonlyMap<string, V> {
  const rest = new Map(map);
  rest.delete(key);
  return rest;
}

/** Replaces the copies of a key that is in custody and not destroyed. */
export function onKey(
  state: CopiesState,
  spki: string,
  change: (key: KeyCopies) => KeyCopies | string,
): string | undefined {
  const key = state.copies.get(spki);
  if (key === undefined) return `key ${spki} is not in custody`;
  const changed = change(key);
  if (typeof changed === "string") return changed;
  state.copies.set(spki, changed);
  return undefined;
}

/** The first that is set of several reasons against a fact. */
export function firstOf(...problems: readonly (string | undefined)[]): string | undefined {
  return problems.find((problem) => problem !== undefined);
}

export function whyUnbound({ tokens }: CopiesState, token: string): string | undefined {
  return tokens.has(token) ? undefined : `token ${token} is not bound`;
}

/** A fact without its kind: what custody keeps of it. */
export function without<F extends { readonly kind: string }>(fact: F): Omit<F, "kind"> {
  const members = Object.entries(fact).filter(([name]) => name !== "kind");
  return Object.fromEntries(members) as Omit<F, "kind">;
}
