import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { encodeDer } from "../../src/pki/asn1.ts";
import { buildCertificate, type BuildRequest } from "../../src/pki/build.ts";
import { checkCertificate } from "../../src/pki/check.ts";
import type { ExtensionView } from "../../src/pki/extensions.ts";
import { encodeName } from "../../src/pki/name-codec.ts";
import type { DistinguishedName } from "../../src/pki/names.ts";
import { pem } from "../../src/pki/pem.ts";
import { verifySignature } from "../../src/pki/signature.ts";
import { type CertificateView, readCertificate } from "../../src/pki/view.ts";
import { NOT_BEFORE } from "../support/pki.ts";
import {
  issue,
  type Issued,
  issueRoot,
  issueSub,
  profileNamed,
  serialOf,
  subRequest,
  URLS,
} from "../support/pki-issue.ts";

const folder = mkdtempSync(join(tmpdir(), "keyrite-build-"));
after(() => {
  rmSync(folder, { recursive: true });
});

function file(name: string, { der }: Issued): string {
  const path = join(folder, name);
  writeFileSync(path, pem(der, "CERTIFICATE"));
  return path;
}

function opensslVerify(root: Issued, sub: Issued): string {
  const args = ["-x509_strict", "-check_ss_sig", "-CAfile", file("root", root), file("sub", sub)];
  return execFileSync("openssl", ["verify", ...args], { encoding: "utf8", stdio: "pipe" });
}

const ROOT = issueRoot("p-384");
const SUB = issueSub(ROOT);

for (const name of ["tls", "smime", "code-signing"].map((kind) => `${kind}-subordinate`)) {
  test(`a ${name} below a P-384 root is what openssl takes for a chain`, () => {
    assert.match(opensslVerify(ROOT, issueSub(ROOT, profileNamed(name))), /: OK\n$/);
  });
}

const PRIVATE: readonly (readonly [string, Parameters<typeof issueRoot>[0], RegExp])[] = [
  ["private-root", "ed25519", /ED25519/],
  ["private-root", "rsa-3072", /sha256WithRSAEncryption/],
  ["private-root-pss", "rsa-3072", /rsassaPss\n.*\n?.*sha256/],
  ["private-root-pss", "rsa-4096", /rsassaPss\n.*\n?.*sha384/],
];
for (const [name, algorithm, words] of PRIVATE) {
  test(`${name} with ${algorithm}, and a subordinate below it`, () => {
    const root = issueRoot(algorithm, profileNamed(name));
    const rsaPadding = name.endsWith("pss") ? "pss" : "pkcs1";
    const sub = issueSub(root, profileNamed("private-subordinate", { rsaPadding }));
    checkCertificate(root.der, { tbs: root.tbs, spki: root.key.spki });
    assert.match(opensslVerify(root, sub), /: OK\n$/);
    const text = execFileSync("openssl", ["x509", "-text", "-noout", "-in", file("root", root)], {
      encoding: "utf8",
    });
    assert.match(text, words);
  });
}

function der(name: DistinguishedName): string {
  return Buffer.from(encodeDer(encodeName(name))).toString("hex");
}

function find<K extends ExtensionView["kind"]>(view: CertificateView, kind: K) {
  return view.extensions.find(
    (found): found is Extract<ExtensionView, { kind: K }> => found.kind === kind,
  );
}

test("a subordinate names its issuer byte for byte and by its key id", () => {
  assert.equal(der(SUB.view.issuer), der(ROOT.view.subject));
  const keyId = find(ROOT.view, "subject-key-id")?.keyId;
  assert.equal(find(SUB.view, "authority-key-id")?.keyId, keyId);
  assert.deepEqual(find(SUB.view, "crl-distribution-points")?.points, [URLS.crl]);
  assert.equal(find(SUB.view, "basic-constraints")?.pathLength, 0);
});

test("an OCSP responder carries ocsp-nocheck as NULL and is no CA", () => {
  const responder = issueSub(ROOT, profileNamed("ocsp-responder"));
  assert.match(opensslVerify(ROOT, responder), /: OK\n$/);
  assert.ok(Buffer.from(responder.der).toString("hex").includes("06092b060105050730010504020500"));
  assert.equal(find(responder.view, "basic-constraints")?.ca, false);
});

/** A root of another hierarchy crosses the subordinate; its name uses another string type on purpose. */
function cross(issuer: Issued, existing: Issued): Issued {
  const request: BuildRequest = {
    ...{ kind: "cross", profile: profileNamed("cross-certificate"), serial: serialOf("cross") },
    ...{ nowMs: NOT_BEFORE + 120_000, validity: {}, urls: URLS },
    issuer: issuer.view,
    existing: existing.view,
  };
  return issue(request, issuer.key, existing.key);
}

test("a cross-certificate has the subject, key and key id of the existing one, byte for byte", () => {
  const other = issueRoot("p-256", profileNamed("tls-root"), "CN=Other Root,O=Other,C=AT");
  const printable = SUB.view.subject.map((rdn) =>
    rdn.map((attribute) => ({ ...attribute, form: "printable" as const })),
  );
  const existing = { ...SUB, view: { ...SUB.view, subject: printable } };
  const crossed = cross(other, existing);
  assert.equal(der(crossed.view.subject), der(printable));
  assert.notEqual(der(crossed.view.subject), der(SUB.view.subject));
  assert.equal(crossed.view.key.spki, SUB.view.key.spki);
  assert.deepEqual(find(crossed.view, "subject-key-id"), find(SUB.view, "subject-key-id"));
  assert.match(opensslVerify(other, crossed), /: OK\n$/);
});

test("a cross-certificate keeps a key id that was made in another way", () => {
  const profile = profileNamed("tls-subordinate", { subjectKeyId: "sha1" });
  const existing = issueSub(ROOT, profile);
  const other = issueRoot("p-256", profileNamed("tls-root"), "CN=Other Root,O=Other,C=AT");
  const keyIds = [existing, cross(other, existing), SUB].map(
    ({ view }) => find(view, "subject-key-id")?.keyId,
  );
  assert.equal(keyIds[0], keyIds[1]);
  assert.notEqual(keyIds[0], keyIds[2]);
});

test("a re-issue changes serial number and validity, and nothing else", () => {
  const request: BuildRequest = {
    ...{ kind: "reissue", profile: profileNamed("tls-root"), serial: serialOf("again") },
    ...{ nowMs: NOT_BEFORE + 86_400_000, validity: { days: 3000 } },
    issuer: "self",
    old: ROOT.view,
  };
  const again = issue(request, ROOT.key, ROOT.key);
  const { serial, notBefore, notAfter } = again.view;
  assert.deepEqual({ ...ROOT.view, serial, notBefore, notAfter }, again.view);
  assert.equal(serial, Buffer.from(serialOf("again")).toString("hex"));
  assert.equal(notBefore.time, "2026-11-24T09:30:00Z");
  assert.equal(notAfter.time, "2035-02-10T09:29:59Z");
});

test("a validity may be set by dates, and begin before the step", () => {
  const dates = { notBefore: "2026-11-23T00:00:00Z", notAfter: "2030-11-22T23:59:59Z" };
  const validity = `{ notBefore: "${dates.notBefore}", notAfter: "${dates.notAfter}" }`;
  const below = (changes: Readonly<Record<string, string>>): CertificateView => {
    const profile = profileNamed("private-subordinate", changes);
    const early = {
      ...ROOT.view,
      notBefore: { time: "2026-11-01T00:00:00Z", form: "utc" } as const,
    };
    return buildCertificate({ ...subRequest(ROOT, profile), issuer: early }).view;
  };
  assert.equal(below({ validity }).notBefore.time, dates.notBefore);
  assert.equal(below({ validity }).notAfter.time, dates.notAfter);
  const days = "{ days: { least: 1, most: 9, usual: 2 }, backdate: 60 }";
  assert.equal(below({ validity: days }).notBefore.time, "2026-11-23T08:31:00Z");
  assert.equal(below({ validity: days }).notAfter.time, "2026-11-25T08:30:59Z");
});

test("a signature verifies under its own scheme, key and salt only", () => {
  const { tbs, der: whole, key } = issueRoot("rsa-3072", profileNamed("private-root-pss"));
  const { signature } = readCertificate(whole);
  assert.equal(verifySignature("rsa-pss-sha256", key.spki, tbs, signature), true);
  assert.equal(verifySignature("rsa-pss-sha384", key.spki, tbs, signature), false);
  assert.equal(verifySignature("rsa-pkcs1-sha256", key.spki, tbs, signature), false);
  assert.equal(verifySignature("ecdsa-sha256", key.spki, tbs, signature), false);
  assert.equal(verifySignature("rsa-pss-sha256", SUB.key.spki, tbs, signature), false);
  assert.equal(verifySignature("rsa-pss-sha256", new Uint8Array(9), tbs, signature), false);
});
