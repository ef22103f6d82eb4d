/** The room that is kept beside a ledger for the records that end things, and what counts as one. */

import assert from "node:assert/strict";
import { existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { copyLedger } from "../../src/ledger/copy.ts";
import { ENTRY_TYPES } from "../../src/ledger/entry.ts";
import { onlyEnds, Reserve, RESERVE_BYTES } from "../../src/ledger/reserve.ts";
import { LedgerStore } from "../../src/ledger/store.ts";
import { makeLedger, tempDir } from "../support/ledger-fixture.ts";

test("C07: outcomes and ends may be written where nothing is begun any more, and nothing else", () => {
  const ends = ENTRY_TYPES.filter((type) => onlyEnds([{ type }]));
  assert.deepEqual([...ends].sort(), [
    "auth.failed",
    "ceremony.abandoned",
    "ceremony.closed",
    "deviation.recorded",
    "step.completed",
    "step.failed",
    "step.refused",
  ]);
  assert.ok(!onlyEnds([{ type: "step.completed" }, { type: "step.opened" }]));
  assert.ok(onlyEnds([{ type: "step.completed" }, { type: "step.failed" }]));
});

test("C07: the room is taken once, given up once, and what a killed process left is used", (t) => {
  const ledger = join(tempDir(t), "ledger.db");
  const file = `${ledger}.reserve`;
  const reserve = Reserve.take(ledger);
  assert.equal(statSync(file).size, RESERVE_BYTES);
  assert.ok(reserve.release());
  assert.ok(!existsSync(file));
  assert.ok(!reserve.release());
  writeFileSync(file, "half of it");
  Reserve.take(ledger);
  const { ino, size } = statSync(file);
  assert.equal(size, RESERVE_BYTES);
  const again = Reserve.take(ledger);
  assert.equal(statSync(file).ino, ino, "it is not written anew");
  again.end();
  assert.ok(!existsSync(file));
});

test("C06: where no room can be kept nothing is begun, and the refusal says how much it would take", (t) => {
  const folder = tempDir(t);
  const nowhere = join(folder, "gone", "ledger.db");
  const ledger = join(folder, "ledger.db");
  mkdirSync(`${ledger}.reserve`);
  for (const path of [nowhere, ledger]) {
    assert.throws(() => Reserve.take(path), {
      code: "site.disk",
      message: `no room can be kept for the records that end a ceremony, 2 MiB beside ${path}: it could not be written`,
      hints: ["nothing was begun"],
    });
  }
});

test("a ledger whose entries go beyond its checkpoints is not copied", (t) => {
  const folder = tempDir(t);
  const store = LedgerStore.open(makeLedger(folder, [["one"], ["two", "three"]]));
  t.after(() => {
    store.close();
  });
  const kept = [...store.checkpoints()];
  // What a ledger that was not verified could hold.
  const broken = (sizes: readonly number[], entries: readonly string[]): LedgerStore =>
    ({
      origin: store.origin,
      entries: () => entries,
      checkpoints: () => kept.filter(({ size }) => sizes.includes(size)),
      attachments: () => [],
      cosignatures: () => [],
    }) as unknown as LedgerStore;
  const all = [...store.entries()];
  for (const [from, at] of [
    [broken([1], all), 1],
    [broken([1, 3], all.slice(0, 2)), 2],
  ] as const) {
    assert.throws(
      () => {
        copyLedger(from, join(folder, `copy-${at}.db`));
      },
      { code: "ledger.damaged", message: `entries and checkpoints part at entry ${at}` },
    );
  }
});
