/** The commands as commander knows them; each loads its own parts when it is run. */

import { Command } from "commander";
import { VERSION } from "./version.ts";

/** Parses and runs one command line; returns the exit code. */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
  const program = new Command("keyrite").version(VERSION);
  program.description("Trusted-role ceremonies for certificate authorities");
  await program.parseAsync([...argv], { from: "user" });
  return 0;
}
