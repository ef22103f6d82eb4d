/** How long the command takes to answer when nothing is to be done, against Node itself. */

import { measure, table, verdict } from "./harness.ts";
import { KEYRITE, node } from "./lib/keyrite.ts";

export const about = "`--version` and `--help`, the worse of the two, against `node -e 0`";

const FLOOR = 0.77;

export async function run(rounds = 25): Promise<void> {
  const ratios: number[] = [];
  for (const option of ["--version", "--help"]) {
    const result = await measure({
      ours: node(KEYRITE, option),
      bare: node("-e", "0"),
      rounds,
      kind: "time",
    });
    process.stdout.write(`${table(`keyrite ${option} against node -e 0`, result)}\n`);
    ratios.push(result.ratio);
  }
  process.stdout.write(`${verdict("start", Math.min(...ratios), FLOOR)}\n`);
}
