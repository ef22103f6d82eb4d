/**
 * Opens a backup in a vault and judges its papers: this site's own by the record, another site's by the
 * proofs that lie beside it. Nothing of it is used before both papers hold.
 */

import type { Room, VaultFolder } from "../../ceremony/action.ts";
import { checkBackup, readManifest, type BackupPapers } from "../../ceremony/backup-check.ts";
import { kekName, type BackupCustody } from "../../ceremony/custody-copies.ts";
import { everKnown } from "../../ceremony/custody-people.ts";
import { verifyForeignBackup, type ForeignBackup } from "../../ceremony/foreign-backup.ts";
import { readProofs } from "../../ceremony/proof-folder.ts";
import { MANIFEST_LIMITS, type Manifest } from "../../backups/manifest.ts";
import { damaged } from "../../backups/refusal.ts";
import { sha256Hex, visible } from "../../lib/encoding.ts";
import { KeyriteError } from "../../lib/errors.ts";
import type { Card } from "../../people/card.ts";
import { chosenBackup, NEWEST, type BackupChoice } from "./chosen-backup.ts";

export const MANIFEST_FILE = "backup.json";
export const NOTE_FILE = "backup.note";

const LONGEST_NOTE = 64 * 1024;

/** A backup whose papers hold; its wrapped keys are judged one by one. */
export interface OpenedBackup {
  readonly manifest: Manifest;
  /** SHA-256 of backup.json. */
  readonly sha256: string;
  readonly folder: VaultFolder;
  /** What custody says of it; undefined for another site's. */
  readonly recorded: BackupCustody | undefined;
  /** What another site's proofs show; undefined for our own. */
  readonly foreign: ForeignBackup | undefined;
  /** What another site's proofs cannot show, one sentence each. */
  readonly unchecked: readonly string[];
}

/**
 * The backup that a choice means, with both papers judged.
 * @throws KeyriteError script.refused (no such backup), ledger.backup-damaged, ledger.not-trusted,
 * usage.bad-file, site.*
 */
export async function openBackup(room: Room, choice: BackupChoice): Promise<OpenedBackup> {
  const recorded = chosenBackup(room.custody, choice);
  if (recorded !== undefined) return openOwn(room, choice.from, recorded);
  if (choice.backup === NEWEST || room.custody.backups.has(choice.backup)) {
    throw new KeyriteError(
      "script.refused",
      choice.backup === NEWEST
        ? `no completed backup in vault ${choice.from} holds the keys asked for`
        : `backup ${choice.backup} was begun and never completed`,
      { hints: ["keyrite status lists every backup, its keys and its vaults"] },
    );
  }
  return openForeign(room, choice);
}

async function openOwn(room: Room, from: string, recorded: BackupCustody): Promise<OpenedBackup> {
  const { backup, ceremony, keys, sha256 } = recorded;
  const kek = room.custody.keks.get(kekName(recorded));
  if (kek === undefined) throw new Error("a backup in custody without its KEK");
  const folder = await room.vaults.open(from, backup);
  const { manifest, problems } = checkBackup(await readPapers(folder), {
    ...{ backup, ceremony, keys, kek, origin: room.origin, assurance: room.assurance },
    sha256: sha256 ?? "",
    signers: signersOf(room, recorded),
  });
  if (manifest === undefined || problems.length > 0) throw refused(backup, from, problems);
  return { manifest, sha256: sha256 ?? "", folder, recorded, foreign: undefined, unchecked: [] };
}

// Nobody's card changes after enrolment, and who signed was judged when the backup was recorded.
function signersOf(room: Room, { backup, signers }: BackupCustody): readonly Card[] {
  return signers.map((person) => {
    const card = everKnown(room.custody, person)?.card;
    if (card === undefined) throw damaged(`${person}, who signed ${backup}, is not on the roster`);
    return card;
  });
}

async function openForeign(room: Room, { backup, from }: BackupChoice): Promise<OpenedBackup> {
  const folder = await room.vaults.open(from, backup);
  const papers = await readPapers(folder);
  const read = readManifest(papers.manifest);
  if (typeof read === "string") throw refused(backup, from, [read]);
  const peer = room.custody.peers.get(read.origin);
  if (peer === undefined) {
    throw new KeyriteError(
      "ledger.not-trusted",
      `backup ${backup} in vault ${from} is not on record here, and says that ${visible(read.origin)} made it`,
      {
        hints: [
          "look for the right backup with keyrite status",
          "another site's backups are restored only after its head was adopted with trust-site",
        ],
      },
    );
  }
  const proofs = await readProofs(folder);
  const { found, problems, unchecked } = verifyForeignBackup({ ...papers, proofs }, peer);
  if (found?.manifest.backup !== backup) {
    throw refused(backup, from, problems);
  }
  return {
    manifest: found.manifest,
    sha256: sha256Hex(papers.manifest),
    folder,
    recorded: undefined,
    foreign: found,
    unchecked,
  };
}

async function readPapers(folder: VaultFolder): Promise<BackupPapers> {
  try {
    return {
      manifest: await folder.read(MANIFEST_FILE, MANIFEST_LIMITS.bytes),
      note: await folder.read(NOTE_FILE, LONGEST_NOTE),
    };
  } catch (error) {
    throw asDamage(error);
  }
}

/** Whatever is wrong with a file of a backup, the backup is what is damaged. */
export function asDamage(error: unknown): unknown {
  return error instanceof KeyriteError && error.code === "usage.bad-file"
    ? damaged(error.message, error)
    : error;
}

function refused(backup: string, from: string, problems: readonly string[]): KeyriteError {
  const [first = "its papers name another backup", ...more] = problems;
  const also = more.length === 0 ? "" : ` (and ${more.length} more)`;
  return damaged(`backup ${backup} in vault ${from} is refused: ${first}${also}`);
}
