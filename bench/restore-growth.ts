/** Whether a key takes longer the more of them are restored: ten times as many, time per key. */

import { bench } from "./harness.ts";
import { ours, perKey } from "./lib/copies.ts";
import { onDisk } from "./lib/keyrite.ts";
import { inMemory } from "./lib/softhsm.ts";
import { wrappedKeys } from "./lib/wrapped-keys.ts";

export const about = "time per key of restoring 1,000 keys against that of 10,000 in one run";

export async function run(rounds = 5, keys = 10_000): Promise<void> {
  const items = wrappedKeys(keys);
  const few = items.slice(0, Math.ceil(keys / 10));
  await onDisk((disk) =>
    inMemory(async (memory) => {
      const places = { token: memory, disk };
      await bench("restore-growth", 0.83, {
        ours: perKey(ours(places, items), items.length),
        bare: perKey(ours(places, few), few.length),
        rounds,
        kind: "time",
      });
    }),
  );
}
