/** What the ledger's checks cost an append. */

import { benchAppend } from "./lib/append.ts";

export const about =
  "LedgerStore.append, an entry a transaction, against a plain loop over better-sqlite3";

export async function run(rounds = 31): Promise<void> {
  await benchAppend({ name: "append", floor: 0.7, rounds, transactions: 40, group: 1 });
}
