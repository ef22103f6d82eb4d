import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { KeyAlgorithm } from "../../src/lib/algorithms.ts";
import { buildRootTbs } from "../../src/pki/certificate.ts";
import type { ExtensionView } from "../../src/pki/extensions.ts";
import { keyAlgorithm, type KeyView } from "../../src/pki/keys.ts";
import { lint, ROOT_LINTS } from "../../src/pki/lint.ts";
import { parseDn } from "../../src/pki/names.ts";
import type { CertificateView } from "../../src/pki/view.ts";
import { hasClosePrimes, hasRocaFingerprint, smallFactor } from "../../src/lib/weak-rsa.ts";
import { rootRequest, softKey } from "../support/pki.ts";

const ROOTS: Readonly<Record<KeyAlgorithm, CertificateView>> = {
  "rsa-3072": rootOf("rsa-3072"),
  "rsa-4096": rootOf("rsa-4096"),
  "p-256": rootOf("p-256"),
  "p-384": rootOf("p-384"),
  "p-521": rootOf("p-521"),
  ed25519: rootOf("ed25519"),
};
const GOOD = ROOTS["p-384"];
const RSA = ROOTS["rsa-3072"];

function rootOf(algorithm: KeyAlgorithm): CertificateView {
  return buildRootTbs(rootRequest(softKey(algorithm).spki)).view;
}

for (const [algorithm, view] of Object.entries(ROOTS)) {
  test(`a ${algorithm} root has nothing against it but what public trust says of its key`, () => {
    const rules = lint(view).map(({ rule }) => rule);
    assert.deepEqual(rules, algorithm === "ed25519" ? ["key-public-trust"] : []);
  });
}

/** Replaces the extension of a kind, or with nothing removes it. */
function extensions(kind: ExtensionView["kind"], ...to: readonly ExtensionView[]): CertificateView {
  return {
    ...GOOD,
    extensions: GOOD.extensions.flatMap((found) => (found.kind === kind ? to : [found])),
  };
}

function named(subject: string): CertificateView {
  const name = parseDn(subject);
  return { ...GOOD, subject: name, issuer: name };
}

function rsa(changes: { readonly modulus?: bigint; readonly exponent?: bigint }): CertificateView {
  assert.ok(RSA.key.kind === "rsa");
  const { modulus = BigInt(`0x${RSA.key.modulus}`), exponent = 65537n } = changes;
  const key: KeyView = {
    ...RSA.key,
    modulus: modulus.toString(16),
    exponent: exponent.toString(16),
    bits: modulus.toString(2).length,
  };
  return { ...RSA, key };
}

const until = (time: string): CertificateView => ({ ...GOOD, notAfter: { time, form: "utc" } });
const serial = (digits: string): CertificateView => ({ ...GOOD, serial: digits });
const keyUsage = (
  usages: Extract<ExtensionView, { kind: "key-usage" }>["usages"],
  critical = true,
) => extensions("key-usage", { kind: "key-usage", critical, usages });
const constraints = (ca: boolean, critical: boolean, pathLength: number | null = null) =>
  extensions("basic-constraints", { kind: "basic-constraints", critical, ca, pathLength });
const subjectKeyId = (keyId: string, critical = false) =>
  extensions("subject-key-id", { kind: "subject-key-id", critical, keyId });
const authorityKeyId = (keyId: string, critical = false) =>
  extensions("authority-key-id", { kind: "authority-key-id", critical, keyId });
const other = (oid: string): ExtensionView => ({
  kind: "other",
  critical: false,
  oid,
  value: "3000",
});
const ownKeyId =
  GOOD.extensions.flatMap((found) => ("keyId" in found ? [found.keyId] : []))[0] ?? "";
const offCurve: KeyView = {
  ...GOOD.key,
  spki: GOOD.key.spki.slice(0, -2) + (GOOD.key.spki.endsWith("00") ? "01" : "00"),
};
const [CN = [], O = [], C = []] = [...GOOD.subject].reverse();

/** A modulus of two primes that lie a few thousand apart: next primes above a 1536-bit power of two. */
const closePrimes = (2n ** 1536n + 1n) * (2n ** 1536n + 4097n);
/** A power of 65537 modulo the product of the odd primes up to 167, brought to 3072 bits. */
function rocaModulus(): bigint {
  const primes = Array.from({ length: 165 }, (_, index) => index + 3).filter((candidate) =>
    Array.from({ length: 11 }, (_, index) => index + 2).every(
      (factor) => candidate % factor !== 0 || candidate === factor,
    ),
  );
  const product = primes.reduce((all, prime) => all * BigInt(prime), 1n);
  const power = 65537n ** 1009n % product;
  const lifted = power + product * (2n ** 3071n / product + 1n);
  return lifted % 2n === 1n ? lifted : lifted + product;
}

const FAILING: readonly (readonly [rule: string, view: CertificateView, why: RegExp])[] = [
  ["version-3", { ...GOOD, version: 1 }, /version is 1, not 3/],
  ["serial-positive", serial("80112233445566778899"), /not positive/],
  ["serial-positive", serial("00"), /not positive/],
  ["serial-size", serial(`00${GOOD.serial.replace(/^./, "8")}`), /21 octets/],
  ["serial-entropy", serial("01"), /1 octets, too few/],
  ["serial-entropy", serial("0080112233445566"), /7 octets, too few/],
  ["serial-entropy", serial("41".repeat(20)), /does not look random/],
  ["validity-order", until("2026-11-23T09:29:59Z"), /ends before it begins/],
  ["validity-encoding", until("2050-01-01T00:00:00Z"), /encoded as utc, not generalized/],
  [
    "validity-encoding",
    { ...GOOD, notBefore: { ...GOOD.notBefore, form: "generalized" } },
    /encoded as generalized, not utc/,
  ],
  ["validity-longest", longValidity(9133), /9133 days is more than 9132/],
  ["validity-shortest", longValidity(2921), /2921 days is less than 2922/],
  ["self-issued", { ...GOOD, issuer: parseDn("CN=Other,O=Example,C=DE") }, /not the same/],
  ["subject-not-empty", { ...GOOD, subject: [] }, /is empty/],
  ["subject-structure", { ...GOOD, subject: [[...C, ...O], CN] }, /several attributes/],
  ["subject-structure", { ...GOOD, subject: [C, O, O, CN] }, /stands twice/],
  [
    "subject-values",
    { ...GOOD, subject: [C, O, [{ type: "CN", form: "utf8", value: "a\u202eb" }]] },
    /CN holds an invisible/,
  ],
  [
    "subject-values",
    { ...GOOD, subject: [[{ type: "C", form: "utf8", value: "DE" }], O, CN] },
    /C is encoded as utf8, not printable/,
  ],
  [
    "subject-values",
    { ...GOOD, subject: [C, O, CN, [{ type: "1.2.3", form: "utf8", value: "x" }]] },
    /unknown attribute 1\.2\.3/,
  ],
  ["subject-order", named("C=DE,O=Example,CN=Demo Root"), /not in the order/],
  ["subject-attributes", named("CN=Demo Root"), /has no C, O/],
  ["subject-attributes", named("CN=Demo Root,OU=Trust,O=Example,C=DE"), /holds OU/],
  ["key-algorithm", rsa({ modulus: 2n ** 2047n + 1n }), /not for roots/],
  ["key-public-trust", ROOTS.ed25519, /not accepted in publicly trusted TLS/],
  ["key-valid", { ...GOOD, key: offCurve }, /not a valid one/],
  ["signature-algorithm", { ...GOOD, signature: RSA.signature }, /p-384 key signs with ECDSA with/],
  [
    "signature-algorithm",
    { ...GOOD, signature: ROOTS["p-256"].signature },
    /p-384 key signs with ECDSA with SHA-384/,
  ],
  ["rsa-exponent", rsa({ exponent: 3n }), /exponent is not/],
  ["rsa-exponent", rsa({ exponent: 65536n }), /exponent is not/],
  ["rsa-exponent", rsa({ exponent: 2n ** 256n + 1n }), /exponent is not/],
  ["rsa-small-factor", rsa({ modulus: 751n * (2n ** 3063n + 1n) }), /divisible by/],
  ["rsa-close-primes", rsa({ modulus: closePrimes }), /too close/],
  ["rsa-roca", rsa({ modulus: rocaModulus() }), /ROCA/],
  ["extension-once", extensions("key-usage", ...twice("key-usage")), /key-usage stands twice/],
  ["extension-once", { ...GOOD, extensions: [other("1.2"), other("1.2")] }, /1\.2 stands twice/],
  // An extended key usage: forbidden in roots.
  [
    "extension-unknown",
    { ...GOOD, extensions: [...GOOD.extensions, other("2.5.29.37")] },
    /2\.5\.29\.37 does not belong/,
  ],
  ["basic-constraints-ca", extensions("basic-constraints"), /are missing/],
  ["basic-constraints-ca", constraints(false, true), /not critical and CA/],
  ["basic-constraints-ca", constraints(true, false), /not critical and CA/],
  ["basic-constraints-length", constraints(true, true, 0), /levels below it to 0/],
  ["key-usage", extensions("key-usage"), /is missing/],
  ["key-usage", keyUsage(["keyCertSign", "cRLSign"], false), /not critical/],
  ["key-usage", keyUsage(["keyCertSign"]), /is keyCertSign, not keyCertSign and cRLSign/],
  ["key-usage", keyUsage(["digitalSignature", "keyCertSign", "cRLSign"]), /is digitalSignature/],
  ["key-usage", keyUsage([]), /is empty/],
  ["subject-key-id", extensions("subject-key-id"), /is missing/],
  ["subject-key-id", subjectKeyId(ownKeyId, true), /is critical/],
  ["subject-key-id", subjectKeyId("00".repeat(20)), /not that of the key/],
  ["authority-key-id", authorityKeyId("00".repeat(20)), /not its subject key id/],
  ["authority-key-id", authorityKeyId(ownKeyId, true), /is critical/],
];

function longValidity(days: number): CertificateView {
  const end = Date.parse(GOOD.notBefore.time) + days * 86_400_000 - 1000;
  const time = new Date(end).toISOString().replace(".000Z", "Z");
  return { ...GOOD, notAfter: { time, form: time < "2050" ? "utc" : "generalized" } };
}

function twice(kind: ExtensionView["kind"]): readonly ExtensionView[] {
  return [...GOOD.extensions, ...GOOD.extensions].filter((found) => found.kind === kind);
}

for (const [rule, view, why] of FAILING) {
  test(`${rule.startsWith("rsa") ? "H07: " : ""}lint ${rule}: ${why.source}`, () => {
    const finding = lint(view).find((found) => found.rule === rule);
    assert.match(finding?.message ?? `${rule} found nothing`, why);
    assert.match(finding?.source ?? "", /^(RFC \d+|BR \d)/);
  });
}

test("every rule of the table has an example that breaks it, and a name of its own", () => {
  const rules = ROOT_LINTS.map(({ rule }) => rule);
  assert.equal(new Set(rules).size, rules.length);
  assert.deepEqual(new Set(FAILING.map(([rule]) => rule)), new Set(rules));
});

test("the manual's table of rules is this one", () => {
  const page = join(import.meta.dirname, "..", "..", "docs", "certificates.md");
  const text = readFileSync(page, "utf8").split("## Lints")[1] ?? "";
  const rows = Array.from(text.matchAll(/^\| `([a-z0-9-]+)` \| (\w+) \| ([^|]+) \|/gm), (row) =>
    row.slice(1, 4),
  );
  assert.deepEqual(
    rows,
    ROOT_LINTS.map(({ rule, severity, source }) => [rule, severity, source]),
  );
});

test("an optional authority key id may be missing, and the bounds of validity are inside", () => {
  assert.deepEqual(lint(extensions("authority-key-id")), []);
  assert.deepEqual(lint(longValidity(9132)), []);
  assert.deepEqual(lint(longValidity(2922)), []);
});

test("H07: the modulus checks let honest keys and near misses pass", () => {
  for (const { key } of [ROOTS["rsa-3072"], ROOTS["rsa-4096"]]) {
    assert.ok(key.kind === "rsa" && keyAlgorithm(key) !== null);
    const modulus = BigInt(`0x${key.modulus}`);
    assert.equal(smallFactor(modulus), undefined);
    assert.equal(hasClosePrimes(modulus), false);
    assert.equal(hasRocaFingerprint(modulus), false);
  }
  assert.equal(smallFactor(757n * 761n), undefined);
  assert.equal(smallFactor(751n * 761n), 751);
  assert.equal(hasClosePrimes(10007n * 10007n), true);
  assert.equal(hasClosePrimes(10007n * 10009n), true);
  assert.equal(hasClosePrimes(10007n * 1000003n), false);
  // One residue outside the group of 65537 modulo 11, {1, 10}, is enough.
  assert.equal(hasRocaFingerprint(rocaModulus() + 1n), false);
});
