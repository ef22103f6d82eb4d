/**
 * The keys of a backup, judged before a token hears of them: on record, not older than need be, every file
 * the one that was signed. What fails here never reaches C_UnwrapKey.
 */

import type { Room } from "../../ceremony/action.ts";
import { ALL_CA_KEYS, type KeyChoice } from "../../ceremony/key-choice.ts";
import { blobName, LONGEST_BLOB, verifyBlob, type BackedUpKey } from "../../backups/manifest.ts";
import { damaged } from "../../backups/refusal.ts";
import type { UnwrapItem } from "../../hsm/backup.ts";
import { canonicalJson } from "../../lib/json.ts";
import { KeyriteError } from "../../lib/errors.ts";
import { countedProgress } from "./counted-progress.ts";
import { keysIn, newestBackupOf } from "./chosen-backup.ts";
import { asDamage, type OpenedBackup } from "./open-backup.ts";

/**
 * The keys that a choice means among those of the backup; all-ca-keys leaves out what is destroyed.
 * @throws KeyriteError script.refused
 */
export function chooseKeys(
  room: Room,
  { manifest, recorded }: OpenedBackup,
  keys: KeyChoice,
): readonly BackedUpKey[] {
  if (keys === ALL_CA_KEYS) {
    const here = recorded && keysIn(room.custody, manifest.backup, keys);
    const alive = here && new Set(here.map(({ spki }) => spki));
    return manifest.keys.filter(({ sha256 }) => alive === undefined || alive.has(sha256));
  }
  const labels = typeof keys === "string" ? [keys] : [...new Set(keys)];
  return labels.map((label) => {
    const named = manifest.keys.filter((key) => key.label === label);
    const [key] = named;
    if (key !== undefined && named.length === 1) return key;
    throw new KeyriteError(
      "script.refused",
      `backup ${manifest.backup} holds ${named.length === 0 ? "no key" : "two keys"} labelled ${label}`,
      {
        hints: [
          `it holds ${manifest.keys
            .slice(0, 10)
            .map((one) => one.label)
            .join(", ")}`,
        ],
      },
    );
  });
}

/**
 * Every chosen key is in this very backup by the record; another site's record is what its proofs show.
 * @throws KeyriteError ledger.backup-damaged
 */
export function requireRecorded(
  room: Room,
  { manifest, recorded: own }: OpenedBackup,
  keys: readonly BackedUpKey[],
): void {
  if (own === undefined) return;
  for (const { sha256, label, blob } of keys) {
    const recorded = room.custody.copies.get(sha256)?.backups.get(manifest.backup);
    if (recorded?.blob === blob.sha256) continue;
    throw damaged(`key ${label} is not on record as part of backup ${manifest.backup}`);
  }
}

/**
 * Custody can take the keys onto the token. Planning knows nothing of another site's backup: a key that came
 * onto a token and is then refused by the record would lie there without anybody owning it.
 * @throws KeyriteError script.refused, hsm.object-exists
 */
export function requireWanted(room: Room, token: string, keys: readonly BackedUpKey[]): void {
  for (const { sha256, label } of keys) {
    const known = room.custody.copies.get(sha256);
    if (known?.destroyed === true) {
      throw new KeyriteError("script.refused", `key ${label} is on record as destroyed`, {
        hints: ["a destroyed key is never restored; generate a new one"],
      });
    }
    if (known?.tokens.has(token) !== true) continue;
    throw new KeyriteError(
      "hsm.object-exists",
      `key ${label} is on token ${token} already, by the record`,
      {
        hints: [
          "if the token lost it, record that with destroy-key, or restore onto another token",
        ],
      },
    );
  }
}

/** Keys of which a newer backup exists, by label. */
export function olderKeys(
  room: Room,
  { manifest }: OpenedBackup,
  keys: readonly BackedUpKey[],
): readonly string[] {
  return keys.flatMap(({ sha256, label }) => {
    const newest = newestBackupOf(room.custody, sha256);
    return newest === undefined || newest.backup === manifest.backup
      ? []
      : [`${label} (newest: ${newest.backup} of ${newest.made.slice(0, 10)})`];
  });
}

/**
 * The attributes that backup.json states are those that this software restores: whatever the token then
 * reads back is compared with them.
 * @throws KeyriteError hsm.not-supported
 */
export async function requireTemplates(
  { manifest }: OpenedBackup,
  keys: readonly BackedUpKey[],
): Promise<void> {
  const { restoredAttributes } = await import("../../hsm/restore-templates.ts");
  const judged = new Set<string>();
  for (const { template, algorithm, label } of keys) {
    const pair = `${template} ${algorithm}`;
    if (judged.has(pair)) continue;
    judged.add(pair);
    const stated = manifest.templates[template];
    const { private: privateHalf, public: publicHalf } = restoredAttributes(algorithm);
    const ours = canonicalJson({ private: privateHalf, public: publicHalf });
    if (stated !== undefined && ours === canonicalJson({ ...stated })) continue;
    throw new KeyriteError(
      "hsm.not-supported",
      `backup.json wants other attributes for key ${label} than this version of Keyrite restores`,
      { hints: ["restore it with the version that made the backup: its plan names the software"] },
    );
  }
}

/**
 * Reads wrapped keys and holds each against its digest.
 * @throws KeyriteError ledger.backup-damaged, usage.bad-file naming the first that does not fit
 */
export async function readWrapped(
  room: Room,
  { folder, manifest }: OpenedBackup,
  keys: readonly BackedUpKey[],
): Promise<readonly UnwrapItem[]> {
  const items: UnwrapItem[] = [];
  const progress = countedProgress(room, `checking the files of ${manifest.backup}`, keys.length);
  try {
    for (const key of keys) {
      const blob = await folder.read(blobName(key.sha256), LONGEST_BLOB).catch((error: unknown) => {
        throw asDamage(error);
      });
      const problem = verifyBlob(key, blob);
      if (problem !== undefined) throw damaged(problem);
      const { spki, ckaId, label, algorithm, format } = key;
      items.push({ spki, ckaId, label, algorithm, format, blob });
      progress.done(1);
    }
  } finally {
    progress.end();
  }
  return items;
}
