/**
 * The part of a ceremony that works on thousands of keys, without the people around it: the actions' own
 * batches on a real token, recorded entry by entry in a real ledger on disk.
 */

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Act, Room, VaultFolder } from "../../src/ceremony/action.ts";
import { BatchRecord } from "../../src/ceremony/batch-record.ts";
import type { Fact } from "../../src/ceremony/facts.ts";
import type { HistoryFold } from "../../src/ceremony/history-fold.ts";
import { Recorder } from "../../src/ceremony/recorder.ts";
import { readFacts } from "../../src/ceremony/step-authority.ts";
import { backupFolder } from "../../src/cli/vaults.ts";
import type { KeyName, UnwrapItem } from "../../src/hsm/backup.ts";
import { restoredAttributes } from "../../src/hsm/restore-templates.ts";
import type { Entry } from "../../src/ledger/entry.ts";
import { LedgerStore } from "../../src/ledger/store.ts";
import { signingKeyFromSeed } from "../../src/lib/ed25519.ts";
import { sha256Hex } from "../../src/lib/encoding.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { unwrapOnto } from "../../src/actions/lib/unwrap-onto.ts";
import { proveBlobs, wrapToVaults } from "../../src/actions/lib/wrap-to-vaults.ts";
import { NOW, ORIGIN, SEED } from "./bare-ledger.ts";
import { TOKEN, type BenchToken } from "./softhsm.ts";

const QUIET = { report: () => undefined, end: () => undefined };

/** One step's batch: opened on a new ledger, closed when the step would end. */
export class Desk {
  readonly room: Room;
  readonly act: Act<JsonObject>;
  readonly #ledger: LedgerStore;
  #facts = 0;

  constructor(folder: string, { session }: BenchToken, keys: readonly KeyName[]) {
    const path = join(folder, "ledger.db");
    LedgerStore.create(path, ORIGIN);
    const clock = { now: () => NOW, monotonic: () => performance.now() };
    this.#ledger = LedgerStore.open(path, { write: { clock, key: signingKeyFromSeed(SEED) } });
    const items = { groups: 0, done: new Set<string>() };
    const batch = new BatchRecord({
      recorder: new Recorder(this.#ledger, this.#fold()),
      ceremony: "20261124-restore-ca-keys-abcd",
      step: { n: 3, id: "restore" },
      begun: 7,
      items,
    });
    const publicKeys = new Map(keys.map(({ spki }) => [sha256Hex(spki), spki]));
    // Only what batches use of them: whoever reaches for more fails at once.
    this.room = {
      console: { progress: () => QUIET, tell: () => undefined, warn: () => undefined },
      tokens: { session: () => session },
      attachment: (sha256: string) => publicKeys.get(sha256),
    } as unknown as Room;
    this.act = {
      batch,
      subject: {},
      contributions: [],
      settled: null,
    };
  }

  close(expected: number): void {
    this.#ledger.close();
    if (this.#facts !== expected) throw new Error(`${this.#facts} of ${expected} are on record`);
  }

  // People who agreed are what a whole history needs to give facts authority; here they are read and counted.
  #fold(): HistoryFold {
    const take = (entry: Entry): void => {
      const facts = readFacts(entry);
      if (typeof facts === "string") throw new Error(facts);
      this.#facts += facts.length;
    };
    return { history: { findings: [] }, take } as unknown as HistoryFold;
  }
}

/** Restores keys as the action does between begun and completed. */
export async function restoreOurs(
  folder: string,
  token: BenchToken,
  items: readonly UnwrapItem[],
  lanes: number,
): Promise<void> {
  const desk = new Desk(folder, token, items);
  const template = restoredAttributes("p-256");
  await unwrapOnto(desk.room, desk.act, {
    token: TOKEN,
    kek: token.kek,
    items,
    verb: "restoring onto",
    template: () => template,
    fact: ({ ckaId, label }, spki): Fact => ({
      ...{ kind: "key.restored", spki, token: TOKEN, label, ckaId },
      ...{ backup: "backup-20261124-abcd", origin: ORIGIN, algorithm: "p-256" },
    }),
    lanes,
  });
  desk.close(items.length);
}

/** Backs keys up as the action does between begun and the signing of the manifest. */
export async function backUpOurs(
  folder: string,
  token: BenchToken,
  keys: readonly UnwrapItem[],
): Promise<void> {
  const desk = new Desk(folder, token, keys);
  const place = join(folder, "vault");
  mkdirSync(place);
  const vault: VaultFolder = backupFolder(place);
  const work = {
    ...({
      backup: "backup-20261124-abcd",
      token: TOKEN,
      provedOn: TOKEN,
      format: "rfc5649",
    } as const),
    kek: { kek: "backup-kek", generation: 1 },
    sourceKek: token.kek,
    proverKek: token.kek,
    folders: new Map([["onsite", vault]]),
  };
  const named = keys.map(({ spki, label, ckaId, algorithm }) => {
    return { spki: sha256Hex(spki), label, ckaId, algorithm };
  });
  const blobs = await wrapToVaults(desk.room, work, named);
  await proveBlobs(desk.room, desk.act, work, blobs);
  desk.close(keys.length);
}
