/** A part of a ledger that is judged by itself: what it hands on, and how parts are joined. */

import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { Database } from "../../src/ledger/database.ts";
import type { Entry } from "../../src/ledger/entry.ts";
import { treeHash } from "../../src/ledger/merkle.ts";
import { LedgerStore } from "../../src/ledger/store.ts";
import { Joiner } from "../../src/ledger/verify-join.ts";
import { judgePart, type JudgedPart } from "../../src/ledger/verify-part.ts";
import { signingKeyFromSeed } from "../../src/lib/ed25519.ts";
import { hex } from "../../src/lib/encoding.ts";
import { formatNote, signatureLine, verifierKey, type VerifierKey } from "../../src/lib/note.ts";
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

const ANA = "example.org/people/ana";
const ana = signingKeyFromSeed(new Uint8Array(32).fill(1));
const anaKey = verifierKey(ANA, "ed25519", ana.publicKey);
const ben = verifierKey(
  ANA.replace("ana", "ben"),
  "ed25519",
  signingKeyFromSeed(new Uint8Array(32).fill(2)).publicKey,
);
const agreed = formatNote("agreed\n", [signatureLine("agreed\n", ANA, ana)]);
const forged = formatNote("not agreed\n", [signatureLine("agreed\n", ANA, ana)]);

const path = makeLedger(tempDir({ after }), [["zero"]]);
const clock = testClock();
clock.time += 60_000;
const writer = LedgerStore.open(path, { write: { clock, key: ledgerKey } });
writer.append([
  draft("one – naïve", { type: "step.opened" }),
  draft("two", { agreements: [agreed] }),
]);
writer.append([
  draft("three", { agreements: [forged, "no note"] }),
  draft("four", { type: "step.opened" }),
]);
writer.append([draft("five")]);
writer.close();
const store = LedgerStore.open(path);
after(() => {
  store.close();
});
const texts = [...store.entries()];
const rootAt = (size: number): Uint8Array => treeHash(texts.slice(0, size));

interface Asked {
  readonly from: number;
  readonly to: number;
  readonly key?: VerifierKey;
  readonly people?: readonly VerifierKey[];
  readonly room?: ArrayBuffer;
  readonly db?: Database;
}

function judged({
  from,
  to,
  key = ledgerVerifier,
  people = [],
  room,
  db = store.database,
}: Asked): JudgedPart {
  const part = judgePart(db, { origin: ORIGIN, key, people }, { from, to }, room);
  return part ?? assert.fail("the part is not sound");
}

test("a part hands on its texts behind zeros, the roots that are asked for, and the tree around it", () => {
  const part = judged({ from: 1, to: 5 });
  const bytes = texts.slice(1, 5).map((text) => Buffer.from(`\0${text}`));
  assert.deepEqual(Buffer.from(part.texts), Buffer.concat(bytes));
  let end = 0;
  assert.deepEqual(
    [...part.ends],
    bytes.map(({ length }) => (end += length)),
  );
  assert.deepEqual([...part.rootsAt], [0, 3]);
  assert.equal(hex(part.roots), hex(rootAt(2)) + hex(rootAt(5)));
  assert.equal(hex(part.before), hex(rootAt(1)));
  assert.equal(hex(part.after), hex(rootAt(4)) + hex(treeHash(texts.slice(4, 5))));
  assert.deepEqual([part.from, part.covered, part.note], [1, 5, store.checkpoint(5)]);
  assert.deepEqual(part.good, []);
  const uncovered = judged({ from: 1, to: 2 });
  assert.deepEqual([uncovered.covered, uncovered.note], [0, ""]);
});

test("room that is large enough is used, and no other", () => {
  const length = judged({ from: 1, to: 5 }).texts.length;
  for (const [size, isUsed] of [
    [length - 1, false],
    [length, true],
    [length + 100, true],
  ] as const) {
    const room = new ArrayBuffer(size);
    const part = judged({ from: 1, to: 5, room });
    assert.equal(part.texts.buffer === room, isUsed, String(size - length));
    assert.equal(part.texts.length, length);
  }
});

test("signatures of people who are known are verified on the way, good ones alone are named", () => {
  const good = (people: readonly VerifierKey[], from = 0): number =>
    judged({ from, to: 6, people }).good.length;
  assert.deepEqual([good([]), good([ben]), good([ben, anaKey]), good([anaKey], 3)], [0, 0, 1, 0]);
});

test("C14: without the ledger's key a part is judged by its roots, with another key it is not sound", () => {
  const other = verifierKey(ORIGIN, "ed25519", ana.publicKey);
  const options = { origin: ORIGIN, people: [] };
  const range = { from: 0, to: 6 };
  assert.equal(judgePart(store.database, { ...options, key: other }, range), undefined);
  assert.notEqual(judgePart(store.database, { ...options, key: undefined }, range), undefined);
});

interface Heard {
  readonly entry: Entry;
  readonly seq: number;
  readonly root: string;
}

function joiner(total = 6) {
  const heard: Heard[] = [];
  const progress: (readonly [number, number])[] = [];
  const one = new Joiner(
    {
      origin: ORIGIN,
      visit: (entry, seq, root) => heard.push({ entry, seq, root: hex(root()) }),
      progress: (done, of) => progress.push([done, of]),
    },
    total,
  );
  return { joiner: one, heard, progress };
}

test("parts that follow on each other are joined, each entry is visited with its root, and the end is known", () => {
  const { joiner: all, heard, progress } = joiner();
  for (const [from, to] of [
    [0, 1],
    [1, 2],
    [2, 5],
    [5, 6],
  ] as const) {
    assert.ok(all.join(judged({ from, to })));
    assert.equal(all.size, to);
    const isCovered = to !== 2;
    const expected = { size: to, root: hex(rootAt(to)), note: store.checkpoint(to) };
    assert.deepEqual(all.verdict(), isCovered ? expected : undefined);
  }
  assert.deepEqual(
    heard.map(({ entry, seq, root }) => [entry.seq, seq, root]),
    texts.map((_, seq) => [seq, seq, hex(rootAt(seq + 1))]),
  );
  assert.deepEqual(progress, [
    [1, 6],
    [2, 6],
    [5, 6],
    [6, 6],
  ]);
});

test("C14: a part that does not follow on those before it is not joined, and nothing of it is visited", () => {
  const { joiner: all, heard, progress } = joiner();
  assert.equal(all.join(judged({ from: 1, to: 2 })), false);
  assert.ok(all.join(judged({ from: 0, to: 1 })));
  assert.equal(all.join(judged({ from: 0, to: 1 })), false);
  assert.equal(all.join(judged({ from: 2, to: 5 })), false);
  assert.deepEqual([heard.length, all.size, progress.length], [1, 1, 1]);
});

test("C14: once an entry is not sound, nothing more is joined", () => {
  const { joiner: all, heard } = joiner();
  const part = judged({ from: 0, to: 1 });
  const texts = part.texts.slice();
  texts.set(Buffer.from("x"), 1);
  assert.equal(all.join({ ...part, texts }), false);
  assert.equal(all.join(part), false);
  assert.equal(all.size, 0);
  assert.equal(heard.length, 1);
});

test("C14: a checkpoint within a part that is not the ledger's makes it unsound", (t) => {
  for (const [sql, value] of [
    ["UPDATE checkpoints SET note = ? WHERE size = 3", "x"],
    ["UPDATE checkpoints SET note = ? WHERE size = 3", store.checkpoint(5)],
    ["DELETE FROM entries WHERE seq = 2 AND ? <> ''", "x"],
    ["UPDATE nodes SET hash = zeroblob(32) WHERE pos = 3 AND ? <> ''", "x"],
    ["DELETE FROM nodes WHERE pos = 3 AND ? <> ''", "x"],
  ] as const) {
    const file = tampered(path, (db) => {
      assert.equal(db.prepare(sql).run(value).changes, 1, sql);
    });
    const copy = LedgerStore.open(file);
    t.after(() => {
      copy.close();
    });
    const options = { origin: ORIGIN, key: ledgerVerifier, people: [] };
    assert.equal(judgePart(copy.database, options, { from: 1, to: 5 }), undefined, sql);
    assert.notEqual(judgePart(copy.database, options, { from: 5, to: 6 }), undefined, sql);
  }
});
