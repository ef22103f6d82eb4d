/** Small ledgers for tests: in a folder of their own, with a clock that the test moves. */

import Sqlite from "better-sqlite3";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock } from "../../src/lib/clock.ts";
import { signingKeyFromSeed } from "../../src/lib/ed25519.ts";
import { verifierKey } from "../../src/lib/note.ts";
import type { EntryDraft } from "../../src/ledger/entry.ts";
import { LedgerStore } from "../../src/ledger/store.ts";

export const ORIGIN = "example.org/dc1/test";
export const ledgerKey = signingKeyFromSeed(new Uint8Array(32).fill(42));
export const ledgerVerifier = verifierKey(ORIGIN, "ed25519", ledgerKey.publicKey);

export interface TestClock extends Clock {
  time: number;
}

export function testClock(): TestClock {
  const clock = { time: Date.UTC(2026, 10, 23, 9), now: () => clock.time, monotonic: () => 0 };
  return clock;
}

export function draft(description: string, changes: Partial<EntryDraft> = {}): EntryDraft {
  return {
    type: "step.completed",
    outcome: "success",
    source: "auto",
    ceremony: "20261123-generate-root-ca-abcd",
    step: "generate",
    actors: [{ person: "ana", role: "custodian", part: "performed" }],
    description,
    policyRefs: ["BR:6.1.1.1"],
    agreements: [],
    facts: [{ kind: "key.generated", key: "root-g1" }],
    data: { attempt: 1 },
    refs: {},
    ...changes,
  };
}

/** A folder that is removed after the test, or after the file when given `after` of node:test. */
export function tempDir(t: { after(done: () => void): void }): string {
  const dir = mkdtempSync(join(tmpdir(), "keyrite-ledger-"));
  t.after(() => {
    rmSync(dir, { recursive: true, force: true });
  });
  return dir;
}

/** A closed ledger with one transaction per list of descriptions; returns its path. */
export function makeLedger(dir: string, groups: readonly (readonly string[])[]): string {
  const path = join(dir, "ledger.db");
  LedgerStore.create(path, ORIGIN);
  const clock = testClock();
  const store = LedgerStore.open(path, { write: { clock, key: ledgerKey } });
  for (const group of groups) {
    clock.time += 1000;
    store.append(group.map((text) => draft(text)));
  }
  store.close();
  return path;
}

/** A copy of a ledger, changed behind the triggers' back by SQL. */
export function tampered(path: string, change: (db: Sqlite.Database) => void): string {
  const copy = `${path}.tampered`;
  copyFileSync(path, copy);
  const db = new Sqlite(copy);
  db.pragma("synchronous = OFF");
  // The copy keeps the pinned schema: only its triggers' work is undone.
  const triggers = db
    .prepare("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
    .all() as {
    readonly name: string;
    readonly sql: string;
  }[];
  db.transaction(() => {
    for (const { name } of triggers) db.exec(`DROP TRIGGER ${name}`);
    change(db);
    for (const { sql } of triggers) db.exec(sql);
  })();
  db.close();
  return copy;
}
