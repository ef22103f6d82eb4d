/** C11, C17: another ledger file in place of the one that Keyrite wrote. */

import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { compareHead, firstDifference } from "../../src/ledger/heads.ts";
import { LedgerStore } from "../../src/ledger/store.ts";
import { figure, SEED, sized } from "../support/fault-run.ts";
import { ledgerVerifier, makeLedger, tempDir } from "../support/ledger-fixture.ts";
import { grown, headOf, read } from "../support/open-ledger.ts";
import { seededDice } from "../support/dice.ts";

test("C11: two continuations of one ledger are told apart, with the first entry that differs", (t) => {
  const dir = tempDir(t);
  const roll = seededDice(SEED);
  const forks = sized(60, 1000);
  const counts = { forks, heads: 0, passed: 0 };
  for (let i = 0; i < forks; i += 1) {
    const common = 1 + Math.floor(roll() * 12);
    const base = join(dir, `fork-${i}`);
    for (const side of ["a", "b"]) mkdirSync(`${base}-${side}`, { recursive: true });
    const a = makeLedger(
      `${base}-a`,
      Array.from({ length: common }, (_, n) => [`entry ${n}`]),
    );
    const b = join(`${base}-b`, "ledger.db");
    copyFileSync(a, b);
    const shared = read(a);
    const anchor = headOf(shared);
    shared.close();
    const more = (side: string): readonly string[] =>
      Array.from({ length: 1 + Math.floor(roll() * 6) }, (_, n) => `${side} ${n}`);
    const [one, other] = [grown(a, more("a")), grown(b, more("b"))];
    // Whoever holds both files sees the very entry; a head alone shows that they part, and up to where.
    assert.equal(firstDifference(one, other), common);
    assert.equal(compareHead(other, anchor, ledgerVerifier).result, "extends");
    for (const [head, ledger] of [
      [headOf(one), other],
      [headOf(other), one],
    ] as const) {
      const seen = compareHead(ledger, head, ledgerVerifier);
      counts.heads += 1;
      if (seen.result === "forked") assert.ok(seen.from <= common && common <= seen.to);
      else if (seen.result === "shorter") assert.equal(seen.firstMissing, ledger.size);
      else counts.passed += 1;
    }
    one.close();
    other.close();
    for (const side of ["a", "b"]) rmSync(`${base}-${side}`, { recursive: true });
  }
  figure("C11", "forks shown by a head", counts);
  assert.deepEqual([counts.heads, counts.passed], [2 * forks, 0]);
});

test("C17: an older copy, and a ledger cut short by any number of entries, is stopped by a head", (t) => {
  const dir = tempDir(t);
  const path = join(dir, "ledger.db");
  LedgerStore.create(path, ledgerVerifier.name);
  const size = sized(40, 400);
  const heads: string[] = [];
  for (let n = 0; n < size; n += 1) {
    const store = grown(path, [`entry ${n}`]);
    heads.push(headOf(store));
    store.close();
    copyFileSync(path, join(dir, `${n + 1}.db`));
  }
  const head = heads.at(-1) ?? "";
  const counts = { copies: 0, passed: 0 };
  for (let kept = 1; kept < size; kept += 1) {
    const older = read(join(dir, `${kept}.db`));
    const seen = compareHead(older, head, ledgerVerifier);
    counts.copies += 1;
    if (seen.result !== "shorter" || seen.firstMissing !== kept) counts.passed += 1;
    // Its own head, and every older one, it does extend: nobody is accused who did nothing.
    assert.equal(compareHead(older, heads[kept - 1] ?? "", ledgerVerifier).result, "extends");
    older.close();
  }
  figure("C17", "older copies against the newest head", counts);
  assert.equal(counts.passed, 0, "every copy has too few entries");
});
