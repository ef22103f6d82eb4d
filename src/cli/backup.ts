/** `keyrite backup`: judges a backup's folder offline, and writes its proofs when the close could not. */

import { resolve } from "node:path";
import { writeProofs } from "../ceremony/backup-proofs.ts";
import { visible } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import { proofsJson } from "./closing-proofs.ts";
import { judgeBackup, type JudgedBackup } from "./judge-backup.ts";
import { printJson, printLine, tellLine } from "./output.ts";
import { openSite, siteFolder } from "./site.ts";
import { backupFolder, makeVaults, readVaultOptions } from "./vaults.ts";
import { readTrust } from "./verify.ts";

export interface BackupVerifyOptions {
  readonly trust?: string;
  readonly words?: string;
  readonly json?: boolean;
}

/** @throws KeyriteError ledger.backup-damaged when anything is wrong, ledger.not-trusted without proofs */
export async function backupVerify(place: string, options: BackupVerifyOptions): Promise<void> {
  const trust = readTrust(options);
  const judged = await judgeBackup(backupFolder(resolve(place)), trust?.genesis);
  if (options.json === true) printJson("backup-verify", verdictJson(judged));
  else for (const line of verdictLines(judged)) printLine(line);
  if (judged.verdict === "CANNOT TELL") {
    throw new KeyriteError("ledger.not-trusted", "nothing beside the backup says who signed it", {
      hints: ["at its site, keyrite backup prove BACKUP writes the proofs into every copy"],
    });
  }
  if (judged.problems.length === 0) return;
  throw new KeyriteError("ledger.backup-damaged", "the backup does not verify", {
    hints: [...judged.problems.slice(0, 3), "restore from the copy in another vault"],
  });
}

export interface BackupProveOptions {
  readonly site?: string;
  readonly vault: readonly string[];
  readonly json?: boolean;
}

/** @throws KeyriteError usage.refused; site.disk when not every copy got its proofs */
export async function backupProve(backup: string, options: BackupProveOptions): Promise<void> {
  const site = openSite(siteFolder(options.site), { write: false });
  try {
    const folders = new Map([...site.bindings.vaults, ...readVaultOptions(options.vault)]);
    const written = await writeProofs(site, makeVaults(site.folder, folders), backup);
    for (const { vault, problem } of written) {
      tellLine(problem ?? `Proofs of ${backup} lie in vault ${vault}.`);
    }
    if (options.json === true)
      printJson("backup-prove", { backup, written: written.map(proofsJson) });
    const missing = written.filter(({ problem }) => problem !== undefined);
    if (missing.length === 0) return;
    throw new KeyriteError(
      "site.disk",
      `vault ${missing.map(({ vault }) => vault).join(", ")}: the proofs were not written`,
      { hints: ["insert the medium, and run keyrite backup prove again"] },
    );
  } finally {
    site.ledger.close();
  }
}

function verdictLines(judged: JudgedBackup): readonly string[] {
  const { papers } = judged;
  return [
    ...(papers === undefined
      ? []
      : [
          `Backup ${papers.backup} of ${papers.origin}, ${papers.keys} keys, made ${papers.time}`,
          `KEK ${papers.kek}, check value ${papers.checkValue}`,
          ...(papers.outside ? ["This KEK has existed outside an HSM"] : []),
          ...(papers.assurance === "test" ? ["TEST – not of a production site"] : []),
        ]),
    ...(judged.signers.length === 0 ? [] : [`Signed by ${judged.signers.join(" and ")}`]),
    ...judged.problems.map((text) => `FINDING ${visible(text)}`),
    ...judged.unchecked.map((text) => `Not checked: ${visible(text)}`),
    `Verdict: ${judged.verdict}${judged.anchored ? "" : " (not anchored)"}`,
  ];
}

function verdictJson(judged: JudgedBackup): Parameters<typeof printJson>[1] {
  const { papers } = judged;
  return {
    verdict: judged.verdict,
    anchored: judged.anchored,
    backup: papers === undefined ? null : { ...papers },
    signers: [...judged.signers],
    findings: [...judged.problems],
    notChecked: [...judged.unchecked],
  };
}
