/** What is said of a ledger file that cannot be made or opened, word for word, and what it says to do. */

import assert from "node:assert/strict";
import Sqlite from "better-sqlite3";
import { once } from "node:events";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import {
  openBeside,
  openForReading,
  SMALL_CACHE,
  type Database,
} from "../../src/ledger/database.ts";
import { LedgerStore } from "../../src/ledger/store.ts";
import { verifyLedger } from "../../src/ledger/verify.ts";
import { makeLedger, ORIGIN, tempDir } from "../support/ledger-fixture.ts";
import { opened, read, reopen } from "../support/open-ledger.ts";
import { damaged, refusalOf, type Refusal } from "../support/refusal.ts";

test("a ledger that cannot be made is refused in words", (t) => {
  const path = makeLedger(tempDir(t), []);
  const create = (where: string, origin = ORIGIN): Refusal =>
    refusalOf(() => {
      LedgerStore.create(where, origin);
    });
  assert.deepEqual(create(path), {
    code: "site.exists",
    message: `there is already a ledger at ${path}`,
    hints: [],
  });
  const nowhere = join(path, "..", "no", "ledger.db");
  assert.deepEqual(create(nowhere), {
    code: "site.permissions",
    message: `cannot make a ledger at ${nowhere}`,
    hints: [],
  });
  assert.deepEqual(create(nowhere, "two words"), {
    code: "usage.refused",
    message: '"two words" cannot name a ledger',
    hints: ["use a domain and a site without spaces or plus signs, as in example.org/dc1"],
  });
});

test("a ledger that cannot be filled leaves nothing behind, and what stood in the way stays", (t) => {
  const path = join(tempDir(t), "ledger.db");
  mkdirSync(`${path}-journal`);
  const { code, message } = refusalOf(() => {
    LedgerStore.create(path, ORIGIN);
  });
  assert.equal(code, "halted.not-durable");
  assert.equal(
    message,
    `the ledger ${path} could not be written: unable to open database file; what was being recorded is not safe`,
  );
  assert.deepEqual(readdirSync(join(path, "..")), ["ledger.db-journal"]);
});

test("a ledger that is not there, or lies below a file, is refused in words", (t) => {
  const path = makeLedger(tempDir(t), []);
  const missing = `${path}.other`;
  assert.deepEqual(
    refusalOf(() => LedgerStore.open(missing)),
    { code: "ledger.missing", message: `there is no ledger at ${missing}`, hints: [] },
  );
  const below = join(path, "ledger.db");
  for (const open of [read, reopen, verifyLedger]) {
    const { code, message, hints } = refusalOf(() => open(below));
    assert.deepEqual([code, hints], ["site.permissions", []]);
    assert.ok(message.startsWith(`cannot read ${below}: ENOTDIR`), message);
  }
});

const makeFolder = (path: string): void => {
  mkdirSync(path);
};

const BESIDE = "the ledger keeps a regular file there, or none: find out who put this one there";
const ITSELF = "links, pipes, folders and devices are refused: put the ledger itself there";
const LOG = "find out who put it there; the ledger itself is opened again when it is taken away";

/** What stands in a ledger's place or beside it: the file that is put there, and what is said of it. */
const IN_THE_WAY: Readonly<
  Record<string, readonly [(path: string) => void, suffix: string, hint: string]>
> = {
  "a folder as its journal": [makeFolder, "-journal", BESIDE],
  "a folder as a write-ahead log": [makeFolder, "-wal", BESIDE],
  "a link as its shared memory": [
    (path) => {
      symlinkSync("nowhere", path);
    },
    "-shm",
    BESIDE,
  ],
  "a write-ahead log": [
    (path) => {
      writeFileSync(path, "");
    },
    "-wal",
    LOG,
  ],
  "shared memory": [
    (path) => {
      writeFileSync(path, "");
    },
    "-shm",
    LOG,
  ],
};

for (const [what, [put, suffix, hint]] of Object.entries(IN_THE_WAY)) {
  test(`C16: a ledger with ${what} is not opened, and the file is named`, (t) => {
    const path = makeLedger(tempDir(t), [["one"]]);
    put(path + suffix);
    const message =
      hint === LOG
        ? `${path}${suffix} lies beside the ledger, which has no such file`
        : `${path}${suffix} is not a regular file`;
    for (const open of [read, reopen]) {
      assert.deepEqual(
        refusalOf(() => open(path)),
        damaged(message, hint),
      );
    }
    assert.deepEqual(verifyLedger(path), {
      origin: "",
      size: 0,
      root: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      note: "",
      findings: [{ code: "file.unreadable", text: message }],
    });
  });
}

test("S08: a link or a folder in the ledger's own place is refused", (t) => {
  const path = makeLedger(tempDir(t), [["one"]]);
  const [link, folder] = [`${path}.link`, `${path}.folder`];
  symlinkSync(path, link);
  mkdirSync(folder);
  for (const one of [link, folder]) {
    assert.deepEqual(
      refusalOf(() => LedgerStore.open(one)),
      damaged(`${one} is not a regular file`, ITSELF),
    );
  }
});

test("C15: a header that differs in one of its five places is not that of a ledger", (t) => {
  const path = makeLedger(tempDir(t), [["one"]]);
  const copy = `${path}.copy`;
  const whole = readFileSync(path);
  const refusedAs = (bytes: Uint8Array): Refusal => {
    writeFileSync(copy, bytes);
    return refusalOf(() => LedgerStore.open(copy));
  };
  const noLedger = damaged(`${copy} is no ledger file`);
  assert.deepEqual(refusedAs(whole.subarray(0, 99)), noLedger);
  assert.deepEqual(refusedAs(Buffer.from("SQLite format 3\0")), noLedger);
  for (const at of [0, 15]) assert.deepEqual(refusedAs(flipped(whole, at)), noLedger);
  // Write and read version, text encoding, schema version, application.
  for (const at of [18, 19, 59, 60, 63, 68, 71]) {
    const other = damaged(`${copy} is an SQLite file, but not a ledger of this version`);
    assert.deepEqual(refusedAs(flipped(whole, at)), other, `byte ${at}`);
  }
  // The header alone is a ledger's, but no database.
  const { code, message } = refusedAs(whole.subarray(0, 100));
  assert.equal(code, "ledger.damaged");
  assert.ok(message.startsWith(`${copy} cannot be read as a ledger: `), message);
});

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  return bytes.map((byte, place) => (place === at ? byte ^ 0x02 : byte));
}

test("C10: whoever wants to write waits for a reader's look to end, and keeps everybody out from then on", async (t) => {
  const { store, path } = opened(t);
  store.close();
  const program = `
    const { parentPort, workerData } = require("node:worker_threads");
    const db = new (require("better-sqlite3"))(workerData, { readonly: true });
    db.exec("BEGIN; SELECT count(*) FROM sqlite_master");
    db.prepare("SELECT count(*) FROM sqlite_master").get();
    parentPort.postMessage("looking");
    setTimeout(() => db.exec("COMMIT"), 60);`;
  const worker = new Worker(program, { eval: true, workerData: path });
  await once(worker, "message");
  const writer = reopen(path);
  const { code } = refusalOf(() => read(path));
  assert.equal(code, "site.locked");
  writer.close();
  await worker.terminate();
});

test("C10: a ledger that this process writes is in use, until it is closed", (t) => {
  const { store, path } = opened(t);
  const inUse = {
    code: "site.locked",
    message: `the ledger ${path} is in use by process 4711 on ceremony-1 since 2026-11-23T09:00:00.000Z`,
    hints: ["wait until that ceremony ends, or end it"],
  };
  for (const open of [read, reopen, verifyLedger, openBeside]) {
    assert.deepEqual(
      refusalOf(() => open(path)),
      inUse,
    );
  }
  const another = makeLedger(tempDir(t), [["one"]]);
  for (const open of [read, reopen]) open(another).close();
  store.close();
  assert.equal(verifyLedger(path).size, 0);
});

/** Copies a ledger in the midst of a write, as a killed process leaves it. */
function cutShort(path: string): string {
  const copy = `${path}.cut`;
  const db = new Sqlite(path);
  db.pragma("cache_size = 1");
  db.exec("BEGIN IMMEDIATE");
  const add = db.prepare("INSERT INTO entries (seq, body) VALUES (?, ?)");
  for (let seq = 1; seq < 40; seq += 1) add.run(seq, "x".repeat(4000));
  copyFileSync(path, copy);
  copyFileSync(`${path}-journal`, `${copy}-journal`);
  db.exec("ROLLBACK");
  db.close();
  return copy;
}

test("C01: an unfinished write is named where nothing may be changed, and rolled back where it may", (t) => {
  const path = makeLedger(tempDir(t), [["one"]]);
  for (const open of [read, reopen]) {
    const copy = cutShort(path);
    const unfinished = damaged(
      `an unfinished write lies beside ${copy}`,
      "open the ledger once where it can be written, with keyrite status",
    );
    assert.deepEqual(
      refusalOf(() => openForReading(copy, { recover: false })),
      unfinished,
    );
    const store = open(copy);
    assert.deepEqual([store.rolledBack, store.size], [true, 1]);
    store.close();
    const again = open(copy);
    assert.equal(again.rolledBack, false);
    again.close();
    assert.ok(!existsSync(`${copy}-journal`));
  }
});

test("a journal with nothing in it, or that is no file, is no unfinished write", (t) => {
  const path = makeLedger(tempDir(t), [["one"]]);
  writeFileSync(`${path}-journal`, "");
  const store = LedgerStore.open(path);
  assert.equal(store.rolledBack, false);
  store.close();
});

test("C05: a ledger is opened so that a commit survives a power cut, and nothing in it is run", (t) => {
  const { store, path } = opened(t);
  const settings = (db: Database, names: readonly string[]): readonly unknown[] =>
    names.map((name): unknown => db.pragma(name, { simple: true }));
  const guards = ["trusted_schema", "cell_size_check"];
  const durable = ["journal_mode", "synchronous", "locking_mode"];
  // 3 is EXTRA.
  assert.deepEqual(settings(store.database, durable), ["truncate", 3, "exclusive"]);
  assert.deepEqual(settings(store.database, guards), [0, 1]);
  assert.deepEqual(settings(store.database, ["encoding", "application_id", "user_version"]), [
    "UTF-8",
    0x4b455952,
    1,
  ]);
  store.close();
  const reader = read(path);
  assert.deepEqual(settings(reader.database, [...guards, "journal_mode"]), [0, 1, "delete"]);
  assert.throws(() => reader.database.exec("DELETE FROM entries"), { code: "SQLITE_READONLY" });
  reader.close();
  const beside = openBeside(path);
  assert.deepEqual(settings(beside, [...guards, "cache_size"]), [0, 1, SMALL_CACHE]);
  assert.equal(SMALL_CACHE, -1024);
  beside.close();
});

test("whoever opens a ledger without a name leaves the note of another alone", (t) => {
  const path = makeLedger(tempDir(t), [["one"]]);
  writeFileSync(`${path}.holder`, "theirs");
  for (const open of [read, reopen]) open(path).close();
  assert.equal(readFileSync(`${path}.holder`, "utf8"), "theirs");
});
