/** A stage whose tokens share a KEK: where tests of backup and restore begin. */

import { join } from "node:path";
import type { BackupCustody } from "../../src/ceremony/custody-copies.ts";
import { ESTABLISH_KEK, kekStage, kekStep, loadKek, withTokens } from "./kek-stage.ts";
import { CAST } from "./stage-scripts.ts";
import type { Stage } from "./stage.ts";

/** A step that generates an extractable key on alpha. */
export function generate(key: string, algorithm = "p-256", backup = "wrap"): string {
  const values = `token: alpha, key: ${key}, algorithm: ${algorithm}, purpose: ca-signing, backup: ${backup}`;
  return kekStep("generate-key", values, `-${key}`);
}

/** A step that backs keys of alpha up into both vaults. */
export function backUp(keys: string, more = "", suffix = ""): string {
  const values = `token: alpha, keys: ${keys}, under: backup-kek, to: [onsite, offsite]${more}`;
  return kekStep("back-up-key", values, suffix);
}

export function lock(keys: string): string {
  return kekStep("lock-key", `token: alpha, keys: ${keys}`);
}

/** Keys generated, backed up, opened again on beta, and locked. */
export function backedUp(keys: readonly string[], algorithm = "p-256"): string {
  const list = `[${keys.join(", ")}]`;
  return withTokens(
    ["alpha", "beta"],
    [...keys.map((key) => generate(key, algorithm)), backUp(list, ", proveOn: beta"), lock(list)],
  );
}

/** A script that restores keys onto a token. */
export function restore(
  token: string,
  keys: string,
  more: { readonly backup?: string; readonly from?: string; readonly older?: boolean } = {},
): string {
  const { backup = "newest", from = "onsite", older = false } = more;
  const values = `token: ${token}, keys: ${keys}, under: backup-kek, backup: ${backup}, from: ${from}`;
  return withTokens([token], [kekStep("restore-key", values + (older ? ", older: true" : ""))]);
}

/** Alpha and beta hold the KEK; gamma has a transport key only. */
export async function backupStage(): Promise<Stage> {
  const stage = await kekStage();
  await stage.run(ESTABLISH_KEK, CAST);
  await stage.run(loadKek("beta"), CAST);
  return stage;
}

/** The newest backup in custody. */
export function newestBackup(stage: Stage): BackupCustody {
  const newest = [...stage.history.custody.backups.values()].at(-1);
  if (newest === undefined) throw new Error("there is no backup");
  return newest;
}

/** A file of the newest backup in a vault. */
export function vaultFile(stage: Stage, name: string, vault = "onsite"): string {
  const folder = stage.vaults.get(vault);
  if (folder === undefined) throw new Error(`there is no vault ${vault}`);
  return join(folder, newestBackup(stage).backup, name);
}
