/** Where a changed entry must stand when nothing else names it: between two states of the ledger that were signed. */

import { agreementsOf } from "./agreements.ts";
import { hex } from "./bytes.ts";
import type { ReadEntry } from "./entries.ts";

/** A root that a checkpoint or a person's agreement states for a size. */
export interface SignedRoot {
  readonly size: number;
  /** 64 hex digits. */
  readonly root: string;
}

/** What agreements say of the ledger right before they were given. */
export function rootsInAgreements(entries: Iterable<ReadEntry>): readonly SignedRoot[] {
  return [...entries].flatMap((entry) =>
    agreementsOf(entry).flatMap((note) => {
      const [, size, root = ""] = /^opened ([0-9]+) ([0-9a-f]{64})$/m.exec(note) ?? [];
      return size === undefined ? [] : [{ size: Number(size), root }];
    }),
  );
}

/** One sentence that names the entries between the last root that fits and the first that does not. */
export function narrowed(
  computed: ReadonlyMap<number, Uint8Array>,
  signed: readonly SignedRoot[],
  from: number,
): readonly string[] {
  const fits = ({ size, root }: SignedRoot): boolean =>
    hex(computed.get(size) ?? new Uint8Array()) === root;
  const known = signed.filter(({ size }) => computed.has(size));
  const wrong = known.filter((one) => !fits(one)).map(({ size }) => size);
  const first = wrong.reduce((least, size) => Math.min(least, size), Infinity);
  if (first === Infinity) return [];
  const sound = known.filter((one) => one.size < first && fits(one)).map(({ size }) => size);
  const last = sound.reduce((most, size) => Math.max(most, size), from);
  return [`what was changed stands among entries ${last} to ${first - 1}`];
}
