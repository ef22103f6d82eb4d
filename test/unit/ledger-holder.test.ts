/** The note beside a ledger that says who has it open. */

import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { describeHolder, removeHolder, writeHolder } from "../../src/ledger/holder.ts";
import { tempDir } from "../support/ledger-fixture.ts";

const HOLDER = { pid: 4711, host: "vault-1" };
const SINCE = Date.UTC(2026, 10, 23, 9, 30);

test("it names the process, its machine and since when, and goes with it", (t) => {
  const path = join(tempDir(t), "ledger.db");
  writeHolder(path, HOLDER, SINCE);
  assert.equal(describeHolder(path), "process 4711 on vault-1 since 2026-11-23T09:30:00.000Z");
  removeHolder(path);
  assert.ok(!existsSync(`${path}.holder`));
  removeHolder(path);
  assert.equal(describeHolder(path), "another process");
});

test("what another process left is replaced", (t) => {
  const path = join(tempDir(t), "ledger.db");
  writeFileSync(`${path}.holder`, "half a no");
  assert.equal(describeHolder(path), "another process");
  writeHolder(path, HOLDER, SINCE);
  assert.match(describeHolder(path), /^process 4711 /);
  assert.equal(
    readFileSync(`${path}.holder`, "utf8"),
    '{"pid":4711,"host":"vault-1","since":"2026-11-23T09:30:00.000Z"}\n',
  );
  assert.equal(statSync(`${path}.holder`).mode & 0o777 & ~0o022, 0o644);
});

for (const [what, note] of Object.entries({
  "a process that is no number": { pid: "1", host: "a", since: "b" },
  "no machine": { pid: 1, since: "b" },
  "no time": { pid: 1, host: "a", since: 3 },
  "a machine that is no text": { pid: 1, host: 2, since: "b" },
  "no members": null,
})) {
  test(`a note with ${what} names nobody`, (t) => {
    const path = join(tempDir(t), "ledger.db");
    writeFileSync(`${path}.holder`, JSON.stringify(note));
    assert.equal(describeHolder(path), "another process");
  });
}

test("S08: a folder in its place is refused by name and left alone", (t) => {
  const path = join(tempDir(t), "ledger.db");
  mkdirSync(`${path}.holder`);
  writeFileSync(join(`${path}.holder`, "theirs"), "x");
  assert.throws(
    () => {
      writeHolder(path, HOLDER, SINCE);
    },
    {
      code: "usage.bad-file",
      message: `cannot write ${path}.holder: something else stands there`,
      hints: ["it says who has the ledger open: remove what is there, or make room"],
    },
  );
  assert.equal(readFileSync(join(`${path}.holder`, "theirs"), "utf8"), "x");
});

test("C08: a disk that does not take it is not called a bad file", (t) => {
  const path = join(tempDir(t), "gone", "ledger.db");
  assert.throws(
    () => {
      writeHolder(path, HOLDER, SINCE);
    },
    {
      code: "site.disk",
      message: `cannot write ${path}.holder: ENOENT: no such file or directory, open '${path}.holder'`,
      hints: ["it says who has the ledger open: remove what is there, or make room"],
    },
  );
});

test("a note of 4,096 bytes is read, a longer one names nobody", (t) => {
  const path = join(tempDir(t), "ledger.db");
  const note = JSON.stringify({ pid: 1, host: "a", since: "b" });
  for (const [length, words] of [
    [4096, "process 1 on a since b"],
    [4097, "another process"],
  ] as const) {
    writeFileSync(`${path}.holder`, note.padEnd(length));
    assert.equal(describeHolder(path), words);
  }
});
