/**
 * The second half of a backup: what opens it is copied beside it, backup.json is composed and signed by the
 * two operators, and every file is read back from every vault. Before that nothing there is a backup.
 */

import type { Participant, Room, VaultFile, VaultFolder } from "../../ceremony/action.ts";
import { kekName, type KekCustody } from "../../ceremony/custody-copies.ts";
import { envelopeName, kekFolder } from "../../backups/kek-file.ts";
import {
  blobName,
  composeManifest,
  LONGEST_BLOB,
  shareTemplates,
  type BackedUpKey,
} from "../../backups/manifest.ts";
import { timestamp } from "../../lib/clock.ts";
import { sha256Hex, utf8 } from "../../lib/encoding.ts";
import { KeyriteError } from "../../lib/errors.ts";
import { formatNote } from "../../lib/note.ts";
import { formatBackupText } from "../../people/backup-note.ts";
import { KEK_FILE, kekFileOf } from "./kek-files.ts";
import { publicKeyOf } from "./key-lists.ts";
import { MANIFEST_FILE, NOTE_FILE } from "./open-backup.ts";
import { readsOtherwise, type BackupWork, type Blob } from "./wrap-to-vaults.ts";

const LONGEST_FILE = 64 << 20;

/**
 * Seals the backup in all its vaults.
 * @param blobs every key of the backup, also those from before an interruption.
 * @returns SHA-256 of backup.json, which is attached.
 * @throws KeyriteError site.*, ledger.backup-damaged when a vault reads otherwise than it was written
 */
export async function sealBackup(
  room: Room,
  work: BackupWork,
  blobs: readonly Blob[],
  signers: readonly Participant[],
): Promise<string> {
  const kek = room.custody.keks.get(kekName(work.kek));
  if (kek === undefined) throw new Error("the KEK left custody during the step");
  const manifest = await manifestOf(room, work, blobs, kek);
  const sha256 = sha256Hex(manifest);
  const files = [
    ...(await kekFiles(room, kek)),
    { name: MANIFEST_FILE, bytes: manifest },
    { name: NOTE_FILE, bytes: utf8(await signed(room, work.backup, sha256, signers)) },
  ];
  for (const folder of work.folders.values()) await folder.write(files);
  for (const [vault, folder] of work.folders) await readBack(vault, folder, blobs, files);
  room.attach("application/json", manifest);
  return sha256;
}

async function manifestOf(
  room: Room,
  work: BackupWork,
  blobs: readonly Blob[],
  kek: KekCustody,
): Promise<Uint8Array> {
  const { restoredAttributes } = await import("../../hsm/restore-templates.ts");
  const { info } = room.tokens.session(work.token);
  const { templates, indexes } = shareTemplates(
    blobs.map(({ item }) => restoredAttributes(item.algorithm)),
  );
  return composeManifest({
    backup: work.backup,
    origin: room.origin,
    ceremony: room.ceremony,
    assurance: room.assurance,
    time: timestamp(room.clock.now()),
    kek: {
      name: kek.kek,
      generation: kek.generation,
      mode: kek.mode,
      checkValue: kek.checkValue,
      hasExistedOutsideAnHsm: kek.mode === "escrowed",
    },
    source: {
      name: work.token,
      serial: info.serial,
      manufacturer: info.manufacturer,
      model: info.model,
      profile: info.profile,
    },
    templates,
    keys: blobs.map(({ item, sha256, bytes }, at): BackedUpKey => {
      const { spki, label, ckaId, algorithm } = item;
      return {
        ...{ spki: publicKeyOf(room, spki), sha256: spki, label, ckaId, algorithm },
        purpose: "ca-signing",
        template: indexes[at] ?? 0,
        format: work.format,
        blob: { sha256, bytes },
      };
    }),
  });
}

async function signed(
  room: Room,
  backup: string,
  sha256: string,
  signers: readonly Participant[],
): Promise<string> {
  const { origin, ceremony } = room;
  const text = formatBackupText({ origin, ceremony, backup, sha256 });
  const lines: string[] = [];
  for (const signer of signers) lines.push(await room.people.sign(signer, text));
  return formatNote(text, lines);
}

/** kek.json and the envelopes: without them a backup that is found alone opens nowhere. */
async function kekFiles(room: Room, kek: KekCustody): Promise<readonly VaultFile[]> {
  const folder = kekFolder(kek);
  const files: VaultFile[] = [];
  const envelopes = [...kek.envelopes.values()];
  for (const { token, sha256 } of envelopes) {
    const name = envelopeName(token);
    const bytes = await room.files.readKekFile(kekName(kek), name);
    if (sha256Hex(bytes) !== sha256) {
      throw new KeyriteError(
        "ledger.backup-damaged",
        `keks/${kekName(kek)}/${name} is not the envelope on record`,
        { hints: ["somebody changed it: restore the file, or send the KEK to the token again"] },
      );
    }
    files.push({ name: `${folder}/${name}`, bytes });
  }
  const bytes = kekFileOf(room, { ...kek, envelopes });
  return [{ name: `${folder}/${KEK_FILE}`, bytes }, ...files];
}

async function readBack(
  vault: string,
  folder: VaultFolder,
  blobs: readonly Blob[],
  files: readonly VaultFile[],
): Promise<void> {
  const expected = new Map([
    ...blobs.map(({ item, sha256 }) => [blobName(item.spki), sha256] as const),
    ...files.map(({ name, bytes }) => [name, sha256Hex(bytes)] as const),
  ]);
  for (const name of await folder.list()) {
    if (!expected.has(name)) throw strange(vault, name);
  }
  for (const [name, sha256] of expected) {
    const most = name.startsWith("keys/") ? LONGEST_BLOB : LONGEST_FILE;
    if (sha256Hex(await folder.read(name, most)) !== sha256) throw readsOtherwise(vault, name);
  }
}

function strange(vault: string, name: string): KeyriteError {
  return new KeyriteError(
    "ledger.backup-damaged",
    `vault ${vault} holds ${name}, which this backup did not write`,
    { hints: ["somebody else writes to the vault: find out who before going on"] },
  );
}
