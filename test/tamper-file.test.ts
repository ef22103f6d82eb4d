/** C14, C15: what is not an entry – tree nodes, checkpoints, schema, the file – changed behind our back. */

import assert from "node:assert/strict";
import { copyFileSync, truncateSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { decodeEntry, encodeEntry } from "../src/ledger/entry.ts";
import { LedgerStore } from "../src/ledger/store.ts";
import { verifyLedger } from "../src/ledger/verify.ts";
import { signCheckpoint } from "../src/ledger/checkpoint.ts";
import { signingKeyFromSeed } from "../src/lib/ed25519.ts";
import { ledgerKey, ORIGIN } from "./support/ledger-fixture.ts";

import { bodies, changed, file, findings, named, path, setBody, SIZE } from "./support/tamper.ts";

test("C14: a changed tree node is found, and no entry is blamed", () => {
  const nodes = 2 * SIZE - 2;
  for (let pos = 0; pos < nodes; pos += 1) {
    for (const sql of [
      "UPDATE nodes SET hash = randomblob(32) WHERE pos = ?",
      "DELETE FROM nodes WHERE pos = ?",
    ]) {
      const found = changed((db) => db.prepare(sql).run(pos));
      const codes = new Set(found.map(({ code }) => code));
      assert.deepEqual([...codes], ["node.differs"], `${sql} ${pos}: ${JSON.stringify(found)}`);
    }
  }
});

test("C14: a changed, foreign, missing or extra checkpoint is found", () => {
  const other = signingKeyFromSeed(new Uint8Array(32).fill(1));
  const root = new Uint8Array(32);
  const note = (origin: string, size: number, key = ledgerKey): string =>
    signCheckpoint({ origin, size, root }, key);
  const set = "UPDATE checkpoints SET note = ? WHERE size = 2";
  const cases: readonly (readonly [string, string, string])[] = [
    ["checkpoint.root 1", set, note(ORIGIN, 2)],
    ["checkpoint.signature 1", set, note(ORIGIN, 2, other)],
    ["checkpoint.malformed 1", set, note("example.org/other", 2)],
    ["checkpoint.malformed 1", set, note(ORIGIN, 1)],
    ["checkpoint.malformed 1", set, "nothing"],
    ["checkpoint.missing 4", "DELETE FROM checkpoints WHERE ? <> '' AND size = 5", "x"],
    ["file.unreadable", "INSERT INTO checkpoints (size, note) VALUES (0, ?)", "x"],
    ["entry.missing 5", "INSERT INTO checkpoints (size, note) VALUES (6, ?)", note(ORIGIN, 6)],
  ];
  for (const [expected, sql, value] of cases) {
    const found = named(changed((db) => db.prepare(sql).run(value)));
    assert.ok(found.includes(expected), `${expected}: ${found.join(", ")}`);
  }
});

test("C14: an attachment that is not its digest, and a stray cosignature, are found", () => {
  const attach =
    "INSERT INTO attachments (sha256, mediaType, bytes) VALUES (?, 'text/plain', x'00')";
  assert.deepEqual(named(changed((db) => db.prepare(attach).run("00".repeat(32)))), [
    "attachment.differs",
  ]);
  const cosign = "INSERT INTO cosignatures (size, line) VALUES (?, ?)";
  for (const [size, line] of [
    [5, "no line"],
    [99, "\u2014 a AAAA"],
  ] as const) {
    const found = changed((db) => db.prepare(cosign).run(size, line));
    assert.deepEqual(named(found), ["cosignature.malformed"]);
  }
});

test("C14: another origin, in the file or asked for, is found", () => {
  const found = changed((db) => db.exec("UPDATE ledger SET origin = 'example.org/dc2/test'"));
  assert.ok(found.some(({ code }) => code === "entry.origin"));
  assert.deepEqual(named(verifyLedger(path, { origin: "example.org/dc2" }).findings), [
    "origin.differs",
  ]);
});

test("C14: time that goes backwards is found even under a sound root", () => {
  const early = encodeEntry({ ...decodeEntry(bodies[4] ?? ""), time: "2001-01-01T00:00:00.000Z" });
  assert.deepEqual(
    named(
      changed((db) => {
        setBody(db, 4, early);
      }),
    ),
    ["entry.time 4"],
  );
});

const HOSTILE = {
  "an extra trigger": "CREATE TRIGGER extra AFTER INSERT ON entries BEGIN SELECT 1; END",
  "an extra view": "CREATE VIEW extra AS SELECT body FROM entries",
  "an extra table": "CREATE TABLE extra (a)",
  "an extra index": "CREATE INDEX extra ON entries (body)",
  "a missing trigger": "DROP TRIGGER entries_delete",
  "a changed trigger":
    "DROP TRIGGER entries_update; CREATE TRIGGER entries_update BEFORE UPDATE ON entries BEGIN SELECT 1; END",
  "a renamed column": "ALTER TABLE attachments RENAME COLUMN mediaType TO media",
  "an added column": "ALTER TABLE entries ADD COLUMN extra TEXT",
  "a table as a view": "ALTER TABLE nodes RENAME TO n2; CREATE VIEW nodes AS SELECT * FROM n2",
} as const;

for (const [what, sql] of Object.entries(HOSTILE)) {
  test(`C15: ${what} is refused before any query on the tables`, async () => {
    const { default: Database } = await import("better-sqlite3");
    const copy = `${path}.schema`;
    copyFileSync(path, copy);
    const db = new Database(copy);
    db.exec(sql);
    db.close();
    const verdict = verifyLedger(copy, { visit: () => assert.fail("an entry was read") });
    assert.deepEqual(named(verdict.findings), ["schema.differs"]);
    assert.throws(() => LedgerStore.open(copy), { code: "ledger.damaged" });
  });
}

test("C15: a column of another type, written into the schema itself, is refused", () => {
  // Every occurrence: SQLite leaves an old copy in unused bytes of a page.
  const text = file.toString("latin1").replaceAll("body TEXT NOT NULL", "body BLOB NOT NULL");
  const altered = Buffer.from(text, "latin1");
  const copy = `${path}.schema`;
  writeFileSync(copy, altered);
  assert.deepEqual(named(findings(copy)), ["schema.differs"]);
});

test("C14: any file gives a finding, never a crash", () => {
  const copy = `${path}.broken`;
  for (const content of [
    "",
    "a text file\n",
    "SQLite format 3\0",
    file.subarray(0, 100),
    "\0".repeat(9000),
  ]) {
    writeFileSync(copy, content);
    assert.deepEqual(named(findings(copy)), ["file.unreadable"]);
  }
  for (let length = 512; length < file.length; length += 1024) {
    copyFileSync(path, copy);
    truncateSync(copy, length);
    assert.notDeepEqual(findings(copy), [], `${length} bytes`);
  }
});

test("C14: a changed byte anywhere in the file is found or leaves every row as it was", () => {
  const copy = `${path}.byte`;
  const dump = logical(path);
  let same = 0;
  for (let at = 100; at < file.length; at += 61) {
    const altered = Buffer.from(file);
    altered[at] = (altered[at] ?? 0) ^ 0x10;
    writeFileSync(copy, altered);
    if (findings(copy).length > 0) continue;
    same += 1;
    assert.equal(logical(copy), dump, `byte ${at}`);
  }
  assert.ok(same < file.length / 61);
});

function logical(ledger: string): string {
  const store = LedgerStore.open(ledger);
  try {
    return JSON.stringify([
      store.origin,
      [...store.entries()],
      [...store.checkpoints()],
      [...store.attachments()],
      store.cosignatures(),
    ]);
  } finally {
    store.close();
  }
}
