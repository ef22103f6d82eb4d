/**
 * Vaults: folders outside the site where key backups are kept, by the names of site.yaml. What is
 * written there is durable before anybody records it, and no link is ever followed below a vault.
 */

import { lstatSync, realpathSync, statSync } from "node:fs";
import { join, sep } from "node:path";
import type { VaultFolder, Vaults } from "../ceremony/action.ts";
import { KeyriteError } from "../lib/errors.ts";
import { createFolder } from "../lib/files.ts";
import { readFolderOptions } from "./media.ts";
import { promised, vaultError } from "./vault-errors.ts";
import { folderFiles, syncFolder } from "./vault-files.ts";

const PLAIN_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/;

/** Reads repeated `name=DIR` options. @throws KeyriteError usage.bad-option */
export function readVaultOptions(options: readonly string[]): ReadonlyMap<string, string> {
  return readFolderOptions("vault", options, "onsite=/media/safe-1");
}

/**
 * The vaults of a site.
 * @param site the site's folder.
 * @param folders absolute folder of each vault.
 */
export function makeVaults(site: string, folders: ReadonlyMap<string, string>): Vaults {
  const place = (vault: string): string => vaultPlace(site, folders, vault);
  return {
    create: (vault, backup) => promised(() => createBackup(vault, place(vault), plainName(backup))),
    open: (vault, backup) =>
      promised(() => openBackup(vault, join(place(vault), plainName(backup)))),
  };
}

/** A backup's folder by its path, for commands that look at one without a site. */
export function backupFolder(path: string): VaultFolder {
  return openBackup(undefined, path);
}

/** The real folder of a vault. */
function vaultPlace(site: string, folders: ReadonlyMap<string, string>, vault: string): string {
  const folder = folders.get(vault);
  if (folder === undefined) {
    const known = [...folders.keys()].join(", ");
    throw new KeyriteError("site.bindings", `site.yaml names no vault ${vault}`, {
      hints: [
        known === "" ? "it names no vault at all" : `vaults named: ${known}`,
        `name its folder in site.yaml, or with --vault ${vault}=DIR`,
      ],
    });
  }
  const real = realFolder(vault, folder);
  requireApart(vault, real, realpathSync(site));
  for (const [other, theirs] of folders) {
    if (other !== vault && sameFolder(theirs, real)) {
      throw new KeyriteError(
        "site.bindings",
        `vaults ${vault} and ${other} are the same folder, ${folder}`,
        { hints: ["two copies in one place are one copy: give each vault a medium of its own"] },
      );
    }
  }
  return real;
}

function realFolder(vault: string, folder: string): string {
  const status = attempt(`look at vault ${vault}`, () =>
    statSync(folder, { throwIfNoEntry: false }),
  );
  if (status === undefined) {
    throw new KeyriteError("site.missing", `vault ${vault}: there is no folder ${folder}`, {
      hints: [
        "insert and mount the medium, or make the folder; it must lie outside the site",
        `another place for this run: --vault ${vault}=DIR`,
      ],
    });
  }
  if (!status.isDirectory()) {
    throw new KeyriteError("site.bindings", `vault ${vault}: ${folder} is not a folder`, {
      hints: [`name a folder in site.yaml, or with --vault ${vault}=DIR`],
    });
  }
  return realpathSync(folder);
}

// Whoever loses the site must not lose its backups with it, nor drag the site's keys into a safe.
function requireApart(vault: string, real: string, site: string): void {
  const within = (inner: string, outer: string): boolean =>
    `${inner}${sep}`.startsWith(`${outer}${sep}`);
  if (!within(real, site) && !within(site, real)) return;
  const how = within(real, site) ? "lies inside the site" : "contains the site";
  throw new KeyriteError("site.bindings", `vault ${vault} ${how}: ${real}`, {
    hints: ["keep backups on a medium or disk of their own, outside the site's folder"],
  });
}

function sameFolder(folder: string, real: string): boolean {
  try {
    return realpathSync(folder) === real;
  } catch {
    // Not there: whatever is wrong with it is said when it is used.
    return false;
  }
}

function createBackup(vault: string, folder: string, backup: string): VaultFolder {
  const path = join(folder, backup);
  if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) {
    throw new KeyriteError(
      "site.file-exists",
      `vault ${vault} holds a ${backup} already: ${path}`,
      {
        hints: ["nothing is ever overwritten: look what it is before the step is tried again"],
      },
    );
  }
  attempt(`make ${path} in vault ${vault}`, () => {
    createFolder(path);
    syncFolder(folder);
  });
  return folderFiles(path);
}

function openBackup(vault: string | undefined, path: string): VaultFolder {
  const status = attempt(`look at ${path}`, () => lstatSync(path, { throwIfNoEntry: false }));
  if (status?.isDirectory() === true) return folderFiles(path);
  const where = vault === undefined ? "" : `vault ${vault}: `;
  const what =
    status === undefined ? "there is no backup" : "what should be a backup is not a folder:";
  throw new KeyriteError("usage.bad-file", `${where}${what} ${path}`, {
    hints: ["keyrite status lists every backup and the vaults it was written to"],
  });
}

function plainName(name: string): string {
  if (PLAIN_NAME.test(name) && !name.includes("..")) return name;
  throw new KeyriteError("usage.bad-file", `"${name}" is not the name of a backup`);
}

function attempt<T>(what: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw vaultError(what, error);
  }
}
