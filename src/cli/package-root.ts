/** Where the package lies, found from the running file, and the digest of the build that runs. */

import { createHash } from "node:crypto";
import { closeSync, existsSync, openSync, readdirSync, readSync } from "node:fs";
import { dirname, join, sep } from "node:path";
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

/** Names of the ceremonies that ship with Keyrite. */
export function shippedCeremonies(): readonly string[] {
  const folder = join(packageRoot(), "ceremonies");
  return readdirSync(folder, { withFileTypes: true })
    .map((entry) => entry.name)
    .filter((name) => existsSync(join(folder, name, "script.yaml")))
    .sort();
}

/** What starts the build: whoever changes it changes what runs. Nothing else of bin/ is shipped everywhere. */
const STARTS = ["bin/keyrite.js", "bin/lib/node-version.js", "bin/lib/supervisor.js"];

/** Name, version and digest of the files that run: the bundle, or the sources without one, and what starts them. */
export function software(): Software {
  const root = packageRoot();
  const folder = import.meta.dirname.split(sep).includes("dist") ? "dist" : "src";
  const digests = [...STARTS, ...filesBelow(root, folder)]
    .filter((file) => /\.(cjs|js|ts)$/.test(file))
    .sort()
    .map((file) => `${file} ${digestOfFile(join(root, file))}`);
  return { name: "keyrite", version: VERSION, sha256: sha256Hex(digests.join("\n")) };
}

// Every start reads all files of the build: one small buffer costs half of what whole files do.
const part = Buffer.allocUnsafeSlow(1 << 16);

function digestOfFile(path: string): string {
  const hash = createHash("sha256");
  const file = openSync(path, "r");
  try {
    for (let length; (length = readSync(file, part)) > 0;) hash.update(part.subarray(0, length));
  } finally {
    closeSync(file);
  }
  return hash.digest("hex");
}

/** Names from the root down, with slashes on every system. */
function filesBelow(root: string, folder: string): readonly string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const name = `${folder}/${entry.name}`;
    return entry.isDirectory() ? filesBelow(root, name) : [name];
  });
}
