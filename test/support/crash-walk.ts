/** Every shipped ceremony in its place: what it finds, and what an uninterrupted run of it comes to. */

import { cpSync, rmSync } from "node:fs";
import { ledgerOf, heldBy, shapeOf } from "./crash-look.ts";
import { CrashSite, module, shim, type FilePoint, type Prepared } from "./crash-site.ts";
import { newFolder, siteAt, succeeded, type RehearsedSite } from "./rehearsed-site.ts";
import { preparedFor, shippedInOrder } from "./shipped.ts";

/** A ceremony before it is run, and how its uninterrupted run went. */
export interface Whole extends Prepared {
  readonly points: readonly FilePoint[];
  readonly calls: readonly string[];
  /** What is on the tokens behind it. */
  readonly shape: readonly string[];
}

/**
 * Performs every ceremony in turn on one site and hands on a copy of the site as it was before each.
 * @returns the site behind the last of them
 * @param wanted ceremonies that are handed on; the others are merely performed
 */
export async function walk(
  wanted: readonly string[] | undefined,
  visit: (whole: Whole) => Promise<void>,
): Promise<RehearsedSite> {
  let site = siteAt("made", module);
  for (const ceremony of shippedInOrder(wanted)) {
    const options = preparedFor(site, ceremony);
    const folder = newFolder();
    cpSync(site.folder, folder, { recursive: true, preserveTimestamps: true });
    const here = {
      ceremony,
      folder,
      options: options.map((one) => one.replaceAll(site.folder, folder)),
    };
    const performed = new CrashSite(here);
    const { ran, points, calls } = await performed.run();
    succeeded(ran);
    const visited = wanted?.includes(ceremony) ?? true;
    if (visited) {
      const { custody } = ledgerOf(performed.site);
      const shape = shapeOf(await heldBy(performed.site, shim, custody));
      await visit({ ...here, points, calls, shape });
    }
    rmSync(folder, { recursive: true });
    rmSync(site.folder, { recursive: true });
    site = performed.site;
  }
  return site;
}
