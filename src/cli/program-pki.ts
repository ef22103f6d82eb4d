/** The commands around certificates as commander knows them. */

import type { Command } from "commander";

export function addHierarchy(program: Command): void {
  program
    .command("hierarchy")
    .argument("<file...>", "certificates, revocation lists and requests: DER, PEM or PKCS#7")
    .description("judge certificates, revocation lists and requests against each other, offline")
    .option("--rules <name>", "private, tls, smime or code-signing", "private")
    .option("--html <file>", "also write a page with a picture of the tree; a new file")
    .option("--json", "print one JSON document on standard output")
    .action(async (files, options) => {
      (await import("./hierarchy.ts")).hierarchy(files as never, options as never);
    });
}
