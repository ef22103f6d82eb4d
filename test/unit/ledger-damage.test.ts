/** C14, C15: a file whose pages or schema are broken: what verification says of it, and what opening says. */

import assert from "node:assert/strict";
import Sqlite from "better-sqlite3";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { after, test } from "node:test";
import { schemaDifference } from "../../src/ledger/database.ts";
import { verifyLedger } from "../../src/ledger/verify.ts";
import { makeLedger, ORIGIN, tempDir } from "../support/ledger-fixture.ts";
import { read, reopen } from "../support/open-ledger.ts";
import { damaged, refusalOf } from "../support/refusal.ts";

const path = makeLedger(tempDir({ after }), [["one"], ["two"]]);
const whole = readFileSync(path);
const copy = `${path}.copy`;

const MALFORMED = "database disk image is malformed";
const missing = (seq: number): string =>
  `entry.missing ${seq}: entry ${seq} is missing: there is a checkpoint of size 2`;

/** By the page of 4,096 bytes that is wiped, which is the whole table: what is found, and whether it still opens. */
const WIPED: readonly (readonly [
  table: string,
  page: number,
  opens: boolean,
  ...found: string[],
])[] = [
  ["ledger", 2, false, `file.unreadable: the file cannot be read: ${MALFORMED}`],
  [
    "entries",
    3,
    false,
    `file.unreadable 0: the file cannot be read from entry 0 on: ${MALFORMED}`,
    missing(0),
    missing(1),
    "node.differs: there are tree nodes beyond entry -1",
  ],
  [
    "nodes",
    4,
    false,
    `file.unreadable: nodes cannot be read: ${MALFORMED}`,
    "node.differs 0: the stored hash of entry 0 is not its hash",
    "node.differs 1: the stored hash of entry 1 is not its hash",
    "node.differs 0: the tree node over entries 0 to 1 differs",
  ],
  [
    "checkpoints",
    5,
    false,
    `file.unreadable: checkpoints cannot be read: ${MALFORMED}`,
    "checkpoint.missing 0: no checkpoint covers the entries from 0 on",
  ],
  ["attachments", 6, true, `file.unreadable: the attachments cannot be read: ${MALFORMED}`],
  ["cosignatures", 7, true, `file.unreadable: the cosignatures cannot be read: ${MALFORMED}`],
];

for (const [table, page, opens, ...found] of WIPED) {
  test(`C14: a ledger whose table ${table} cannot be read`, () => {
    const bytes = Buffer.from(whole);
    bytes.fill(0, (page - 1) * 4096, page * 4096);
    writeFileSync(copy, bytes);
    const structure = `file.unreadable: the file is damaged: *** in database main ***\nTree ${page} page ${page}: btreeInitPage() returns error code 11`;
    const words = verifyLedger(copy).findings.map(
      ({ code, seq, text }) => `${code}${seq === undefined ? "" : ` ${seq}`}: ${text}`,
    );
    assert.deepEqual(words, table === "ledger" ? found : [structure, ...found]);
    for (const open of [read, reopen]) {
      if (opens) open(copy).close();
      else {
        assert.deepEqual(
          refusalOf(() => open(copy)),
          damaged(`${copy} cannot be read as a ledger`),
        );
      }
    }
  });
}

/** What was done to the schema, and what is said of it. */
const SCHEMAS: Readonly<Record<string, readonly [sql: string, difference: string]>> = {
  "a view more": ["CREATE VIEW extra AS SELECT 1", "extra does not belong in it"],
  "a trigger less": ["DROP TRIGGER entries_delete", "entries_delete is missing"],
  "a trigger that does nothing": [
    "DROP TRIGGER nodes_update; CREATE TRIGGER nodes_update BEFORE UPDATE ON nodes BEGIN SELECT 1; END",
    "nodes_update is defined otherwise",
  ],
  "a column more": ["ALTER TABLE entries ADD COLUMN extra TEXT", "entries is defined otherwise"],
};

for (const [what, [sql, difference]] of Object.entries(SCHEMAS)) {
  test(`C15: a schema with ${what} is named by what differs`, () => {
    copyFileSync(path, copy);
    const db = new Sqlite(copy);
    db.exec(sql);
    db.close();
    const { origin, findings } = verifyLedger(copy);
    assert.deepEqual(
      [origin, findings],
      ["", [{ code: "schema.differs", text: `the schema of the file differs: ${difference}` }]],
    );
    for (const open of [read, reopen]) {
      assert.deepEqual(
        refusalOf(() => open(copy)),
        damaged(`the schema of ${copy} differs: ${difference}`),
      );
    }
  });
}

test("C15: a schema that says something twice, or names nothing, differs", () => {
  copyFileSync(path, copy);
  for (const [sql, difference] of [
    ["SELECT 1", undefined],
    [
      "INSERT INTO sqlite_master SELECT * FROM sqlite_master WHERE name = 'nodes'",
      "something is defined twice",
    ],
    ["UPDATE sqlite_master SET name = NULL WHERE name = 'nodes'", "null does not belong in it"],
    ["UPDATE sqlite_master SET sql = NULL WHERE name = 'nodes'", "nodes is defined otherwise"],
  ] as const) {
    const db = new Sqlite(copy);
    db.unsafeMode(true);
    db.pragma("writable_schema = ON");
    db.exec(`BEGIN; ${sql}`);
    assert.equal(schemaDifference(db), difference, sql);
    db.exec("ROLLBACK");
    db.close();
  }
  assert.equal(verifyLedger(copy).origin, ORIGIN);
});
