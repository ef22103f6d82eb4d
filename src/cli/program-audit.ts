/** The commands of the auditor's side as commander knows them, but for `verify`. */

import type { Command } from "commander";

const collect = (value: string, list: readonly string[]): readonly string[] => [...list, value];
const NONE: readonly string[] = [];
const SITE = "the site's folder (else KEYRITE_SITE, else the current directory)";
const JSON_TEXT = "print one JSON document on standard output";

export function addExport(program: Command): void {
  program
    .command("export")
    .argument("<dir>", "a folder that does not exist yet")
    .description(
      "make the evidence bundle of the ledger: everything an auditor needs, in one folder",
    )
    .option("--tar <file>", "also pack it into one .tar")
    .option("--site <dir>", SITE)
    .option("--ledger <file>", "a ledger.db elsewhere, instead of the site's")
    .option("--json", JSON_TEXT)
    .action(async (dir, options) =>
      (await import("./export.ts")).exportBundle(dir as never, options as never),
    );
}

export function addArchive(program: Command): void {
  program
    .command("archive")
    .argument("<dir>", "a folder that does not exist yet")
    .description(
      "close a period: a bundle with its retention date that names the archive before it",
    )
    .option("--after <archive>", "the archive before this one, its folder or .tar (else the first)")
    .option("--tar <file>", "also pack it into one .tar")
    .option("--site <dir>", SITE)
    .option("--json", JSON_TEXT)
    .action(async (dir, options) =>
      (await import("./archive.ts")).archive(dir as never, options as never),
    );
}

export function addProve(program: Command): void {
  program
    .command("prove")
    .argument("<seq>", "index of an entry")
    .description("prove that one entry stands in the ledger, under the newest cosigned checkpoint")
    .option("--out <file>", "write the proof to a new file, ending .tlog-proof")
    .option("--site <dir>", SITE)
    .option("--ledger <file>", "a ledger.db elsewhere, instead of the site's")
    .option("--json", JSON_TEXT)
    .action(async (seq, options) => {
      (await import("./prove.ts")).prove(seq as never, options as never);
    });
}

export function addVerifyProof(program: Command): void {
  program
    .command("verify-proof")
    .argument("<file>", "a proof as keyrite prove wrote it")
    .description("check the proof of one entry, offline and without the ledger")
    .option("--trust <file>", "trust file: the genesis digest and verifier keys")
    .option("--words <words>", "the 32 words of the genesis digest on the signed sheet")
    .option("--genesis <file>", "genesis.json: the ledger's key and the founders' cards")
    .option("--card <file>", "card of somebody who may have cosigned (repeat)", collect, NONE)
    .option("--json", JSON_TEXT)
    .action(async (file, options) => {
      (await import("./prove.ts")).verifyProofFile(file as never, options as never);
    });
}

export function addReport(program: Command): void {
  program
    .command("report")
    .argument(
      "[ceremony]",
      "id of a ceremony, or `all` for the whole site (else the newest closed)",
    )
    .description("the report of a ceremony: who did what, keys, copies, custody, deviations, proof")
    .option("--html", "one page that prints well and checks itself in a browser")
    .option("--md", "Markdown (what is printed when nothing else is asked for)")
    .option("--out <file>", "write it to a new file")
    .option("--trust <file>", "trust file: the genesis digest and verifier keys")
    .option("--words <words>", "the 32 words of the genesis digest on the signed sheet")
    .option("--head <file>", "a head that somebody carries (repeat)", collect, NONE)
    .option("--site <dir>", SITE)
    .option("--json", JSON_TEXT)
    .action(async (ceremony, options) =>
      (await import("./report.ts")).report(ceremony as never, options as never),
    );
}
