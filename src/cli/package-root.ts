/** Where the package lies, found from the running file, and the digest of the build that runs. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { sha256Hex } from "../lib/encoding.ts";
import type { Software } from "../ceremony/plan.ts";
import { VERSION } from "./version.ts";

/** The folder that holds package.json. */
export function packageRoot(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, "package.json"))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error("package.json is not above the running file");
    folder = parent;
  }
  return folder;
}

/** Name, version and digest of the files that run: the bundle, or the sources without one. */
export function software(): Software {
  const root = packageRoot();
  const folder = import.meta.dirname.split(sep).includes("dist") ? "dist" : "src";
  const digests = filesBelow(join(root, folder))
    .filter((file) => /\.(cjs|js|ts)$/.test(file))
    .sort()
    .map((file) => `${relative(root, file).split(sep).join("/")} ${sha256Hex(readFileSync(file))}`);
  return { name: "keyrite", version: VERSION, sha256: sha256Hex(digests.join("\n")) };
}

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(path) : [path];
  });
}
