/** The most memory that backing up or restoring thousands of keys takes, software token and all. */

import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { bench } from "./harness.ts";
import { onDisk } from "./lib/keyrite.ts";
import { inMemory } from "./lib/softhsm.ts";

export const about = "250 MiB against the peak of backing up or restoring 10,000 keys";

const MEBIBYTE = 1024 ** 2;
const LIMIT = 250 * MEBIBYTE;
const SOURCE = join(import.meta.dirname, "lib", "peak.ts");
const ROOT = join(import.meta.dirname, "..");
/** Where packages are found from. */
const BUNDLE = join(ROOT, "node_modules", ".bench-peak.mjs");

export async function run(rounds = 5, keys = 10_000): Promise<void> {
  await bundle();
  try {
    await compare(rounds, keys);
  } finally {
    rmSync(BUNDLE, { force: true });
  }
}

// Bundled as the product is: compiling the sources on the way takes more memory than running them.
async function bundle(): Promise<void> {
  await build({
    ...{ entryPoints: [SOURCE], outfile: BUNDLE, logLevel: "warning" },
    ...{ bundle: true, platform: "node", format: "esm", target: "node20", packages: "external" },
    define: { KEYRITE_VERSION: JSON.stringify("bench") },
  });
}

async function compare(rounds: number, keys: number): Promise<void> {
  await onDisk((disk) =>
    inMemory(async (memory) => {
      const few = Math.ceil(keys / 10);
      for (const what of ["bare", "backup", "restore"]) {
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
  const command = [BUNDLE, what, String(keys), memory, disk];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${what} of ${keys} keys failed: ${stderr}`);
  return Number(stdout);
}
