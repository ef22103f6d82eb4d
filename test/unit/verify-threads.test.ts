/** A ledger that is verified on several threads is judged as on one: same verdict, same entries, same roots. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, test } from "node:test";
import type { EntryDraft } from "../../src/ledger/entry.ts";
import type { LedgerVerdict } from "../../src/ledger/verify.ts";
import { signingKeyFromSeed } from "../../src/lib/ed25519.ts";
import { hex } from "../../src/lib/encoding.ts";
import { verifierKey, type VerifierKey } from "../../src/lib/note.ts";
import { bundledLedger } from "../support/bundled-ledger.ts";
import {
  draft,
  ledgerKey,
  ledgerVerifier,
  ORIGIN,
  tampered,
  tempDir,
  testClock,
} from "../support/ledger-fixture.ts";

/** Three parts and a bit, each of whose seams lies inside a transaction. */
const ENTRIES = 1_700;
const PARTS = 4;

const { LedgerStore, verifyLedger, verifyLedgerInThreads } = await bundledLedger({ after });
const path = join(tempDir({ after }), "ledger.db");
LedgerStore.create(path, ORIGIN);
const clock = testClock();
const store = LedgerStore.open(path, { write: { clock, key: ledgerKey } });
for (let from = 0; from < ENTRIES; from += 100) {
  clock.time += 1000;
  const drafts = Array.from({ length: 100 }, (_, i): EntryDraft => {
    const type = i % 40 === 7 ? "step.opened" : "step.completed";
    return draft(`entry ${from + i}`, { type });
  });
  store.append(drafts);
}
store.close();

interface Seen {
  readonly verdict: LedgerVerdict;
  /** What the walk that counted has visited, with some of the roots. */
  readonly visited: readonly string[];
  readonly walks: number;
  readonly progress: readonly (readonly [number, number])[];
}

interface Asked {
  readonly workers: number;
  readonly origin?: string;
  readonly key?: VerifierKey;
}

/** Roots that the threads send along, and some that nobody usually asks for. */
const asksRoot = (seq: number, type: string): boolean => type === "step.opened" || seq % 333 === 0;

async function judged(file: string, asked: Asked): Promise<Seen> {
  const { workers, origin = ORIGIN, key = ledgerVerifier } = asked;
  const ledger = LedgerStore.open(file);
  let visited: string[] = [];
  let walks = 0;
  const progress: [number, number][] = [];
  try {
    const verdict = await verifyLedgerInThreads(ledger, {
      origin,
      key,
      begin() {
        walks += 1;
        visited = [];
        return (entry, seq, root) => {
          const at = asksRoot(seq, entry.type) ? hex(root()) : "";
          visited.push(`${seq} ${entry.description} ${at}`);
        };
      },
      workers,
      people: [],
      progress: (done, total) => progress.push([done, total]),
    });
    return { verdict, visited, walks, progress };
  } finally {
    ledger.close();
  }
}

/** The same on this thread alone, without anything that divides the work. */
function alone(file: string, { origin = ORIGIN, key = ledgerVerifier }: Partial<Asked> = {}): Seen {
  const ledger = LedgerStore.open(file);
  const visited: string[] = [];
  try {
    const verdict = verifyLedger(ledger, {
      origin,
      key,
      visit: (entry, seq, root) => {
        const at = asksRoot(seq, entry.type) ? hex(root()) : "";
        visited.push(`${seq} ${entry.description} ${at}`);
      },
    });
    return { verdict, visited, walks: 1, progress: [] };
  } finally {
    ledger.close();
  }
}

test("C14: a sound ledger is visited once and whole, however many threads share the work", async () => {
  const expected = alone(path);
  assert.deepEqual(expected.verdict.findings, []);
  assert.equal(expected.visited.length, ENTRIES);
  for (const workers of [0, 1, 2, 5]) {
    const seen = await judged(path, { workers });
    assert.deepEqual(seen.verdict, expected.verdict, `${workers} threads`);
    assert.deepEqual(seen.visited, expected.visited, `${workers} threads`);
    assert.equal(seen.walks, 1);
    assert.deepEqual(seen.progress.at(-1), [ENTRIES, ENTRIES]);
    // Only the walk on one thread goes entry by entry.
    assert.equal(seen.progress.length, workers === 0 ? ENTRIES : PARTS);
    const done = seen.progress.map(([count]) => count);
    assert.deepEqual(
      done,
      [...done].sort((a, b) => a - b),
    );
  }
});

const CHANGES: Readonly<Record<string, string>> = {
  "an entry in the first part":
    "UPDATE entries SET body = replace(body, 'entry 3', 'entry 4') WHERE seq = 3",
  "an entry at a seam": "UPDATE entries SET body = replace(body, 'entry 512', 'x') WHERE seq = 512",
  "an entry before a seam":
    "UPDATE entries SET body = replace(body, 'entry 511', 'x') WHERE seq = 511",
  "an entry gone": "DELETE FROM entries WHERE seq = 1024",
  "a body that is no UTF-8": "UPDATE entries SET body = cast(x'7bff7d' AS text) WHERE seq = 600",
  "a node": "UPDATE nodes SET hash = zeroblob(32) WHERE pos = 1500",
  "a node gone": "DELETE FROM nodes WHERE pos = 1500",
  "a checkpoint": "UPDATE checkpoints SET note = 'x' WHERE size = 900",
};

for (const [what, sql] of Object.entries(CHANGES)) {
  test(`C14: ${what} is found and named on several threads as on one`, async () => {
    const file = tampered(path, (db) => {
      assert.equal(db.prepare(sql).run().changes, 1);
    });
    const expected = alone(file);
    assert.notDeepEqual(expected.verdict.findings, []);
    const seen = await judged(file, { workers: 2 });
    assert.deepEqual(seen.verdict, expected.verdict);
    assert.deepEqual(seen.visited, expected.visited);
    assert.ok(seen.progress.length >= ENTRIES - 1, "the walk on one thread has named it");
  });
}

test("C14: another ledger's key or origin is named on several threads as on one", async () => {
  const { publicKey } = signingKeyFromSeed(new Uint8Array(32).fill(7));
  for (const trust of [
    { key: verifierKey(ORIGIN, "ed25519", publicKey) },
    { origin: "example.org/dc2/test" },
  ]) {
    const expected = alone(path, trust);
    assert.notDeepEqual(expected.verdict.findings, []);
    const seen = await judged(path, { workers: 2, ...trust });
    assert.deepEqual(seen.verdict, expected.verdict);
    assert.deepEqual(seen.visited, expected.visited);
  }
});

test("what a visit throws ends the work, on several threads as on one", async () => {
  for (const workers of [0, 2]) {
    const ledger = LedgerStore.open(path);
    const work = verifyLedgerInThreads(ledger, {
      ...{ origin: ORIGIN, key: ledgerVerifier, workers, people: [] },
      begin: () => (_, seq) => {
        if (seq === 700) throw new Error("enough");
      },
    });
    await assert.rejects(work, /^Error: enough$/);
    // Nothing holds the ledger any more.
    ledger.close();
  }
});
