/** What every duty of a restore costs beside its PKCS#11 calls, one session at a time. */

import { measure, table, verdict } from "./harness.ts";
import { bare, ours } from "./lib/copies.ts";
import { onDisk } from "./lib/keyrite.ts";
import { inMemory } from "./lib/softhsm.ts";
import { wrappedKeys } from "./lib/wrapped-keys.ts";

export const about =
  "restoring with all duties, sequential, against a bare pkcs11js loop; worse of tmpfs and disk";

const FLOOR = 0.85;
/** A token on disk is six times slower. */
const FEWER_ON_DISK = 4;

export async function run(rounds = 7, keys = 3000): Promise<void> {
  const items = wrappedKeys(keys);
  const ratios: number[] = [];
  await onDisk((disk) =>
    inMemory(async (memory) => {
      for (const [name, token] of [
        ["tmpfs", memory],
        ["disk", disk],
      ] as const) {
        const few = name === "disk" ? items.slice(0, Math.ceil(keys / FEWER_ON_DISK)) : items;
        const places = { token, disk };
        const sides = { ours: ours(places, few), bare: bare(places, few) };
        const result = await measure({ ...sides, rounds, kind: "time" });
        const title = `${few.length} keys, token on ${name}, ledger on disk`;
        process.stdout.write(`${table(title, result)}\n`);
        ratios.push(result.ratio);
      }
    }),
  );
  process.stdout.write(`${verdict("restore", Math.min(...ratios), FLOOR)}\n`);
}
