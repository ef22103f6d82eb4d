/** The tools of this folder, which have a lockfile of their own: installed when first needed. */

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

export const ROOT = join(import.meta.dirname, "..");

/** Path of a file of a tool, with all tools installed as their lockfile says; no script of theirs is run. */
export function tool(name: string, file: string): string {
  const path = join(import.meta.dirname, "node_modules", name, file);
  if (!existsSync(path)) {
    execFileSync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], {
      cwd: import.meta.dirname,
      stdio: "inherit",
    });
  }
  return path;
}
