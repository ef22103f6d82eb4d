/** The ledger file against accidents: other writers, kills, full disks, foreign changes. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { signingKeyFromSeed } from "../../src/lib/ed25519.ts";
import { SCHEMA } from "../../src/ledger/schema.ts";
import { LedgerStore } from "../../src/ledger/store.ts";
import { verifyLedger } from "../../src/ledger/verify.ts";
import {
  draft,
  ledgerKey,
  ledgerVerifier,
  makeLedger,
  tempDir,
  testClock,
} from "../support/ledger-fixture.ts";

import { opened, read, reopen, support } from "../support/open-ledger.ts";
import { damaged, refusalOf } from "../support/refusal.ts";

const SLIPS: Readonly<Record<string, string>> = {
  "update an entry": "UPDATE entries SET body = 'x'",
  "delete an entry": "DELETE FROM entries",
  "replace an entry": "REPLACE INTO entries (seq, body) VALUES (0, 'x')",
  "replace an entry on conflict": "INSERT OR REPLACE INTO entries (seq, body) VALUES (1, 'x')",
  "replace by update": "UPDATE OR REPLACE entries SET seq = 0 WHERE seq = 1",
  "upsert an entry":
    "INSERT INTO entries (seq, body) VALUES (0, 'x') ON CONFLICT DO UPDATE SET body = 'x'",
  "leave a gap": "INSERT INTO entries (seq, body) VALUES (3, 'x')",
  "go below zero": "INSERT INTO entries (seq, body) VALUES (-1, 'x')",
  "let SQLite number it": "INSERT INTO entries (body) VALUES ('x')",
  "replace a node": "REPLACE INTO nodes (pos, hash) VALUES (0, x'00')",
  "update a node": "UPDATE nodes SET hash = x'00'",
  "replace a checkpoint": "REPLACE INTO checkpoints (size, note) VALUES (2, 'x')",
  "sign ahead": "INSERT INTO checkpoints (size, note) VALUES (3, 'x')",
  "delete a checkpoint": "DELETE FROM checkpoints",
  "replace an attachment": "REPLACE INTO attachments SELECT sha256, 'x', x'00' FROM attachments",
  "delete an attachment": "DELETE FROM attachments",
  "cosign nothing": "INSERT INTO cosignatures (size, line) VALUES (9, 'x')",
  "rename the ledger": "UPDATE ledger SET origin = 'x'",
  "name it twice": "INSERT INTO ledger (id, origin) VALUES (2, 'x')",
  "name it anew": "REPLACE INTO ledger (id, origin) VALUES (1, 'x')",
};

test("C14: no statement changes, removes, replaces or misplaces a row by accident", (t) => {
  const { store } = opened(t);
  store.append(
    [draft("one"), draft("two")],
    [{ mediaType: "text/plain", bytes: new Uint8Array(1) }],
  );
  for (const [what, sql] of Object.entries(SLIPS)) {
    assert.throws(() => store.database.exec(sql), { code: /^SQLITE_CONSTRAINT/ }, what);
  }
  assert.deepEqual(verifyLedger(store, { key: ledgerVerifier }).findings, []);
});

test("C10: a second opener is refused at once and told who holds the ledger", (t) => {
  const { store, path, clock } = opened(t);
  store.append([draft("one")]);
  const names = {
    code: "site.locked",
    message: /process 4711 on ceremony-1 since 2026-11-23T09:00/,
  };
  assert.throws(() => reopen(path), names);
  assert.throws(() => LedgerStore.open(path), names);
  assert.throws(() => verifyLedger(path), names);
  const script = `import { LedgerStore } from ${JSON.stringify(new URL("../../src/ledger/store.ts", import.meta.url).href)};
    try { LedgerStore.open(${JSON.stringify(path)}); } catch (error) { console.log(error.code, error.message); }`;
  const other = spawnSync(
    process.execPath,
    ["--import", "tsx", "--input-type=module", "-e", script],
    { encoding: "utf8" },
  );
  assert.match(other.stdout, /^site\.locked .* process 4711 on ceremony-1/);
  store.close();
  assert.equal(reopen(path).size, 1);
  assert.equal(clock.time, testClock().time);
});

test("C12: a stale or unreadable holder note is no lock, and a planted link is not followed", (t) => {
  const path = makeLedger(tempDir(t), [["one"]]);
  for (const stale of ["", "{", "null", '{"pid":1}', '{"pid":1,"host":"x","since":"y"}']) {
    writeFileSync(`${path}.holder`, stale);
    assert.equal(LedgerStore.open(path).size, 1);
  }
  const target = `${path}.target`;
  writeFileSync(target, "precious");
  const link = `${path}.holder`;
  const holder = { pid: 1, host: "h" };
  reopen(path).close();
  spawnSync("rm", ["-f", link]);
  symlinkSync(target, link);
  LedgerStore.open(path, { write: { clock: testClock(), key: ledgerKey, holder } }).close();
  assert.equal(readFileSync(target, "utf8"), "precious");
  assert.equal(existsSync(link), false);
});

test("a clean close leaves the ledger alone in its folder", (t) => {
  const { store, path } = opened(t);
  store.append([draft("one")]);
  store.close();
  store.close();
  assert.deepEqual(readdirSync(join(path, "..")), ["ledger.db"]);
});

test("C01: after SIGKILL in mid-transaction the acknowledged entries are there, no others", (t) => {
  for (const open of [read, (path: string) => reopen(path)]) {
    const path = makeLedger(tempDir(t), [["one"], ["two"]]);
    const before = statSync(path).size;
    const killed = spawnSync(process.execPath, [support("killed-writer.mjs"), path]);
    assert.equal(killed.signal, "SIGKILL");
    assert.ok(statSync(`${path}-journal`).size > 0 && statSync(path).size > before);
    assert.deepEqual(
      verifyLedger(path).findings.map(({ code }) => code),
      ["file.unreadable"],
    );
    const store = open(path);
    assert.equal(store.size, 2);
    assert.deepEqual(verifyLedger(store, { key: ledgerVerifier }).findings, []);
    store.close();
  }
});

test("C06: a full disk at append halts, and the ledger takes nothing more", (t) => {
  const { store, path } = opened(t);
  store.append([draft("one")]);
  const head = store.checkpoint();
  const pages = Number(store.database.pragma("page_count", { simple: true }));
  store.database.pragma(`max_page_count = ${pages}`);
  const big = [{ mediaType: "text/plain", bytes: new Uint8Array(100_000) }];
  const halted = (error: unknown): boolean => {
    const { code, hints } = error as { code: string; hints: readonly string[] };
    return code === "halted.not-durable" && hints.join().includes("free some space");
  };
  assert.throws(() => store.append([draft("two")], big), halted);
  store.database.pragma("max_page_count = 1000000");
  assert.throws(() => store.append([draft("three")]), halted);
  assert.throws(() => {
    store.addCosignatures(1, []);
  }, halted);
  assert.deepEqual([store.size, store.checkpoint()], [1, head]);
  store.close();
  assert.deepEqual(verifyLedger(path, { key: ledgerVerifier }).findings, []);
  assert.equal(reopen(path).append([draft("two")]).size, 2);
});

test("C08: a write error at append halts, and what was acknowledged stays", (t) => {
  const path = makeLedger(tempDir(t), [["one"]]);
  const script = `
    import { LedgerStore } from ${JSON.stringify(new URL("../../src/ledger/store.ts", import.meta.url).href)};
    import { draft, ledgerKey, testClock } from ${JSON.stringify(new URL("../support/ledger-fixture.ts", import.meta.url).href)};
    const clock = testClock(); clock.time += 9000;
    const store = LedgerStore.open(process.argv[1], { write: { clock, key: ledgerKey } });
    let size = store.size;
    for (;;) {
      try { size = store.append([draft("x".repeat(20000))]).size; }
      catch (error) { console.log(error.code, size, store.size); break; }
    }`;
  const child = spawnSync(
    "sh",
    [
      "-c",
      'trap "" XFSZ; ulimit -f 512; exec "$0" --import tsx --input-type=module -e "$1" "$2"',
      process.execPath,
      script,
      path,
    ],
    { encoding: "utf8" },
  );
  const [code, acknowledged, size] = child.stdout.trim().split(" ");
  assert.equal(code, "halted.not-durable", child.stderr);
  assert.equal(acknowledged, size);
  const store = reopen(path);
  assert.equal(store.size, Number(size));
  assert.deepEqual(verifyLedger(store, { key: ledgerVerifier }).findings, []);
  store.close();
});

test("a ledger changed while it was open is never built upon", (t) => {
  for (const change of [
    "INSERT INTO entries (seq, body) VALUES (1, 'x')",
    "DROP TRIGGER checkpoints_update; UPDATE checkpoints SET note = 'x'",
    "DROP TRIGGER checkpoints_delete; DELETE FROM checkpoints",
  ]) {
    const { store, path } = opened(t);
    store.append([draft("one")]);
    store.database.exec(change);
    const changed = damaged(`the ledger ${path} was changed by somebody else while it was open`);
    for (let count = 0; count < 2; count += 1) {
      assert.deepEqual(
        refusalOf(() => store.append([draft("two")])),
        changed,
      );
    }
    assert.deepEqual(
      refusalOf(() => {
        store.addCosignatures(1, []);
      }),
      changed,
    );
    assert.equal(store.size, 1);
  }
});

test("another ledger key does not open the ledger for writing", (t) => {
  const path = makeLedger(tempDir(t), [["one"]]);
  const other = signingKeyFromSeed(new Uint8Array(32).fill(1));
  assert.throws(() => reopen(path, other), {
    code: "ledger.damaged",
    message: "the newest checkpoint was not signed with this ledger key",
  });
  assert.equal(reopen(path).size, 1);
});

test("a ledger opened for reading takes nothing", (t) => {
  const store = LedgerStore.open(makeLedger(tempDir(t), [["one"]]));
  const reading = { code: "internal.bug", message: "the ledger was opened for reading" };
  assert.throws(() => store.append([draft("two")]), reading);
  assert.throws(() => {
    store.addCosignatures(1, []);
  }, reading);
  store.close();
});

test("C15: the format's page states the schema word for word", () => {
  const page = readFileSync(new URL("../../docs/formats/ledger.md", import.meta.url), "utf8");
  assert.equal(SCHEMA.size, 24);
  for (const [name, sql] of SCHEMA) {
    const general = /_(?:update|delete)$/.test(name);
    const [table = ""] = name.split("_");
    assert.ok(page.includes(general ? sql.replaceAll(table, "x") : sql), name);
  }
});

test("standard-library Python recomputes the root and finds it in the checkpoint", (t) => {
  const script = support("root.py");
  assert.ok(readFileSync(script, "utf8").trimEnd().split("\n").length <= 40);
  for (const groups of [[["one"]], [["naïve 🔑"], ["two", "three"], ["four"]]]) {
    const path = makeLedger(tempDir(t), groups);
    const python = spawnSync("python3", [script, path], { encoding: "utf8" });
    const { size, root } = verifyLedger(path);
    assert.equal(python.stdout, `${size} ${root}\n`, python.stderr);
    assert.equal(python.status, 0);
  }
});
