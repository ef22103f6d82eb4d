/**
 * Backs keys up: wrapped under a KEK, written to every vault, opened again on a token and proved, signed
 * by the two operators. Nothing is called a backup before all of that has happened.
 */

import {
  defineAction,
  type Act,
  type Room,
  type Subject,
  type VaultFolder,
} from "../ceremony/action.ts";
import { kekIsOn, vaultIsBound } from "../ceremony/conditions-copies.ts";
import { condition, tokenIsActive } from "../ceremony/conditions.ts";
import type { Fact } from "../ceremony/facts.ts";
import { label, slug } from "../ceremony/words.ts";
import type { WireFormat } from "../hsm/backup.ts";
import { timestamp } from "../lib/clock.ts";
import { sha256Hex } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import { canonicalJson, type JsonObject } from "../lib/json.ts";
import { z } from "../lib/schema.ts";
import { agreedNamedKeys, attachKeys, isListed, keyChoice, saidKeys } from "./lib/key-lists.ts";
import { kekFor, newestKek, type KekEvidence } from "./lib/keks.ts";
import { sealBackup } from "./lib/seal-backup.ts";
import {
  folderIfThere,
  keepProved,
  openFolder,
  removeBackup,
  settleBackup,
} from "./lib/settle-backup.ts";
import { agreedFormat } from "./lib/wire-format.ts";
import { canBeWrapped, lockedKeys, wrappableKeys } from "./lib/wrappable.ts";
import { proveBlobs, wrapToVaults, type BackupWork, type Blob } from "./lib/wrap-to-vaults.ts";

const params = () =>
  z.strictObject({
    token: label,
    keys: keyChoice(),
    under: slug,
    to: z.array(label).min(1).max(8),
    proveOn: label.optional(),
  });
type Params = z.infer<ReturnType<typeof params>>;

interface Planned extends JsonObject {
  readonly keyList: string;
  readonly keys: number;
  readonly backup: string;
  readonly generation: number;
  readonly checkValue: string;
  readonly format: WireFormat;
  readonly provedOn: string;
  readonly signers: readonly string[];
}
interface BackedUp extends Planned {
  /** SHA-256 of backup.json, which is attached. */
  readonly sha256: string;
  readonly vaults: readonly string[];
  readonly kek: KekEvidence | null;
  readonly proverKek: KekEvidence | null;
  readonly waivers: readonly string[];
  /** Keys foreseen when planning; the outcomes of the batch bear the facts of a real run. */
  readonly foreseen: readonly string[];
}

export const backUpKey = defineAction<Params, Planned, BackedUp>({
  name: "back-up-key",
  control: "dual",
  params,
  facts: ["backup.made", "backup.completed"],
  instruction: (p) =>
    `Back up ${saidKeys(p.keys)} from token ${p.token}, wrapped under KEK ${p.under}, to ${p.to.join(" and ")}; open every one again on token ${p.proveOn ?? p.token}.`,
  requires: (p) => [
    tokenIsActive(p.token),
    tokenIsActive(p.proveOn ?? p.token),
    ...canBeWrapped(p.token, p.keys),
    kekIsOn(p.token, p.under, "under"),
    kekIsOn(p.proveOn ?? p.token, p.under, "under"),
    ...p.to.map((vault) => vaultIsBound(vault, "to")),
    condition(
      "to",
      () =>
        new Set(p.to).size < p.to.length &&
        "a vault is named twice; two copies in one place are one copy",
    ),
  ],
  forecast: (p, custody) => {
    const foreseen = wrappableKeys(custody, p.token, p.keys).map(({ spki }) => spki);
    return {
      keyList: "",
      keys: foreseen.length,
      backup: `planned-${sha256Hex(canonicalJson({ ...p, proveOn: p.proveOn ?? null, n: custody.backups.size })).slice(0, 16)}`,
      generation: newestKek(custody, p.under)?.generation ?? 1,
      checkValue: "",
      format: "rfc5649",
      provedOn: p.proveOn ?? p.token,
      signers: ["planned-a", "planned-b"],
      sha256: sha256Hex("planned"),
      vaults: p.to,
      kek: null,
      proverKek: null,
      waivers: [],
      foreseen,
    };
  },
  establishes: (p, { backup, sha256, keys, vaults, signers, foreseen, ...rest }) => [
    ...foreseen.map((spki): Fact => {
      const { generation, format, provedOn } = rest;
      const made = { kind: "backup.made", spki, backup, token: p.token, kek: p.under } as const;
      return { ...made, generation, format, blob: sha256Hex(spki), provedOn };
    }),
    { kind: "backup.completed", backup, sha256, keys, vaults: [...vaults], signers: [...signers] },
  ],
  admits: (p, subject, fact, cited) =>
    fact.kind === "backup.made"
      ? isListed(cited, subject.keyList, fact.spki) &&
        fact.backup === subject.backup &&
        fact.token === p.token &&
        fact.kek === p.under &&
        fact.generation === subject.generation &&
        fact.format === subject.format &&
        fact.provedOn === subject.provedOn
      : fact.kind === "backup.completed" &&
        fact.backup === subject.backup &&
        fact.keys === subject.keys &&
        fact.vaults.join() === p.to.join() &&
        fact.signers.join() === subject.signers.join(),
  subject: planBackup,
  run: async (p, room, act) => {
    const { subject } = act;
    const [work, evidence] = await openWork(p, room, act);
    const items = agreedNamedKeys(room, subject.keyList);
    try {
      const before = await keepProved(
        room,
        subject.backup,
        work.folders,
        items.filter(({ spki }) => act.batch.done.has(spki)),
      );
      const undone = items.filter(({ spki }) => !act.batch.done.has(spki));
      const blobs = await wrapToVaults(room, work, undone);
      const waivers = await proveBlobs(room, act, work, blobs);
      const all: readonly Blob[] = [...before, ...blobs];
      const sha256 = await sealBackup(room, work, all, room.people.performers);
      for (const waiver of waivers) room.console.warn(waiver);
      room.console.tell(
        `Backup ${subject.backup}: ${all.length} of ${items.length} keys written to ${p.to.join(" and ")}, opened again and read back.`,
      );
      const vaults = [...p.to];
      return { ...subject, ...evidence, sha256, vaults, waivers, foreseen: [] };
    } catch (error) {
      await removeAll(work.folders);
      throw error;
    }
  },
  settle: (p, room, doubt) => settleBackup(p.to, room, doubt),
  undo: (p, room, { intent }) => removeBackup(p.to, room, intent.backup),
});

async function planBackup(p: Params, room: Room): Promise<Subject<Planned>> {
  const items = wrappableKeys(room.custody, p.token, p.keys);
  const provedOn = p.proveOn ?? p.token;
  const { record } = await kekFor(room, p.token, p.under);
  if (provedOn !== p.token) await kekFor(room, provedOn, p.under);
  const format = await agreedFormat(room, p.token, provedOn);
  const backup = backupId(room);
  for (const vault of p.to) await requireFree(room, vault, backup);
  const { keyList, shown } = attachKeys(room, items);
  const locked = p.keys === "all-ca-keys" ? lockedKeys(room.custody, p.token) : [];
  return {
    data: {
      keyList,
      keys: items.length,
      backup,
      generation: record.generation,
      checkValue: record.checkValue,
      format,
      provedOn,
      signers: room.people.performers.map(({ person }) => person),
    },
    shown: [
      `New backup ${backup}, to ${p.to.join(" and ")}, of token ${p.token}.`,
      `Wrapped as ${format} under KEK ${p.under}, generation ${record.generation}, check value ${record.checkValue}.`,
      `Every key is opened again and proved on token ${provedOn}.`,
      ...shown,
      ...(locked.length === 0
        ? []
        : [`Not in this backup, because they are locked: ${locked.join(", ")}.`]),
    ],
  };
}

/** `backup-YYYYMMDD-<4 base32>`. */
function backupId(room: Room): string {
  const day = timestamp(room.clock.now()).slice(0, 10).replaceAll("-", "");
  const letters = Array.from(
    room.random.bytes(4),
    (byte) => "abcdefghijklmnopqrstuvwxyz234567"[byte & 31],
  );
  return `backup-${day}-${letters.join("")}`;
}

async function openWork(
  p: Params,
  room: Room,
  { subject, settled, batch }: Act<Planned>,
): Promise<[BackupWork, Pick<BackedUp, "kek" | "proverKek">]> {
  const { backup, format, provedOn, generation } = subject;
  const source = await kekFor(room, p.token, p.under, generation);
  const prover = provedOn === p.token ? source : await kekFor(room, provedOn, p.under, generation);
  const resumed = settled === null ? undefined : { proved: batch.done.size };
  const folders = await openFolders(room, p.to, backup, resumed);
  const work = {
    ...{ backup, format, provedOn, token: p.token, folders },
    kek: { kek: p.under, generation },
    sourceKek: source.name,
    proverKek: prover.name,
  };
  return [work, { kek: source.evidence, proverKek: prover.evidence }];
}

async function openFolders(
  room: Room,
  vaults: readonly string[],
  backup: string,
  resumed: { readonly proved: number } | undefined,
): Promise<ReadonlyMap<string, VaultFolder>> {
  const folders = new Map<string, VaultFolder>();
  try {
    for (const vault of vaults) folders.set(vault, await openFolder(room, vault, backup, resumed));
  } catch (error) {
    // A medium that is missing when a backup is resumed costs nothing of what is proved.
    if (resumed === undefined) await removeAll(folders);
    throw error;
  }
  return folders;
}

/** The vault is there, outside the site, and holds no such backup: found out before anybody agrees. */
async function requireFree(room: Room, vault: string, backup: string): Promise<void> {
  if ((await folderIfThere(room, vault, backup)) === undefined) return;
  throw new KeyriteError("site.file-exists", `vault ${vault} holds a ${backup} already`, {
    hints: ["nothing is ever overwritten: try the step again, it takes another id"],
  });
}

/** Nothing half-written stays that could be taken for a backup; what a broken medium keeps is named. */
async function removeAll(folders: ReadonlyMap<string, VaultFolder>): Promise<void> {
  for (const folder of folders.values()) {
    // What is thrown on is why the backup failed; that its folder is on a dead medium adds nothing.
    await folder
      .list()
      .then((names) => folder.remove(names))
      .catch(() => undefined);
  }
}
