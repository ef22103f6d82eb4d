/** Loaded first in every thread of a test: hands over which mutants' code ran, and stops an endless loop. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { threadId } from "node:worker_threads";

/** @type {{ hitLimit?: number, hitCount?: number, mutantCoverage?: { static: Record<string, number> } }} */
const shared = {};
const limit = process.env["MUTATION_HIT_LIMIT"];
if (limit !== undefined) {
  shared.hitLimit = Number(limit);
  shared.hitCount = 0;
}
Object.assign(globalThis, { __stryker__: shared });

process.on("exit", () => {
  const folder = process.env["MUTATION_HITS"];
  if (folder === undefined) return;
  const { user, system } = process.cpuUsage();
  const said = {
    hits: shared.mutantCoverage?.static ?? {},
    active: shared.hitCount ?? 0,
    cpuMs: (user + system) / 1000,
  };
  try {
    writeFileSync(join(folder, `${process.pid}-${threadId}.json`), JSON.stringify(said));
  } catch {
    // The folder is gone once the test has ended: whatever outlives it is of no account.
  }
});
