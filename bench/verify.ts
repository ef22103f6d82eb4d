/** What judging a whole ledger costs beside reading it and verifying its signatures. */

import { bench } from "./harness.ts";
import { bigSite } from "./lib/big-site.ts";
import { ENTRIES, verifySide, withBare } from "./lib/verify-sides.ts";

export const about =
  "verifying and judging a ledger against a bare two-thread pass that parses, hashes and verifies";

export async function run(rounds = 5, entries = ENTRIES): Promise<void> {
  const site = await bigSite(entries);
  await withBare(site, async (bare) => {
    await bench("verify", 0.6, { ours: verifySide(site), bare, rounds, kind: "time" });
  });
}
