/** What the note format and Ed25519 keys refuse. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { signingKeyFromSeed, verifySignature, whyKeyRefused } from "../../src/lib/ed25519.ts";
import { utf8 } from "../../src/lib/encoding.ts";
import {
  cosignatureLine,
  formatNote,
  formatVerifierKey,
  isKeyName,
  parseNote,
  parseVerifierKey,
  signatureLine,
  verifierKey,
  verifyNote,
} from "../../src/lib/note.ts";

const key = signingKeyFromSeed(new Uint8Array(32).fill(9));
const verifier = verifierKey("example.org/x", "ed25519", key.publicKey);
const text = "first\n\nsecond after a blank line\n";
const line = signatureLine(text, "example.org/x", key);

test("a text with blank lines splits at the last one", () => {
  const note = parseNote(formatNote(text, [line]));
  assert.equal(note.text, text);
  assert.deepEqual(verifyNote(note, [verifier]), [verifier]);
});

test("RFC 8032 test 1: key and signature of the empty message", () => {
  const seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
  const signer = signingKeyFromSeed(Buffer.from(seed, "hex"));
  const signature =
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b";
  assert.equal(
    Buffer.from(signer.publicKey).toString("hex"),
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
  );
  assert.equal(Buffer.from(signer.sign(new Uint8Array(0))).toString("hex"), signature);
});

test("a signature of another length, message or key is refused", () => {
  const message = utf8("m");
  const signature = key.sign(message);
  assert.ok(verifySignature(key.publicKey, message, signature));
  for (const length of [0, 63, 65]) {
    const other = Uint8Array.from({ length }, (_, i) => signature[i] ?? 0);
    assert.equal(verifySignature(key.publicKey, message, other), false);
  }
  assert.equal(verifySignature(key.publicKey, utf8("n"), signature), false);
  assert.equal(verifySignature(key.publicKey.subarray(1), message, signature), false);
  for (let bit = 0; bit < 512; bit += 1) {
    const other = Uint8Array.from(signature);
    other[bit >> 3] = (other[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    assert.equal(verifySignature(key.publicKey, message, other), false, `bit ${bit}`);
  }
});

const hexKey = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "hex"));
const REFUSED = {
  "order 4": "00".repeat(32),
  "order 4, other sign": `${"00".repeat(31)}80`,
  identity: `01${"00".repeat(31)}`,
  "order 2": `ec${"ff".repeat(30)}7f`,
  "order 8": "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "order 8, other sign": "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
  "order 8, other y": "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "y = p, a second form of 0": `ed${"ff".repeat(30)}7f`,
  "y = p + 1, a second form of 1": `ee${"ff".repeat(30)}7f`,
  "y = 2^255 - 1": `${"ff".repeat(31)}7f`,
  "31 bytes": "11".repeat(31),
  "33 bytes": "11".repeat(33),
} as const;

for (const [what, bytes] of Object.entries(REFUSED)) {
  test(`a public key is refused: ${what}`, () => {
    assert.ok(whyKeyRefused(hexKey(bytes)));
    assert.throws(
      () => verifierKey("example.org/x", "ed25519", hexKey(bytes)),
      /Ed25519 public key/,
    );
  });
}

test("under a key of small order no signature verifies, not even the universal one", () => {
  // R = identity, S = 0 satisfies the equation for every message when A is the identity.
  const identity = hexKey(REFUSED.identity);
  const universal = Uint8Array.from({ length: 64 }, (_, i) => identity[i] ?? 0);
  assert.equal(verifySignature(identity, utf8("anything"), universal), false);
});

test("a sound key is not refused, a seed of another length is", () => {
  assert.equal(whyKeyRefused(key.publicKey), undefined);
  for (const length of [0, 31, 33, 64]) {
    assert.throws(() => signingKeyFromSeed(new Uint8Array(length)), RangeError);
  }
});

const vkey = formatVerifierKey(verifier);
const BAD_KEYS = {
  empty: "",
  "two parts": vkey.slice(0, vkey.lastIndexOf("+")),
  "id of another key": vkey.replace(/\+[0-9a-f]{8}\+/, "+00000000+"),
  "id in capitals": vkey.replace(/\+[0-9a-f]{8}\+/, (id) => id.toUpperCase().replace(/\d/g, "A")),
  "another name": vkey.replace("org/x", "org/y"),
  "no name": vkey.slice(vkey.indexOf("+")),
  "unknown type": vkey.replace(/[^+]*$/, () =>
    Buffer.from([2, ...key.publicKey]).toString("base64"),
  ),
  "key too short": vkey.replace(/[^+]*$/, () => Buffer.from([1, 2, 3]).toString("base64")),
  "broken base64": `${vkey}=`,
  "trailing newline": `${vkey}\n`,
};

test("a verifier key whose base64 holds a plus sign is read", () => {
  const found = Array.from({ length: 64 }, (_, i) => signingKeyFromSeed(new Uint8Array(32).fill(i)))
    .map((signer) => formatVerifierKey(verifierKey("n", "cosignature", signer.publicKey)))
    .find((candidate) => candidate.split("+").length > 3);
  assert.ok(found);
  assert.equal(formatVerifierKey(parseVerifierKey(found)), found);
});

for (const [what, bad] of Object.entries(BAD_KEYS)) {
  test(`a verifier key is refused: ${what}`, () => {
    assert.throws(() => parseVerifierKey(bad), { code: "ledger.damaged" });
  });
}

const good = formatNote(text, [line]);
const BAD_NOTES = {
  empty: "",
  "only a text": text,
  "a tab": good.replace("first", "fi\trst"),
  "a NUL": good.replace("first", "fi\0rst"),
  "bytes that were not UTF-8": good.replace("first", "fi\uFFFDrst"),
  "a lone surrogate": good.replace("first", "fi\ud800rst"),
  "text after the signatures": `${good}x`,
  "a signature without key id": `${text}\n\u2014 example.org/x AAAA\n`,
  "a key id alone": `${text}\n\u2014 example.org/x AAAAAA==\n`,
  "no empty line": `${text}${line}\n`,
  "more signatures than anybody needs": `${text}\n${`${line}\n`.repeat(101)}`,
  "a name with a no-break space": good.replace("example.org/x", "example.org/\u00a0x"),
};

for (const [what, bad] of Object.entries(BAD_NOTES)) {
  test(`a note is refused: ${what}`, () => {
    assert.throws(() => parseNote(bad), { code: "ledger.damaged" });
  });
}

test("at least sixteen signatures are read, as the format demands", () => {
  assert.equal(parseNote(formatNote(text, Array<string>(16).fill(line))).signatures.length, 16);
});

test("a known key's bad signature is refused even beside its good one", () => {
  const forged = signatureLine("other\n", "example.org/x", key);
  const note = parseNote(formatNote(text, [line, forged]));
  assert.throws(() => verifyNote(note, [verifier]), { code: "ledger.damaged" });
});

test("names: what can and what cannot name a key", () => {
  for (const name of ["a", "example.org/dc1", "ä", "example.org/people/ana"])
    assert.ok(isKeyName(name));
  for (const name of [
    "",
    " ",
    "a b",
    "a+b",
    "a\nb",
    "a\u00a0b",
    "a\u2003b",
    "a\u0085b",
    "\ud800",
  ]) {
    assert.equal(isKeyName(name), false, JSON.stringify(name));
  }
});

test("only a checkpoint's text is cosigned, and only texts with a final newline are signed", () => {
  const name = "example.org/people/ana";
  for (const wrong of ["a\nb\n", "a\n\nb\nc\n", "a\nb\nc", "", good]) {
    assert.throws(() => cosignatureLine(wrong, name, 1, key));
  }
  for (const time of [-1, 1.5, NaN, 2 ** 53]) {
    assert.throws(() => cosignatureLine("a\n1\nb\n", name, time, key), TypeError);
  }
  assert.throws(() => signatureLine("no newline", name, key), TypeError);
  assert.throws(() => signatureLine("a\n", "two words", key), TypeError);
  assert.throws(() => formatNote("no newline", [line]));
});
