/** The most memory that backing up or restoring thousands of keys takes, software token and all. */

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { bench } from "./harness.ts";
import { onDisk } from "./lib/keyrite.ts";
import { inMemory } from "./lib/softhsm.ts";

export const about = "250 MiB against the peak of backing up or restoring 10,000 keys";

const MEBIBYTE = 1024 ** 2;
const LIMIT = 250 * MEBIBYTE;
const PEAK = join(import.meta.dirname, "lib", "peak.ts");

export async function run(rounds = 5, keys = 10_000): Promise<void> {
  await onDisk((disk) =>
    inMemory(async (memory) => {
      const few = Math.ceil(keys / 10);
      for (const what of ["backup", "restore"]) {
        const text = [few, keys].map(
          (count) => `${count} keys ${(peak(what, count, memory, disk) / MEBIBYTE).toFixed(1)} MiB`,
        );
        process.stdout.write(`${what}: ${text.join(", ")}\n`);
      }
      await bench("backup-memory", 1, {
        ours: () =>
          Math.max(...["backup", "restore"].map((what) => peak(what, keys, memory, disk))),
        bare: () => LIMIT,
        rounds,
        kind: "memory",
      });
    }),
  );
}

function peak(what: string, keys: number, memory: string, disk: string): number {
  const command = ["--import", "tsx", PEAK, what, String(keys), memory, disk];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${what} of ${keys} keys failed: ${stderr}`);
  return Number(stdout);
}
