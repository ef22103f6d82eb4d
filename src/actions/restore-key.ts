/**
 * Restores keys from a backup. Everything about the backup is judged before the token hears of it; a key
 * counts as restored when it was read back, signed a challenge, and is on disk.
 */

import { defineAction, type Room, type Subject } from "../ceremony/action.ts";
import { tokenIsActive } from "../ceremony/conditions.ts";
import { tokenOwesNothing, vaultIsBound } from "../ceremony/conditions-copies.ts";
import type { Custody } from "../ceremony/custody.ts";
import type { Fact } from "../ceremony/facts.ts";
import type { NamedKey } from "../ceremony/key-choice.ts";
import { label, slug } from "../ceremony/words.ts";
import type { UnwrapItem } from "../hsm/backup.ts";
import { sha256Hex } from "../lib/encoding.ts";
import type { JsonObject } from "../lib/json.ts";
import { z } from "../lib/schema.ts";
import { readWrapped } from "./lib/check-backup.ts";
import { chosenBackup, keysIn, NEWEST } from "./lib/chosen-backup.ts";
import { kekFor, type KekEvidence } from "./lib/keks.ts";
import { isListedAs, keyChoice, saidKeys } from "./lib/key-lists.ts";
import { makeDurable, type Durable } from "./lib/make-durable.ts";
import { planRestore, reopenAgreed } from "./lib/plan-restore.ts";
import { backupIsKnown, kekOpens, keysAreAbsent } from "./lib/restore-conditions.ts";
import { clearDoubt, settleOnto } from "./lib/settle-onto.ts";
import { unwrapOnto } from "./lib/unwrap-onto.ts";

const params = () =>
  z.strictObject({
    token: label,
    keys: keyChoice(),
    under: slug,
    backup: label,
    from: label,
    older: z.boolean().default(false),
  });
export type RestoreParams = z.infer<ReturnType<typeof params>>;

/** What was shown and agreed to. */
export interface Agreed extends JsonObject {
  readonly keyList: string;
  readonly keys: number;
  readonly backup: string;
  readonly from: string;
  /** The site that made the backup. */
  readonly origin: string;
  /** SHA-256 of backup.json. */
  readonly manifest: string;
  readonly generation: number;
  readonly checkValue: string;
  readonly serial: string;
  /** Keys of which a newer backup exists. */
  readonly older: readonly string[];
  /** What another site's proofs cannot show. */
  readonly unchecked: readonly string[];
}
interface Restored extends Agreed {
  readonly kek: KekEvidence | null;
  readonly durable: Durable | null;
  readonly waivers: readonly string[];
  /** Keys foreseen when planning; the outcomes of the batch bear the facts of a real run. */
  readonly foreseen: readonly NamedKeyJson[];
}
type NamedKeyJson = NamedKey & JsonObject;

export const restoreKey = defineAction<RestoreParams, Agreed, Restored>({
  name: "restore-key",
  control: "dual",
  params,
  facts: ["key.restored"],
  instruction: (p) =>
    `Restore ${saidKeys(p.keys)} onto token ${p.token} from ${p.backup === NEWEST ? "the newest backup" : `backup ${p.backup}`} in vault ${p.from}, unwrapped under KEK ${p.under}${p.older ? ", ALSO FROM A BACKUP THAT IS NOT THE NEWEST" : ""}.`,
  requires: (p) => [
    tokenIsActive(p.token),
    tokenOwesNothing(p.token),
    vaultIsBound(p.from, "from"),
    backupIsKnown(p),
    kekOpens(p.token, p.under, p),
    keysAreAbsent(p.token, p),
  ],
  forecast: (p, custody) => ({
    ...{ keyList: "", keys: 0, backup: p.backup, from: p.from, origin: custody.origin },
    ...{ manifest: "", generation: 1, checkValue: "", serial: "", older: [], unchecked: [] },
    ...{ kek: null, durable: null, waivers: [], foreseen: foreseenKeys(p, custody) },
  }),
  establishes: (p, { foreseen, origin, backup }) =>
    foreseen.map((key) => restored(p, { origin, backup }, key)),
  admits: (p, subject, fact, cited) =>
    fact.kind === "key.restored" &&
    fact.token === p.token &&
    fact.backup === subject.backup &&
    fact.origin === subject.origin &&
    isListedAs(cited, subject.keyList, fact),
  subject: (p, room): Promise<Subject<Agreed>> => planRestore(p, room),
  async run(p, room, act) {
    const { subject } = act;
    if (act.settled !== null) await clearDoubt(room, p.token, act.settled);
    const { backup, keys } = await reopenAgreed(p, room, subject);
    const items = await readWrapped(room, backup, keys);
    const { name, evidence } = await kekFor(room, p.token, p.under, subject.generation);
    const templates = new Map(
      keys.map(({ sha256, template }) => [sha256, backup.manifest.templates[template]]),
    );
    const waivers = await unwrapOnto(room, act, {
      token: p.token,
      kek: name,
      items,
      verb: "restoring onto",
      template: (spki) => templates.get(spki) ?? NO_TEMPLATE,
      fact: (item, spki) => restored(p, subject, namedKey(item, spki)),
    });
    const durable = await makeDurable(
      room,
      p.token,
      keys.map(({ sha256, ckaId }) => ({ spki: sha256, ckaId })),
    );
    tellDone(p, room, keys.length, waivers);
    return { ...subject, kek: evidence, durable, waivers, foreseen: [] };
  },
  settle: (p, room, doubt) => settleOnto(room, p.token, doubt),
  undo: (p, room, _doubt, settled) => clearDoubt(room, p.token, settled),
});

const NO_TEMPLATE = { private: {}, public: {} };

function namedKey({ label: name, ckaId, algorithm }: UnwrapItem, spki: string): NamedKey {
  return { spki, label: name, ckaId, algorithm };
}

function restored(
  p: RestoreParams,
  { origin, backup }: { readonly origin: string; readonly backup: string },
  { spki, label: name, ckaId, algorithm }: NamedKey,
): Fact {
  const key = { spki, token: p.token, label: name, ckaId, algorithm };
  return { kind: "key.restored", ...key, backup, origin };
}

function tellDone(p: RestoreParams, room: Room, count: number, waivers: readonly string[]): void {
  for (const waiver of waivers) room.console.warn(waiver);
  room.console.tell(
    `${count} of ${count} ${count === 1 ? "key is" : "keys are"} restored onto token ${p.token}: every attribute read back, every challenge verified with the recorded public key.`,
  );
}

/** A backup of another site tells planning nothing: its keys are foreseen by their labels alone. */
function foreseenKeys(p: RestoreParams, custody: Custody): readonly NamedKeyJson[] {
  const backup = chosenBackup(custody, p);
  const known = backup === undefined ? undefined : keysIn(custody, backup.backup, p.keys);
  if (known !== undefined) return known.map((key) => ({ ...key }));
  const labels = typeof p.keys === "string" ? [p.keys] : p.keys;
  return labels.map((name) => ({
    spki: sha256Hex(`planned\n${p.token}\n${name}`),
    label: name,
    ckaId: "00",
    algorithm: "p-384" as const,
  }));
}
