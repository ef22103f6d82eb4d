/** Requests for a cosignature and their answers: what each malformed, forged or forked one is refused with. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCheckpoint, signCheckpoint } from "../../src/ledger/checkpoint.ts";
import { EMPTY_ROOT, leafHash, nodeHash } from "../../src/ledger/merkle.ts";
import {
  formatRequest,
  judgeAnswer,
  judgeRequest,
  LONGEST_REQUEST,
  parseRequest,
} from "../../src/ledger/witness.ts";
import { signingKeyFromSeed } from "../../src/lib/ed25519.ts";
import { base64, sha256, utf8 } from "../../src/lib/encoding.ts";
import {
  cosignatureLine,
  formatNote,
  parseNote,
  signatureLine,
  verifierKey,
} from "../../src/lib/note.ts";
import { ledgerKey, ledgerVerifier, ORIGIN } from "../support/ledger-fixture.ts";
import { damaged, refusalOf, type Refusal } from "../support/refusal.ts";

const root = leafHash("one");
const checkpoint = signCheckpoint({ origin: ORIGIN, size: 1, root }, ledgerKey);
const empty = signCheckpoint({ origin: ORIGIN, size: 0, root: EMPTY_ROOT }, ledgerKey);
const textOf = (note: string): string => parseNote(note).text;
const resigned = (note: string, line: string): string => formatNote(textOf(note), [line]);
const forked = (size: number): Refusal => ({
  code: "ledger.forked",
  message: `the ledger of ${ORIGIN} does not extend your head of size ${size}: entries before it were changed`,
  hints: ["stop: keep your head and this request, and tell the auditor"],
});
const seen = (note: string) => parseCheckpoint(parseNote(note).text);

const HASH = base64(sha256(utf8("hash")));
const NO_START = 'its first line is not "old" and a size';
const NO_HASH = "a line of its consistency proof is no SHA-256 hash";
const MALFORMED: Readonly<Record<string, readonly [text: string, problem: string]>> = {
  "more characters than any needs": [
    "x".repeat(LONGEST_REQUEST + 1),
    "it is longer than 1048576 characters",
  ],
  "as many characters as any needs, and no blank line": [
    "x".repeat(LONGEST_REQUEST),
    "it has no blank line before the checkpoint",
  ],
  "no blank line": [`old 0\n${HASH}\n`, "it has no blank line before the checkpoint"],
  "a blank line alone": [`\n\n${checkpoint}`, NO_START],
  "another first line": [`new 0\n\n${checkpoint}`, NO_START],
  "words before its first": [`x old 0\n\n${checkpoint}`, NO_START],
  "words behind the size": [`old 0 x\n\n${checkpoint}`, NO_START],
  "a size with a leading zero": [`old 01\n\n${checkpoint}`, NO_START],
  "a size beyond 2^53": [`old 9007199254740992\n\n${checkpoint}`, NO_START],
  "a size of 17 digits": [`old 10000000000000000\n\n${checkpoint}`, NO_START],
  "a size below nothing": [`old -1\n\n${checkpoint}`, NO_START],
  "64 hashes": [`old 1\n${`${HASH}\n`.repeat(64)}\n${checkpoint}`, "it has more than 63 hashes"],
  "a short hash": [`old 1\nAAAA\n\n${checkpoint}`, NO_HASH],
  "a hash that is no base64": [`old 1\n!\n\n${checkpoint}`, NO_HASH],
};

for (const [what, [text, problem]] of Object.entries(MALFORMED)) {
  test(`a request with ${what} is refused`, () => {
    assert.deepEqual(
      refusalOf(() => parseRequest(text)),
      damaged(`the file is refused: ${problem}`),
    );
  });
}

test("a request without a checkpoint is refused", () => {
  assert.equal(
    refusalOf(() => parseRequest("old 1\n\nnothing\n")).message,
    "the note has no blank line before its signatures",
  );
  const noCheckpoint = formatNote("x\n", [signatureLine("x\n", ORIGIN, ledgerKey)]);
  assert.equal(
    refusalOf(() => parseRequest(`old 1\n\n${noCheckpoint}`)).message,
    "the checkpoint does not begin with an origin",
  );
});

test("a request is read as it was written, with 63 hashes too", () => {
  const hashes = Array.from({ length: 63 }, (_, at) => sha256(utf8(String(at))));
  const request = { old: 9007199254740991, hashes, checkpoint };
  assert.deepEqual(parseRequest(formatRequest(request)), request);
  assert.equal(formatRequest({ old: 7, hashes: [], checkpoint }), `old 7\n\n${checkpoint}`);
  assert.equal(
    formatRequest({ old: 7, hashes: hashes.slice(0, 2), checkpoint }),
    `old 7\n${hashes.slice(0, 2).map(base64).join("\n")}\n\n${checkpoint}`,
  );
});

test("whoever has seen nothing, or an empty ledger, needs no proof and takes none", () => {
  for (const before of [undefined, seen(empty)]) {
    assert.equal(judgeRequest({ old: 0, hashes: [], checkpoint }, before, ledgerVerifier).size, 1);
    const padded = { old: 0, hashes: [root], checkpoint };
    assert.deepEqual(
      refusalOf(() => judgeRequest(padded, before, ledgerVerifier)),
      forked(0),
    );
  }
});

test("the same head again is answered, another of the same size is a fork", () => {
  const again = { old: 1, hashes: [], checkpoint };
  assert.equal(judgeRequest(again, seen(checkpoint), ledgerVerifier).size, 1);
  const other = signCheckpoint({ origin: ORIGIN, size: 1, root: leafHash("two") }, ledgerKey);
  const padded = { ...again, hashes: [root] };
  for (const [request, before] of [
    [again, other],
    [padded, checkpoint],
  ] as const) {
    assert.deepEqual(
      refusalOf(() => judgeRequest(request, seen(before), ledgerVerifier)),
      forked(1),
    );
  }
});

test("an empty ledger has the root of nothing, and no proof", () => {
  const good = { old: 0, hashes: [], checkpoint: empty };
  assert.equal(judgeRequest(good, undefined, ledgerVerifier).size, 0);
  const padded = { ...good, hashes: [root] };
  const other = signCheckpoint({ origin: ORIGIN, size: 0, root }, ledgerKey);
  for (const request of [padded, { ...good, checkpoint: other }]) {
    assert.deepEqual(
      refusalOf(() => judgeRequest(request, undefined, ledgerVerifier)),
      forked(0),
    );
  }
});

test("a head of another origin or another key is not believed", () => {
  const foreign = signCheckpoint({ origin: "example.org/dc2/test", size: 1, root }, ledgerKey);
  const forged = signCheckpoint(
    { origin: ORIGIN, size: 1, root },
    signingKeyFromSeed(new Uint8Array(32).fill(9)),
  );
  for (const [note, origin] of [
    [foreign, "example.org/dc2/test"],
    [forged.replaceAll(ORIGIN, "example.org/dc2/test"), "example.org/dc2/test"],
    [resigned(checkpoint, signatureLine(textOf(checkpoint), "example.org/x", ledgerKey)), ORIGIN],
    [resigned(foreign, signatureLine(textOf(foreign), ORIGIN, ledgerKey)), "example.org/dc2/test"],
  ] as const) {
    assert.deepEqual(
      refusalOf(() =>
        judgeRequest({ old: 0, hashes: [], checkpoint: note }, undefined, ledgerVerifier),
      ),
      {
        code: "ledger.not-trusted",
        message: `the checkpoint of ${origin} is not signed by the ledger key of ${ORIGIN}`,
        hints: ["compare the trust file with the signed genesis sheet of that site"],
      },
    );
  }
  const { code } = refusalOf(() =>
    judgeRequest({ old: 0, hashes: [], checkpoint: forged }, undefined, ledgerVerifier),
  );
  assert.equal(code, "ledger.not-trusted");
});

test("a request that starts elsewhere than at the head that is carried is refused with the size to ask for", () => {
  const request = { old: 0, hashes: [], checkpoint };
  assert.deepEqual(
    refusalOf(() => judgeRequest(request, seen(checkpoint), ledgerVerifier)),
    {
      code: "ledger.not-trusted",
      message: "the request starts from size 0, the head you carry has size 1",
      hints: ["ask the site for one from there: keyrite cosign request --old 1"],
    },
  );
  assert.deepEqual(
    refusalOf(() => judgeRequest({ ...request, old: 2 }, undefined, ledgerVerifier)),
    {
      code: "ledger.not-trusted",
      message: "the request starts from size 2, the head you carry has size 0",
      hints: ["ask the site for one from there: keyrite cosign request --old 0"],
    },
  );
});

test("C17: a ledger that became shorter is refused with the first missing entry", () => {
  const longer = { origin: ORIGIN, size: 3, root };
  assert.deepEqual(
    refusalOf(() => judgeRequest({ old: 3, hashes: [], checkpoint }, longer, ledgerVerifier)),
    {
      code: "ledger.forked",
      message: `the ledger of ${ORIGIN} has 1 entries, your head has 3: entry 1 is the first missing one`,
      hints: ["stop: entries were cut off, or this is an old copy; do not sign"],
    },
  );
});

test("C11: a proof leads from the head that is carried, and from no other", () => {
  const [one, two] = [leafHash("one"), leafHash("two")];
  const next = signCheckpoint({ origin: ORIGIN, size: 2, root: nodeHash(one, two) }, ledgerKey);
  const request = { old: 1, hashes: [two], checkpoint: next };
  assert.equal(judgeRequest(request, seen(checkpoint), ledgerVerifier).size, 2);
  for (const hashes of [[], [one], [two, two]]) {
    assert.deepEqual(
      refusalOf(() => judgeRequest({ ...request, hashes }, seen(checkpoint), ledgerVerifier)),
      forked(1),
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
const lines = (message: string): Refusal => damaged(`the file is refused: ${message}`);
const stranger = (name: string): Refusal => ({
  code: "ledger.not-trusted",
  message: `nobody known here cosigns as ${name}`,
  hints: ["somebody who is not on the roster: give their verifier key with --key"],
});
const NOT_LINES = "it is not 1 to 100 cosignature lines";
const ANSWERS: Readonly<Record<string, readonly [string, Refusal]>> = {
  nothing: ["", lines(NOT_LINES)],
  "a last line that is cut off": [line, lines(NOT_LINES)],
  "101 lines": [`${line}\n`.repeat(101), lines(NOT_LINES)],
  "a line that is none": ["nothing\n", damaged("a signature line is malformed")],
  "the name of a stranger": [
    `${cosignatureLine(textOf(checkpoint), "example.org/zoe", 1, cosigner)}\n`,
    stranger("example.org/zoe"),
  ],
  "a known name with another key": [
    `${cosignatureLine(textOf(checkpoint), NAME, 1, ledgerKey)}\n`,
    stranger(NAME),
  ],
  "a signature of the ledger's own": [
    `${signatureLine(textOf(checkpoint), ORIGIN, ledgerKey)}\n`,
    stranger(ORIGIN),
  ],
  "a cosignature on another ledger's head": [
    `${onHead(signCheckpoint({ origin: ORIGIN, size: 1, root: leafHash("two") }, ledgerKey))}\n`,
    {
      code: "ledger.not-trusted",
      message: `the line of ${NAME} is on no checkpoint of this ledger`,
      hints: ["it may be the answer to another site's request"],
    },
  ],
};

for (const [what, [text, refusal]] of Object.entries(ANSWERS)) {
  test(`an answer with ${what} is refused`, () => {
    assert.deepEqual(
      refusalOf(() => judgeAnswer(text, () => HEADS, [known])),
      refusal,
    );
  });
}

test("an answer of 100 lines is read", () => {
  assert.equal(judgeAnswer(`${line}\n`.repeat(100), () => HEADS, [known]).length, 100);
});
