/** tlog-proofs: the published vectors, and every entry of small ledgers under every later checkpoint. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { signCheckpoint } from "../../src/ledger/checkpoint.ts";
import { leafHash, nodeHash } from "../../src/ledger/merkle.ts";
import { formatProof, parseProof, verifyCosigned, verifyProof } from "../../src/ledger/proof.ts";
import { LedgerStore } from "../../src/ledger/store.ts";
import { base64, utf8 } from "../../src/lib/encoding.ts";
import { KeyriteError } from "../../src/lib/errors.ts";
import {
  cosignatureLine,
  formatNote,
  formatVerifierKey,
  parseNote,
  parseVerifierKey,
  signatureLine,
  verifierKey,
} from "../../src/lib/note.ts";
import {
  ledgerKey,
  ledgerVerifier,
  makeLedger,
  ORIGIN,
  tempDir,
} from "../support/ledger-fixture.ts";
import { damaged, refusalOf } from "../support/refusal.ts";

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
  assert.deepEqual(
    refusalOf(() => verifyProof(proof, ledgerVerifier)),
    damaged(`${REFUSED} its entry says that it stands elsewhere`),
  );
});

/** A proof, signed with the ledger's own key, that the only entry of a ledger is these bytes. */
function proofOf(extra: Uint8Array | undefined): string {
  const root = leafHash(extra ?? new Uint8Array());
  const checkpoint = signCheckpoint({ origin: ORIGIN, size: 1, root }, ledgerKey);
  return formatProof({ extra, index: 0, hashes: [], checkpoint });
}

const REFUSED = "the proof is refused:";
for (const [what, extra, words] of [
  ["no entry at all", undefined, `${REFUSED} it does not carry its entry`],
  [
    "bytes that are not UTF-8",
    Uint8Array.of(0x7b, 0xff, 0x7d),
    `${REFUSED} its entry is not UTF-8: The encoded data was not valid for encoding utf-8`,
  ],
  [
    "more than an entry can be",
    new Uint8Array(65_536).fill(0x20),
    `${REFUSED} its entry is longer than an entry can be`,
  ],
  [
    "as much as an entry can be, but none",
    new Uint8Array(65_535).fill(0x20),
    "the entry is not JSON",
  ],
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
  assert.deepEqual(
    refusalOf(() => parseProof(long)),
    damaged(`${REFUSED} it is longer than 1200000 characters`),
  );
  assert.throws(
    () => parseProof(long.slice(1)),
    (error) => !String(error).includes("longer"),
  );
});

test("the proof of another ledger is not trusted", () => {
  const other = { ...key, name: "example.org/dc2/test" };
  assert.deepEqual(
    refusalOf(() => verifyProof(vectors.proof, other)),
    {
      code: "ledger.not-trusted",
      message: `the checkpoint of ${key.name} is not signed by the ledger key of example.org/dc2/test`,
      hints: [],
    },
  );
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

const SIGNED = signCheckpoint({ origin: ORIGIN, size: 1, root: leafHash("x") }, ledgerKey);
const FIRST = "c2sp.org/tlog-proof@v1";
const HASH = base64(leafHash("a sibling"));
const NO_INDEX = "its index line is malformed";
const NO_HASH = "a line of the inclusion proof is no SHA-256 hash";

/** What a proof begins with, before the blank line, and what is wrong with it. */
const BEGINNINGS: readonly (readonly [text: string, problem: string])[] = [
  ["c2sp.org/tlog-proof@v2\nindex 0", `its first line is not ${FIRST}`],
  ["index 0", `its first line is not ${FIRST}`],
  [FIRST, NO_INDEX],
  [`${FIRST}\nindex 00`, NO_INDEX],
  [`${FIRST}\nindex 01`, NO_INDEX],
  [`${FIRST}\nindex -1`, NO_INDEX],
  [`${FIRST}\nindex 1 `, NO_INDEX],
  [`${FIRST}\nan index 1`, NO_INDEX],
  [`${FIRST}\nindex 9007199254740992`, NO_INDEX],
  [`${FIRST}\nindex 10000000000000000`, NO_INDEX],
  [`${FIRST}\nextra !\nindex 0`, "the extra data is not base64"],
  [`${FIRST}\nextra AA==\nextra AA==\nindex 0`, NO_INDEX],
  [`${FIRST}\nindex 0\nextra AA==`, NO_HASH],
  [`${FIRST}\nindex 0\nAA==`, NO_HASH],
  [`${FIRST}\nindex 0\n!`, NO_HASH],
  [`${FIRST}\nindex 0${`\n${HASH}`.repeat(64)}`, "it has more than 63 hashes"],
];

for (const [text, problem] of BEGINNINGS) {
  test(`refused: a proof that begins ${JSON.stringify(text.slice(0, 80))}: ${problem}`, () => {
    assert.deepEqual(
      refusalOf(() => parseProof(`${text}\n\n${SIGNED}`)),
      damaged(`${REFUSED} ${problem}`),
    );
  });
}

test("a proof without a blank line, or without a checkpoint behind it, is refused", () => {
  assert.deepEqual(
    refusalOf(() => parseProof(`${FIRST}\nindex 0\n`)),
    damaged(`${REFUSED} it has no blank line before the checkpoint`),
  );
  const note = formatNote("x\n", [signatureLine("x\n", ORIGIN, ledgerKey)]);
  for (const [behind, message] of [
    ["", "the note has no blank line before its signatures"],
    [note, "the checkpoint does not begin with an origin"],
  ] as const) {
    const text = `${FIRST}\nindex 0\n\n${behind}`;
    assert.deepEqual(
      refusalOf(() => parseProof(text)),
      damaged(message),
    );
    const proof = { extra: undefined, index: 0, hashes: [], checkpoint: behind };
    assert.deepEqual(
      refusalOf(() => formatProof(proof)),
      damaged(message),
    );
  }
});

const bytesOf = (text: string): Uint8Array => new Uint8Array(leafHash(text));

test("a proof is written line by line and read as it was written", () => {
  const hashes = Array.from({ length: 63 }, (_, at) => bytesOf(String(at)));
  const index = 2 ** 53 - 1;
  const whole = { extra: utf8("x"), index, hashes, checkpoint: SIGNED };
  assert.deepEqual(parseProof(formatProof(whole)), whole);
  const bare = { extra: undefined, index: 0, hashes: [bytesOf("a sibling")], checkpoint: SIGNED };
  assert.equal(formatProof(bare), `${FIRST}\nindex 0\n${HASH}\n\n${SIGNED}`);
  assert.deepEqual(parseProof(formatProof(bare)), bare);
  const empty = { ...bare, extra: new Uint8Array(0) };
  assert.equal(formatProof(empty), `${FIRST}\nextra \nindex 0\n${HASH}\n\n${SIGNED}`);
});

test("a proof that leads elsewhere is refused with the size of the tree", () => {
  const root = nodeHash(leafHash("x"), leafHash("a sibling"));
  const checkpoint = signCheckpoint({ origin: ORIGIN, size: 2, root }, ledgerKey);
  const proof = { extra: utf8("x"), index: 1, hashes: [leafHash("a sibling")], checkpoint };
  assert.deepEqual(
    refusalOf(() => verifyProof(formatProof(proof), ledgerVerifier)),
    damaged(`${REFUSED} it does not lead from its entry to the root of size 2`),
  );
});

test("cosigners are named, the ledger is not among them, and it must have signed itself", () => {
  const { text } = parseNote(SIGNED);
  const line = cosignatureLine(text, "example.org/ana", 1_795_000_000, ledgerKey);
  const ana = verifierKey("example.org/ana", "cosignature", ledgerKey.publicKey);
  const [own] = parseNote(SIGNED).signatures;
  const both = formatNote(text, [own?.line ?? "", line]);
  const { checkpoint, signers } = verifyCosigned(both, ledgerVerifier, [ana]);
  assert.deepEqual([checkpoint.size, signers], [1, [ana]]);
  const untrusted = {
    code: "ledger.not-trusted",
    message: `the checkpoint of ${ORIGIN} is not signed by the ledger key of ${ORIGIN}`,
  };
  assert.throws(() => verifyCosigned(formatNote(text, [line]), ledgerVerifier, [ana]), untrusted);
});
