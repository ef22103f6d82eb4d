/** C14: everything that is found in a ledger that was changed, in order and word for word, and nothing besides. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { signCheckpoint } from "../../src/ledger/checkpoint.ts";
import { decodeEntry, encodeEntry } from "../../src/ledger/entry.ts";
import { completeNodes, leafHash, nodePosition, treeHash } from "../../src/ledger/merkle.ts";
import { signingKeyFromSeed } from "../../src/lib/ed25519.ts";
import { sha256Hex } from "../../src/lib/encoding.ts";
import { signatureLine } from "../../src/lib/note.ts";
import { ledgerKey, ORIGIN } from "../support/ledger-fixture.ts";
import { all, inWords, run, type Change } from "../support/found-in-words.ts";
import { bodies, forged, setBody, SIZE } from "../support/tamper.ts";

const body =
  (seq: number, text: Uint8Array | string): Change =>
  (db) => {
    setBody(db, seq, text);
  };
const node = (level: number, index: number, hash: Uint8Array): Change =>
  run("UPDATE nodes SET hash = ? WHERE pos = ?", hash, nodePosition(level, index));
const note = (size: number, text: string): Change =>
  run("UPDATE checkpoints SET note = ? WHERE size = ?", text, size);
const drop = (table: string, key: string, value: number): Change =>
  run(`DELETE FROM ${table} WHERE ${key} = ?`, value);

const timed = (seq: number, time: string): string =>
  encodeEntry({ ...decodeEntry(bodies[seq] ?? ""), time });

const CITED = "ab".repeat(32);
const ATTACH = "INSERT INTO attachments VALUES (?, 'text/plain', x'00')";
const citing = (seq: number): string => {
  const entry = decodeEntry(bodies[seq] ?? "");
  return encodeEntry({ ...entry, data: { ...entry.data, report: CITED } });
};

const ZERO = new Uint8Array(32);
const other = signingKeyFromSeed(new Uint8Array(32).fill(1));
const rootOf = (size: number): Uint8Array => treeHash(bodies.slice(0, size));

/** Five entries under checkpoints of 1, 2, 4 and 5. */
const FOUND: Readonly<Record<string, readonly [Change, ...found: string[]]>> = {
  "an entry changed": [
    body(2, forged(2)),
    "entry.altered 2: entry 2 is not the one that was hashed when it was written",
  ],
  "two entries of one checkpoint changed": [
    all(body(2, forged(2)), body(3, forged(3))),
    "entry.altered 2: entry 2 is not the one that was hashed when it was written",
    "entry.altered 3: entry 3 is not the one that was hashed when it was written",
  ],
  "the first entry changed": [
    body(0, forged(0)),
    "entry.altered 0: entry 0 is not the one that was hashed when it was written",
  ],
  "the stored hash of an entry changed": [
    node(0, 2, ZERO),
    "node.differs 2: the stored hash of entry 2 is not its hash",
    "node.differs 2: the tree node over entries 2 to 3 differs",
  ],
  "the stored hash of the last entry gone": [
    drop("nodes", "pos", nodePosition(0, 4)),
    "node.differs 4: the stored hash of entry 4 is not its hash",
  ],
  "a hash of 31 bytes": [
    node(0, 1, new Uint8Array(31)),
    "node.differs 1: the stored hash of entry 1 is not its hash",
  ],
  "the node over two entries changed": [
    node(1, 1, ZERO),
    "node.differs 2: the tree node over entries 2 to 3 differs",
  ],
  "the node over four entries changed": [
    node(2, 0, ZERO),
    "node.differs 0: the tree node over entries 0 to 3 differs",
  ],
  "nodes over the same entries changed": [
    all(node(1, 1, ZERO), node(2, 0, ZERO)),
    "node.differs 2: the tree node over entries 2 to 3 differs",
  ],
  "an entry and its stored hash changed": [
    all(body(2, forged(2)), node(0, 2, leafHash(forged(2)))),
    "checkpoint.root 2: an entry from 2 to 3 differs from what checkpoint 4 was signed for",
  ],
  "an entry and a node elsewhere changed": [
    all(body(2, forged(2)), node(1, 0, ZERO)),
    "node.differs 0: the tree node over entries 0 to 1 differs",
    "entry.altered 2: entry 2 is not the one that was hashed when it was written",
  ],
  "the last entry and its stored hash changed": [
    all(body(4, forged(4)), node(0, 4, leafHash(forged(4)))),
    "checkpoint.root 4: entry 4 differs from what checkpoint 5 was signed for",
  ],
  "an entry changed to an earlier time": [
    body(2, timed(2, "2020-01-01T00:00:00.000Z")),
    "entry.time 2: entry 2 is earlier than the one before it",
  ],
  "an entry changed to a later time, which says nothing of the one behind it": [
    body(2, timed(2, "2030-01-01T00:00:00.000Z")),
    "entry.altered 2: entry 2 is not the one that was hashed when it was written",
  ],
  "an entry of another ledger": [
    body(2, (bodies[2] ?? "").replace("dc1", "dc2")),
    "entry.origin 2: entry 2 is of the ledger example.org/dc2/test",
  ],
  "an entry that is none": [body(3, "{}"), "entry.damaged 3: entry 3: actors is missing"],
  "an entry that is none, and another at its place": [
    all(body(3, "{}"), body(2, bodies[3] ?? "")),
    "entry.misplaced 2: where entry 2 should be stands entry 3",
    "entry.damaged 3: entry 3: actors is missing",
  ],
  "bytes that are no UTF-8": [
    body(1, Buffer.from([0x7b, 0xff, 0x7d])),
    "entry.damaged 1: entry 1: the entry is not JSON",
  ],
  "an entry gone": [drop("entries", "seq", 2), "entry.missing 2: entry 2 is missing"],
  "the first entry gone": [drop("entries", "seq", 0), "entry.missing 0: entry 0 is missing"],
  "an entry and its stored hash gone": [
    all(drop("entries", "seq", 2), drop("nodes", "pos", nodePosition(0, 2))),
    "entry.missing 2: entry 2 is missing",
    "checkpoint.root 2: an entry from 2 to 3 differs from what checkpoint 4 was signed for",
  ],
  "the last entry gone": [
    drop("entries", "seq", 4),
    "entry.missing 4: entry 4 is missing: there is a checkpoint of size 5",
    "node.differs: there are tree nodes beyond entry 3",
  ],
  "the last three entries gone": [
    run("DELETE FROM entries WHERE seq >= 2"),
    "entry.missing 2: entry 2 is missing: there is a checkpoint of size 5",
    "entry.missing 3: entry 3 is missing: there is a checkpoint of size 5",
    "entry.missing 4: entry 4 is missing: there is a checkpoint of size 5",
    "node.differs: there are tree nodes beyond entry 1",
  ],
  "all entries gone": [
    run("DELETE FROM entries"),
    "entry.missing 0: entry 0 is missing: there is a checkpoint of size 5",
    "entry.missing 1: entry 1 is missing: there is a checkpoint of size 5",
    "entry.missing 2: entry 2 is missing: there is a checkpoint of size 5",
    "entry.missing 3: entry 3 is missing: there is a checkpoint of size 5",
    "entry.missing 4: entry 4 is missing: there is a checkpoint of size 5",
    "node.differs: there are tree nodes beyond entry -1",
  ],
  "an entry before the first": [
    run("INSERT INTO entries VALUES (-1, ?)", bodies[0]),
    "entry.missing 0: after entry -1 follows entry -1",
    "entry.missing 0: entry 0 is missing: there is a checkpoint of size 5",
    "entry.missing 1: entry 1 is missing: there is a checkpoint of size 5",
    "entry.missing 2: entry 2 is missing: there is a checkpoint of size 5",
    "entry.missing 3: entry 3 is missing: there is a checkpoint of size 5",
    "entry.missing 4: entry 4 is missing: there is a checkpoint of size 5",
    "node.differs: there are tree nodes beyond entry -1",
  ],
  "the first entry put far before it": [
    run("UPDATE entries SET seq = -5 WHERE seq = 0"),
    "entry.missing 0: after entry -1 follows entry -5",
    ...[0, 1, 2, 3, 4].map(
      (seq) => `entry.missing ${seq}: entry ${seq} is missing: there is a checkpoint of size 5`,
    ),
    "node.differs: there are tree nodes beyond entry -1",
  ],
  "an entry far behind the last": [
    run("INSERT INTO entries VALUES (1006, ?)", bodies[0]),
    "entry.missing 5: after entry 4 follows entry 1006",
  ],
  "a checkpoint in between gone": [drop("checkpoints", "size", 2)],
  "the newest checkpoint gone": [
    drop("checkpoints", "size", 5),
    "checkpoint.missing 4: no checkpoint covers the entries from 4 on",
  ],
  "the two newest checkpoints gone": [
    run("DELETE FROM checkpoints WHERE size >= 4"),
    "checkpoint.missing 2: no checkpoint covers the entries from 2 on",
  ],
  "all checkpoints gone": [
    run("DELETE FROM checkpoints"),
    "checkpoint.missing 0: no checkpoint covers the entries from 0 on",
  ],
  "a checkpoint of nothing": [
    run("INSERT INTO checkpoints VALUES (0, 'x')"),
    "file.unreadable: row 0 of checkpoints does not belong",
  ],
  "a checkpoint beyond the end": [
    run("INSERT INTO checkpoints VALUES (7, 'x')"),
    "entry.missing 5: entry 5 is missing: there is a checkpoint of size 7",
    "entry.missing 6: entry 6 is missing: there is a checkpoint of size 7",
  ],
  "a checkpoint that another key signed": [
    note(2, signCheckpoint({ origin: ORIGIN, size: 2, root: rootOf(2) }, other)),
    "checkpoint.signature 1: checkpoint 2 is not signed by the ledger's key",
  ],
  "a checkpoint with another root": [
    note(2, signCheckpoint({ origin: ORIGIN, size: 2, root: ZERO }, ledgerKey)),
    "checkpoint.root 1: entry 1 differs from what checkpoint 2 was signed for",
  ],
  "a checkpoint of four with another root": [
    note(4, signCheckpoint({ origin: ORIGIN, size: 4, root: ZERO }, ledgerKey)),
    "checkpoint.root 2: an entry from 2 to 3 differs from what checkpoint 4 was signed for",
  ],
  "two checkpoints with other roots": [
    all(
      note(1, signCheckpoint({ origin: ORIGIN, size: 1, root: ZERO }, ledgerKey)),
      note(2, signCheckpoint({ origin: ORIGIN, size: 2, root: ZERO }, ledgerKey)),
    ),
    "checkpoint.root 0: entry 0 differs from what checkpoint 1 was signed for",
  ],
  "a checkpoint of another size": [
    note(2, signCheckpoint({ origin: ORIGIN, size: 1, root: rootOf(1) }, ledgerKey)),
    "checkpoint.malformed 1: checkpoint 2 states another origin or size",
  ],
  "a checkpoint that is no note": [
    note(4, "x"),
    "checkpoint.malformed 3: checkpoint 4 is malformed: the note has no blank line before its signatures",
  ],
  "a node before the first": [
    run("INSERT INTO nodes VALUES (-3, ?)", ZERO),
    "file.unreadable: row -3 of nodes does not belong",
  ],
  "a node behind a gap after the last": [
    run("INSERT INTO nodes VALUES (?, ?)", completeNodes(SIZE) + 1, ZERO),
    "node.differs: there are tree nodes beyond entry 4",
  ],
  "a short node behind the last": [
    run("INSERT INTO nodes VALUES (?, x'00')", completeNodes(SIZE)),
    "node.differs: there are tree nodes beyond entry 4",
  ],
  "a node behind the last": [
    run("INSERT INTO nodes VALUES (?, ?)", completeNodes(SIZE), ZERO),
    "node.differs: there are tree nodes beyond entry 4",
  ],
  "an attachment with another digest": [
    run(ATTACH, "00"),
    "attachment.differs: attachment 00 does not have that digest",
  ],
  "an attachment with another digest, which two entries cite": [
    all(body(2, citing(2)), body(3, citing(3)), run(ATTACH, CITED), run(ATTACH, "00")),
    "entry.altered 2: entry 2 is not the one that was hashed when it was written",
    "entry.altered 3: entry 3 is not the one that was hashed when it was written",
    "attachment.differs: attachment 00 does not have that digest",
    `attachment.differs: attachment ${CITED} does not have that digest; entry 2 is the first that cites it`,
  ],
  "an attachment of an unknown media type": [
    run("INSERT INTO attachments VALUES (?, 'text/html', x'00')", sha256Hex(new Uint8Array(1))),
    "attachment.differs: attachment 6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d states a media type that no attachment has",
  ],
  "a cosignature on a size without checkpoint": [
    run("INSERT INTO cosignatures VALUES (3, 'x')"),
    "cosignature.malformed: a cosignature is on size 3, which has no checkpoint",
  ],
  "a cosignature that is none": [
    run("INSERT INTO cosignatures VALUES (4, 'x')"),
    "cosignature.malformed: a cosignature on size 4 is malformed",
  ],
  "a signature in a cosignature's place": [
    run("INSERT INTO cosignatures VALUES (4, ?)", signatureLine("x\n", "example.org/ana", other)),
    "cosignature.malformed: a cosignature on size 4 is malformed",
  ],
};

for (const [what, [change, ...found]] of Object.entries(FOUND)) {
  test(`C14: ${what}`, () => {
    assert.deepEqual(inWords(change), found);
  });
}
