/** What verification finds stays bounded, and the end of a ledger is judged before anything is built on it. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { signCheckpoint } from "../../src/ledger/checkpoint.ts";
import { Findings } from "../../src/ledger/findings.ts";
import { LedgerStore } from "../../src/ledger/store.ts";
import { verifyLedger } from "../../src/ledger/verify.ts";
import { signingKeyFromSeed } from "../../src/lib/ed25519.ts";
import { KeyriteError } from "../../src/lib/errors.ts";
import {
  ledgerKey,
  makeLedger,
  ORIGIN,
  tampered,
  tempDir,
  testClock,
} from "../support/ledger-fixture.ts";
import { read, reopen } from "../support/open-ledger.ts";
import { damaged, refusalOf } from "../support/refusal.ts";

test("findings beyond the first thousand are counted", () => {
  const findings = new Findings();
  for (let seq = 0; seq < 1000; seq += 1) findings.add("entry.altered", `entry ${seq}`, seq);
  assert.equal(findings.all.length, 1000);
  findings.add("node.differs", "a node");
  findings.add("node.differs", "another node");
  assert.equal(findings.all.length, 1001);
  assert.equal(findings.all.at(-1)?.text, "2 more findings left off");
});

test("an entry that is damaged is named once, whatever follows from it", () => {
  const findings = new Findings();
  findings.addEntry("entry.damaged", "entry 4 is no JSON", 4);
  findings.addEntry("entry.altered", "entry 4 is not the one that was hashed", 4);
  findings.addEntry("entry.altered", "entry 5 is not the one that was hashed", 5);
  assert.deepEqual(
    findings.all.map(({ code, seq }) => [code, seq]),
    [
      ["entry.damaged", 4],
      ["entry.altered", 5],
    ],
  );
});

test("C14: a leap of the sequence is named once, and what follows it is not judged", (t) => {
  const path = makeLedger(tempDir(t), [["one"], ["two"]]);
  const leap = tampered(path, (db) => {
    db.exec("INSERT INTO entries (seq, body) SELECT 1000000, body FROM entries WHERE seq = 1");
  });
  const { findings, size } = verifyLedger(leap);
  assert.equal(size, 2);
  assert.deepEqual(
    findings.map(({ code, seq, text }) => [code, seq, text]),
    [["entry.missing", 2, "after entry 1 follows entry 1000000"]],
  );
});

const FITS_NOT = "the newest checkpoint does not fit the last entry";
const signed = (origin: string, size: number, root: string): string =>
  signCheckpoint({ origin, size, root: Buffer.from(root, "hex") }, ledgerKey);

const ENDS: Readonly<Record<string, readonly [string, string]>> = {
  "no checkpoint at all": ["DELETE FROM checkpoints", "the ledger has entries but no checkpoint"],
  "no checkpoint of its last entry": ["DELETE FROM checkpoints WHERE size = 2", FITS_NOT],
  "a last entry that was exchanged": [
    "UPDATE entries SET body = (SELECT body FROM entries WHERE seq = 0) WHERE seq = 1",
    FITS_NOT,
  ],
  "a tree node missing at its edge": ["DELETE FROM nodes", "tree node 2 is missing"],
};

for (const [what, [sql, says]] of Object.entries(ENDS)) {
  test(`C14: a ledger with ${what} is not written on`, (t) => {
    const path = makeLedger(tempDir(t), [["one"], ["two"]]);
    const copy = tampered(path, (db) => db.exec(sql));
    assert.throws(
      () => LedgerStore.open(copy, { write: { clock: testClock(), key: ledgerKey } }),
      (error) => {
        assert.ok(error instanceof KeyriteError, String(error));
        assert.equal(error.code, "ledger.damaged");
        assert.equal(error.message, says);
        return true;
      },
    );
  });
}

test("C15: a ledger that another key signed is not written on", (t) => {
  const path = makeLedger(tempDir(t), [["one"]]);
  const key = signingKeyFromSeed(new Uint8Array(32).fill(9));
  assert.throws(
    () => LedgerStore.open(path, { write: { clock: testClock(), key } }),
    (error) =>
      error instanceof KeyriteError && error.message.includes("not signed with this ledger key"),
  );
});

const COSIGNED = `— example.org/people/ana ${Buffer.alloc(76, 7).toString("base64")}`;

/** What is found in a ledger of two entries, each with its checkpoint. */
const FOUND: Readonly<Record<string, readonly [string, code: string, text: string]>> = {
  "an entry that states another place": [
    `UPDATE entries SET body = replace(body, '"seq":1', '"seq":0') WHERE seq = 1`,
    "entry.misplaced",
    "where entry 1 should be stands entry 0",
  ],
  "an entry that is none": [
    "UPDATE entries SET body = '{}' WHERE seq = 1",
    "entry.damaged",
    "entry 1: actors is missing",
  ],
  "an entry of another ledger": [
    "UPDATE entries SET body = replace(body, 'dc1', 'dc2') WHERE seq = 1",
    "entry.origin",
    "entry 1 is of the ledger example.org/dc2/test",
  ],
  "a checkpoint gone": [
    "DELETE FROM checkpoints WHERE size = 2",
    "checkpoint.missing",
    "no checkpoint covers the entries from 1 on",
  ],
  "a node behind the last entry": [
    "INSERT INTO nodes (pos, hash) VALUES (3, zeroblob(32))",
    "node.differs",
    "there are tree nodes beyond entry 1",
  ],
  "a cosignature on a size that was never signed": [
    `INSERT INTO cosignatures (size, line) VALUES (7, '${COSIGNED}')`,
    "cosignature.malformed",
    "a cosignature is on size 7, which has no checkpoint",
  ],
  "a cosignature that is none": [
    "INSERT INTO cosignatures (size, line) VALUES (2, 'ana was here')",
    "cosignature.malformed",
    "a cosignature on size 2 is malformed",
  ],
};

for (const [what, [sql, code, text]] of Object.entries(FOUND)) {
  test(`C14: ${what} is named in words`, (t) => {
    const copy = tampered(makeLedger(tempDir(t), [["one"], ["two"]]), (db) => {
      db.pragma("foreign_keys = OFF");
      db.exec(sql);
    });
    const { findings } = verifyLedger(copy);
    const found = findings.map((one) => `${one.code}: ${one.text}`);
    assert.ok(found.includes(`${code}: ${text}`), found.join("\n"));
  });
}

test("C14: a ledger whose newest checkpoint is of another ledger, size or root is not written on", (t) => {
  const path = makeLedger(tempDir(t), [["one"], ["two"]]);
  const { root } = verifyLedger(path);
  for (const note of [
    signed("example.org/dc2/test", 2, root),
    signed(ORIGIN, 1, root),
    signed(ORIGIN, 2, "00".repeat(32)),
  ]) {
    const copy = tampered(path, (db) => {
      db.prepare("UPDATE checkpoints SET note = ? WHERE size = 2").run(note);
    });
    for (const open of [read, reopen]) {
      assert.deepEqual(
        refusalOf(() => open(copy)),
        damaged(FITS_NOT),
      );
    }
  }
  const sound = tampered(path, (db) => {
    db.prepare("UPDATE checkpoints SET note = ? WHERE size = 2").run(signed(ORIGIN, 2, root));
  });
  assert.equal(read(sound).size, 2);
});
