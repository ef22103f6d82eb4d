import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash, X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { KeyAlgorithm } from "../../src/lib/algorithms.ts";
import { KeyriteError } from "../../src/lib/errors.ts";
import { algorithmIdentifier } from "../../src/pki/algorithms.ts";
import { encodeDer } from "../../src/pki/asn1.ts";
import { buildRootTbs, pem } from "../../src/pki/certificate.ts";
import { checkCertificate } from "../../src/pki/check.ts";
import { parseDn } from "../../src/pki/names.ts";
import { serialFrom } from "../../src/pki/profile.ts";
import { readCertificate, readTbs } from "../../src/pki/view.ts";
import { NOT_BEFORE, rootRequest, SERIAL, softKey, softRoot } from "../support/pki.ts";

const folder = mkdtempSync(join(tmpdir(), "keyrite-pki-"));
after(() => {
  rmSync(folder, { recursive: true });
});

function openssl(...args: readonly string[]): string {
  return execFileSync("openssl", args, { encoding: "utf8", stdio: "pipe" });
}

function pemFile(name: string, der: Uint8Array): string {
  const path = join(folder, `${name}.pem`);
  writeFileSync(path, pem(der, "CERTIFICATE"));
  return path;
}

const SIGNED_WITH: readonly (readonly [KeyAlgorithm, RegExp])[] = [
  ["rsa-3072", /Signature Algorithm: sha256WithRSAEncryption/],
  ["rsa-4096", /Signature Algorithm: sha384WithRSAEncryption/],
  ["p-256", /Signature Algorithm: ecdsa-with-SHA256/],
  ["p-384", /Signature Algorithm: ecdsa-with-SHA384/],
  ["p-521", /Signature Algorithm: ecdsa-with-SHA512/],
  ["ed25519", /Signature Algorithm: ED25519/],
];
for (const [algorithm, signature] of SIGNED_WITH) {
  test(`a ${algorithm} root passes our check and openssl's strict one`, () => {
    const root = softRoot(softKey(algorithm));
    checkCertificate(root.der, { tbs: root.toBeSigned.tbs, spki: root.key.spki });
    const path = pemFile(algorithm, root.der);
    const verdict = openssl("verify", "-x509_strict", "-check_ss_sig", "-CAfile", path, path);
    assert.match(verdict, /: OK\n$/);
    const text = openssl("x509", "-text", "-noout", "-nameopt", "RFC2253", "-in", path);
    assert.match(text, signature);
    assert.match(text, /Version: 3 \(0x2\)/);
    assert.match(text, /Issuer: CN=Demo Root G1,O=Example,C=DE\n/);
    assert.match(text, /Subject: CN=Demo Root G1,O=Example,C=DE\n/);
    assert.match(text, /Not Before: Nov 23 09:30:00 2026 GMT/);
    assert.match(text, /Not After : Nov 23 09:29:59 2046 GMT/);
    assert.match(text, /Basic Constraints: critical\n\s+CA:TRUE\n/);
    assert.match(text, /Key Usage: critical\n\s+Certificate Sign, CRL Sign\n/);
    assert.equal(text.match(/X509v3 \w/g)?.length, 5, "a heading and four extensions");
  });
}

test("node:crypto reads the same fields as we do", () => {
  const root = softRoot(softKey("p-384"));
  const certificate = new X509Certificate(root.der);
  assert.equal(certificate.serialNumber.toLowerCase(), root.toBeSigned.view.serial);
  assert.equal(certificate.serialNumber.toLowerCase(), Buffer.from(SERIAL).toString("hex"));
  assert.equal(certificate.ca, true);
  assert.equal(certificate.subject, "C=DE\nO=Example\nCN=Demo Root G1");
  assert.deepEqual(readCertificate(root.der).view, root.toBeSigned.view);
});

// BR 7.1.3.2 and RFC 8410 give these bytes; they are compared there byte for byte.
const IDENTIFIERS = {
  "rsa-pkcs1-sha256": "300d06092a864886f70d01010b0500",
  "rsa-pkcs1-sha384": "300d06092a864886f70d01010c0500",
  "rsa-pkcs1-sha512": "300d06092a864886f70d01010d0500",
  "ecdsa-sha256": "300a06082a8648ce3d040302",
  "ecdsa-sha384": "300a06082a8648ce3d040303",
  "ecdsa-sha512": "300a06082a8648ce3d040304",
  ed25519: "300506032b6570",
} as const;
for (const [scheme, bytes] of Object.entries(IDENTIFIERS)) {
  test(`the algorithm identifier of ${scheme} is the published one`, () => {
    const identifier = algorithmIdentifier(scheme as keyof typeof IDENTIFIERS);
    assert.equal(Buffer.from(encodeDer(identifier)).toString("hex"), bytes);
  });
}

test("key ids are RFC 7093 method 1 over the key bits, the same in both extensions", () => {
  const key = softKey("p-256");
  const { view } = buildRootTbs(rootRequest(key.spki));
  // The last 65 bytes of a P-256 SubjectPublicKeyInfo are the point.
  const digest = createHash("sha256").update(key.spki.subarray(-65)).digest("hex");
  const keyIds = view.extensions.flatMap((found) => ("keyId" in found ? [found.keyId] : []));
  assert.deepEqual(keyIds, [digest.slice(0, 40), digest.slice(0, 40)]);
});

test("validity ends one second short of the days, in the time type its year asks for", () => {
  const { spki } = softKey("p-256");
  const validity = (notBeforeMs: number, days: number): readonly string[] => {
    const { notBefore, notAfter } = buildRootTbs(rootRequest(spki, { notBeforeMs, days })).view;
    return [notBefore.time, notBefore.form, notAfter.time, notAfter.form];
  };
  const one = ["2026-11-23T09:30:00Z", "utc", "2026-11-24T09:29:59Z", "utc"];
  assert.deepEqual(validity(NOT_BEFORE, 1), one);
  assert.deepEqual(validity(Date.UTC(2049, 11, 31), 1), [
    "2049-12-31T00:00:00Z",
    "utc",
    "2049-12-31T23:59:59Z",
    "utc",
  ]);
  assert.deepEqual(validity(Date.UTC(2049, 11, 31, 0, 0, 1), 1), [
    "2049-12-31T00:00:01Z",
    "utc",
    "2050-01-01T00:00:00Z",
    "generalized",
  ]);
  assert.equal(validity(Date.UTC(2050, 0, 1), 1)[1], "generalized");
});

for (const days of [0, -1, 1.5, 9133, Number.NaN, Infinity]) {
  test(`a validity of ${days} days is refused`, () => {
    const { spki } = softKey("ed25519");
    assert.throws(() => buildRootTbs(rootRequest(spki, { days })), isError("script.refused"));
  });
}

test("serials are 20 octets, positive and below 2^159 for any random bytes", () => {
  for (const fill of [0x00, 0x7f, 0x80, 0xff]) {
    const serial = serialFrom(new Uint8Array(20).fill(fill));
    assert.equal(serial.length, 20);
    const first = serial[0] ?? 0;
    assert.ok(first >= 0x40 && first < 0x80, `first octet ${first}`);
    assert.ok(serial.subarray(1).every((byte) => byte === fill));
  }
  assert.throws(() => serialFrom(new Uint8Array(8)), TypeError);
});

test("a key the root profile does not take is refused", () => {
  const small = readHex("3059301306072a8648ce3d020106082a8648ce3d030107034200", 65, 0x05);
  assert.throws(() => buildRootTbs(rootRequest(small)), isError("usage.bad-file"));
  assert.throws(() => buildRootTbs(rootRequest(new Uint8Array(3))), isError("usage.bad-file"));
  const { spki } = softKey("p-256");
  const trailing = Uint8Array.from([...spki, 0]);
  assert.throws(() => buildRootTbs(rootRequest(trailing)), isError("usage.bad-file"));
  const rsa2048 = softKeyOfBits(2048);
  assert.throws(() => buildRootTbs(rootRequest(rsa2048)), isError("hsm.not-supported"));
});

test("PEM is RFC 7468: 64 columns, one newline at the end, openssl reads it back", () => {
  const root = softRoot(softKey("p-256"));
  const text = pem(root.der, "CERTIFICATE");
  const lines = text.split("\n");
  assert.equal(lines.pop(), "");
  assert.ok(lines.slice(1, -2).every((line) => line.length === 64));
  const der = execFileSync("openssl", ["x509", "-outform", "DER"], { input: text });
  assert.deepEqual(new Uint8Array(der), root.der);
});

test("a subject with every attribute survives both decoders and openssl", () => {
  const name =
    "CN=Straße \\+ 日本,OU=a\\,b,O=Example,L=Bonn,ST=NRW,C=DE,serialNumber=HRB 1," +
    "organizationIdentifier=VATDE-1,DC=example,DC=com";
  const root = softRoot(softKey("p-256"), { subject: parseDn(name) });
  checkCertificate(root.der, { tbs: root.toBeSigned.tbs, spki: root.key.spki });
  const path = pemFile("names", root.der);
  const text = openssl("x509", "-subject", "-noout", "-nameopt", "RFC2253,-esc_msb", "-in", path);
  assert.equal(text, `subject=${name}\n`);
});

test("reading a TBS twice gives the same view as reading the certificate", () => {
  const { toBeSigned } = softRoot(softKey("rsa-3072"));
  assert.deepEqual(readTbs(toBeSigned.tbs), toBeSigned.view);
});

function isError(code: string): (error: unknown) => boolean {
  return (error) => error instanceof KeyriteError && error.code === code;
}

function readHex(prefix: string, length: number, fill: number): Uint8Array {
  return new Uint8Array(Buffer.concat([Buffer.from(prefix, "hex"), Buffer.alloc(length, fill)]));
}

function softKeyOfBits(bits: number): Uint8Array {
  const text = execFileSync("openssl", ["genrsa", String(bits)], { stdio: "pipe" });
  const der = execFileSync("openssl", ["pkey", "-pubout", "-outform", "DER"], { input: text });
  return new Uint8Array(der);
}
