/** Small C libraries of the tests, compiled on the spot: a module to stand between, a disk that fails. */

import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { newFolder } from "./rehearsed-site.ts";

/** Compiles `test/support/<name>.c` to a shared library and returns its path. */
export function compiled(name: string): string {
  const library = join(newFolder(), `${name}.so`);
  const source = join(import.meta.dirname, `${name}.c`);
  const options = ["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", library, source, "-ldl"];
  execFileSync("cc", options, { stdio: "pipe" });
  return library;
}
