/** C14: verifying for a look only. One signature covers every entry; nothing else is let through. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { signCheckpoint } from "../../src/ledger/checkpoint.ts";
import { verifyLedger } from "../../src/ledger/verify.ts";
import { signingKeyFromSeed } from "../../src/lib/ed25519.ts";
import { ledgerKey, ledgerVerifier, ORIGIN, tampered } from "../support/ledger-fixture.ts";
import { changed, forged, named, path, setBody, SIZE } from "../support/tamper.ts";

type Change = Parameters<typeof tampered>[1];

const other = signingKeyFromSeed(new Uint8Array(32).fill(1));
const checkpoint = (size: number, note: string): Change => {
  return (db) => db.prepare("UPDATE checkpoints SET note = ? WHERE size = ?").run(note, size);
};

/** Findings when only the newest signature is verified. */
function looked(change: Change): readonly string[] {
  const options = { key: ledgerVerifier, origin: ORIGIN, signatures: "newest" } as const;
  return named(verifyLedger(tampered(path, change), options).findings);
}

/** The checkpoint of `size` with its own root, signed by somebody else. */
function resigned(size: number): Change {
  return (db) => {
    const stored: unknown = db
      .prepare("SELECT note FROM checkpoints WHERE size = ?")
      .pluck()
      .get(size);
    const root = Buffer.from(String(stored).split("\n")[2] ?? "", "base64");
    checkpoint(size, signCheckpoint({ origin: ORIGIN, size, root }, other))(db);
  };
}

test("C14: an older checkpoint that somebody else signed is found by full verification", () => {
  assert.deepEqual(named(changed(resigned(2))), ["checkpoint.signature 1"]);
  assert.deepEqual(looked(resigned(2)), []);
});

test("C14: the newest one's signature is verified, also when entries or checkpoints are cut off or added", () => {
  assert.deepEqual(looked(resigned(SIZE)), [`checkpoint.signature ${SIZE - 1}`]);
  const beyond = signCheckpoint({ origin: ORIGIN, size: 99, root: new Uint8Array(32) }, other);
  const add = "INSERT INTO checkpoints (size, note) VALUES (99, ?)";
  const added = looked((db) => {
    resigned(SIZE)(db);
    db.prepare(add).run(beyond);
  });
  assert.ok(added.some((finding) => finding.startsWith("entry.missing")));
  const cut = looked((db) => db.prepare("DELETE FROM checkpoints WHERE size = ?").run(SIZE));
  assert.ok(cut.some((finding) => finding.startsWith("checkpoint.missing")));
});

test("C14: a changed entry and a root that does not fit are found as ever", () => {
  for (let seq = 0; seq < SIZE; seq += 1) {
    const found = looked((db) => {
      setBody(db, seq, forged(seq));
    });
    assert.ok(found.includes(`entry.altered ${seq}`), found.join(", "));
  }
  const wrong = signCheckpoint({ origin: ORIGIN, size: 2, root: new Uint8Array(32) }, ledgerKey);
  assert.ok(looked(checkpoint(2, wrong)).includes("checkpoint.root 1"));
  assert.ok(looked(checkpoint(2, "nothing")).includes("checkpoint.malformed 1"));
});
