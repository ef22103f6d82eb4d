/** What several sessions gain when a token on disk is slow: as many as the action opens. */

import { bench } from "./harness.ts";
import { bare, ours } from "./lib/copies.ts";
import { onDisk } from "./lib/keyrite.ts";
import { wrappedKeys } from "./lib/wrapped-keys.ts";

export const about =
  "restoring with all duties in 8 lanes on disk against the sequential bare loop";

const LANES = 8;

export async function run(rounds = 5, keys = 800): Promise<void> {
  const items = wrappedKeys(keys);
  await onDisk(async (disk) => {
    const places = { token: disk, disk };
    const sides = { ours: ours(places, items, LANES), bare: bare(places, items) };
    await bench("restore-lanes", 2.3, { ...sides, rounds, kind: "time" });
  });
}
