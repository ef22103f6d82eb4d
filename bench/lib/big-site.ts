/** Test sites with ledgers of any size, kept between runs in a folder for temporary files. */

import { cpSync, existsSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { keepToLookAt, openSite } from "../../src/cli/site.ts";
import { cacheFolder, exercisedSite } from "./exercise.ts";
import { Replay } from "./replay.ts";
import { inMemory } from "./softhsm.ts";

/** A site whose ledger has `entries` entries or a few more; only to be read. */
export async function bigSite(entries: number): Promise<string> {
  const origin = exercisedSite();
  const folder = join(cacheFolder(), `${basename(origin)}-${entries}`);
  if (existsSync(folder)) return join(folder, "site");
  process.stdout.write(`writing a ledger of ${entries} entries, to be kept in ${folder}\n`);
  await inMemory(async (memory) => {
    const work = mkdtempSync(join(memory, "site-"));
    cpSync(join(origin, "site"), join(work, "site"), { recursive: true });
    const replay = await Replay.open(join(work, "site"), join(origin, "media"));
    try {
      while (replay.size < entries) replay.perform();
    } finally {
      replay.close();
    }
    keepStatusOf(join(work, "site"));
    const fresh = `${folder}.${process.pid}`;
    rmSync(fresh, { recursive: true, force: true });
    cpSync(work, fresh, { recursive: true, preserveTimestamps: true });
    renameSync(fresh, folder);
  });
  return join(folder, "site");
}

/** As `run` does when a ceremony has closed. */
function keepStatusOf(folder: string): void {
  const site = openSite(folder, { write: true });
  try {
    keepToLookAt(site);
  } finally {
    site.ledger.close();
  }
}
