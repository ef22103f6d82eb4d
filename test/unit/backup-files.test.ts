/** backup.json, backup.note and kek.json: the published vectors, mutations of them, and their limits. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { composeKekFile, parseKekFile, verifyEnvelope } from "../../src/backups/kek-file.ts";
import {
  composeManifest,
  parseManifest,
  shareTemplates,
  verifyBlob,
  type Manifest,
} from "../../src/backups/manifest.ts";
import { checkBackup } from "../../src/ceremony/backup-check.ts";
import { fromBase64, fromUtf8, sha256Hex, utf8 } from "../../src/lib/encoding.ts";
import { KeyriteError } from "../../src/lib/errors.ts";
import { whyNoteInvalid } from "../../src/people/backup-note.ts";
import { parseCard } from "../../src/people/card.ts";
import { sampleBackup, sampleKey, sampleManifest, SAMPLE_PLACE } from "../support/backups.ts";
import { makePerson } from "../support/identities.ts";

interface Vectors {
  readonly signers: readonly string[];
  readonly cards: readonly string[];
  readonly manifest: string;
  readonly sha256: string;
  readonly note: string;
  readonly blobs: readonly { readonly sha256: string; readonly blob: string }[];
  readonly kek: string;
  readonly refusedManifests: readonly { readonly expect: string; readonly manifest: string }[];
  readonly refusedNotes: readonly { readonly expect: string; readonly note: string }[];
  readonly refusedKeks: readonly { readonly expect: string; readonly kek: string }[];
}
const path = new URL("../vectors/backup.json", import.meta.url);
const vectors = JSON.parse(readFileSync(path, "utf8")) as Vectors;
const manifestBytes = utf8(vectors.manifest);
const signers = vectors.cards.map((card) => parseCard(utf8(card)));

/** What our messages say for each class of failure that the vectors name. */
const CLASSES: Readonly<Record<string, RegExp>> = {
  form: /canonical|is not JSON|must be "|expected "|malformed|is not "|blank line|one of|signature line/,
  member: /unknown key|missing key|not a member|known/,
  value: /at least|at most|must be|one of|whole number|name of an attribute/,
  "public key": /the public key is no|is no RSA key/,
  digest: /digest/,
  template: /there is no template/,
  order: /sorted/,
  twice: /listed twice/,
  shared: /two keys/,
  kek: /KEK of mode/,
  empty: /names no envelope/,
  kind: /first line/,
  "other backup": /over another backup.json/,
  "other place": /it is about origin/,
  missing: /not signed by eve/,
  stranger: /not of one of its signers/,
  "wrong signature": /signature of .* is wrong/,
};

function classOf(expected: string): RegExp {
  const found = CLASSES[expected];
  assert.ok(found, `no class of failure is "${expected}"`);
  return found;
}

function refused(act: () => unknown, words: RegExp): void {
  assert.throws(act, (error) => {
    assert.ok(error instanceof KeyriteError, String(error));
    assert.equal(error.code, "ledger.backup-damaged");
    assert.match(error.message, words);
    return true;
  });
}

function noteProblems(note: string, manifest = manifestBytes): readonly string[] {
  return whyNoteInvalid(note, { manifest, signers, ...SAMPLE_PLACE });
}

describe("the published vectors", () => {
  test("the good ones are read, hold, and are written byte for byte", () => {
    const manifest = parseManifest(manifestBytes);
    assert.equal(sha256Hex(manifestBytes), vectors.sha256);
    assert.deepEqual(composeManifest(manifest), manifestBytes);
    assert.deepEqual(noteProblems(vectors.note), []);
    for (const [at, { sha256, blob }] of vectors.blobs.entries()) {
      const key = manifest.keys.find((one) => one.sha256 === sha256);
      assert.ok(key, `blob ${at} has its key`);
      assert.equal(verifyBlob(key, fromBase64(blob) ?? new Uint8Array()), undefined);
    }
    assert.equal(fromUtf8(composeKekFile(parseKekFile(utf8(vectors.kek)))), vectors.kek);
  });

  for (const [at, { expect, manifest }] of vectors.refusedManifests.entries()) {
    test(`backup.json ${at} is refused: ${expect}`, () => {
      refused(() => parseManifest(utf8(manifest)), classOf(expect));
    });
  }
  for (const [at, { expect, note }] of vectors.refusedNotes.entries()) {
    test(`backup.note ${at} is refused: ${expect}`, () => {
      assert.match(noteProblems(note).join("\n"), classOf(expect));
    });
  }
  for (const [at, { expect, kek }] of vectors.refusedKeks.entries()) {
    test(`kek.json ${at} is refused: ${expect}`, () => {
      refused(() => parseKekFile(utf8(kek)), classOf(expect));
    });
  }
});

/** The recorded truth about the vectors' backup. */
function expectedOf(manifest: Manifest): Parameters<typeof checkBackup>[1] {
  const { name: kek, generation, mode, checkValue } = manifest.kek;
  return {
    ...SAMPLE_PLACE,
    sha256: vectors.sha256,
    keys: manifest.keys.length,
    assurance: "test",
    kek: { kek, generation, mode, checkValue },
    signers,
  };
}

/** A deterministic generator: a failing mutation can be made again from its number. */
function mutate(bytes: Uint8Array, number: number): Uint8Array {
  let state = number * 2654435761 + 1;
  const next = (below: number): number => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return Math.floor((state / 2147483648) * below);
  };
  const at = next(bytes.length);
  const other = next(bytes.length);
  switch (number % 5) {
    case 0:
      return bytes.with(at, (bytes[at] ?? 0) ^ (1 << next(8)));
    case 1:
      return new Uint8Array([...bytes.subarray(0, at), ...bytes.subarray(at + 1)]);
    case 2:
      return new Uint8Array([...bytes.subarray(0, at), next(256), ...bytes.subarray(at)]);
    case 3:
      return bytes.slice(0, at);
    default:
      return bytes.with(at, bytes[other] ?? 0).with(other, bytes[at] ?? 0);
  }
}

test("none of 2,000 mutations of backup.json, backup.note and a blob is accepted", () => {
  const manifest = parseManifest(manifestBytes);
  const expected = expectedOf(manifest);
  const note = utf8(vectors.note);
  assert.deepEqual(checkBackup({ manifest: manifestBytes, note }, expected).problems, []);
  const [vector] = vectors.blobs;
  const key = manifest.keys.find((one) => one.sha256 === vector?.sha256);
  const blobBytes = fromBase64(vector?.blob ?? "");
  assert.ok(key !== undefined && blobBytes !== undefined);
  let tried = 0;
  for (let number = 0; tried < 2000; number += 1) {
    const original = [manifestBytes, note, blobBytes][number % 3] ?? note;
    const bytes = mutate(original, number);
    if (Buffer.compare(bytes, original) === 0) continue;
    tried += 1;
    const problems =
      original === blobBytes
        ? [verifyBlob(key, bytes)].filter((problem) => problem !== undefined)
        : checkBackup(
            original === note
              ? { manifest: manifestBytes, note: bytes }
              : { manifest: bytes, note },
            expected,
          ).problems;
    assert.ok(problems.length > 0, `mutation ${number} was accepted`);
  }
});

describe("the papers against the record", () => {
  test("any difference between record and backup.json is named", () => {
    const manifest = parseManifest(manifestBytes);
    const truth = expectedOf(manifest);
    const other = "0".repeat(64);
    const lies: readonly (readonly [Partial<typeof truth>, RegExp])[] = [
      [{ sha256: other }, /not the recorded 0000/],
      [{ backup: "backup-20261124-aaaa" }, /states the backup/],
      [{ origin: "pki.example.org/dc2/test" }, /states the origin/],
      [{ ceremony: "20261124-back-up-ca-keys-zzzz" }, /states the ceremony/],
      [{ assurance: "production" }, /states the assurance/],
      [{ keys: 3 }, /number of keys 2, the record says 3/],
      [{ kek: { ...truth.kek, kek: "other" } }, /states the KEK main/],
      [{ kek: { ...truth.kek, generation: 2 } }, /generation of the KEK 1/],
      [{ kek: { ...truth.kek, mode: "escrowed" } }, /mode of the KEK/],
      [{ kek: { ...truth.kek, checkValue: "0".repeat(16) } }, /check value/],
      [{ signers: signers.slice(0, 1) }, /two different people/],
      [{ signers: signers.flatMap((card) => [card, card]) }, /two different people/],
      [{ signers: [] }, /two different people/],
    ];
    for (const [lie, words] of lies) {
      const { problems } = checkBackup(
        { manifest: manifestBytes, note: utf8(vectors.note) },
        { ...truth, ...lie },
      );
      assert.match(problems.join("\n"), words);
    }
  });

  test("the blob of another key under the right name is refused", () => {
    const [a, b] = [sampleKey("0"), sampleKey("1")];
    assert.equal(verifyBlob(a.key, a.blob), undefined);
    assert.match(verifyBlob(a.key, b.blob) ?? "", /is not the wrapped key/);
    assert.match(verifyBlob(a.key, a.blob.subarray(1)) ?? "", /159 bytes instead of 160/);
  });

  test("an envelope of another token under the right name is refused", () => {
    const [first, second] = parseKekFile(utf8(vectors.kek)).envelopes;
    assert.ok(first && second);
    const bytes = utf8("envelope alpha");
    assert.equal(verifyEnvelope(first, bytes), undefined);
    assert.match(verifyEnvelope(second, bytes) ?? "", /beta\.envelope is not the envelope/);
  });

  test("one person's two cards are not two signers", async () => {
    const ana = await makePerson("ana");
    const alias = await makePerson("fay", "test", "ana");
    const { manifest, note } = sampleBackup(1, [ana, alias]);
    const problems = whyNoteInvalid(note, { manifest, signers: [ana.card, alias.card] });
    assert.match(problems.join(), /two different people/);
  });
});

describe("limits", () => {
  test("10,000 keys are composed and read, and more than the limit are refused", () => {
    const keys = Array.from({ length: 10_000 }, (_, i) => sampleKey(String(i)).key);
    const bytes = composeManifest(sampleManifest(keys));
    assert.equal(parseManifest(bytes).keys.length, 10_000);
    refused(() => parseManifest(bytes, { bytes: bytes.length - 1, keys: 10_000 }), /is longer/);
    refused(
      () => parseManifest(bytes, { bytes: bytes.length, keys: 9_999 }),
      /more than 9999 keys/,
    );
  });

  test("what could not be read back is not composed", () => {
    const { key } = sampleKey("0");
    refused(() => composeManifest(sampleManifest([key, key])), /twice/);
    refused(() => composeManifest(sampleManifest([{ ...key, label: "a b" }])), /label/);
    refused(() => composeManifest(sampleManifest([])), /at least/);
  });

  test("keys share attribute sets", () => {
    const a = { private: { CKA_SIGN: true, CKA_DERIVE: false }, public: {} };
    const same = { public: {}, private: { CKA_DERIVE: false, CKA_SIGN: true } };
    const b = { private: { CKA_SIGN: false }, public: {} };
    assert.deepEqual(shareTemplates([a, b, same]), { templates: [a, b], indexes: [0, 1, 0] });
  });
});
