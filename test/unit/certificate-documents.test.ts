/** What the record says of a certificate, request or CRL, held against the document itself. */

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  whyOtherCrl,
  whyOtherImported,
  whyOtherIssued,
  whyOtherRequest,
} from "../../src/ceremony/certificate-documents.ts";
import type { FactOf } from "../../src/ceremony/facts.ts";
import { hex, sha256Hex } from "../../src/lib/encoding.ts";
import { assembleCrl, buildCrl, type CrlEntry } from "../../src/pki/crl.ts";
import { readCrl } from "../../src/pki/crl-read.ts";
import { readCsr } from "../../src/pki/csr-read.ts";
import { formatDn } from "../../src/pki/names.ts";
import { certificatePlate, crlPlate, requestPlate, signedParts } from "../../src/pki/recorded.ts";
import { pem, type PemLabel } from "../../src/pki/pem.ts";
import { readCertificate } from "../../src/pki/view.ts";
import { issueSet, softwareKey, VARIANTS } from "../support/issued-set.ts";
import { issueRoot, serialOf, signBytes } from "../support/pki-issue.ts";
import { softKey } from "../support/pki.ts";

test("the tags alone say of each kind of document what its decoders say", async () => {
  for (const variant of VARIANTS.filter(({ algorithm }) => algorithm !== "rsa-4096")) {
    const key = await softwareKey(variant.algorithm);
    const set = await issueSet(variant, key, await softwareKey(variant.algorithm));
    for (const der of [set.root, set.subordinate, set.cross, set.responder]) {
      const { view, tbs } = readCertificate(der);
      const plate = certificatePlate(signedParts(der).tbs);
      assert.deepEqual(signedParts(der).tbs, tbs);
      assert.deepEqual(
        { ...plate, spki: hex(plate.spki) },
        {
          spki: view.key.spki,
          issuerName: formatDn(view.issuer),
          subject: formatDn(view.subject),
          serial: view.serial,
          notBefore: view.notBefore.time,
          notAfter: view.notAfter.time,
          ca: der !== set.responder,
        },
      );
    }
    const crl = readCrl(set.crl);
    const list = crlPlate(signedParts(set.crl).tbs);
    const dates = [crl.header.thisUpdate.time, crl.header.nextUpdate.time];
    assert.deepEqual([list.thisUpdate, list.nextUpdate], dates);
    assert.deepEqual(
      list.revoked,
      [...crl.entries()].map(({ serial, revokedAt, reason }) => {
        return { serial, date: revokedAt.time, reason };
      }),
    );
    const request = readCsr(set.csr).view;
    const asked = requestPlate(signedParts(set.csr).tbs);
    assert.deepEqual(
      [asked.subject, hex(asked.spki)],
      [formatDn(request.subject), request.key.spki],
    );
    assert.equal(whyOtherRequest(requestFact(set.csr), lend(set.csr)), undefined);
  }
});

/** Looks documents up by their digest. */
function lend(...all: readonly Uint8Array[]): (sha256: string) => Uint8Array | undefined {
  return (sha256) => all.find((one) => sha256Hex(one) === sha256);
}

/** As what was handed over is recorded: the DER, and its PEM. */
function out(der: Uint8Array, names: readonly [string, string], label: PemLabel) {
  const [bare, armoured] = names;
  const files = [
    { file: `x.${bare}`, sha256: sha256Hex(der) },
    { file: `x.${armoured}`, sha256: sha256Hex(pem(der, label)) },
  ];
  return { file: "x", files };
}

function requestFact(der: Uint8Array): FactOf<"csr.made"> {
  const { subject, key } = readCsr(der).view;
  return {
    kind: "csr.made",
    ...{ sha256: sha256Hex(der), spki: key.spkiSha256, subject: formatDn(subject) },
    ...out(der, ["csr.der", "csr"], "CERTIFICATE REQUEST"),
  };
}

const ROOT = issueRoot("p-384");
const revoked = ["a", "b", "c"].map((name) => hex(serialOf(name)));
const known = new Map(
  revoked.map((serial) => [serial, { date: "2026-11-24T08:00:00Z", reason: "superseded" }]),
);
const THIS = Date.UTC(2026, 10, 24, 9, 0, 0);

function crl(
  serials: readonly string[],
  key = ROOT.key,
  changes: Partial<CrlEntry> = {},
): Uint8Array {
  const entries = serials.map((serial): CrlEntry => {
    return { serial, revokedAt: "2026-11-24T08:00:00Z", reason: "superseded", ...changes };
  });
  const dates = { thisUpdateMs: THIS, nextUpdateMs: THIS + 86_400_000 };
  const { tbs, scheme } = buildCrl({ issuer: ROOT.view, number: 7n, ...dates, entries });
  return assembleCrl(tbs, scheme, signBytes(key, scheme, tbs));
}

function crlFact(der: Uint8Array, entries: number): FactOf<"crl.issued"> {
  return {
    kind: "crl.issued",
    ...{ sha256: sha256Hex(der), tbs: sha256Hex(signedParts(der).tbs), issuer: sha256Hex("root") },
    ...{ issuerSpki: sha256Hex(ROOT.key.spki), number: 7, thisUpdate: "2026-11-24T09:00:00Z" },
    ...{ nextUpdate: "2026-11-25T09:00:00Z", entries },
    ...out(der, ["crl", "crl.pem"], "X509 CRL"),
  };
}

const judgeCrl = (
  der: Uint8Array,
  lie: Partial<FactOf<"crl.issued">> = {},
  entries = 3,
): string | undefined =>
  whyOtherCrl({ ...crlFact(der, entries), ...lie }, lend(der, ROOT.key.spki), () => known);

test("a CRL is what the record says, signed by the issuer, and of exactly what is revoked", () => {
  const right = crl(revoked);
  assert.equal(judgeCrl(right), undefined);
  for (const lie of [
    { number: 8 },
    { thisUpdate: "2026-11-24T09:00:01Z" },
    { nextUpdate: "2027-11-25T09:00:00Z" },
    { entries: 2 },
    { tbs: sha256Hex("other") },
  ]) {
    const [member = ""] = Object.keys(lie);
    assert.match(judgeCrl(right, lie) ?? "", new RegExp(`another ${member} than is recorded`));
  }
  const stranger = hex(serialOf("d"));
  const swapped = crl([...revoked.slice(1), stranger]);
  assert.match(judgeCrl(swapped) ?? "", new RegExp(`holds the serial number ${stranger}`));
  assert.match(judgeCrl(crl(revoked.slice(1)), {}, 2) ?? "", /leaves a revoked certificate out/);
  assert.match(judgeCrl(crl(revoked, softKey("p-384"))) ?? "", /not signed by the key/);
  for (const change of [
    { reason: "keyCompromise" },
    { revokedAt: "2026-11-24T08:00:01Z" },
  ] as const) {
    const changed = crl(revoked, ROOT.key, change);
    assert.match(judgeCrl(changed) ?? "", /gives another date or reason for the serial number/);
  }
  const cut = right.subarray(0, -1);
  const sha256 = sha256Hex(cut);
  const fact = { ...crlFact(right, 3), sha256 };
  assert.match(whyOtherCrl(fact, lend(cut), () => known) ?? "", /cannot be read/);
});

test("a document that is missing is no contradiction: it is missed where attachments are counted", () => {
  const der = crl(revoked);
  assert.equal(
    whyOtherCrl(crlFact(der, 3), lend(), () => new Map()),
    undefined,
  );
  assert.equal(whyOtherIssued({ ...issuedFact(), tbs: sha256Hex("x") }, "CN=x", lend()), undefined);
});

function issuedFact(): FactOf<"certificate.issued"> {
  const { der, view, tbs } = { ...readCertificate(ROOT.der), der: ROOT.der };
  const spki = view.key.spkiSha256;
  return {
    kind: "certificate.issued",
    ...{ sha256: sha256Hex(der), tbs: sha256Hex(tbs), spki, issuer: "self", issuerSpki: spki },
    ...{ profile: "tls-root", profileSha256: sha256Hex("p"), subject: formatDn(view.subject) },
    ...{ serial: view.serial, notBefore: view.notBefore.time, notAfter: view.notAfter.time },
    ca: true,
    ...out(der, ["der", "pem"], "CERTIFICATE"),
  };
}

test("a certificate names the issuer that is recorded, and so does one from outside", () => {
  const documents = lend(ROOT.der, ROOT.key.spki);
  const fact = issuedFact();
  assert.equal(whyOtherIssued(fact, fact.subject, documents), undefined);
  assert.match(whyOtherIssued(fact, "CN=Other", documents) ?? "", /another issuerName/);
  const { sha256, spki, subject, serial, notBefore, notAfter, ca, file, files } = fact;
  const imported = {
    kind: "certificate.imported",
    ...{ sha256, spki, subject, serial, notBefore, notAfter, ca, file, files },
    issuerName: subject,
    verified: false,
  } as const;
  assert.equal(whyOtherImported(imported, documents), undefined);
  for (const lie of [
    { issuerName: "CN=Other" },
    { serial: "01" },
    { ca: false },
    { spki: sha256 },
  ]) {
    const [member = ""] = Object.keys(lie);
    const problem = whyOtherImported({ ...imported, ...lie }, documents) ?? "";
    assert.match(problem, new RegExp(`another ${member} than is recorded`));
  }
});

test("the digests of what was handed over are those of the document, bare and as PEM", () => {
  const documents = lend(ROOT.der, ROOT.key.spki);
  const fact = issuedFact();
  for (const at of [0, 1]) {
    const files = fact.files.map((one, n) => (n === at ? { ...one, sha256: sha256Hex("x") } : one));
    const problem = whyOtherIssued({ ...fact, files }, fact.subject, documents) ?? "";
    assert.match(problem, /the attached certificate is not what x\.(der|pem) is recorded as/);
  }
});
