/** The commands around backups as commander knows them. */

import type { Command } from "commander";

const collect = (value: string, list: readonly string[]): readonly string[] => [...list, value];

export function addBackup(program: Command): void {
  const backup = program.command("backup").description("judge backups of keys, without a token");
  backup
    .command("verify")
    .argument("<dir>", "the folder of one backup")
    .description("judge a backup's folder offline: papers, wrapped keys, envelopes, signers")
    .option("--trust <file>", "trust file of the site that made it: its genesis digest")
    .option("--words <words>", "the 32 words of the genesis digest on the signed sheet")
    .option("--site <dir>", "the site that made it: knows which keys were destroyed since")
    .option("--json", "print one JSON document on standard output")
    .action(async (place, options) =>
      (await import("./backup.ts")).backupVerify(place as never, options as never),
    );
  backup
    .command("prove")
    .argument("<backup>", "id of a backup on record")
    .description("write the proofs that another site needs into every copy of a backup")
    .option("--site <dir>", "the site's folder (else KEYRITE_SITE, else the current directory)")
    .option("--vault <name=dir>", "where a vault of key backups is (repeat)", collect, [])
    .option("--json", "print one JSON document on standard output")
    .action(async (name, options) =>
      (await import("./backup.ts")).backupProve(name as never, options as never),
    );
}
