/** `keyrite backup`: judges a backup's folder offline, and writes its proofs when the close could not. */

import { existsSync, readdirSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { MANIFEST_LIMITS } from "../backups/manifest.ts";
import type { VaultFolder } from "../ceremony/action.ts";
import { readManifest } from "../ceremony/backup-check.ts";
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
  /** The site that made the backup: its ledger says which wrapped keys were destroyed since. */
  readonly site?: string;
  readonly json?: boolean;
}

/**
 * Prints the verdict on a backup.
 * @throws KeyriteError ledger.backup-damaged when anything is wrong, ledger.not-trusted without proofs,
 * usage.bad-file when there is no backup in that place
 */
export async function backupVerify(place: string, options: BackupVerifyOptions): Promise<void> {
  const trust = readTrust(options);
  const folder = backupFolder(resolve(place));
  requireBackup(resolve(place));
  const removed = options.site === undefined ? NONE : await destroyedIn(options.site, folder);
  const found = await judgeBackup(folder, trust?.genesis, removed);
  const judged = underItsName(found, resolve(place));
  if (options.json === true) printJson("backup-verify", verdictJson(judged));
  else for (const line of verdictLines(judged)) printLine(line);
  if (judged.verdict === "CANNOT TELL") {
    throw new KeyriteError("ledger.not-trusted", "nothing beside the backup says who signed it", {
      hints: ["at its site, keyrite backup prove BACKUP writes the proofs into every copy"],
    });
  }
  if (judged.verdict === "FOREIGN") {
    throw new KeyriteError("ledger.not-trusted", "the backup is of another site", {
      hints: [...judged.problems, "judge it with the trust file of the site that made it"],
    });
  }
  if (judged.problems.length === 0) return;
  throw new KeyriteError("ledger.backup-damaged", "the backup does not verify", {
    hints: [
      ...judged.problems.slice(0, 3),
      ...(options.site === undefined
        ? ["keys destroyed since are known to the site: add --site DIR"]
        : []),
      "restore from the copy in another vault",
    ],
  });
}

const NONE: ReadonlySet<string> = new Set();

/** Keys whose wrapped key in this backup is on record as destroyed. */
async function destroyedIn(folder: string, backup: VaultFolder): Promise<ReadonlySet<string>> {
  const manifest = readManifest(await backup.read("backup.json", MANIFEST_LIMITS.bytes));
  if (typeof manifest === "string") return NONE;
  const site = openSite(siteFolder(folder), { write: false });
  try {
    const { backups, copies } = site.history.custody;
    if (!backups.has(manifest.backup)) {
      throw new KeyriteError(
        "usage.refused",
        `${folder} has no backup ${manifest.backup} on record`,
        {
          hints: ["name the site that made it, or leave --site out"],
        },
      );
    }
    const gone = ({ sha256 }: { readonly sha256: string }): boolean =>
      copies.get(sha256)?.backups.has(manifest.backup) !== true;
    return new Set(manifest.keys.filter(gone).map(({ sha256 }) => sha256));
  } finally {
    site.ledger.close();
  }
}

/** A backup in the folder of another one stands in for it: whole, and yet not what is looked for. */
function underItsName(judged: JudgedBackup, place: string): JudgedBackup {
  const name = basename(place);
  const id = judged.papers?.backup;
  if (id === undefined || id === name || !BACKUP_ID.test(name)) return judged;
  const problem = `it is backup ${id}, in a folder that is named ${name}`;
  return { ...judged, verdict: "DAMAGED", problems: [problem, ...judged.problems] };
}

const BACKUP_ID = /^backup-\d{8}-[a-z2-7]{4}$/;
const PAPERS = ["backup.json", "backup.note", "keys", "kek", "proofs"];

// The folder above, or a wrong one, is a slip of the hand: "damaged" would send for the auditor.
function requireBackup(place: string): void {
  const names = readdirSync(place);
  if (names.some((name) => PAPERS.includes(name))) return;
  const backups = names.filter((name) => existsSync(join(place, name, "backup.json"))).sort();
  throw new KeyriteError("usage.bad-file", `${place} is not the folder of a backup`, {
    hints: [
      backups.length === 0
        ? "give the folder of one backup, VAULT/backup-…: it holds backup.json"
        : `give one of the backups in it: ${backups.slice(0, 5).map(visible).join(", ")}`,
    ],
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
          `Backup ${papers.backup} of ${papers.origin}, ${papers.keys} ${papers.keys === 1 ? "key" : "keys"}, made ${papers.time}`,
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
