/** C16: other files beside the ledger than those that Keyrite wrote: stale, foreign, cut, missing, or no files at all. */

import assert from "node:assert/strict";
import Sqlite from "better-sqlite3";
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { compareHead } from "../../src/ledger/heads.ts";
import { LedgerStore } from "../../src/ledger/store.ts";
import { verifyLedger } from "../../src/ledger/verify.ts";
import { KeyriteError } from "../../src/lib/errors.ts";
import { compiled } from "../support/compiled.ts";
import { figure, sized } from "../support/fault-run.ts";
import { ledgerVerifier, makeLedger, tempDir } from "../support/ledger-fixture.ts";
import { grown, headOf, read, support } from "../support/open-ledger.ts";
import { program } from "../support/program.ts";
import { cleanEnvironment } from "../support/rehearsed-site.ts";
import { linesOf } from "../support/shim.ts";

/** A ledger of 2 + 3 entries, with a write beside it that a process had not finished after the first two. */
function interrupted(dir: string): { readonly before: string; readonly after: string } {
  const before = makeLedger(dir, [["one"], ["two"]]);
  const clean = join(dir, "clean.db");
  copyFileSync(before, clean);
  const killed = spawnSync(process.execPath, [support("killed-writer.mjs"), before]);
  assert.equal(killed.signal, "SIGKILL");
  const after = join(dir, "after.db");
  copyFileSync(clean, after);
  grown(after, ["three", "four", "five"]).close();
  return { before, after };
}

type Outcome = "refused" | "whole" | "told" | "silentlyOlder";

/** What comes of a ledger of `size` entries with something beside it. */
function outcome(path: string, size: number): Outcome {
  let store: LedgerStore;
  try {
    store = LedgerStore.open(path);
  } catch (error) {
    assert.ok(error instanceof KeyriteError, String(error));
    assert.match(error.code, /^(?:ledger\.damaged|site\.permissions)$/);
    return "refused";
  }
  try {
    if (verifyLedger(store, { key: ledgerVerifier }).findings.length > 0) return "refused";
    if (store.size === size) return "whole";
    return store.rolledBack ? "told" : "silentlyOlder";
  } finally {
    store.close();
  }
}

test("C16: stale, foreign, cut or missing side files: refused, rolled back as SQLite defines, never silently older", (t) => {
  const dir = tempDir(t);
  const { before, after } = interrupted(dir);
  const journal = readFileSync(`${before}-journal`);
  const cases: [string, number, (path: string) => void][] = [
    [
      "its own journal",
      2,
      (path) => {
        copyFileSync(before, path);
        writeFileSync(`${path}-journal`, journal);
      },
    ],
    [
      "its journal taken away",
      2,
      (path) => {
        copyFileSync(before, path);
      },
    ],
    [
      "a journal of an earlier write",
      5,
      (path) => {
        copyFileSync(after, path);
        writeFileSync(`${path}-journal`, journal);
      },
    ],
    [
      "an empty journal",
      5,
      (path) => {
        copyFileSync(after, path);
        writeFileSync(`${path}-journal`, "");
      },
    ],
    [
      "a journal of noise",
      5,
      (path) => {
        copyFileSync(after, path);
        writeFileSync(`${path}-journal`, Buffer.alloc(9000, "noise"));
      },
    ],
  ];
  const step = sized(1500, 100);
  for (let length = 1; length < journal.length; length += step) {
    for (const [what, size, from] of [
      ["own", 2, before],
      ["earlier", 5, after],
    ] as const) {
      cases.push([
        `the first ${length} bytes of its ${what} journal`,
        size,
        (path) => {
          copyFileSync(from, path);
          writeFileSync(`${path}-journal`, journal.subarray(0, length));
        },
      ]);
    }
  }
  const counts = { files: 0, refused: 0, whole: 0, told: 0, silentlyOlder: 0 };
  for (const [what, size, place] of cases) {
    const folder = join(dir, `case-${counts.files}`);
    mkdirSync(folder);
    place(join(folder, "ledger.db"));
    const came = outcome(join(folder, "ledger.db"), size);
    if (what === "its own journal") assert.equal(came, "whole");
    if (what === "an empty journal" || what === "a journal of noise") assert.equal(came, "whole");
    counts[came] += 1;
    counts.files += 1;
    rmSync(folder, { recursive: true });
  }
  figure("C16", "journals that are stale, foreign, cut or missing", counts);
  assert.equal(counts.silentlyOlder, 0);
});

/** Runs one append to a ledger; killed at the nth of its calls to the disk, of which all until then are told. */
function appending(path: string, killedAt: number): readonly string[] {
  const log = `${path}.calls`;
  rmSync(log, { force: true });
  spawnSync(process.execPath, [...program("one-append"), path], {
    env: {
      ...cleanEnvironment(),
      LD_PRELOAD: compiled("kill-points"),
      KEYRITE_KILL_ROOT: dirname(path),
      KEYRITE_KILL_AT: String(killedAt),
      KEYRITE_KILL_LOG: log,
    },
  });
  return linesOf(log);
}

test("C16: the journal of a write that was committed: it is rolled back, the room is told, and a head shows it", (t) => {
  const dir = tempDir(t);
  const [whole, cut] = ["whole", "cut"].map((name) => {
    const folder = join(dir, name);
    mkdirSync(folder);
    return makeLedger(folder, [["one"], ["two"]]);
  }) as [string, string];
  const calls = appending(whole, 0);
  const commit = calls.findIndex((line) => / 0 truncate .*ledger\.db-journal$/.test(line));
  assert.ok(commit > 0, calls.join("\n"));
  // Killed where the journal would be cut, which is what commits: all of the write is in the ledger by then.
  appending(cut, commit + 1);
  const journal = readFileSync(`${cut}-journal`);
  assert.ok(journal.length > 0);
  const after = read(whole);
  assert.equal(after.size, 3);
  const head = headOf(after);
  after.close();
  const counts = { files: 0, refused: 0, whole: 0, told: 0, silentlyOlder: 0 };
  for (const place of [whole, cut]) {
    writeFileSync(`${place}-journal`, journal);
    counts.files += 1;
    counts[outcome(place, 3)] += 1;
    const older = read(place);
    const seen = compareHead(older, head, ledgerVerifier);
    assert.ok(
      seen.result === "shorter" && seen.firstMissing === 2,
      "whoever carries the head is not deceived",
    );
    older.close();
  }
  figure("C16", "journals of a write that was committed", counts);
  assert.deepEqual([counts.told, counts.silentlyOlder], [2, 0]);
});

test("C16: a journal of another ledger ruins nothing unnoticed", (t) => {
  const dir = tempDir(t);
  const { before } = interrupted(dir);
  const folder = join(dir, "other");
  mkdirSync(folder);
  const other = makeLedger(folder, [["a", "b"], ["c"]]);
  cpSync(`${before}-journal`, `${other}-journal`);
  assert.match(outcome(other, 3), /^(?:refused|told)$/);
});

test("C16: a write-ahead log beside the ledger is refused, and neither read nor removed", (t) => {
  const path = makeLedger(tempDir(t), [["one"]]);
  const copy = `${path}.wal-mode`;
  copyFileSync(path, copy);
  const db = new Sqlite(copy);
  db.pragma("journal_mode = WAL");
  db.exec("CREATE TABLE planted (x)");
  copyFileSync(`${copy}-wal`, `${path}-wal`);
  db.close();
  const planted = readFileSync(`${path}-wal`);
  const refusal = { code: "ledger.damaged", message: /-wal lies beside the ledger/ };
  assert.throws(() => read(path), refusal);
  assert.throws(() => grown(path, ["two"]), refusal);
  assert.deepEqual(readFileSync(`${path}-wal`), planted);
  rmSync(`${path}-wal`);
  assert.equal(read(path).size, 1);
});

test("C16: a journal that is a link, a pipe or a folder is refused, and where it leads nothing is touched", (t) => {
  const dir = tempDir(t);
  const path = makeLedger(dir, [["one"]]);
  const precious = join(dir, "precious");
  const plant: Readonly<Record<string, () => void>> = {
    link: () => {
      symlinkSync(precious, `${path}-journal`);
    },
    "dangling link": () => {
      symlinkSync(`${precious}.none`, `${path}-journal`);
    },
    pipe: () => {
      assert.equal(spawnSync("mkfifo", [`${path}-journal`]).status, 0);
    },
    folder: () => {
      mkdirSync(`${path}-journal`);
    },
  };
  for (const [what, put] of Object.entries(plant)) {
    writeFileSync(precious, "precious");
    put();
    const refusal = { code: "ledger.damaged", message: /-journal is not a regular file/ };
    assert.throws(() => read(path), refusal, what);
    assert.throws(() => grown(path, ["two"]), refusal, what);
    assert.equal(readFileSync(precious, "utf8"), "precious");
    assert.equal(existsSync(`${precious}.none`), false);
    rmSync(`${path}-journal`, { recursive: true });
  }
  assert.equal(read(path).size, 1);
});
