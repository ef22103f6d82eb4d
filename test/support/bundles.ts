/** Bundles for tests: made once by the real command, copied for whoever spoils one. */

import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readManifest, type BundleManifest } from "../../src/report/bundle-manifest.ts";
import { newFolder, siteAt, succeeded, type RehearsedSite } from "./rehearsed-site.ts";

export interface MadeBundle {
  readonly site: RehearsedSite;
  readonly folder: string;
  readonly tar: string;
  readonly manifest: BundleManifest;
}

let made: MadeBundle | undefined;

/** The bundle of a site with a root CA, as folder and .tar. */
export function madeBundle(): MadeBundle {
  if (made !== undefined) return made;
  const site = siteAt("generated");
  const out = newFolder();
  const [folder, tar] = [join(out, "bundle"), join(out, "bundle.tar")];
  succeeded(site.keyrite(["export", folder, "--tar", tar]));
  const manifest = readManifest(readFileSync(join(folder, "bundle.json")));
  if (typeof manifest === "string") throw new Error(manifest);
  made = { site, folder, tar, manifest };
  return made;
}

/** A copy of the bundle's folder, for the caller to spoil. */
export function bundleCopy(): string {
  const folder = join(newFolder(), "bundle");
  cpSync(madeBundle().folder, folder, { recursive: true });
  return folder;
}

/** The trust file of the site that the bundle is of. */
export function trustFile(): string {
  return madeBundle().site.file("trust.txt");
}
