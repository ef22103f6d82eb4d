/** A ledger opened for one test. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { LedgerStore } from "../../src/ledger/store.ts";
import { draft, ledgerKey, ORIGIN, tempDir, testClock, type TestClock } from "./ledger-fixture.ts";

export const support = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

export interface Open {
  readonly path: string;
  readonly store: LedgerStore;
  readonly clock: TestClock;
}

/** A new ledger, open for writing; closed and removed after the test. */
export function opened(t: { after(done: () => void): void }): Open {
  const path = join(tempDir(t), "ledger.db");
  LedgerStore.create(path, ORIGIN);
  const clock = testClock();
  const holder = { pid: 4711, host: "ceremony-1" };
  const store = LedgerStore.open(path, { write: { clock, key: ledgerKey, holder } });
  t.after(() => {
    store.close();
  });
  return { path, store, clock };
}

export const read = (path: string): LedgerStore => LedgerStore.open(path);

export function reopen(path: string, key = ledgerKey): LedgerStore {
  return LedgerStore.open(path, { write: { clock: testClock(), key } });
}

/** A ledger that went on an hour later, with one transaction for each of these descriptions; still open. */
export function grown(path: string, words: readonly string[]): LedgerStore {
  const clock = testClock();
  clock.time += 3_600_000;
  const store = LedgerStore.open(path, { write: { clock, key: ledgerKey } });
  for (const word of words) store.append([draft(word)]);
  return store;
}

/** The newest checkpoint of a ledger. */
export function headOf(store: LedgerStore): string {
  return store.checkpoint() ?? assert.fail("the ledger has a head");
}
