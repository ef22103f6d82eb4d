/** The ledger file: what is appended is durable and in order, and nothing else gets in. */

import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { signingKeyFromSeed } from "../../src/lib/ed25519.ts";
import { hex, sha256Hex } from "../../src/lib/encoding.ts";
import { cosignatureLine, parseNote, signatureLine, verifyNote } from "../../src/lib/note.ts";
import { parseCheckpoint } from "../../src/ledger/checkpoint.ts";
import { decodeEntry } from "../../src/ledger/entry.ts";
import { leafHash, verifyConsistency, verifyInclusion } from "../../src/ledger/merkle.ts";
import { LedgerStore } from "../../src/ledger/store.ts";
import { verifyLedger } from "../../src/ledger/verify.ts";
import { draft, ledgerKey, ledgerVerifier, ORIGIN, tempDir } from "../support/ledger-fixture.ts";

import { opened, read, reopen } from "../support/open-ledger.ts";
import { damaged, refusalOf } from "../support/refusal.ts";

test("a ledger is made once and never in place of another file", (t) => {
  const path = join(tempDir(t), "ledger.db");
  LedgerStore.create(path, ORIGIN);
  const before = readFileSync(path);
  assert.throws(
    () => {
      LedgerStore.create(path, ORIGIN);
    },
    { code: "site.exists" },
  );
  assert.deepEqual(readFileSync(path), before);
  assert.equal(statSync(path).mode & 0o022, 0);
  for (const origin of ["", "two words", "a+b", "keyrite/x", "cosignature/v1", "a\nb"]) {
    assert.throws(
      () => {
        LedgerStore.create(`${path}.2`, origin);
      },
      { code: "usage.refused" },
    );
  }
  assert.equal(existsSync(`${path}.2`), false);
  const missing = join(path, "..", "no", "ledger.db");
  assert.throws(
    () => {
      LedgerStore.create(missing, ORIGIN);
    },
    { code: "site.permissions" },
  );
});

test("nothing is opened that is not there, and opening makes nothing", (t) => {
  const dir = tempDir(t);
  for (const open of [read, reopen, verifyLedger]) {
    assert.throws(() => open(join(dir, "ledger.db")), { code: "ledger.missing" });
  }
  assert.deepEqual(readdirSync(dir), []);
  mkdirSync(join(dir, "folder"));
  assert.throws(() => LedgerStore.open(join(dir, "folder")), { code: "ledger.damaged" });
});

test("C15: a foreign SQLite file and a text file are refused unchanged", (t) => {
  const dir = tempDir(t);
  const text = join(dir, "text");
  writeFileSync(text, "SQLite format 3\0 but no more\n");
  for (const open of [read, reopen]) {
    assert.throws(() => open(text), { code: "ledger.damaged", message: /is no ledger file/ });
  }
  assert.equal(readFileSync(text, "utf8"), "SQLite format 3\0 but no more\n");
});

test("what is appended reads back, under one signed checkpoint a transaction", (t) => {
  const { store, clock } = opened(t);
  assert.deepEqual([store.size, store.origin, store.checkpoint()], [0, ORIGIN, undefined]);
  const first = store.append([draft("one")]);
  clock.time += 5;
  const second = store.append([draft("two"), draft("three")]);
  assert.deepEqual([first.firstSeq, first.size, second.firstSeq, second.size], [0, 1, 1, 3]);
  const entries = [...store.entries()].map(decodeEntry);
  assert.deepEqual(
    entries.map(({ seq, description }) => [seq, description]),
    [
      [0, "one"],
      [1, "two"],
      [2, "three"],
    ],
  );
  assert.equal(entries[1]?.time, "2026-11-23T09:00:00.005Z");
  assert.deepEqual([...store.entries(2)], [store.entry(2)]);
  assert.equal(store.entry(3), undefined);
  const note = parseNote(second.note);
  assert.deepEqual(verifyNote(note, [ledgerVerifier]), [ledgerVerifier]);
  assert.deepEqual(parseCheckpoint(note.text), {
    origin: ORIGIN,
    size: 3,
    root: new Uint8Array(store.root()),
  });
  assert.deepEqual(
    [...store.checkpoints()].map(({ size }) => size),
    [1, 3],
  );
  assert.equal(store.checkpoint(1), first.note);
  assert.equal(store.checkpoint(2), undefined);
  assert.deepEqual(verifyLedger(store, { key: ledgerVerifier }).findings, []);
});

test("a draft that is no entry changes nothing and leaves the ledger usable", (t) => {
  const { store } = opened(t);
  const bad = [
    draft("lone \ud800"),
    draft("x".repeat(70_000)),
    { ...draft("more"), extra: 1 },
    draft("float", { data: { n: 0.5 } }),
  ];
  for (const wrong of bad) {
    assert.throws(() => store.append([draft("good"), wrong]), { code: "internal.bug" });
  }
  assert.throws(() => store.append([]), {
    code: "internal.bug",
    message: "there is no entry to append",
  });
  assert.equal(store.append([draft("good")]).size, 1);
});

test("time may stand still but never goes back, also across openings", (t) => {
  const { store, clock, path } = opened(t);
  store.append([draft("one")]);
  store.append([draft("two")]);
  clock.time -= 1;
  assert.deepEqual(
    refusalOf(() => store.append([draft("early")])),
    {
      code: "site.clock",
      message:
        "the clock says 2026-11-23T08:59:59.999Z, before the last entry of the ledger at 2026-11-23T09:00:00.000Z",
      hints: ["set the machine's clock to UTC, then run the command again"],
    },
  );
  clock.time += 1;
  assert.equal(store.append([draft("three")]).size, 3);
  store.close();
  clock.time -= 1000;
  const again = LedgerStore.open(path, { write: { clock, key: ledgerKey } });
  assert.throws(() => again.append([draft("early")]), { code: "site.clock" });
  again.close();
});

test("attachments are kept once, by the digest of their bytes", (t) => {
  const { store } = opened(t);
  const script = { mediaType: "application/yaml", bytes: Buffer.from("keyrite: script/v1\n") };
  const digest = sha256Hex(script.bytes);
  store.append([draft("one")], [script, script]);
  store.append([draft("two")], [script, { mediaType: "text/plain", bytes: new Uint8Array(0) }]);
  assert.deepEqual(store.attachment(digest), { sha256: digest, ...script });
  assert.equal([...store.attachments()].length, 2);
  assert.equal(store.attachment("00".repeat(32)), undefined);
});

test("cosignatures go on checkpoints only, once each, and nothing else goes there", (t) => {
  const { store } = opened(t);
  const { note } = store.append([draft("one")]);
  const { text } = parseNote(note);
  const ana = signingKeyFromSeed(new Uint8Array(32).fill(1));
  const line = cosignatureLine(text, "example.org/people/ana", 1_764_000_000, ana);
  store.addCosignatures(1, [line, line]);
  store.addCosignatures(1, [line]);
  assert.deepEqual(store.cosignatures(), [{ size: 1, line }]);
  assert.deepEqual(store.cosignatures(2), []);
  for (const wrong of [
    "",
    "no line",
    `${line}\n`,
    signatureLine(text, "example.org/people/ana", ana),
  ]) {
    const { code, message } = refusalOf(() => {
      store.addCosignatures(1, [wrong]);
    });
    assert.equal(code, "ledger.damaged");
    const isSignature = wrong !== "" && !wrong.endsWith("\n") && wrong.startsWith("\u2014");
    assert.equal(
      message,
      isSignature ? "a line is no cosignature" : "a signature line is malformed",
    );
  }
  assert.deepEqual(
    refusalOf(() => {
      store.addCosignatures(2, [line]);
    }),
    damaged("there is no checkpoint of size 2"),
  );
  assert.deepEqual(verifyLedger(store).findings, []);
});

test("proofs and older roots come from the stored nodes and verify", (t) => {
  const { store } = opened(t);
  for (const size of [1, 2, 5])
    store.append(Array.from({ length: size }, (_, i) => draft(`${size}.${i}`)));
  for (const { size, note } of store.checkpoints()) {
    const root = store.rootAt(size);
    assert.equal(hex(parseCheckpoint(parseNote(note).text).root), hex(root));
    for (let seq = 0; seq < size; seq += 1) {
      const proof = store.inclusionProof(seq, size);
      assert.ok(verifyInclusion(leafHash(store.entry(seq) ?? ""), seq, size, proof, root));
    }
    assert.ok(verifyConsistency(size, 8, root, store.root(), store.consistencyProof(size, 8)));
  }
  for (const beyond of [
    () => store.rootAt(9),
    () => store.inclusionProof(1, 9),
    () => store.consistencyProof(1, 9),
  ]) {
    assert.throws(beyond, { name: "RangeError", message: "the ledger has fewer than 9 entries" });
  }
  assert.throws(() => store.rootAt(NaN), { message: "the ledger has fewer than NaN entries" });
  assert.throws(() => store.inclusionProof(8, 8), {
    name: "RangeError",
    message: "there is no leaf 8 in a tree of 8",
  });
});
