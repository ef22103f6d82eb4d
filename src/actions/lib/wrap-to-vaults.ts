/**
 * The first half of a backup: keys wrapped group by group and written to every vault, then opened again
 * from what was written. Only a key that came back counts as backed up.
 */

import type { Act, ItemOutcome, Room, VaultFolder } from "../../ceremony/action.ts";
import type { NamedKey } from "../../ceremony/key-choice.ts";
import { blobName, LONGEST_BLOB } from "../../backups/manifest.ts";
import type {
  KekName,
  UnwrapItem,
  Unwrapped,
  UnwrapOutcome,
  WireFormat,
} from "../../hsm/backup.ts";
import { sha256Hex } from "../../lib/encoding.ts";
import { KeyriteError } from "../../lib/errors.ts";
import type { JsonObject } from "../../lib/json.ts";
import { countedProgress } from "./counted-progress.ts";
import { Ended } from "./ended.ts";
import { publicKeyOf } from "./key-lists.ts";

/** Files written at a time: the disk waits once for all of them. */
const WRITTEN_AT_ONCE = 1000;

export interface BackupWork {
  readonly backup: string;
  readonly token: string;
  readonly provedOn: string;
  readonly format: WireFormat;
  readonly kek: { readonly kek: string; readonly generation: number };
  readonly sourceKek: KekName;
  readonly proverKek: KekName;
  readonly folders: ReadonlyMap<string, VaultFolder>;
}

/** A wrapped key as it lies in the vaults. */
export interface Blob {
  readonly item: NamedKey;
  readonly sha256: string;
  readonly bytes: number;
}

/**
 * Wraps keys and writes them to every vault.
 * @throws KeyriteError hsm.*, site.*
 */
export async function wrapToVaults(
  room: Room,
  work: BackupWork,
  items: readonly NamedKey[],
): Promise<readonly Blob[]> {
  const byName = new Map(items.map((item) => [item.spki, item]));
  const names = items.map(({ spki, ckaId }) => ({ ckaId, spki: publicKeyOf(room, spki) }));
  const blobs: Blob[] = [];
  let files: { readonly name: string; readonly bytes: Uint8Array }[] = [];
  const write = async (): Promise<void> => {
    for (const folder of work.folders.values()) await folder.write(files);
    files = [];
  };
  const progress = countedProgress(room, `wrapping on ${work.token}`, items.length);
  try {
    progress.done(0);
    const groups = room.tokens.session(work.token).wrapAll(work.sourceKek, names, [work.format]);
    for await (const group of groups) {
      for (const { spkiSha256, blob } of group) {
        const item = byName.get(spkiSha256);
        if (item === undefined) throw new Error("a key was wrapped that nobody asked for");
        blobs.push({ item, sha256: sha256Hex(blob), bytes: blob.length });
        files.push({ name: blobName(spkiSha256), bytes: blob });
      }
      if (files.length >= WRITTEN_AT_ONCE) await write();
      progress.done(group.length);
    }
    await write();
  } finally {
    progress.end();
  }
  return blobs;
}

/**
 * Opens every wrapped key again, as it lies in the first vault: unwrapped into a session, attributes and
 * a challenge signature compared with the recorded public key, the copy destroyed. One entry a key.
 * @returns what the token does not enforce
 * @throws KeyriteError hsm.bad-output naming the first key that did not come back, ledger.backup-damaged
 */
export async function proveBlobs(
  room: Room,
  act: Act<JsonObject>,
  work: BackupWork,
  blobs: readonly Blob[],
): Promise<readonly string[]> {
  if (blobs.length === 0) return [];
  const items = await readBlobs(room, work, blobs);
  const bySpki = new Map(blobs.map((blob) => [blob.item.spki, blob]));
  const waivers = new Set<string>();
  const progress = countedProgress(room, `opening again on ${work.provedOn}`, blobs.length);
  const session = room.tokens.session(work.provedOn);
  const ended = new Ended(act);
  try {
    progress.done(0);
    const groups = session.unwrapAll(work.proverKek, items, {
      as: "session",
      before: (group) => {
        ended.recordWith(group.map(({ spki, ckaId }) => ({ item: sha256Hex(spki), ckaId })));
      },
    });
    for await (const group of groups) {
      ended.add(group.map((one) => outcome(work, bySpki.get(one.spkiSha256), one)));
      requireAll(work, group);
      for (const waiver of group.flatMap((one) => (one.status === "ok" ? one.waivers : []))) {
        waivers.add(waiver);
      }
      progress.done(group.length);
    }
  } finally {
    ended.record();
    progress.end();
  }
  return [...waivers];
}

async function readBlobs(
  room: Room,
  { folders, format }: BackupWork,
  blobs: readonly Blob[],
): Promise<readonly UnwrapItem[]> {
  const [first] = folders;
  if (first === undefined) throw new Error("a backup without a vault");
  const [vault, folder] = first;
  const items: UnwrapItem[] = [];
  for (const { item, sha256 } of blobs) {
    const { spki, ckaId, label, algorithm } = item;
    const blob = await folder.read(blobName(spki), LONGEST_BLOB);
    if (sha256Hex(blob) !== sha256) throw readsOtherwise(vault, blobName(spki));
    items.push({ spki: publicKeyOf(room, spki), ckaId, label, algorithm, blob, format });
  }
  return items;
}

/** What a vault gives back is not what was written there. */
export function readsOtherwise(vault: string, file: string): KeyriteError {
  return new KeyriteError(
    "ledger.backup-damaged",
    `vault ${vault} does not give back what was written: ${file} reads otherwise`,
    { hints: ["the medium is failing, or somebody changes it: use another one"] },
  );
}

function outcome(work: BackupWork, blob: Blob | undefined, one: UnwrapOutcome): ItemOutcome {
  if (blob === undefined) throw new Error("a key was opened that was not wrapped");
  if (one.status === "problem") {
    const remains = one.remains === undefined ? "" : `; ${one.remains}`;
    return { item: one.spkiSha256, code: "hsm.bad-output", problem: one.problem + remains };
  }
  const { backup, token, kek, format, provedOn } = work;
  return {
    item: one.spkiSha256,
    evidence: evidenceOf(blob, one),
    facts: [
      {
        kind: "backup.made",
        spki: one.spkiSha256,
        backup,
        token,
        ...kek,
        format,
        blob: blob.sha256,
        provedOn,
      },
    ],
  };
}

function evidenceOf({ sha256, bytes, item }: Blob, { waivers }: Unwrapped): JsonObject {
  return {
    ckaId: item.ckaId,
    blob: sha256,
    bytes,
    unwrapped: true,
    challenge: "verified",
    copy: "destroyed",
    waivers: [...waivers],
  };
}

// Another blob would fail the same way, and every try tells an attacker something.
function requireAll({ provedOn }: BackupWork, group: readonly UnwrapOutcome[]): void {
  const bad = group.find((one) => one.status === "problem");
  if (bad === undefined) return;
  const remains = bad.remains === undefined ? "" : `; ${bad.remains}`;
  throw new KeyriteError(
    "hsm.bad-output",
    `a wrapped key does not open on token ${provedOn}: ${bad.problem}${remains}`,
    {
      hints: [
        "nothing of this backup counts: its files are removed again",
        "prove it on the token it was wrapped on to find out which of the two is at fault",
      ],
    },
  );
}
