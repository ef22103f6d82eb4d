/** Small C libraries of the tests, compiled on the spot: a module to stand between, a disk that fails. */

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { newFolder, type TestModule } from "./rehearsed-site.ts";
import { installedModule } from "./rig.ts";

/** Compiles `test/support/<name>.c` to a shared library and returns its path. */
export function compiled(name: string): string {
  const library = join(newFolder(), `${name}.so`);
  const source = join(import.meta.dirname, `${name}.c`);
  const options = ["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", library, source, "-ldl"];
  execFileSync("cc", options, { stdio: "pipe" });
  return library;
}

/** SoftHSM behind a module that names calls and can kill its process. */
export class ShimModule implements TestModule {
  readonly path = compiled("shim-module");
  readonly #log = join(newFolder(), "calls");

  /** What it reads besides: site.yaml must hand these on. */
  readonly variables = ["REAL", "LOG", "KILL", "ORPHAN", "CRASH", "NTH", "MARK", "SLOW"].map(
    (name) => `KEYRITE_SHIM_${name}`,
  );

  readonly env: NodeJS.ProcessEnv = {
    KEYRITE_SHIM_REAL: installedModule("softhsm"),
    KEYRITE_SHIM_LOG: this.#log,
  };

  /** Names of the noted calls since the last time this was asked. */
  calls(): readonly string[] {
    if (!existsSync(this.#log)) return [];
    const names = readFileSync(this.#log, "utf8").split("\n").filter(Boolean);
    writeFileSync(this.#log, "");
    return names;
  }
}
