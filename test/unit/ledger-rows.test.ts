/** The rows of a ledger file: what is read of those that are not as they should be, and what a copy takes over. */

import assert from "node:assert/strict";
import Sqlite from "better-sqlite3";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { copyLedger } from "../../src/ledger/copy.ts";
import { partCheckpoints, partNodes, partTexts } from "../../src/ledger/part-rows.ts";
import { Rows } from "../../src/ledger/rows.ts";
import { LedgerStore } from "../../src/ledger/store.ts";
import { verifyLedger } from "../../src/ledger/verify.ts";
import { sizeOfAll } from "../../src/ledger/verify-join.ts";
import { signingKeyFromSeed } from "../../src/lib/ed25519.ts";
import { hex, sha256Hex } from "../../src/lib/encoding.ts";
import { cosignatureLine, parseNote } from "../../src/lib/note.ts";
import { draft, ledgerVerifier } from "../support/ledger-fixture.ts";
import { opened } from "../support/open-ledger.ts";
import { damaged, refusalOf } from "../support/refusal.ts";

/** Tables with the columns of a ledger's, which take any value. */
function loose(): { readonly db: Sqlite.Database; readonly rows: Rows } {
  const db = new Sqlite(":memory:");
  db.exec(`CREATE TABLE ledger (origin); CREATE TABLE entries (seq, body);
    CREATE TABLE nodes (pos, hash); CREATE TABLE checkpoints (size, note);
    CREATE TABLE attachments (sha256, mediaType, bytes)`);
  return { db, rows: new Rows(db) };
}

test("C14: what is no text, or no hash, is refused with its place", () => {
  const { db, rows } = loose();
  db.exec(`INSERT INTO ledger VALUES (x'00'); INSERT INTO entries VALUES (3, 7);
    INSERT INTO checkpoints VALUES (2, NULL);
    INSERT INTO nodes VALUES (0, zeroblob(31)), (1, zeroblob(32)), (2, '${"x".repeat(32)}')`);
  for (const [read, message] of [
    [() => rows.origin(), "the origin is not text"],
    [() => rows.entry(3), "entry 3 is not text"],
    [() => [...rows.entries(0)], "an entry is not text"],
    [() => rows.checkpoint(2), "checkpoint 2 is not text"],
    [() => rows.node(0, 0), "tree node 0 is missing"],
    [() => rows.node(1, 0), "tree node 2 is missing"],
    [() => rows.node(0, 2), "tree node 3 is missing"],
  ] as const) {
    assert.deepEqual(refusalOf(read), damaged(message));
  }
  assert.deepEqual(rows.node(0, 1), Buffer.alloc(32));
  assert.deepEqual([rows.entry(0), rows.checkpoint(1)], [undefined, undefined]);
});

test("checkpoints are counted from one size to another, both included", () => {
  const { db, rows } = loose();
  db.exec("INSERT INTO checkpoints VALUES (2, 'x'), (4, 'x'), (5, 'x')");
  const counts = [
    [0, 9, 3],
    [2, 4, 2],
    [3, 4, 1],
    [2, 3, 1],
    [3, 3, 0],
    [5, 2, 0],
  ] as const;
  for (const [from, to, count] of counts) assert.equal(rows.checkpointCount(from, to), count);
});

test("attachments are found by their type and length, whatever else lies there", () => {
  const { db, rows } = loose();
  db.exec(`INSERT INTO attachments VALUES ('a', 'text/plain', x'61'), ('b', 'text/plain', x'6262'),
    ('c', 'text/csv', x'63'), ('d', 'text/plain', 'd')`);
  const found = (most: number): readonly string[] =>
    rows.shortAttachments("text/plain", most).map((bytes) => Buffer.from(bytes).toString());
  assert.deepEqual([found(0), found(1), found(2)], [[], ["a"], ["a", "bb"]]);
});

test("an attachment of a type that verifiers refuse is not written", (t) => {
  const { store } = opened(t);
  assert.throws(
    () => store.append([draft("one")], [{ mediaType: "text/html", bytes: Buffer.of(1) }]),
    {
      code: "internal.bug",
      message: "no attachment has the media type text/html",
      hints: ["add it to the closed list of media types and to docs/formats/ledger.md"],
    },
  );
  assert.equal(store.size, 0);
  assert.equal(store.append([draft("one")]).size, 1, "it takes what comes next");
});

/** A ledger of entries, attachments and cosignatures that came in no order. */
function filled(t: { after(done: () => void): void }) {
  const ledger = opened(t);
  const { store } = ledger;
  const bytes = [Buffer.from("b"), Buffer.from("a"), Buffer.from("c")];
  const attachments = bytes.map((one) => ({ mediaType: "text/plain", bytes: one }));
  store.append([draft("one"), draft("two")], attachments.slice(0, 2));
  const { note } = store.append([draft("three")], attachments.slice(2));
  const lines = [2, 1].map((seed) =>
    cosignatureLine(
      parseNote(note).text,
      `example.org/people/p${seed}`,
      1_795_000_000,
      signingKeyFromSeed(new Uint8Array(32).fill(seed)),
    ),
  );
  store.addCosignatures(3, lines);
  return { ...ledger, bytes, lines };
}

test("what a ledger holds is listed in the order of its keys", (t) => {
  const { store, bytes, lines } = filled(t);
  const digests = bytes.map((one) => sha256Hex(one)).sort();
  assert.deepEqual(
    [...store.attachments()].map(({ sha256 }) => sha256),
    digests,
  );
  assert.deepEqual(
    store.cosignatures(3).map(({ line }) => line),
    [...lines].sort(),
  );
  assert.deepEqual(store.cosignatures(2), []);
  assert.deepEqual([...store.entries(1)], [store.entry(1), store.entry(2)]);
});

test("a copy holds the same rows, is always the same file, and replaces nothing", (t) => {
  const { store, path } = filled(t);
  const [one, two] = [join(path, "..", "one.db"), join(path, "..", "two.db")];
  copyLedger(store, one);
  copyLedger(store, two);
  assert.deepEqual(readFileSync(one), readFileSync(two));
  assert.ok(!existsSync(`${one}-journal`));
  const copy = LedgerStore.open(one);
  t.after(() => {
    copy.close();
  });
  assert.deepEqual(verifyLedger(copy, { key: ledgerVerifier }), verifyLedger(store));
  for (const rows of ["entries", "checkpoints", "attachments", "cosignatures"] as const) {
    assert.deepEqual([...copy[rows]()], [...store[rows]()]);
  }
  const exists = { code: "site.exists", message: `there is already a ledger at ${one}` };
  assert.throws(() => {
    copyLedger(store, one);
  }, exists);
});

test("the rows of a part are those of its entries, and undefined where one is lacking or too many", (t) => {
  const { store } = filled(t);
  const db = store.database;
  const all = [...store.entries()];
  assert.deepEqual(partTexts(db, { from: 1, to: 3 }), {
    texts: all.slice(1),
    bytes: Buffer.byteLength(all.slice(1).join("")),
  });
  assert.equal(partTexts(db, { from: 1, to: 4 }), undefined);
  const nodes = (from: number, to: number): string | undefined => {
    const bytes = partNodes(db, { from, to });
    return bytes === undefined ? undefined : hex(bytes);
  };
  const stored = db.prepare("SELECT hash FROM nodes ORDER BY pos").pluck().all() as Uint8Array[];
  assert.equal(nodes(0, 3), stored.map(hex).join(""));
  assert.equal(nodes(1, 2), stored.slice(1, 3).map(hex).join(""));
  assert.equal(nodes(2, 4), undefined);
  assert.equal(nodes(1, 1), "");
  const sizes = (from: number, to: number): readonly number[] =>
    partCheckpoints(db, { from, to }).map(({ size }) => size);
  assert.deepEqual([sizes(0, 3), sizes(0, 2), sizes(1, 2), sizes(2, 3)], [[2, 3], [2], [2], [3]]);
  assert.equal(sizeOfAll(db), 3);
});

test("a ledger without entries, or whose tables end apart, is not verified in parts", (t) => {
  const { store, path } = filled(t);
  assert.equal(sizeOfAll(opened(t).store.database), undefined);
  store.close();
  for (const more of [
    "INSERT INTO entries VALUES (3, 'x')",
    "INSERT INTO nodes VALUES (4, zeroblob(32))",
    "DROP TRIGGER checkpoints_insert; INSERT INTO checkpoints VALUES (4, 'x')",
  ]) {
    const db = new Sqlite(path);
    db.exec(`BEGIN; ${more}`);
    assert.equal(sizeOfAll(db), undefined, more);
    db.exec("ROLLBACK");
    db.close();
  }
});
