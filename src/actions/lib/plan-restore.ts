/**
 * What people agree to before keys are restored: every check that needs no unwrapping, in an order that
 * names the cause and not a consequence of it.
 */

import type { Room, Subject } from "../../ceremony/action.ts";
import { kekName } from "../../ceremony/custody-copies.ts";
import { ALL_CA_KEYS } from "../../ceremony/key-choice.ts";
import type { BackedUpKey } from "../../backups/manifest.ts";
import { damaged } from "../../backups/refusal.ts";
import { visible } from "../../lib/encoding.ts";
import { KeyriteError } from "../../lib/errors.ts";
import type { Agreed, RestoreParams } from "../restore-key.ts";
import {
  chooseKeys,
  olderKeys,
  readWrapped,
  requireRecorded,
  requireTemplates,
  requireWanted,
} from "./check-backup.ts";
import { kekFor, recordedKek } from "./keks.ts";
import { agreedKeys, attachKeys } from "./key-lists.ts";
import { openBackup, type OpenedBackup } from "./open-backup.ts";
import { requireTokenFor } from "./token-requirements.ts";

/**
 * Judges the backup, the KEK and the token, and shows what will be restored.
 * @throws KeyriteError ledger.backup-damaged, ledger.backup-stale, hsm.wrong-kek, hsm.object-exists,
 * hsm.not-supported and what the parts throw; no wrapped key was handed to the token by then
 */
export async function planRestore(p: RestoreParams, room: Room): Promise<Subject<Agreed>> {
  const backup = await openBackup(room, p);
  const keys = chooseKeys(room, backup, p.keys);
  requireRecorded(room, backup, keys);
  requireWanted(room, p.token, keys);
  const older = requireNewest(p, room, backup, keys);
  requireKek(p, room, backup);
  await requireTemplates(backup, keys);
  await readWrapped(room, backup, keys);
  await requireTokenFor(room, p.token, keys.map(asked));
  const { generation } = backup.manifest.kek;
  const { record } = await kekFor(room, p.token, p.under, generation);
  if (backup.recorded === undefined) {
    for (const { spki } of keys) room.attach("application/pkix-spki", spki);
  }
  const { keyList, shown } = attachKeys(room, keys.map(listed));
  const { info } = room.tokens.session(p.token);
  return {
    data: {
      ...{ keyList, keys: keys.length, backup: backup.manifest.backup, from: p.from },
      ...{ origin: backup.manifest.origin, manifest: backup.sha256 },
      ...{ generation, checkValue: record.checkValue, serial: info.serial },
      ...{ older, unchecked: backup.unchecked },
    },
    shown: [
      ...backupLines(p, room, backup),
      ...leftOutLines(p, backup, keys),
      ...olderLines(older),
      ...shown,
    ],
  };
}

function asked(key: BackedUpKey) {
  return { ...listed(key), format: key.format };
}

function listed({ sha256, label, ckaId, algorithm }: BackedUpKey) {
  return { spki: sha256, label, ckaId, algorithm };
}

/**
 * The backup that was agreed to, read and judged anew, with the keys of the agreed list.
 * @throws KeyriteError as `planRestore`
 */
export async function reopenAgreed(
  p: RestoreParams,
  room: Room,
  agreed: Agreed,
): Promise<{ readonly backup: OpenedBackup; readonly keys: readonly BackedUpKey[] }> {
  const backup = await openBackup(room, { ...p, backup: agreed.backup });
  if (backup.sha256 !== agreed.manifest) {
    throw damaged(`backup.json of ${agreed.backup} is not the one that was agreed to`);
  }
  const wanted = new Set(agreedKeys(room, agreed.keyList).map(({ spki }) => spki));
  const keys = backup.manifest.keys.filter(({ sha256 }) => wanted.has(sha256));
  if (keys.length !== wanted.size) {
    throw damaged(`backup ${agreed.backup} does not hold all keys that were agreed to`);
  }
  return { backup, keys };
}

// H18: an older wrapped key would silently undo whatever made a newer one necessary.
function requireNewest(
  p: RestoreParams,
  room: Room,
  backup: OpenedBackup,
  keys: readonly BackedUpKey[],
): readonly string[] {
  const older = olderKeys(room, backup, keys);
  const [first] = older;
  if (first === undefined || p.older) return older;
  throw new KeyriteError(
    "ledger.backup-stale",
    `backup ${backup.manifest.backup} is not the newest of ${older.length === 1 ? "a key" : `${older.length} keys`}: ${first}`,
    {
      hints: [
        "restore from the newest backup: backup: newest",
        "if the older one is meant, the script says older: true, and two people agree to it",
      ],
    },
  );
}

function requireKek(p: RestoreParams, room: Room, { manifest }: OpenedBackup): void {
  const { name, generation, checkValue } = manifest.kek;
  if (name !== p.under) {
    throw new KeyriteError(
      "hsm.wrong-kek",
      `backup ${manifest.backup} is wrapped under KEK ${name}, not ${p.under}`,
      { hints: [`correct the step: under: ${name}`] },
    );
  }
  const record = recordedKek(room.custody, name, generation);
  if (record.checkValue !== checkValue) {
    throw new KeyriteError(
      "hsm.wrong-kek",
      `backup ${manifest.backup} wants KEK ${name} with check value ${checkValue}; on record is ${record.checkValue}`,
      { hints: ["load the KEK of the site that made the backup, under a name of its own"] },
    );
  }
  if (record.tokens.has(p.token)) return;
  throw new KeyriteError(
    "hsm.wrong-kek",
    `token ${p.token} does not hold KEK ${kekName(record)}, under which backup ${manifest.backup} is wrapped`,
    { hints: ["load that generation with load-kek, or restore from a backup under a newer one"] },
  );
}

function backupLines(
  p: RestoreParams,
  room: Room,
  { manifest, recorded, unchecked }: OpenedBackup,
): readonly string[] {
  const { kek, source, time } = manifest;
  const { info } = room.tokens.session(p.token);
  return [
    `Backup ${manifest.backup} in vault ${p.from}, made ${time} at ${manifest.origin} on token ${source.name} (${visible(source.model)}).`,
    recorded === undefined
      ? "It is another site's: its record, KEK and signers are proved under the head adopted here."
      : `Signed by ${recorded.signers.join(" and ")}; both signatures, the record and every file hold.`,
    ...unchecked.map((line) => `NOT CHECKED: ${line}`),
    `Wrapped under KEK ${kek.name}, generation ${kek.generation}, check value ${kek.checkValue}.`,
    `To be restored onto token ${p.token}, serial ${visible(info.serial)}:`,
  ];
}

// Destroying one key of a backup must not cost all the others their way back.
function leftOutLines(
  { keys: choice }: RestoreParams,
  { manifest }: OpenedBackup,
  keys: readonly BackedUpKey[],
): readonly string[] {
  if (choice !== ALL_CA_KEYS) return [];
  const chosen = new Set(keys);
  const left = manifest.keys.filter((key) => !chosen.has(key)).map(({ label }) => label);
  const more = left.length > 10 ? ` and ${left.length - 10} more` : "";
  if (left.length === 0) return [];
  return [`Not restored, because on record as destroyed: ${left.slice(0, 10).join(", ")}${more}.`];
}

function olderLines(older: readonly string[]): readonly string[] {
  if (older.length === 0) return [];
  return [
    "THIS BACKUP IS NOT THE NEWEST. WHOEVER AGREES BRINGS BACK AN OLDER COPY OF:",
    ...older.slice(0, 10).map((line) => `  ${line}`),
  ];
}
