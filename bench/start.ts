/** How long the command takes to answer when nothing is to be done, against Node itself. */

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { measure, table, timed, verdict, type Side } from "./harness.ts";

export const about = "`--version` and `--help`, the worse of the two, against `node -e 0`";

const FLOOR = 0.77;
const ROUNDS = 25;
const KEYRITE = join(import.meta.dirname, "..", "bin", "keyrite.js");

function node(...args: readonly string[]): Side {
  return timed(() => {
    const { status } = spawnSync(process.execPath, args, { stdio: "ignore" });
    if (status !== 0) throw new Error(`node ${args.join(" ")} ended with ${String(status)}`);
  });
}

export async function run(): Promise<void> {
  const ratios: number[] = [];
  for (const option of ["--version", "--help"]) {
    const result = await measure({
      ours: node(KEYRITE, option),
      bare: node("-e", "0"),
      rounds: ROUNDS,
      kind: "time",
    });
    process.stdout.write(`${table(`keyrite ${option} against node -e 0`, result)}\n`);
    ratios.push(result.ratio);
  }
  process.stdout.write(`${verdict("start", Math.min(...ratios), FLOOR)}\n`);
}
