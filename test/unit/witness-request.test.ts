/** Requests for a cosignature and their answers: what each malformed, forged or forked one is refused with. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCheckpoint, signCheckpoint } from "../../src/ledger/checkpoint.ts";
import { EMPTY_ROOT, leafHash } from "../../src/ledger/merkle.ts";
import {
  formatRequest,
  judgeAnswer,
  judgeRequest,
  LONGEST_REQUEST,
  parseRequest,
} from "../../src/ledger/witness.ts";
import { signingKeyFromSeed } from "../../src/lib/ed25519.ts";
import { base64, sha256, utf8 } from "../../src/lib/encoding.ts";
import { KeyriteError, type ErrorCode } from "../../src/lib/errors.ts";
import { cosignatureLine, parseNote, signatureLine, verifierKey } from "../../src/lib/note.ts";
import { ledgerKey, ledgerVerifier, ORIGIN } from "../support/ledger-fixture.ts";

const root = leafHash("one");
const checkpoint = signCheckpoint({ origin: ORIGIN, size: 1, root }, ledgerKey);
const empty = signCheckpoint({ origin: ORIGIN, size: 0, root: EMPTY_ROOT }, ledgerKey);
const seen = (note: string) => parseCheckpoint(parseNote(note).text);

function refuses(run: () => unknown, code: ErrorCode, says: RegExp): void {
  assert.throws(run, (error) => {
    assert.ok(error instanceof KeyriteError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, says);
    return true;
  });
}

const HASH = base64(sha256(utf8("hash")));
const MALFORMED: Readonly<Record<string, readonly [string, RegExp]>> = {
  "more characters than any needs": ["x".repeat(LONGEST_REQUEST + 1), /longer than 1048576/],
  "no blank line": [`old 0\n${HASH}\n`, /no blank line before the checkpoint/],
  "another first line": [`new 0\n\n${checkpoint}`, /first line is not "old" and a size/],
  "a size with a leading zero": [`old 01\n\n${checkpoint}`, /first line is not "old"/],
  "a size beyond 2^53": [`old 9999999999999999\n\n${checkpoint}`, /first line is not "old"/],
  "a size below nothing": [`old -1\n\n${checkpoint}`, /first line is not "old"/],
  "64 hashes": [`old 1\n${`${HASH}\n`.repeat(64)}\n${checkpoint}`, /more than 63 hashes/],
  "a short hash": [`old 1\nAAAA\n\n${checkpoint}`, /no SHA-256 hash/],
  "a hash that is no base64": [`old 1\n!\n\n${checkpoint}`, /no SHA-256 hash/],
  "no checkpoint": ["old 1\n\nnothing\n", /the note has no/],
};

for (const [what, [text, says]] of Object.entries(MALFORMED)) {
  test(`a request with ${what} is refused`, () => {
    refuses(() => parseRequest(text), "ledger.damaged", says);
  });
}

test("a request is read as it was written, with 63 hashes too", () => {
  const hashes = Array.from({ length: 63 }, (_, at) => sha256(utf8(String(at))));
  const request = { old: 9007199254740991, hashes, checkpoint };
  assert.deepEqual(parseRequest(formatRequest(request)), request);
});

test("whoever has seen nothing, or an empty ledger, needs no proof and takes none", () => {
  for (const before of [undefined, seen(empty)]) {
    assert.equal(judgeRequest({ old: 0, hashes: [], checkpoint }, before, ledgerVerifier).size, 1);
    const padded = { old: 0, hashes: [root], checkpoint };
    refuses(() => judgeRequest(padded, before, ledgerVerifier), "ledger.forked", /does not extend/);
  }
});

test("the same head again is answered, another of the same size is a fork", () => {
  const again = { old: 1, hashes: [], checkpoint };
  assert.equal(judgeRequest(again, seen(checkpoint), ledgerVerifier).size, 1);
  const other = signCheckpoint({ origin: ORIGIN, size: 1, root: leafHash("two") }, ledgerKey);
  refuses(
    () => judgeRequest(again, seen(other), ledgerVerifier),
    "ledger.forked",
    /does not extend your head of size 1: entries before it were changed/,
  );
});

test("an empty ledger has the root of nothing, and no proof", () => {
  const good = { old: 0, hashes: [], checkpoint: empty };
  assert.equal(judgeRequest(good, undefined, ledgerVerifier).size, 0);
  const padded = { ...good, hashes: [root] };
  refuses(() => judgeRequest(padded, undefined, ledgerVerifier), "ledger.forked", /of size 0/);
});

test("a head of another origin or another key is not believed", () => {
  const foreign = signCheckpoint({ origin: "example.org/dc2/test", size: 1, root }, ledgerKey);
  const forged = signCheckpoint(
    { origin: ORIGIN, size: 1, root },
    signingKeyFromSeed(new Uint8Array(32).fill(9)),
  );
  for (const note of [foreign, forged]) {
    refuses(
      () => judgeRequest({ old: 0, hashes: [], checkpoint: note }, undefined, ledgerVerifier),
      "ledger.not-trusted",
      /is not signed by the ledger key of/,
    );
  }
});

const cosigner = signingKeyFromSeed(new Uint8Array(32).fill(7));
const NAME = "example.org/dc1/test/eve";
const known = verifierKey(NAME, "cosignature", cosigner.publicKey);
const onHead = (note: string): string =>
  cosignatureLine(parseNote(note).text, NAME, 1_795_000_000, cosigner);
const HEADS = [
  { size: 1, note: checkpoint },
  { size: 0, note: empty },
];

test("an answer names the checkpoint that each of its lines is on", () => {
  const lines = [onHead(empty), onHead(checkpoint)];
  const accepted = judgeAnswer(`${lines.join("\n")}\n`, () => HEADS, [known]);
  assert.deepEqual(
    accepted.map(({ size, name, line }) => [size, name, line]),
    [
      [0, NAME, lines[0]],
      [1, NAME, lines[1]],
    ],
  );
});

const line = onHead(checkpoint);
const ANSWERS: Readonly<Record<string, readonly [string, ErrorCode, RegExp]>> = {
  "no line": ["", "ledger.damaged", /not 1 to 100 cosignature lines/],
  "a last line that is cut off": [line, "ledger.damaged", /not 1 to 100/],
  "101 lines": [`${line}\n`.repeat(101), "ledger.damaged", /not 1 to 100/],
  "a line that is none": ["nothing\n", "ledger.damaged", /signature line is malformed/],
  "the name of a stranger": [
    `${cosignatureLine(parseNote(checkpoint).text, "example.org/zoe", 1, cosigner)}\n`,
    "ledger.not-trusted",
    /nobody known here cosigns as example\.org\/zoe/,
  ],
  "a known name with another key": [
    `${cosignatureLine(parseNote(checkpoint).text, NAME, 1, ledgerKey)}\n`,
    "ledger.not-trusted",
    /nobody known here cosigns as/,
  ],
  "a signature of the ledger's own": [
    `${signatureLine(parseNote(checkpoint).text, ORIGIN, ledgerKey)}\n`,
    "ledger.not-trusted",
    /nobody known here cosigns as/,
  ],
  "a cosignature on another ledger's head": [
    `${onHead(signCheckpoint({ origin: ORIGIN, size: 1, root: leafHash("two") }, ledgerKey))}\n`,
    "ledger.not-trusted",
    /is on no checkpoint of this ledger/,
  ],
};

for (const [what, [text, code, says]] of Object.entries(ANSWERS)) {
  test(`an answer with ${what} is refused`, () => {
    refuses(() => judgeAnswer(text, () => HEADS, [known]), code, says);
  });
}
