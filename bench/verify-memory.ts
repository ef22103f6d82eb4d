/** The most memory that verifying a large ledger takes, all threads together. */

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { bench } from "./harness.ts";
import { bigSite } from "./lib/big-site.ts";
import { KEYRITE } from "./lib/keyrite.ts";
import { ENTRIES } from "./lib/verify-sides.ts";

export const about = "300 MiB against the peak of `verify` on a large ledger";

const MEBIBYTE = 1024 ** 2;
const LIMIT = 300 * MEBIBYTE;
/** Runs the command in its own process and says on the last line what that held at most, in KiB. */
const MEASURED = `
  process.on("exit", () => process.stderr.write("\\n" + process.resourceUsage().maxRSS));
  process.argv.splice(1, 1, ${JSON.stringify(KEYRITE)});
  require(${JSON.stringify(KEYRITE)});
`;

export async function run(rounds = 5, entries = ENTRIES): Promise<void> {
  const site = await bigSite(entries);
  await bench("verify-memory", 1, {
    ours: () => peakOf("verify", site, "--trust", join(site, "trust.txt")),
    bare: () => LIMIT,
    rounds,
    kind: "memory",
  });
}

function peakOf(...words: readonly string[]): number {
  const command = ["-e", MEASURED, "-", ...words];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, {
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  if (status !== 0 || !stdout.includes("Integrity: CONSISTENT\n")) {
    throw new Error(`it does not verify:\n${stdout}\n${stderr}`);
  }
  return Number(stderr.slice(stderr.lastIndexOf("\n"))) * 1024;
}
