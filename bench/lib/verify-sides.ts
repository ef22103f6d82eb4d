/** The sides of the benchmarks of verifying: whole processes on a large ledger. */

import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { timed, type Side } from "../harness.ts";
import { KEYRITE } from "./keyrite.ts";

const ROOT = join(import.meta.dirname, "..", "..");
/** Packages are found from there. */
const BARE = join(ROOT, "node_modules", ".bench-verify.mjs");

/** Entries unless another number is given; the goal is stated for a million. */
export const ENTRIES = 100_000;

/** Bundles the bare pass, so that starting it costs no compiling, and hands over how to run it. */
export async function withBare(site: string, body: (bare: Side) => Promise<void>): Promise<void> {
  await build({
    ...{ entryPoints: [join(import.meta.dirname, "bare-verify.ts")], outfile: BARE },
    ...{ bundle: true, platform: "node", format: "esm", target: "node20", packages: "external" },
    logLevel: "warning",
  });
  try {
    process.stdout.write(`the bare pass verifies ${processOutput([BARE, site]).trim()}\n`);
    await body(timed(() => processOutput([BARE, site])));
  } finally {
    rmSync(BARE, { force: true });
  }
}

/** `keyrite verify` of a site, anchored, on so many threads besides the main one. */
export function verifySide(site: string, workers?: number): Side {
  const threads = workers === undefined ? [] : ["--threads", String(workers)];
  const command = [KEYRITE, "verify", site, "--trust", join(site, "trust.txt"), ...threads];
  return timed(() => {
    const text = processOutput(command);
    if (!text.includes("Integrity: CONSISTENT\n")) throw new Error(`it does not verify:\n${text}`);
  });
}

/** Standard output of a Node process. @throws Error when it does not end with 0. */
export function processOutput(command: readonly string[]): string {
  const options = { encoding: "utf8", maxBuffer: 1 << 28 } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, command, options);
  if (status === 0) return stdout;
  throw new Error(`node ${command.join(" ")} ended with ${String(status)}\n${stderr}`);
}
