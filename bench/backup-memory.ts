/**
 * The most memory that Keyrite takes to back up or restore thousands of keys; a software token keeps its objects in
 * the module's process, which is measured beside it.
 */

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { bench } from "./harness.ts";
import { onDisk } from "./lib/keyrite.ts";
import { inMemory } from "./lib/softhsm.ts";

export const about = "250 MiB against the peak of Keyrite's process with 10,000 keys";

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
      for (const what of ["bare", "backup", "restore"] as const) {
        const text = [few, keys].map((count) => {
          const [own, beside] = peak(what, count, memory, disk);
          const module = what === "bare" ? "" : ` and the module's process ${mebibytes(beside)}`;
          return `${count} keys ${mebibytes(own)}${module}`;
        });
        process.stdout.write(`${what}: ${text.join("; ")}\n`);
      }
      await bench("backup-memory", 1, {
        ours: () =>
          Math.max(
            ...(["backup", "restore"] as const).map((what) => peak(what, keys, memory, disk)[0]),
          ),
        bare: () => LIMIT,
        rounds,
        kind: "memory",
      });
    }),
  );
}

function mebibytes(bytes: number): string {
  return `${(bytes / MEBIBYTE).toFixed(1)} MiB`;
}

/** The most that Keyrite's process held, and the most that the module's held. */
function peak(
  what: "bare" | "backup" | "restore",
  keys: number,
  memory: string,
  disk: string,
): readonly [own: number, beside: number] {
  const place = mkdtempSync(join(memory, "peak-"));
  const file = join(place, "made.json");
  try {
    bundled(what === "backup" ? "fill" : "make", String(keys), place, file);
    const [own = 0, beside = 0] = bundled(what, file, disk).split(" ").map(Number);
    return [own, beside];
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

function bundled(...words: readonly string[]): string {
  const command = [BUNDLE, ...words];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${words.join(" ")} failed: ${stderr}`);
  return stdout;
}
