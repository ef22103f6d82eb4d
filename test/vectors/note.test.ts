/** Signed notes and cosignatures against the specification's example and our own keyed vectors. */

import assert from "node:assert/strict";
import { createPublicKey, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { signingKeyFromSeed } from "../../src/lib/ed25519.ts";
import { hex, sha256 } from "../../src/lib/encoding.ts";
import { KeyriteError } from "../../src/lib/errors.ts";
import {
  checkSignature,
  cosignatureLine,
  cosignatureTime,
  formatVerifierKey,
  parseNote,
  parseVerifierKey,
  verifyNote,
} from "../../src/lib/note.ts";

// C2SP signed-note.md, "Example".
const EXAMPLE_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const EXAMPLE_NOTE =
  "This is an example message.\n\n" +
  "\u2014 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

interface Vectors {
  readonly seeds: Readonly<Record<string, string>>;
  readonly cosigners: readonly string[];
  readonly checkpoint: string;
  readonly cases: readonly {
    readonly case: string;
    readonly note: string;
    readonly expect: "verified" | "wrong signature" | "malformed";
    readonly signers?: readonly string[];
    readonly times?: Readonly<Record<string, number>>;
  }[];
}

const vectors = JSON.parse(
  readFileSync(new URL("cosignature.json", import.meta.url), "utf8"),
) as Vectors;
const cosigners = vectors.cosigners.map(parseVerifierKey);

test("the specification's example verifies under its key, which formats back to itself", () => {
  const key = parseVerifierKey(EXAMPLE_KEY);
  assert.equal(key.keyId, 0x530d903a);
  assert.equal(formatVerifierKey(key), EXAMPLE_KEY);
  assert.deepEqual(verifyNote(parseNote(EXAMPLE_NOTE), [key]), [key]);
});

test("the specification's example with any other text or signature is refused", () => {
  const key = parseVerifierKey(EXAMPLE_KEY);
  for (const [from, to] of [
    ["This", "That"],
    ["example message", "example  message"],
    ["kn8s", "kn8t"],
  ] as const) {
    const altered = parseNote(EXAMPLE_NOTE.replace(from, to));
    assert.throws(() => verifyNote(altered, [key]), /the signature of example.com\/foo is wrong/);
  }
});

for (const vector of vectors.cases) {
  test(`cosignature: ${vector.case} is ${vector.expect}`, () => {
    if (vector.expect === "malformed") {
      assert.throws(() => parseNote(vector.note), KeyriteError);
      return;
    }
    const note = parseNote(vector.note);
    if (vector.expect === "wrong signature") {
      assert.throws(() => verifyNote(note, cosigners), /the signature of .* is wrong/);
      return;
    }
    const signers = verifyNote(note, cosigners).map(({ name }) => name);
    assert.deepEqual(signers, vector.signers);
    for (const [name, time] of Object.entries(vector.times ?? {})) {
      const line = note.signatures.find((candidate) => candidate.name === name);
      assert.ok(line);
      assert.equal(cosignatureTime(line), time);
    }
  });
}

test("a cosignature is what the specification says, checked without this library", () => {
  const name = "example.org/people/ana";
  const line = cosignatureLine(
    vectors.checkpoint,
    name,
    1764000000,
    signingKeyFromSeed(Buffer.from(vectors.seeds[name] ?? "", "hex")),
  );
  const blob = Buffer.from(line.split(" ")[2] ?? "", "base64");
  const [, , encoded = ""] = (vectors.cosigners[0] ?? "").split("+");
  const material = Buffer.from(encoded, "base64");
  assert.equal(blob.length, 4 + 8 + 64);
  assert.equal(hex(blob.subarray(0, 4)), hex(sha256(`${name}\n`, material).subarray(0, 4)));
  assert.equal(blob.readBigUInt64BE(4), 1764000000n);
  const key = createPublicKey({
    key: { kty: "OKP", crv: "Ed25519", x: material.subarray(1).toString("base64url") },
    format: "jwk",
  });
  const message = Buffer.from(`cosignature/v1\ntime 1764000000\n${vectors.checkpoint}`);
  assert.ok(verify(null, message, key, blob.subarray(12)));
  assert.ok(vectors.cases[0]?.note.includes(line));
});

test("a signature is checked only against the key it names", () => {
  const note = parseNote(EXAMPLE_NOTE);
  const [line] = note.signatures;
  const [ana] = cosigners;
  assert.ok(line && ana);
  assert.equal(checkSignature(note.text, line, ana), false);
  assert.throws(() => cosignatureTime(line), /is no cosignature/);
  assert.deepEqual(verifyNote(note, cosigners), []);
});
