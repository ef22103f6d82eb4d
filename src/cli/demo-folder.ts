/** Where the demo is played: never at a production site, never over somebody's files. */

import { existsSync, mkdtempSync, readdirSync, readFileSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { KeyriteError } from "../lib/errors.ts";
import { makeFolders } from "../lib/files.ts";

/** @throws KeyriteError usage.refused for a folder that is a production site or lies inside one */
export function refuseProduction(places: readonly string[]): void {
  for (const place of places) refuseInside(resolve(place));
}

function refuseInside(place: string): void {
  const parent = dirname(place);
  if (parent !== place) refuseInside(parent);
  const genesis = join(place, "genesis.json");
  if (!existsSync(genesis) || !readFileSync(genesis, "utf8").includes('"assurance":"production"'))
    return;
  throw new KeyriteError(
    "usage.refused",
    `${place} is a production site, and the demo is played elsewhere`,
    {
      hints: ["change to another folder and start the demo there"],
    },
  );
}

/** A new or empty folder for all that the demo makes. @throws KeyriteError site.exists */
export function demoFolder(out: string | undefined): string {
  if (out === undefined) return mkdtempSync(join(tmpdir(), "keyrite-demo-"));
  const folder = resolve(out);
  if (existsSync(folder) && (!statSync(folder).isDirectory() || readdirSync(folder).length > 0)) {
    throw new KeyriteError(
      "site.exists",
      `${folder} is not an empty folder; the demo overwrites nothing`,
      {
        hints: ["name a new folder with --out DIR"],
      },
    );
  }
  makeFolders(folder);
  return folder;
}
