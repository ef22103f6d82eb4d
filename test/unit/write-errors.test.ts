/** What the people at a ceremony read when the ledger cannot be written. */

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { isFull, notDurable, roomHint } from "../../src/ledger/write-errors.ts";

const folder = mkdtempSync(join(tmpdir(), "keyrite-write-errors-"));
after(() => {
  rmSync(folder, { recursive: true });
});
const ledger = join(folder, "ledger.db");
writeFileSync(ledger, "a ledger");
const nowhere = join(folder, "gone", "ledger.db");

const failed = (code: string, text = "disk I/O error"): Error =>
  Object.assign(new Error(text), { code });

const LAST = [
  "nothing may be done on an HSM until the ledger has been opened and verified again",
  "keyrite status does that, and says what is in doubt",
];
const FULL = /^free some space on the disk that holds the ledger: 4 MiB are needed, .* are free$/;
const FAILING = /^the disk may be failing: look at the system's log, and put another in its place$/;

const CASES: Readonly<Record<string, readonly [Error, why: string, hint: RegExp | undefined]>> = {
  "SQLite finds the disk full": [failed("SQLITE_FULL"), "the disk is full", FULL],
  "the system finds the disk full": [failed("ENOSPC"), "the disk is full", FULL],
  "the system reports an error of the disk": [
    failed("EIO"),
    "the disk reports an input/output error",
    FAILING,
  ],
  "SQLite could not write, and nothing is wrong any more": [
    failed("SQLITE_IOERR_WRITE"),
    "disk I/O error",
    undefined,
  ],
  "it was not the disk": [new Error("out of memory"), "out of memory", undefined],
};

for (const [what, [cause, why, hint]] of Object.entries(CASES)) {
  test(`C08: ${what}: the message says so, and what to do`, () => {
    const error = notDurable(ledger, cause);
    assert.equal(error.code, "halted.not-durable");
    assert.equal(
      error.message,
      `the ledger ${ledger} could not be written: ${why}; what was being recorded is not safe`,
    );
    assert.equal(error.cause, cause);
    assert.deepEqual(error.hints.slice(-2), LAST);
    assert.equal(error.hints.length, hint === undefined ? 2 : 3);
    if (hint !== undefined) assert.match(error.hints[0] ?? "", hint);
  });
}

test("C05: a sync that failed is told apart: whether it was written is not certain", () => {
  const error = notDurable(ledger, failed("SQLITE_IOERR_FSYNC"));
  assert.equal(
    error.message,
    `the ledger ${ledger} could not be written for certain: the disk reports an input/output error; what was being recorded is not safe`,
  );
  assert.match(error.hints[0] ?? "", FAILING);
  assert.deepEqual(error.hints.slice(1), LAST);
});

test("C08: where not even the disk can be asked, the message goes without its words", () => {
  const error = notDurable(nowhere, failed("SQLITE_IOERR_WRITE"));
  assert.equal(
    error.message,
    `the ledger ${nowhere} could not be written: disk I/O error; what was being recorded is not safe`,
  );
  assert.deepEqual(error.hints, LAST);
  assert.equal(
    roomHint(nowhere),
    "free some space on the disk that holds the ledger: 4 MiB are needed",
  );
});

test("C06: only a full disk, and no other failure, is one that a later write may not meet", () => {
  assert.ok(isFull(ledger, failed("SQLITE_FULL")));
  for (const error of [
    failed("SQLITE_IOERR_WRITE"),
    failed("SQLITE_IOERR_FSYNC"),
    failed("ENOSPC"),
    { code: "SQLITE_FULL" },
    new Error("full"),
    "full",
  ]) {
    assert.ok(!isFull(ledger, error));
  }
});

test("C08: why SQLite could not write is found out by writing beside the ledger, and only for SQLite", (t) => {
  // What stands in the probe's place is told from a full disk: nothing is known then, and nothing is claimed.
  const probe = `${ledger}.probe`;
  writeFileSync(probe, "theirs");
  t.after(() => {
    rmSync(probe);
  });
  for (const code of ["SQLITE_IOERR_WRITE", "EACCES"]) {
    const { message, hints } = notDurable(ledger, failed(code, "why"));
    assert.equal(
      message,
      `the ledger ${ledger} could not be written: why; what was being recorded is not safe`,
    );
    assert.deepEqual(hints, LAST);
  }
});
