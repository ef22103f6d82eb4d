/** C06, C07: what a ledger takes and refuses while its disk is full, and what it says then. */

import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync } from "node:fs";
import { deflateRawSync } from "node:zlib";
import { join } from "node:path";
import { test } from "node:test";
import Sqlite from "better-sqlite3";
import { noRoom, Reserve, RESERVE_BYTES } from "../../src/ledger/reserve.ts";
import { LedgerStore } from "../../src/ledger/store.ts";
import { roomHint } from "../../src/ledger/write-errors.ts";
import { KeyriteError } from "../../src/lib/errors.ts";
import { draft, ledgerKey, makeLedger, tempDir, testClock } from "../support/ledger-fixture.ts";
import { refusalOf } from "../support/refusal.ts";

const ENDING = draft("done");
const BEGINNING = draft("to be done", { type: "step.opened" });
const ON_RECORD =
  "what was done until now is on record: keyrite status says whether a ceremony is open, and keyrite run --resume goes on with it";

interface OnDisk {
  readonly store: LedgerStore;
  readonly path: string;
  /** Fails every write for which this says so, as SQLite does. */
  readonly refuse: (when: () => boolean, code?: string) => void;
}

/** A ledger of one entry that keeps a reserve. */
function reserved(t: { after(done: () => void): void }, reserve = true): OnDisk {
  const path = makeLedger(tempDir(t), [["one"]]);
  const clock = testClock();
  clock.time += 60_000;
  const store = LedgerStore.open(path, { write: { clock, key: ledgerKey, reserve } });
  t.after(() => {
    store.close();
  });
  const { database } = store;
  const transaction = database.transaction.bind(database);
  const refuse: OnDisk["refuse"] = (when, code = "SQLITE_FULL") => {
    const immediate = (body: () => unknown) => () => {
      if (when()) throw new Sqlite.SqliteError("database or disk is full", code);
      return transaction(body).immediate();
    };
    Object.assign(database, {
      transaction: (body: () => unknown) => ({ immediate: immediate(body) }),
    });
  };
  return { store, path, refuse };
}

test("C07: the reserve stands beside the ledger while it is open, and cannot be made smaller by packing it", (t) => {
  const { store, path } = reserved(t);
  const file = `${path}.reserve`;
  const bytes = readFileSync(file);
  assert.equal(bytes.length, RESERVE_BYTES);
  assert.ok(deflateRawSync(bytes).length > 0.99 * RESERVE_BYTES);
  assert.equal(statSync(file).mode & 0o777, 0o644);
  store.close();
  assert.ok(!existsSync(file));
});

test("without being asked for, no reserve is kept", (t) => {
  const { path } = reserved(t, false);
  assert.ok(!existsSync(`${path}.reserve`));
});

test("C07: on a full disk nothing is begun, the reserve is kept, and when there is room all goes on", (t) => {
  const { store, path, refuse } = reserved(t);
  let isFull = true;
  refuse(() => isFull);
  assert.deepEqual(
    refusalOf(() => store.append([ENDING, BEGINNING])),
    {
      code: "site.disk",
      message: `the disk that holds the ledger ${path} is full: nothing more is begun`,
      hints: [roomHint(path), ON_RECORD],
    },
  );
  assert.ok(existsSync(`${path}.reserve`));
  assert.equal(store.size, 1);
  isFull = false;
  assert.equal(store.append([BEGINNING]).size, 2);
});

test("C07: what only ends something takes the reserve, and after that nothing is begun", (t) => {
  const { store, path, refuse } = reserved(t);
  refuse(() => existsSync(`${path}.reserve`));
  assert.equal(store.append([ENDING]).size, 2);
  assert.ok(!existsSync(`${path}.reserve`));
  assert.deepEqual(
    refusalOf(() => store.append([BEGINNING])),
    {
      code: "site.disk",
      message: `the disk that holds the ledger ${path} is full: nothing more is begun`,
      hints: [roomHint(path), ON_RECORD],
    },
  );
  assert.equal(store.append([ENDING]).size, 3);
  store.addCosignatures(3, []);
  store.close();
  assert.equal(LedgerStore.open(path).size, 3);
});

test("C06: a disk that takes nothing even without the reserve halts the ledger for good", (t) => {
  const { store, path, refuse } = reserved(t);
  let isFull = true;
  refuse(() => isFull);
  const { code, message } = refusalOf(() => store.append([ENDING]));
  assert.equal(code, "halted.not-durable");
  assert.equal(
    message,
    `the ledger ${path} could not be written: the disk is full; what was being recorded is not safe`,
  );
  isFull = false;
  for (const entry of [ENDING, BEGINNING]) {
    assert.equal(refusalOf(() => store.append([entry])).message, message);
  }
});

test("C08: another failure than a full disk leaves the reserve alone and halts", (t) => {
  for (const entry of [ENDING, BEGINNING]) {
    const { store, path, refuse } = reserved(t);
    refuse(() => true, "SQLITE_IOERR_FSYNC");
    assert.equal(refusalOf(() => store.append([entry])).code, "halted.not-durable");
    assert.ok(existsSync(`${path}.reserve`));
    store.close();
    assert.ok(!existsSync(`${path}.reserve`));
  }
});

test("C06: without a reserve a full disk halts whatever is written", (t) => {
  for (const entry of [ENDING, BEGINNING]) {
    const { store, refuse } = reserved(t, false);
    refuse(() => true);
    assert.equal(refusalOf(() => store.append([entry])).code, "halted.not-durable");
  }
});

test("a failure that is no disk's is thrown as it is, and the ledger takes what comes next", (t) => {
  const { store, refuse } = reserved(t);
  const failure = new TypeError("not a disk's");
  refuse(() => {
    throw failure;
  });
  assert.throws(
    () => store.append([ENDING]),
    (error) => error === failure,
  );
  refuse(() => false);
  assert.equal(store.append([ENDING]).size, 2);
});

test("C07: a reserve that was given up is not given back, and says so where something would be begun", (t) => {
  const ledger = join(tempDir(t), "ledger.db");
  const reserve = Reserve.take(ledger);
  reserve.requireUnreleased();
  assert.ok(reserve.release());
  assert.deepEqual(
    refusalOf(() => {
      reserve.requireUnreleased();
    }),
    refusalOf(() => {
      throw noRoom(ledger);
    }),
  );
  // Another process may have taken one meanwhile.
  Reserve.take(ledger);
  reserve.end();
  assert.ok(existsSync(`${ledger}.reserve`));
});

test("what was refused for want of room keeps its cause", () => {
  const cause = new Error("full");
  const error = noRoom("ledger.db", cause);
  assert.ok(error instanceof KeyriteError);
  assert.equal(error.cause, cause);
});
