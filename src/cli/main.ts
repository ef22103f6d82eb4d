/**
 * The way in. Answers `--version` without loading anything, and loads the command line for all else,
 * so that what most often runs in scripts costs no more than Node itself.
 */

import { VERSION } from "./version.ts";

/** Runs one command line (without node and script) and returns the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  if (argv.length === 1 && argv[0] === "--version") {
    process.stdout.write(`${VERSION}\n`);
    return 0;
  }
  if (argv.length === 1 && argv[0] === "module-host") {
    const { moduleHost } = await import("./module-host.ts");
    moduleHost();
    return 0;
  }
  const { runCommandLine } = await import("./program.ts");
  return runCommandLine(argv);
}
