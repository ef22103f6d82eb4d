/** What a second core gains when a large ledger is verified. */

import { bench } from "./harness.ts";
import { bigSite } from "./lib/big-site.ts";
import { ENTRIES, verifySide } from "./lib/verify-sides.ts";

export const about = "verifying a ledger with two threads at work against one that does everything";

export async function run(rounds = 5, entries = ENTRIES): Promise<void> {
  const site = await bigSite(entries);
  const sides = { ours: verifySide(site, 2), bare: verifySide(site, 0) };
  await bench("verify-workers", 1.6, { ...sides, rounds, kind: "time" });
}
