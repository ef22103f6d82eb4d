import assert from "node:assert/strict";
import { test } from "node:test";
import { KeyriteError } from "../../src/lib/errors.ts";
import { type HierarchyReport, judgeHierarchy, readPkiFile } from "../../src/pki/hierarchy.ts";
import { HIERARCHY_RULES } from "../../src/pki/hierarchy-rules.ts";
import { pem } from "../../src/pki/pem.ts";
import { certsOnly } from "../../src/pki/pkcs7.ts";
import { hierarchyPage } from "../../src/report/hierarchy-page.ts";
import { hierarchyLines } from "../../src/report/hierarchy-text.ts";
import { changed, GOOD, KEYS } from "../support/broken-cases.ts";
import { named, signed, tbsOf } from "../support/broken-certificate.ts";
import { int, oid, seq } from "../support/der.ts";
import { type Files, RIGHT, WRONG, wrong } from "../support/hierarchy-files.ts";

const NOW = { nowMs: Date.parse("2026-11-24T09:00:00Z"), trust: "tls" } as const;

function judge(files: Files): HierarchyReport {
  return judgeHierarchy(
    Object.entries(files).flatMap(([name, bytes]) => readPkiFile(bytes, name)),
    NOW,
  );
}

test("a hierarchy that is right is CONSISTENT, and what is revoked is named", () => {
  const report = judge(RIGHT);
  assert.deepEqual(report.findings, []);
  assert.equal(report.verdict, "CONSISTENT");
  const standings = report.parts.flatMap((part) =>
    part.kind === "certificate" ? [[part.file, part.standing, part.signedBy]] : [],
  );
  assert.deepEqual(standings, [
    ["root.cer", "root", null],
    ["e1.cer", "subordinate", "root.cer"],
    ["e2.cer", "subordinate", "root.cer"],
    ["ocsp.cer", "ocsp-responder", "root.cer"],
  ]);
  const revoked = report.parts.flatMap((part) =>
    part.kind === "certificate" && part.revoked !== null ? [[part.file, part.revoked]] : [],
  );
  const said = { at: "2026-11-24T07:00:00Z", reason: "superseded", list: "root.crl" };
  assert.deepEqual(revoked, [["e2.cer", said]]);
  assert.deepEqual(
    report.parts.flatMap((part) => (part.kind === "csr" ? part.answeredBy : [])),
    ["e1.cer"],
  );
});

for (const [rule, [changes, file, why]] of Object.entries(WRONG)) {
  test(`hierarchy rule ${rule}: ${why.source}`, () => {
    const report = judge(wrong(changes));
    const found = report.findings.filter((finding) => finding.rule === rule);
    assert.equal(found.length, 1, JSON.stringify(report.findings));
    assert.match(found[0]?.message ?? "", why);
    assert.equal(found[0]?.files[0], file);
    const isError = HIERARCHY_RULES.some((one) => one.rule === rule && one.severity === "error");
    const others = report.findings.filter((finding) => finding.rule !== rule);
    // Some breaches break a rule of the part itself as well, never another one between the parts.
    const between = new Set(HIERARCHY_RULES.map((one) => one.rule));
    assert.deepEqual(
      others.filter((finding) => between.has(finding.rule)),
      [],
    );
    if (isError) assert.equal(report.verdict, "INCONSISTENT");
  });
}

test("every rule between parts has an example that breaks it", () => {
  const rules = HIERARCHY_RULES.map(({ rule }) => rule);
  assert.deepEqual(Object.keys(WRONG), rules);
});

test("what a part breaks by itself, or towards its issuer, is found too", () => {
  const late = signed(tbsOf({ ...GOOD.subordinate, notAfter: tbsTime("2047") }), KEYS.root);
  const report = judge(wrong({ "e1.cer": late }));
  const [finding] = report.findings;
  assert.equal(finding?.rule, "validity-nests");
  assert.deepEqual(finding.files, ["e1.cer", "root.cer"]);
  assert.equal(report.verdict, "INCONSISTENT");
});

function tbsTime(year: string): Buffer {
  const { notAfter } = GOOD.root;
  return Buffer.from(notAfter.toString("latin1").replace("46", year.slice(2)), "latin1");
}

const chain = [RIGHT["e1.cer"], RIGHT["root.cer"]].flatMap((der) => der ?? []);

test("DER, PEM, several PEM blocks with text around them, and PKCS#7 are read alike", () => {
  const blocks = chain.map((der) => `subject=x\n${pem(der, "CERTIFICATE")}`).join("\n");
  const bundle = certsOnly(chain);
  const forms: readonly Uint8Array[] = [
    Buffer.from(blocks),
    Buffer.from(blocks.replaceAll("\n", "\r\n")),
    bundle,
    Buffer.from(pem(bundle, "PKCS7")),
  ];
  for (const form of forms) {
    const parts = readPkiFile(form, "chain");
    assert.deepEqual(
      parts.map(({ name, kind }) => [name, kind]),
      [
        ["chain#1", "certificate"],
        ["chain#2", "certificate"],
      ],
    );
    assert.deepEqual(
      parts.map(({ der }) => Buffer.from(der).toString("hex")),
      chain.map((der) => Buffer.from(der).toString("hex")),
    );
  }
});

test("a part that stands in several files is judged once", () => {
  const report = judge({
    ...RIGHT,
    "again.cer": RIGHT["e1.cer"] ?? Buffer.of(),
    "chain.p7b": certsOnly(chain),
  });
  assert.equal(report.verdict, "CONSISTENT");
  assert.equal(report.parts.length, Object.keys(RIGHT).length);
});

const e1 = RIGHT["e1.cer"] ?? Buffer.of();
const NO_PKI: Readonly<Record<string, readonly [Uint8Array, RegExp]>> = {
  "an empty file": [Buffer.alloc(0), /the file is empty/],
  "a text": [Buffer.from("hello\n"), /holds no certificate/],
  "random bytes": [Buffer.from("30ff00", "hex"), /length at 1/],
  "a cut certificate": [e1.subarray(0, 200), /ends after what holds it/],
  "bytes after it": [Buffer.concat([e1, Buffer.of(1)]), /bytes follow/],
  "a private key": [
    Buffer.from("-----BEGIN PRIVATE KEY-----\nMC4=\n-----END PRIVATE KEY-----\n"),
    /holds a PRIVATE KEY, which has no place here/,
  ],
  "a block without end": [Buffer.from("-----BEGIN CERTIFICATE-----\nMC4=\n"), /has no end/],
  "a block that is not base64": [
    Buffer.from("-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n"),
    /not base64/,
  ],
  "a list in a certificate's block": [
    Buffer.from(pem(RIGHT["root.crl"] ?? e1, "CERTIFICATE")),
    /holds something else/,
  ],
  "another ASN.1 structure": [seq(oid("1.2.3"), int("01")), /PKCS#7 file of another kind/],
  "a number": [int("01"), /holds no certificate/],
};

for (const [what, [bytes, why]] of Object.entries(NO_PKI)) {
  test(`${what} is refused by name`, () => {
    assert.throws(
      () => readPkiFile(bytes, "x.bin"),
      (error: unknown) => {
        assert.ok(error instanceof KeyriteError, String(error));
        assert.equal(error.code, "usage.bad-file");
        assert.match(error.message, why);
        return error.message.startsWith("x.bin: ");
      },
    );
  });
}

test("names out of files reach neither terminal nor page raw", () => {
  const name = named("\u202eevil\u001b[2J<script>alert(1)</script>");
  const evil = signed(tbsOf(changed(GOOD.subordinate, { subject: name })), KEYS.root);
  const report = judge(wrong({ "e1.cer": evil }));
  assert.equal(report.findings[0]?.rule, "subject-values");
  for (const line of hierarchyLines(report)) assert.doesNotMatch(line, /[\p{Cc}\p{Cf}]/u);
  const page = hierarchyPage(report);
  assert.doesNotMatch(page, /<script|\u202e|\u001b/u);
  assert.match(page, /&lt;script/);
});

test("certificates that name each other as issuers are judged without end", () => {
  const one = signed(tbsOf({ ...GOOD.root, issuer: named("B"), subject: named("A") }), KEYS.root);
  const two = signed(tbsOf({ ...GOOD.root, issuer: named("A"), subject: named("B") }), KEYS.root);
  const report = judge({ "a.cer": one, "b.cer": two });
  assert.equal(report.verdict, "INCONSISTENT");
  assert.ok(hierarchyLines(report).some((line) => line.includes("a.cer")));
  assert.match(hierarchyPage(report), /b\.cer/);
});
