/** What the ledger's checks cost an append of many entries at once. */

import { benchAppend } from "./lib/append.ts";

export const about =
  "LedgerStore.append, 100 entries a transaction, against a plain loop over better-sqlite3";

export async function run(rounds = 31): Promise<void> {
  await benchAppend({ name: "append-grouped", floor: 0.5, rounds, transactions: 5, group: 100 });
}
