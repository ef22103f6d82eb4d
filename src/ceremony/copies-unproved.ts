/**
 * What a ceremony that was given up in the middle of a batch has not proved: keys came to a token, and nobody read
 * back whether they stay there. That proves neither the copies nor the backup that they came from.
 */

import type { CopiesState } from "./copies-state.ts";
import type { BackupCopy, KeyCopies, TokenCopy } from "./custody-copies.ts";

/** What was known of a key before it was restored in the newest ceremony. */
export type Earlier = Pick<KeyCopies, "restored" | "backups">;

/** The ceremony that was given up. */
export interface GivenUp {
  readonly id: string;
  readonly openedAt: string;
  /** Items that were completed in steps which were not, by the digest of the key's SPKI. */
  readonly left: readonly string[];
}

/** Takes back what counted as proved of those keys; that they are on the token stays. */
export function unproved(
  { copies }: CopiesState,
  before: ReadonlyMap<string, Earlier>,
  { id, openedAt, left }: GivenUp,
): void {
  for (const spki of left) {
    const key = copies.get(spki);
    if (key === undefined) continue;
    const tokens = [...key.tokens].map(([name, copy]): [string, TokenCopy] => {
      const came = copy.origin !== "generated" && copy.proved >= openedAt;
      return [name, came ? { ...copy, proved: "" } : copy];
    });
    const earlier = key.restored?.ceremony === id ? before.get(spki) : undefined;
    const backups = [...key.backups].map(([name, copy]): [string, BackupCopy] => [
      name,
      earlier?.backups.get(name) ?? copy,
    ]);
    const restored = earlier === undefined ? key.restored : earlier.restored;
    copies.set(spki, { ...key, tokens: new Map(tokens), backups: new Map(backups), restored });
  }
}
