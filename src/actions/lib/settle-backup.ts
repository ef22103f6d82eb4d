/**
 * A backup that was interrupted: no token keeps anything of it, so what is to settle are files. Those of
 * proved keys stay, all others are removed and written anew under the same backup id.
 */

import type { Doubt, Room, Settlement, VaultFolder } from "../../ceremony/action.ts";
import type { NamedKey } from "../../ceremony/key-choice.ts";
import { blobName, LONGEST_BLOB } from "../../backups/manifest.ts";
import { sha256Hex } from "../../lib/encoding.ts";
import { KeyriteError } from "../../lib/errors.ts";
import type { JsonObject } from "../../lib/json.ts";
import { readsOtherwise, type Blob } from "./wrap-to-vaults.ts";

interface BackupIntent extends JsonObject {
  readonly backup: string;
  readonly keys: number;
  readonly signers: readonly string[];
}

/** Looks at the folders of the backup; changes nothing. */
export async function settleBackup(
  vaults: readonly string[],
  room: Room,
  { intent, done }: Doubt<BackupIntent>,
): Promise<Settlement> {
  const shown = [
    `Backup ${intent.backup} is unfinished: ${done.size} of ${intent.keys} keys are proved and on record.`,
  ];
  let missing = 0;
  for (const vault of vaults) {
    const folder = await folderIfThere(room, vault, intent.backup);
    const names = new Set(folder === undefined ? [] : await folder.list());
    const kept = [...done].filter((spki) => names.has(blobName(spki))).length;
    missing += done.size - kept;
    shown.push(`  vault ${vault}: ${kept} files of proved keys, ${names.size - kept} others.`);
  }
  const data = { backup: intent.backup, proved: done.size };
  const others = whyNotTheirs(room, intent.signers);
  if (missing === 0 && others !== undefined) {
    return { shown: [...shown, others], data, choices: ["undo"] };
  }
  return missing === 0
    ? {
        shown: [
          ...shown,
          "Finish keeps the files of proved keys and writes the others anew; undo removes them all.",
        ],
        data,
        choices: ["finish", "undo"],
      }
    : {
        shown: [...shown, "Files of proved keys are gone, so it can only be undone: back up anew."],
        data,
        choices: ["undo"],
      };
}

/**
 * Why these performers cannot finish a backup. Its signers were agreed to and go on record: a note signed by
 * others would make a backup that nobody ever opens again.
 */
function whyNotTheirs(room: Room, signers: readonly string[]): string | undefined {
  const here = room.people.performers.map(({ person }) => person);
  if ([...here].sort().join() === [...signers].sort().join()) return undefined;
  return `It is to be signed by ${signers.join(" and ")}, not by ${here.join(" and ")}: stop and go on with those people, or undo it.`;
}

/**
 * The folder of a backup: new, or after an interruption the one that holds proved keys. One that holds none
 * is emptied, which removes it, and made anew.
 */
export async function openFolder(
  room: Room,
  vault: string,
  backup: string,
  resumed: { readonly proved: number } | undefined,
): Promise<VaultFolder> {
  const there = resumed === undefined ? undefined : await folderIfThere(room, vault, backup);
  if (there === undefined) return room.vaults.create(vault, backup);
  if (resumed !== undefined && resumed.proved > 0) return there;
  await there.remove(await there.list());
  return room.vaults.create(vault, backup);
}

/**
 * Keeps the wrapped keys that are proved and removes every other file.
 * @throws KeyriteError ledger.backup-damaged when one of them reads otherwise than on record
 */
export async function keepProved(
  room: Room,
  backup: string,
  folders: ReadonlyMap<string, VaultFolder>,
  proved: readonly NamedKey[],
): Promise<readonly Blob[]> {
  const kept = new Set(proved.map(({ spki }) => blobName(spki)));
  const blobs = new Map<string, Blob>();
  for (const [vault, folder] of folders) {
    if (proved.length > 0) {
      const names = await folder.list();
      await folder.remove(names.filter((name) => !kept.has(name)));
    }
    for (const item of proved) {
      const recorded = room.custody.copies.get(item.spki)?.backups.get(backup)?.blob;
      const bytes = await folder.read(blobName(item.spki), LONGEST_BLOB);
      const sha256 = sha256Hex(bytes);
      if (sha256 !== recorded) throw readsOtherwise(vault, blobName(item.spki));
      blobs.set(item.spki, { item, sha256, bytes: bytes.length });
    }
  }
  return [...blobs.values()];
}

/** Removes whatever a backup that was given up has left in its vaults. */
export async function removeBackup(
  vaults: readonly string[],
  room: Room,
  backup: string,
): Promise<void> {
  for (const vault of vaults) {
    const folder = await folderIfThere(room, vault, backup);
    if (folder !== undefined) await folder.remove(await folder.list());
  }
  room.console.tell(`The files of backup ${backup} are removed from ${vaults.join(" and ")}.`);
}

/** The folder of a backup in a vault that is there, and outside the site. */
export async function folderIfThere(
  room: Room,
  vault: string,
  backup: string,
): Promise<VaultFolder | undefined> {
  try {
    return await room.vaults.open(vault, backup);
  } catch (error) {
    if (error instanceof KeyriteError && error.code === "usage.bad-file") return undefined;
    throw error;
  }
}
