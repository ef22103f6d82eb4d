/** How long it takes to look at a large ledger: to prove one entry of it, and to say what the site holds. */

import { rmSync } from "node:fs";
import { join } from "node:path";
import { measure, median, table, verdict } from "./harness.ts";
import { bigSite } from "./lib/big-site.ts";
import { KEYRITE, node, onDisk } from "./lib/keyrite.ts";
import { ENTRIES } from "./lib/verify-sides.ts";

export const about =
  "200 ms against `prove` and `status` of a large ledger, over start-up; the worse";

const LIMIT_MS = 200;
const FLOOR = 1;

export async function run(rounds = 5, entries = ENTRIES): Promise<void> {
  const site = await bigSite(entries);
  const started = await startUp(rounds);
  process.stdout.write(`start-up takes ${started.toFixed(1)} ms\n`);
  const ratios: number[] = [];
  await onDisk(async (folder) => {
    const proof = join(folder, "entry.tlog-proof");
    const middle = String(Math.floor(entries / 2));
    const commands = {
      prove: ["prove", middle, "--site", site, "--out", proof],
      status: ["status", "--site", site],
    };
    for (const [name, words] of Object.entries(commands)) {
      const whole = node(KEYRITE, ...words);
      const ours = async (): Promise<number> => {
        rmSync(proof, { force: true });
        return Math.max((await whole()) - started, 0.1);
      };
      const result = await measure({ ours, bare: () => LIMIT_MS, rounds, kind: "time" });
      process.stdout.write(`${table(`${name}, over start-up`, result)}\n`);
      ratios.push(result.ratio);
    }
  });
  process.stdout.write(`${verdict("look", Math.min(...ratios), FLOOR)}\n`);
}

async function startUp(rounds: number): Promise<number> {
  const version = node(KEYRITE, "--version");
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) times.push(await version());
  return median(times);
}
