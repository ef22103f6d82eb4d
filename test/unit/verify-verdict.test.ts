/** C14: how far verification reads and counts in a ledger that was changed, and what it says and shows of it. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { treeHash } from "../../src/ledger/merkle.ts";
import { verifyLedger } from "../../src/ledger/verify.ts";
import { hex } from "../../src/lib/encoding.ts";
import { all, inWords, run } from "../support/found-in-words.ts";
import { ORIGIN, tampered } from "../support/ledger-fixture.ts";
import { bodies, path, setBody, SIZE } from "../support/tamper.ts";

const rootOf = (size: number): Uint8Array => treeHash(bodies.slice(0, size));

test("a leap of a thousand entries is named one by one, and no more than that of a checkpoint ahead", () => {
  const leap = inWords(run("INSERT INTO entries VALUES (1005, ?)", bodies[0]));
  assert.equal(leap.length, 1001);
  assert.equal(leap[0], "entry.missing 5: entry 5 is missing");
  assert.equal(leap[999], "entry.missing 1004: entry 1004 is missing");
  assert.equal(leap[1000], "file.unreadable: 5 more findings left off");
  const ahead = inWords(run("INSERT INTO checkpoints VALUES (?, 'x')", 2n ** 53n));
  const missing = (seq: number): string =>
    `entry.missing ${seq}: entry ${seq} is missing: there is a checkpoint of size 9007199254740992`;
  assert.deepEqual(
    ahead,
    Array.from({ length: 1000 }, (_, at) => missing(SIZE + at)),
  );
});

test("C14: a table that leaps beyond what is counted exactly ends there, and is not read for ever", () => {
  const many = inWords((db) => {
    const add = db.prepare("INSERT INTO nodes VALUES (?, zeroblob(32))");
    for (let at = 0n; at < 256n; at += 1n) add.run(2n ** 53n + at);
  });
  assert.deepEqual(many, [
    // The ledger itself has 8 nodes, and 256 rows are read at once.
    `file.unreadable: nodes cannot be read: row ${2 ** 53 + 248} is beyond 2^53`,
    "node.differs: there are tree nodes beyond entry 4",
  ]);
  const before = inWords((db) => {
    const add = db.prepare("INSERT INTO checkpoints VALUES (?, 'x')");
    for (let at = 1n; at <= 256n; at += 1n) add.run(-(2n ** 54n) + at);
  });
  const unread = `file.unreadable: checkpoints cannot be read: row ${-(2 ** 54) + 256} is beyond 2^53`;
  assert.ok(before.includes(unread), before.at(-1));
});

interface Visited {
  readonly seqs: readonly number[];
  readonly roots: readonly string[];
}

function visited(file: string): Visited {
  const [seqs, roots]: [number[], string[]] = [[], []];
  verifyLedger(file, {
    visit: (entry, seq, root) => {
      seqs.push(seq, entry.seq);
      roots.push(hex(root()));
    },
  });
  return { seqs, roots };
}

test("every entry that is one is visited in its place, with the root of the entries as they are", () => {
  const sound = visited(path);
  assert.deepEqual(sound.seqs, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]);
  assert.deepEqual(
    sound.roots,
    [1, 2, 3, 4, 5].map((size) => hex(rootOf(size))),
  );
  const none = visited(
    tampered(path, (db) => {
      setBody(db, 1, "{}");
    }),
  );
  assert.deepEqual(none.seqs, [0, 0, 2, 2, 3, 3, 4, 4]);
  const texts = [bodies[0] ?? "", "{}", ...bodies.slice(2)];
  assert.deepEqual(
    none.roots,
    [1, 3, 4, 5].map((size) => hex(treeHash(texts.slice(0, size)))),
  );
});

test("the verdict says what is there: entries found, their root, the newest checkpoint, whose ledger", () => {
  const stored = (size: number): string =>
    `${ORIGIN}\n${size}\n${Buffer.from(rootOf(size)).toString("base64")}\n`;
  for (const [change, size, of] of [
    [() => undefined, 5, 5],
    [run("DELETE FROM entries WHERE seq = 4"), 4, 5],
    [run("DELETE FROM checkpoints WHERE size = 5"), 5, 4],
    [run("DELETE FROM entries WHERE seq >= 2"), 2, 5],
  ] as const) {
    const { note: newest, ...verdict } = verifyLedger(tampered(path, change));
    assert.deepEqual(
      [verdict.origin, verdict.size, verdict.root],
      [ORIGIN, size, hex(rootOf(size))],
    );
    assert.ok(newest.startsWith(stored(of)), newest);
  }
  const empty = tampered(path, all(run("DELETE FROM entries"), run("DELETE FROM checkpoints")));
  const { size, root, note: newest } = verifyLedger(empty);
  assert.deepEqual([size, root, newest], [0, hex(treeHash([])), ""]);
});

test("the ledger of another origin than the one asked for is named with both", () => {
  const { findings: found } = verifyLedger(path, { origin: "example.org/dc9" });
  assert.deepEqual(found, [
    { code: "origin.differs", text: `this is the ledger of ${ORIGIN}, not of example.org/dc9` },
  ]);
});
