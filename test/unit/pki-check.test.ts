import assert from "node:assert/strict";
import { sign } from "node:crypto";
import { test } from "node:test";
import { KeyriteError } from "../../src/lib/errors.ts";
import { hashOf } from "../../src/pki/algorithms.ts";
import { assembleCertificate } from "../../src/pki/certificate.ts";
import { checkCertificate, differences, readTwice } from "../../src/pki/check.ts";
import { parseDn } from "../../src/pki/names.ts";
import { secondReadCertificate, secondReadTbs } from "../../src/pki/second-reader.ts";
import { readCertificate, readTbs } from "../../src/pki/view.ts";
import { SERIAL, type SoftRoot, softKey, softRoot } from "../support/pki.ts";

const root = softRoot(softKey("p-256"));
const agreed = { tbs: root.toBeSigned.tbs, spki: root.key.spki };

function refused(der: Uint8Array, why: RegExp, expected = agreed): void {
  assert.throws(
    () => {
      checkCertificate(der, expected);
    },
    (error: unknown) => {
      assert.ok(error instanceof KeyriteError, String(error));
      assert.equal(error.code, "hsm.bad-output");
      assert.match(error.message, why);
      return true;
    },
  );
}

function flipped(bytes: Uint8Array, at: number, mask: number): Uint8Array {
  return bytes.map((byte, index) => (index === at ? byte ^ mask : byte));
}

/** Replaces hex that stands exactly once (or `times`), and lengthens nothing. */
function replaced(bytes: Uint8Array, from: string, to: string, times = 1): Uint8Array {
  const text = Buffer.from(bytes).toString("hex");
  assert.equal(text.split(from).length - 1, times, `${from} stands ${times} times`);
  return new Uint8Array(Buffer.from(text.replaceAll(from, to), "hex"));
}

/** A certificate whose signed part is any bytes at all, signed well: what a lying builder would give. */
function signedAnyway(tbs: Uint8Array): Uint8Array {
  const { key, toBeSigned } = root;
  const signature = sign(hashOf(toBeSigned.scheme), tbs, key.privateKey);
  const body = Buffer.concat([
    tbs,
    Buffer.from("300a06082a8648ce3d040302", "hex"),
    der(0x03, Buffer.concat([Buffer.of(0), signature])),
  ]);
  return new Uint8Array(der(0x30, body));
}

function der(tag: number, content: Uint8Array): Buffer {
  const { length } = content;
  const head = length < 128 ? [tag, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), content]);
}

test("the untouched certificate passes, also when it is put together by hand", () => {
  checkCertificate(root.der, agreed);
  checkCertificate(signedAnyway(agreed.tbs), agreed);
});

for (const mask of [0x01, 0x20, 0x80]) {
  test(`H06: every byte of a certificate changed by ${mask} after agreement is refused`, () => {
    for (let at = 0; at < root.der.length; at++) refused(flipped(root.der, at, mask), /./);
  });
}

test("H06: every byte of the signed part changed and signed again is refused", () => {
  for (let at = 0; at < agreed.tbs.length; at++) {
    refused(signedAnyway(flipped(agreed.tbs, at, 0x01)), /./);
  }
});

test("H06: every truncation is refused", () => {
  for (let end = 0; end < root.der.length; end++) refused(root.der.subarray(0, end), /./);
});

test("H06: bytes after the certificate are refused", () => {
  for (const more of [[0], [0x05, 0x00], [...root.der]]) {
    refused(Uint8Array.from([...root.der, ...more]), /decoder refuses it/);
  }
});

test("H06: a signature by another key is refused", () => {
  const { tbs, scheme } = root.toBeSigned;
  const foreign = sign("sha256", tbs, softKey("p-256").privateKey);
  refused(assembleCertificate(tbs, scheme, foreign), /signature does not verify/);
});

test("H06: a signature over other bytes, an empty one and a padded one are refused", () => {
  const { tbs, scheme } = root.toBeSigned;
  const other = sign("sha256", SERIAL, root.key.privateKey);
  refused(assembleCertificate(tbs, scheme, other), /does not verify/);
  refused(assembleCertificate(tbs, scheme, new Uint8Array()), /./);
  const padded = Uint8Array.from([...root.signature, 0]);
  refused(assembleCertificate(tbs, scheme, padded), /does not verify/);
});

test("H06: an ECDSA signature in raw form, as PKCS#11 returns it, is refused", () => {
  const { tbs, scheme } = root.toBeSigned;
  const options = { key: root.key.privateKey, dsaEncoding: "ieee-p1363" as const };
  refused(assembleCertificate(tbs, scheme, sign("sha256", tbs, options)), /does not verify/);
});

test("H06: a signature with another hash is refused, whatever the outside says", () => {
  const { tbs } = root.toBeSigned;
  const wrong = sign("sha384", tbs, root.key.privateKey);
  refused(assembleCertificate(tbs, "ecdsa-sha256", wrong), /does not verify/);
  refused(assembleCertificate(tbs, "ecdsa-sha384", wrong), /two different signature algorithms/);
  refused(assembleCertificate(tbs, "ed25519", wrong), /two different signature algorithms/);
});

test("H06: a good certificate of another key is refused by its signed part", () => {
  const other = softRoot(softKey("p-256"));
  refused(other.der, /not the agreed one: .*key\.point/);
});

test("H06: a certificate about another key than the recorded one is refused", () => {
  const { spki } = softKey("p-256");
  refused(root.der, /does not verify under the key/, { tbs: agreed.tbs, spki });
});

test("H06: what differs from the agreement is named", () => {
  const changed = (changes: Parameters<typeof softRoot>[1]): SoftRoot =>
    softRoot(root.key, changes);
  refused(changed({ days: 7306 }).der, /not the agreed one: notAfter\.time$/);
  refused(changed({ serial: SERIAL.map((byte) => byte ^ 1) }).der, /agreed one: serial$/);
  const subject = parseDn("CN=Demo Root G2,O=Example,C=DE");
  refused(changed({ subject }).der, /agreed one: issuer\.2\.0\.value, subject\.2\.0\.value$/);
});

/** Bytes that lenient decoders read as the same certificate, signed well and even agreed to. */
const NOT_DER: readonly (readonly [string, (tbs: Uint8Array) => Uint8Array])[] = [
  ["TRUE written as 7f", (tbs) => replaced(tbs, "30030101ff", "300301017f")],
  ["a critical flag of 01", (tbs) => replaced(tbs, "0603551d0f0101ff", "0603551d0f010101")],
  ["stray bits in the key usage", (tbs) => replaced(tbs, "03020106", "03020107")],
  ["unused bits of the key usage not counted", (tbs) => replaced(tbs, "03020106", "03020006")],
  ["a name in broken UTF-8", (tbs) => replaced(tbs, "44656d6f20526f6f74", "44656dff20526f6f74", 2)],
  ["a country in other than ASCII", (tbs) => replaced(tbs, "13024445", "130244c5", 2)],
  ["a time with an offset", (tbs) => replaced(tbs, "3039333030305a", "3039332b303130")],
  ["a date that does not exist", (tbs) => replaced(tbs, "3236313132333039", "3236313333333039")],
  ["an empty sequence of extensions", (tbs) => withoutExtensions(tbs)],
  ["no version", (tbs) => resized(tbs, "a003020102", "")],
  ["a serial number padded with zeros", (tbs) => resized(tbs, "0214", "02150040", 1, 1)],
  ["a long form of a short length", (tbs) => resized(tbs, "13024445", "1381024445")],
];
for (const [what, change] of NOT_DER) {
  test(`H06: a signed part with ${what} is refused by one decoder at least`, () => {
    const tbs = change(agreed.tbs);
    assert.throws(() => readTwice(tbs), KeyriteError);
    refused(signedAnyway(tbs), /./, { tbs, spki: agreed.spki });
  });
}

/** As `replaced`, first occurrence only, with the outer length made right again. */
function resized(tbs: Uint8Array, from: string, to: string, drop = 0, seen = 0): Uint8Array {
  const text = Buffer.from(tbs.subarray(4)).toString("hex");
  const at = text.indexOf(from);
  assert.ok(at >= 0 && seen <= 1, `${from} stands in the signed part`);
  const changed = text.slice(0, at) + to + text.slice(at + from.length + 2 * drop);
  return new Uint8Array(der(0x30, Buffer.from(changed, "hex")));
}

function withoutExtensions(tbs: Uint8Array): Uint8Array {
  const text = Buffer.from(tbs.subarray(4)).toString("hex");
  const start = text.indexOf("a3633061");
  assert.ok(start > 0, "extensions of 97 bytes end the signed part");
  return new Uint8Array(der(0x30, Buffer.from(`${text.slice(0, start)}a3023000`, "hex")));
}

test("each decoder alone refuses an indefinite length", () => {
  const open = Buffer.concat([Buffer.from("3080", "hex"), agreed.tbs.subarray(4), Buffer.alloc(2)]);
  assert.throws(() => readTbs(open), KeyriteError);
  assert.throws(() => secondReadTbs(open));
});

test("each decoder alone refuses trailing bytes and foreign structures", () => {
  const trailing = Uint8Array.from([...root.der, 0]);
  for (const bytes of [trailing, root.key.spki, new Uint8Array(), Uint8Array.of(0x30, 0)]) {
    assert.throws(() => readCertificate(bytes), KeyriteError);
    assert.throws(() => secondReadCertificate(bytes));
  }
});

test("the decoders agree on every field, and the comparison sees each one of them", () => {
  const view = readTbs(agreed.tbs);
  assert.deepEqual(secondReadTbs(agreed.tbs), view);
  assert.deepEqual(differences(view, { ...view, version: 1 }), ["version"]);
  assert.deepEqual(
    differences(view, { ...view, extensions: view.extensions.slice(1) }).length > 0,
    true,
  );
  assert.deepEqual(differences([1, [2]], [1, [3]]), ["1.0"]);
  assert.deepEqual(differences({ a: null }, { a: undefined }), ["a"]);
  assert.deepEqual(differences({}, { a: undefined }), []);
  assert.deepEqual(differences(1, 2), ["everything"]);
});
