/** The most memory that signing a revocation list of 100,000 entries takes, token and all, in one process. */

import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { bench } from "./harness.ts";
import { inMemory } from "./lib/softhsm.ts";

export const about = "300 MiB against the peak of signing a revocation list of 100,000 entries";

const LIMIT = 300 * 1024 ** 2;
const SOURCE = join(import.meta.dirname, "lib", "crl-peak.ts");
/** Where packages are found from. */
const BUNDLE = join(import.meta.dirname, "..", "node_modules", ".bench-crl-peak.mjs");

export async function run(rounds = 5, entries = 100_000): Promise<void> {
  // Bundled as the product is: compiling the sources on the way takes more memory than running them.
  await build({
    ...{ entryPoints: [SOURCE], outfile: BUNDLE, logLevel: "warning" },
    ...{ bundle: true, platform: "node", format: "esm", target: "node20", packages: "external" },
    define: { KEYRITE_VERSION: JSON.stringify("bench") },
  });
  try {
    await inMemory((folder) =>
      bench("crl-memory", 1, {
        ours: () => peak(entries, folder),
        bare: () => LIMIT,
        rounds,
        kind: "memory",
      }),
    );
  } finally {
    rmSync(BUNDLE, { force: true });
  }
}

function peak(entries: number, folder: string): number {
  const command = [BUNDLE, String(entries), folder];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { encoding: "utf8" });
  if (status !== 0) throw new Error(`signing the list failed: ${stderr}`);
  return Number(stdout);
}
