/** Checkpoints: which texts are one, and what is said of those that are not. */

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  formatCheckpoint,
  isOrigin,
  judgeCheckpoint,
  parseCheckpoint,
  signCheckpoint,
} from "../../src/ledger/checkpoint.ts";
import { signingKeyFromSeed } from "../../src/lib/ed25519.ts";
import { base64 } from "../../src/lib/encoding.ts";
import { cosignatureLine, formatNote, signatureLine } from "../../src/lib/note.ts";
import { ledgerKey, ledgerVerifier, ORIGIN } from "../support/ledger-fixture.ts";
import { damaged, refusalOf } from "../support/refusal.ts";

const root = new Uint8Array(32).fill(7);
const ROOT = base64(root);

test("no origin begins like the notes that people sign, although it may hold such words", () => {
  for (const name of [
    "keyrite/agreement/v1",
    "keyrite/",
    "cosignature/v1",
    "cosignature/v1x",
    "a b",
    "",
  ]) {
    assert.equal(isOrigin(name), false, name);
  }
  for (const name of [
    "keyrite",
    "keyrite.org/dc1",
    "a/keyrite/x",
    "cosignature/v2",
    "x/cosignature/v1",
  ]) {
    assert.equal(isOrigin(name), true, name);
  }
});

test("every size that JavaScript counts exactly is written and read", () => {
  for (const size of [0, 1, 9, 10, 4711, 2 ** 53 - 1]) {
    const text = formatCheckpoint({ origin: ORIGIN, size, root });
    assert.equal(text, `${ORIGIN}\n${size}\n${ROOT}\n`);
    assert.deepEqual(parseCheckpoint(text), { origin: ORIGIN, size, root });
  }
});

const NO_ORIGIN = "the checkpoint does not begin with an origin";
const NO_SIZE = "the checkpoint's second line is no size";
const NO_ROOT = "the checkpoint's third line is no root hash";

/** Texts that are no checkpoint, and why. */
const MALFORMED: readonly (readonly [text: string, why: string])[] = [
  ["", NO_ORIGIN],
  [`${ORIGIN}\n1\n${ROOT}`, NO_ORIGIN],
  [`${ORIGIN}\n1\n${ROOT}\nmore\n`, NO_ORIGIN],
  [`\n${ORIGIN}\n1\n${ROOT}\n`, NO_ORIGIN],
  [`${ORIGIN}\n1\n`, NO_ORIGIN],
  [`two words\n1\n${ROOT}\n`, NO_ORIGIN],
  [`keyrite/agreement/v1\n1\n${ROOT}\n`, NO_ORIGIN],
  [`${ORIGIN}\n01\n${ROOT}\n`, NO_SIZE],
  [`${ORIGIN}\n-1\n${ROOT}\n`, NO_SIZE],
  [`${ORIGIN}\n1.5\n${ROOT}\n`, NO_SIZE],
  [`${ORIGIN}\nx1\n${ROOT}\n`, NO_SIZE],
  [`${ORIGIN}\n1x\n${ROOT}\n`, NO_SIZE],
  [`${ORIGIN}\n1e3\n${ROOT}\n`, NO_SIZE],
  [`${ORIGIN}\n${2 ** 53}\n${ROOT}\n`, NO_SIZE],
  [`${ORIGIN}\n1\n${base64(new Uint8Array(31))}\n`, NO_ROOT],
  [`${ORIGIN}\n1\n${base64(new Uint8Array(33))}\n`, NO_ROOT],
  [`${ORIGIN}\n1\n!\n`, NO_ROOT],
];

for (const [text, why] of MALFORMED) {
  test(`no checkpoint: ${JSON.stringify(text)}`, () => {
    assert.deepEqual(
      refusalOf(() => parseCheckpoint(text)),
      damaged(why),
    );
  });
}

const expected = { origin: ORIGIN, size: 3, key: ledgerVerifier };
const text = formatCheckpoint({ origin: ORIGIN, size: 3, root });
const own = signatureLine(text, ORIGIN, ledgerKey);
const other = signingKeyFromSeed(new Uint8Array(32).fill(1));
const cosigned = cosignatureLine(text, "example.org/ana", 1_795_000_000, other);

const SIGNATURES = "does not bear exactly the ledger's own signature";
const PLACE = "states another origin or size";
const malformed = (why: string) => ({ fault: { code: "checkpoint.malformed", text: why } });
const signed = (origin: string, size: number): string =>
  signCheckpoint({ origin, size, root }, ledgerKey);

/** Notes as a file may hold them in the place of the checkpoint of size 3. */
const JUDGED: Readonly<Record<string, readonly [note: string, judgement: unknown]>> = {
  "the ledger's own": [formatNote(text, [own]), { root }],
  "one of another size": [signed(ORIGIN, 4), malformed(PLACE)],
  "one of another ledger": [signed("example.org/dc2", 3), malformed(PLACE)],
  "one with a cosignature": [formatNote(text, [own, cosigned]), malformed(SIGNATURES)],
  "one with a cosignature alone": [formatNote(text, [cosigned]), malformed(SIGNATURES)],
  "one with a cosignature in the ledger's name": [
    formatNote(text, [cosignatureLine(text, ORIGIN, 1_795_000_000, ledgerKey)]),
    malformed(SIGNATURES),
  ],
  "one signed in another name": [
    formatNote(text, [signatureLine(text, "example.org/dc2", ledgerKey)]),
    malformed(SIGNATURES),
  ],
  "one that another key signed": [
    formatNote(text, [signatureLine(text, ORIGIN, other)]),
    { fault: { code: "checkpoint.signature", text: "is not signed by the ledger's key" } },
  ],
  "no note": ["x", malformed("is malformed: the note has no blank line before its signatures")],
  "a note that is no checkpoint": [
    formatNote(`${ORIGIN}\n`, [own]),
    malformed(`is malformed: ${NO_ORIGIN}`),
  ],
};

for (const [what, [note, judgement]] of Object.entries(JUDGED)) {
  test(`C14: judged in the place of a checkpoint: ${what}`, () => {
    assert.deepEqual(judgeCheckpoint(note, expected), judgement);
  });
}

test("without the ledger's key the signature of a checkpoint is not judged", () => {
  const foreign = formatNote(text, [signatureLine(text, ORIGIN, other)]);
  assert.deepEqual(judgeCheckpoint(foreign, { ...expected, key: undefined }), {
    root,
  });
});
