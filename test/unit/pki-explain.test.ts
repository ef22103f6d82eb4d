import assert from "node:assert/strict";
import { test } from "node:test";
import { fromHex } from "../../src/lib/encoding.ts";
import { buildRootTbs } from "../../src/pki/certificate.ts";
import { explain } from "../../src/pki/explain.ts";
import type { CertificateView } from "../../src/pki/view.ts";
import { rootRequest } from "../support/pki.ts";

// The P-256 public key of RFC 6979 A.2.5.
const SPKI = fromHex(
  "3059301306072a8648ce3d020106082a8648ce3d03010703420004" +
    "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6" +
    "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299",
);
const { view } = buildRootTbs(rootRequest(SPKI ?? new Uint8Array()));

const GOLDEN = `
subject             common name         Demo Root G1
                    organisation        Example
                    country             DE
issuer              the same as the subject: the certificate signs itself
serial number       4144 b1de fcf7 5610 8701 5f8d 830d 65b1
                    6f02 4ad7
valid from          23 November 2026, 09:30:00 UTC
valid to            23 November 2046, 09:29:59 UTC (7305 days, 20 years)
public key          elliptic curve P-256 (ECDSA)
key fingerprint     SHA-256 of the public key:
                    5a7a 78cc a4a0 f420 d9bc 62bb 669c 3c27
                    59e3 9f72 3d3a e10d cbe0 f081 5a07 ecd4
is a CA             yes, with any number of CA levels below it (critical)
key is used for     signing certificates, signing revocation lists; nothing else (critical)
subject key id      b18b 86ce 1389 e46d e87a a4a5 131c e83c 1160 fa33 (not critical)
issuer key id       the same as the subject key id (not critical)
signature           ECDSA with SHA-256
format              X.509 version 3
`;

test("a root is explained field by field, in these words", () => {
  assert.equal(explain(view).join("\n"), GOLDEN.trim());
});

const hostile: CertificateView = {
  ...view,
  version: 1,
  subject: [
    [{ type: "O", form: "utf8", value: "\u001b[2Jroot\u202e\n valid to forever" }],
    [{ type: "CN", form: "utf8", value: "日".repeat(64) }],
    [{ type: "1.2.3.4", form: "other", value: "0500" }],
  ],
  issuer: [],
  signature: { oid: "1.2.840.113549.1.1.5", parameters: "0500", scheme: null },
  extensions: [
    { kind: "basic-constraints", critical: false, ca: false, pathLength: null },
    { kind: "basic-constraints", critical: true, ca: true, pathLength: 1 },
    { kind: "key-usage", critical: true, usages: [] },
    { kind: "key-usage", critical: true, usages: ["digitalSignature", "encipherOnly"] },
    { kind: "authority-key-id", critical: false, keyId: "00ff" },
    { kind: "other", critical: true, oid: "2.5.29.37", value: "ab".repeat(100) },
  ],
};

test("I04: text in a certificate cannot move the cursor, forge a line or hide", () => {
  const text = explain(hostile).join("\n");
  assert.doesNotMatch(text.replaceAll("\n", ""), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  assert.match(text, /organisation {8}\\u\{1b\}\[2Jroot\\u\{202e\}\\u\{a\} valid to forever/);
  assert.doesNotMatch(text, /^ *valid to forever/m);
});

test("what is unknown or odd is said, not left out", () => {
  const text = explain(hostile).join("\n");
  for (const words of [
    /^issuer +empty$/m,
    /1\.2\.3\.4 +bytes 0500/,
    /^signature +unknown algorithm 1\.2\.840\.113549\.1\.1\.5, parameters 0500$/m,
    /^is a CA +no \(not critical\)$/m,
    /^is a CA +yes, with at most 1 CA level below it \(critical\)$/m,
    /^key is used for +nothing; nothing else \(critical\)$/m,
    /other data \(digitalSignature\), encrypting only/,
    /^issuer key id +00ff \(not critical\)$/m,
    /^unknown extension +2\.5\.29\.37 \(critical\), bytes:$/m,
    /^format +X\.509 version 1$/m,
  ]) {
    assert.match(text, words);
  }
  assert.equal(text.match(/abab/g)?.length, 50, "all 100 bytes of the unknown extension");
  assert.equal(text.match(/日/g)?.length, 64);
});

test("no line is wider than 96 columns, wide characters counted twice", () => {
  for (const line of [...explain(hostile), ...explain(view)]) {
    const columns = Array.from(line, (char) => (char > "\u1100" ? 2 : 1));
    assert.ok(columns.reduce((sum, width) => sum + width, 0) <= 96, line);
  }
});

const SPANS: readonly (readonly [from: string, to: string, words: string])[] = [
  ["2026-11-23T09:30:00Z", "2026-11-24T09:29:59Z", "1 day"],
  ["2026-11-23T09:30:00Z", "2027-11-23T09:29:59Z", "365 days, 1 year"],
  ["2026-11-23T09:30:00Z", "2027-11-23T09:30:00Z", "about 365 days, about 1.0 years"],
  ["2028-02-29T00:00:00Z", "2032-02-28T23:59:59Z", "1461 days, 4 years"],
  ["2026-11-23T09:30:00Z", "2051-11-24T09:29:59Z", "9132 days, about 25.0 years"],
  ["2026-11-23T09:30:00Z", "2026-11-23T09:29:59Z", "never valid"],
  ["2026-11-23T09:30:00Z", "2020-01-01T00:00:00Z", "never valid"],
];
for (const [from, to, words] of SPANS) {
  test(`the validity from ${from} to ${to} is ${words}`, () => {
    const notBefore = { time: from, form: "utc" as const };
    const lines = explain({ ...view, notBefore, notAfter: { time: to, form: "utc" } });
    const line = lines.find((found) => found.startsWith("valid to")) ?? "";
    assert.ok(line.endsWith(` (${words})`), line);
  });
}
