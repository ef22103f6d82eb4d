/** Appending to a ledger against the bare limit, on a real disk, and proof that both did the same. */

import assert from "node:assert/strict";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { signingKeyFromSeed } from "../../src/lib/ed25519.ts";
import { LedgerStore } from "../../src/ledger/store.ts";
import { measure, table, timed, verdict } from "../harness.ts";
import { BareLedger, DRAFT, NOW, ORIGIN, SEED } from "./bare-ledger.ts";
import { onDisk } from "./keyrite.ts";

export interface Load {
  readonly name: string;
  readonly floor: number;
  readonly rounds: number;
  /** Transactions of one round. */
  readonly transactions: number;
  /** Entries of one transaction. */
  readonly group: number;
}

const TABLES = ["ledger", "entries", "nodes", "checkpoints", "attachments", "cosignatures"];

/** Measures one load; both ledgers grow through all rounds, and must hold the same rows at the end. */
export async function benchAppend(load: Load): Promise<void> {
  await onDisk(async (folder) => {
    const [ours, bare] = [join(folder, "ours.db"), join(folder, "bare.db")];
    const store = openStore(ours);
    const limit = new BareLedger(bare);
    const drafts = Array.from({ length: load.group }, () => DRAFT);
    const repeated = (append: () => unknown) =>
      timed(() => {
        for (let done = 0; done < load.transactions; done += 1) append();
      });
    const result = await measure({
      ours: repeated(() => store.append(drafts)),
      bare: repeated(() => {
        limit.append(load.group);
      }),
      rounds: load.rounds,
      kind: "time",
    });
    store.close();
    limit.close();
    for (const name of TABLES) assert.deepEqual(rows(ours, name), rows(bare, name), name);
    const { name, floor, transactions, group } = load;
    const title = `${name}: ${transactions} transactions of ${group}, the same rows on both sides`;
    process.stdout.write(`${table(title, result)}\n${verdict(name, result.ratio, floor)}\n`);
  });
}

function openStore(path: string): LedgerStore {
  LedgerStore.create(path, ORIGIN);
  const clock = { now: () => NOW, monotonic: () => 0 };
  return LedgerStore.open(path, { write: { clock, key: signingKeyFromSeed(SEED) } });
}

function rows(path: string, name: string): unknown {
  const db = new Sqlite(path, { readonly: true });
  try {
    return db.prepare(`SELECT * FROM ${name}`).raw().all();
  } finally {
    db.close();
  }
}
