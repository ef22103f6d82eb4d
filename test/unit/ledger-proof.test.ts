/** tlog-proofs: the published vectors, and every entry of small ledgers under every later checkpoint. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { signCheckpoint } from "../../src/ledger/checkpoint.ts";
import { leafHash } from "../../src/ledger/merkle.ts";
import { formatProof, parseProof, verifyProof } from "../../src/ledger/proof.ts";
import { LedgerStore } from "../../src/ledger/store.ts";
import { utf8 } from "../../src/lib/encoding.ts";
import { KeyriteError } from "../../src/lib/errors.ts";
import { formatVerifierKey, parseVerifierKey } from "../../src/lib/note.ts";
import {
  ledgerKey,
  ledgerVerifier,
  makeLedger,
  ORIGIN,
  tempDir,
} from "../support/ledger-fixture.ts";

interface Vectors {
  readonly ledgerKey: string;
  readonly cosigners: readonly string[];
  readonly entry: string;
  readonly proof: string;
  readonly refused: readonly { readonly expect: string; readonly proof: string }[];
}
const path = new URL("../vectors/proof.json", import.meta.url);
const vectors = JSON.parse(readFileSync(path, "utf8")) as Vectors;
const key = parseVerifierKey(vectors.ledgerKey);
const cosigners = vectors.cosigners.map(parseVerifierKey);

/** What our messages say for each class of failure that the vectors name. */
const CLASSES: Readonly<Record<string, RegExp>> = {
  form: /first line|index line|is not base64|no SHA-256 hash|no blank line|more than 63|control character/,
  path: /does not lead from its entry/,
  "no entry": /does not carry its entry/,
  signature: /the signature of .* is wrong/,
  "not trusted": /is not signed by the ledger key/,
};

describe("the published vectors", () => {
  test("the good one shows its entry and who cosigned, and is written byte for byte", () => {
    const { entry, checkpoint, signers } = verifyProof(vectors.proof, key, cosigners);
    assert.equal(entry.seq, 4);
    assert.equal(checkpoint.size, 7);
    assert.deepEqual(signers.map(formatVerifierKey), vectors.cosigners);
    assert.equal(formatProof(parseProof(vectors.proof)), vectors.proof);
    assert.deepEqual(parseProof(vectors.proof).extra, utf8(vectors.entry));
  });

  for (const [at, { expect, proof }] of vectors.refused.entries()) {
    test(`proof ${at} is refused: ${expect}`, () => {
      const words = CLASSES[expect];
      assert.ok(words, expect);
      assert.throws(
        () => verifyProof(proof, key, cosigners),
        (error) => error instanceof KeyriteError && words.test(error.message),
      );
    });
  }

  test("cosigners that are not asked for are passed over", () => {
    assert.deepEqual(verifyProof(vectors.proof, key).signers, []);
  });
});

test("every entry of a ledger is proved under every later checkpoint, and under no other index", (t) => {
  const groups = Array.from({ length: 20 }, (_, i) => [`entry ${i}`]);
  const store = LedgerStore.open(makeLedger(tempDir(t), groups));
  t.after(() => {
    store.close();
  });
  for (let size = 1; size <= store.size; size += 1) {
    const checkpoint = store.checkpoint(size) ?? "";
    for (let seq = 0; seq < size; seq += 1) {
      const hashes = store.inclusionProof(seq, size);
      const extra = utf8(store.entry(seq) ?? "");
      const proof = formatProof({ extra, index: seq, hashes, checkpoint });
      assert.equal(verifyProof(proof, ledgerVerifier).entry.seq, seq);
      const shifted = formatProof({ extra, index: (seq + 1) % 20, hashes, checkpoint });
      assert.throws(() => verifyProof(shifted, ledgerVerifier), { code: "ledger.damaged" });
    }
  }
});

test("an entry that says it stands elsewhere is refused although it is in the tree", (t) => {
  const store = LedgerStore.open(makeLedger(tempDir(t), [["a"], ["b"]]));
  const entry = store.entry(1) ?? "";
  store.close();
  // Whoever holds the ledger's key can sign a tree of any entries at any place.
  const checkpoint = signCheckpoint({ origin: ORIGIN, size: 1, root: leafHash(entry) }, ledgerKey);
  const proof = formatProof({ extra: utf8(entry), index: 0, hashes: [], checkpoint });
  assert.throws(() => verifyProof(proof, ledgerVerifier), /says that it stands elsewhere/);
});

/** A proof, signed with the ledger's own key, that the only entry of a ledger is these bytes. */
function proofOf(extra: Uint8Array | undefined): string {
  const root = leafHash(extra ?? new Uint8Array());
  const checkpoint = signCheckpoint({ origin: ORIGIN, size: 1, root }, ledgerKey);
  return formatProof({ extra, index: 0, hashes: [], checkpoint });
}

for (const [what, extra, words] of [
  ["no entry at all", undefined, /it does not carry its entry/],
  ["bytes that are not UTF-8", Uint8Array.of(0x7b, 0xff, 0x7d), /its entry is not UTF-8/],
  ["more than an entry can be", new Uint8Array(65_536).fill(0x20), /longer than an entry can be/],
  ["as much as an entry can be, but none", new Uint8Array(65_535).fill(0x20), /JSON|canonical/],
] as const) {
  test(`a proof that carries ${what} is refused although the ledger's key signed it`, () => {
    assert.throws(() => verifyProof(proofOf(extra), ledgerVerifier), {
      code: "ledger.damaged",
      message: words,
    });
  });
}

test("a proof of 1,200,001 characters is not looked at", () => {
  const proof = proofOf(undefined);
  const long = proof + "x".repeat(1_200_001 - proof.length);
  assert.throws(() => parseProof(long), /it is longer than 1200000 characters/);
  assert.throws(
    () => parseProof(long.slice(1)),
    (error) => !String(error).includes("longer"),
  );
});

test("the proof of another ledger is not trusted", () => {
  const other = { ...key, name: "example.org/dc2/test" };
  assert.throws(() => verifyProof(vectors.proof, other), { code: "ledger.not-trusted" });
});

test("2,000 mutations of a proof: none shows anything else than the proof itself", () => {
  const honest = verifyProof(vectors.proof, key, cosigners);
  const text = vectors.proof;
  for (let number = 0; number < 2000; number += 1) {
    const at = (number * 7919) % text.length;
    const char = String.fromCharCode(33 + (number % 90));
    const altered = text.slice(0, at) + char + text.slice(at + (number % 2));
    if (altered === text) continue;
    try {
      const shown = verifyProof(altered, key, cosigners);
      // A cosigner's name may be altered, and is then unknown; nothing else may differ.
      assert.ok(shown.signers.length < 2, `mutation ${number} passed unnoticed`);
      assert.deepEqual(shown.entry, honest.entry);
    } catch (error) {
      assert.ok(error instanceof KeyriteError, `mutation ${number}: ${String(error)}`);
    }
  }
});
