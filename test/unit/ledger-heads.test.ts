/** Heads that people carry: what they prove of a ledger that is shorter, older or another one. */

import assert from "node:assert/strict";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { signingKeyFromSeed } from "../../src/lib/ed25519.ts";
import { signCheckpoint, type Checkpoint } from "../../src/ledger/checkpoint.ts";
import { compareRoots } from "../../src/ledger/heads.ts";
import { EMPTY_ROOT } from "../../src/ledger/merkle.ts";
import { LedgerStore } from "../../src/ledger/store.ts";
import { compareHead, compareHeads, firstDifference } from "../../src/ledger/verify.ts";
import {
  draft,
  ledgerKey,
  ledgerVerifier,
  makeLedger,
  ORIGIN,
  tampered,
  tempDir,
  testClock,
} from "../support/ledger-fixture.ts";
import { damaged, refusalOf, type Refusal } from "../support/refusal.ts";

/** Appends one entry a text to a copy of a ledger and returns it opened for reading. */
function extended(path: string, name: string, texts: readonly string[]): LedgerStore {
  const copy = join(path, "..", name);
  copyFileSync(path, copy);
  const clock = testClock();
  clock.time += 60_000;
  const store = LedgerStore.open(copy, { write: { clock, key: ledgerKey } });
  for (const text of texts) store.append([draft(text)]);
  store.close();
  return LedgerStore.open(copy);
}

const headOf = (store: LedgerStore, size?: number): string =>
  store.checkpoint(size) ?? assert.fail("no such checkpoint");

test("C11: copies that were both extended are told apart, with the first differing index", (t) => {
  const path = makeLedger(tempDir(t), [["one"], ["two"], ["three"]]);
  const here = extended(path, "here.db", ["same", "here", "more"]);
  const there = extended(path, "there.db", ["same", "there"]);
  const common = headOf(there, 3);
  assert.equal(compareHead(here, common, ledgerVerifier).result, "extends");
  const [first, second] = compareHeads(here, [common, headOf(there)], ledgerVerifier);
  assert.equal(first?.result, "extends");
  assert.ok(second?.result === "forked");
  assert.deepEqual([second.from, second.to], [3, 4]);
  const [, exact] = compareHeads(here, [headOf(there, 4), headOf(there)], ledgerVerifier);
  assert.ok(exact?.result === "forked");
  assert.deepEqual([exact.from, exact.to], [4, 4]);
  const alone = compareHead(here, headOf(there), ledgerVerifier);
  assert.ok(alone.result === "forked");
  assert.deepEqual([alone.from, alone.to], [0, 4]);
  assert.equal(firstDifference(here, there), 4);
  assert.equal(firstDifference(there, here), 4);
});

test("C17: an older copy in place of the ledger is shorter than the head, and sound by itself", (t) => {
  const path = makeLedger(tempDir(t), [["one"], ["two"], ["three"]]);
  const old = LedgerStore.open(path);
  const grown = extended(path, "grown.db", ["four", "five"]);
  const comparison = compareHead(old, headOf(grown), ledgerVerifier);
  assert.ok(comparison.result === "shorter");
  assert.equal(comparison.firstMissing, 3);
  assert.equal(compareHead(old, headOf(grown, 3), ledgerVerifier).result, "extends");
  assert.equal(firstDifference(old, grown), 3);
  assert.equal(firstDifference(grown, old), 3);
  assert.equal(firstDifference(old, old), undefined);
});

test("C14: entries rewritten under untouched nodes do not extend a head", (t) => {
  const path = makeLedger(tempDir(t), [["one"], ["two"], ["three"]]);
  const head = headOf(LedgerStore.open(path));
  const copy = tampered(path, (db) => {
    db.prepare("UPDATE entries SET body = replace(body, 'two', 'owt')").run();
  });
  const store = LedgerStore.open(copy);
  assert.notDeepEqual(store.rootAt(3), undefined);
  assert.equal(compareHead(store, head, ledgerVerifier).result, "forked");
});

test("a head of nobody, of another ledger, or of another key is not compared", (t) => {
  const store = LedgerStore.open(makeLedger(tempDir(t), [["one"]]));
  const other = signingKeyFromSeed(new Uint8Array(32).fill(1));
  const sign = (origin: string, key = ledgerKey): string =>
    signCheckpoint({ origin, size: 1, root: store.root() }, key);
  const untrusted = (message: string): Refusal => ({
    code: "ledger.not-trusted",
    message,
    hints: [],
  });
  const wrong: readonly (readonly [note: string, said: Refusal])[] = [
    ["nothing", damaged("the note has no blank line before its signatures")],
    [sign("example.org/dc2"), untrusted(`the head is of example.org/dc2, not of ${ORIGIN}`)],
    [sign(ORIGIN, other), untrusted(`the head is not signed by the key of ${ORIGIN}`)],
    [sign(ORIGIN).replace("\n1\n", "\n2\n"), damaged(`the signature of ${ORIGIN} is wrong`)],
    [sign(ORIGIN).replace("\n1\n", "\n01\n"), damaged("the checkpoint's second line is no size")],
    [
      sign(ORIGIN).replace("\n\n", "\nextension\n\n"),
      damaged("the checkpoint does not begin with an origin"),
    ],
  ];
  for (const [note, said] of wrong) {
    assert.deepEqual(
      refusalOf(() => compareHead(store, note, ledgerVerifier)),
      said,
    );
  }
  assert.equal(compareHead(store, sign(ORIGIN), ledgerVerifier).result, "extends");
});

test("a head of the empty ledger is extended by every ledger, if its root is right", (t) => {
  const store = LedgerStore.open(makeLedger(tempDir(t), [["one"]]));
  const head = (root: Uint8Array): string =>
    signCheckpoint({ origin: ORIGIN, size: 0, root }, ledgerKey);
  assert.equal(compareHead(store, head(EMPTY_ROOT), ledgerVerifier).result, "extends");
  assert.equal(compareHead(store, head(new Uint8Array(32)), ledgerVerifier).result, "forked");
});

test("C11: only a shorter head that this ledger extends narrows where a forked one differs", () => {
  const root = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);
  const head = (size: number, byte: number): Checkpoint => ({
    origin: ORIGIN,
    size,
    root: root(byte),
  });
  const roots = new Map([2, 4, 6].map((size) => [size, root(size)]));
  const results = (...heads: readonly Checkpoint[]): unknown[] =>
    compareRoots(heads, roots, 6).map(({ head, ...result }, at) => {
      assert.equal(head, heads[at]);
      return result;
    });
  const extended = { result: "extends" };
  const forked = (from: number, to: number) => ({ result: "forked", from, to });
  assert.deepEqual(results(head(4, 9)), [forked(0, 3)]);
  assert.deepEqual(results(head(4, 9), head(2, 2)), [forked(2, 3), extended]);
  assert.deepEqual(results(head(4, 9), head(2, 9)), [forked(0, 3), forked(0, 1)]);
  assert.deepEqual(results(head(4, 9), head(4, 4)), [forked(0, 3), extended]);
  assert.deepEqual(results(head(4, 9), head(6, 6)), [forked(0, 3), extended]);
  assert.deepEqual(results(head(6, 9), head(2, 2), head(4, 4)), [forked(4, 5), extended, extended]);
  assert.deepEqual(results(head(5, 5)), [forked(0, 4)]);
  assert.deepEqual(results(head(6, 6), head(7, 7)), [
    extended,
    { result: "shorter", firstMissing: 6 },
  ]);
});

test("whoever compares ledgers can write to them again", (t) => {
  const path = makeLedger(tempDir(t), [["one"], ["two"]]);
  const longer = extended(path, "longer.db", ["three", "four"]);
  const clock = testClock();
  clock.time += 120_000;
  for (const [name, texts] of [
    ["other.db", ["other"]],
    ["shorter.db", []],
  ] as const) {
    extended(path, name, texts).close();
    const store = LedgerStore.open(join(path, "..", name), { write: { clock, key: ledgerKey } });
    assert.equal(firstDifference(longer, store), 2);
    assert.equal(firstDifference(store, longer), 2);
    store.append([draft("more")]);
    store.close();
  }
});
