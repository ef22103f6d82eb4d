/** `keyrite hierarchy` as people type it: verdicts, exit codes, JSON, the page, and files that are none. */

import assert from "node:assert/strict";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pem } from "../../src/pki/pem.ts";
import { rootParts, signed, signer, tbsOf } from "../support/broken-certificate.ts";
import { readCsr } from "../../src/pki/csr-read.ts";
import { Chromium } from "../support/chromium.ts";
import { issueSet, softwareKey, VARIANTS } from "../support/issued-set.ts";
import { keyrite, newFolder, refused, succeeded } from "../support/rehearsed-site.ts";

const folder = newFolder();
const file = (name: string): string => join(folder, name);
const put = (name: string, bytes: string | Uint8Array): string => {
  writeFileSync(file(name), bytes);
  return file(name);
};
const variant = VARIANTS.find(({ name }) => name === "p-384") ?? assert.fail("no variant");
const set = await issueSet(variant, await softwareKey("p-384"), await softwareKey("p-256"));
const root = put("root.pem", pem(set.root, "CERTIFICATE"));
const issuing = put("issuing.cer", set.subordinate);
const list = put("root.crl", pem(set.crl, "X509 CRL"));
const request = put("request.csr", pem(set.csr, "CERTIFICATE REQUEST"));
const bundle = put("chain.p7b", pem(set.bundle, "PKCS7"));

interface Document {
  readonly schema: string;
  readonly verdict: string;
  readonly parts: readonly { readonly kind: string; readonly file: string }[];
  readonly findings: readonly { readonly rule: string; readonly severity: string }[];
}

test("what was issued together is CONSISTENT in every form of file, as a tree", () => {
  const { stdout } = succeeded(keyrite(["hierarchy", bundle, root, issuing, list, request]));
  assert.match(stdout, /^CONSISTENT: 2 certificates, 1 revocation list, 1 request\n/);
  assert.match(
    stdout,
    /^Root p-384: root, P-384, .*\[chain\.p7b#2\]\n├─ list 1, .*\[root\.crl\]\n└─ Issuing p-384: /m,
  );
});

test("--json prints one document with every part and finding", () => {
  const { stdout } = succeeded(
    keyrite(["hierarchy", root, issuing, list, "--json", "--rules", "tls"]),
  );
  const told = JSON.parse(stdout) as Document;
  assert.equal(told.schema, "keyrite/hierarchy/v1");
  assert.equal(told.verdict, "CONSISTENT");
  assert.deepEqual(
    told.parts.map(({ kind, file: name }) => [kind, name]),
    [
      ["certificate", "root.pem"],
      ["certificate", "issuing.cer"],
      ["crl", "root.crl"],
    ],
  );
});

test("a missing issuer is INCONSISTENT: exit 6, for the auditor, named in text and JSON", () => {
  refused(
    keyrite(["hierarchy", issuing, list]),
    "ledger.not-trusted",
    "not consistent",
    /is not among the files/,
  );
  const { code, stdout } = keyrite(["hierarchy", issuing, "--json"]);
  assert.equal(code, 6);
  const told = JSON.parse(stdout) as Document;
  assert.equal(told.verdict, "INCONSISTENT");
  assert.deepEqual(
    told.findings.map(({ rule }) => rule),
    ["issuer-absent"],
  );
});

test("a root of the same name with another key does not pass for the issuer", () => {
  const other = signer("p-384");
  const { subject } = rootParts(other);
  const lookalike = { ...rootParts(other), subject, issuer: subject };
  const fake = put("fake.cer", signed(tbsOf(lookalike), other));
  refused(keyrite(["hierarchy", fake, issuing]), "ledger.not-trusted");
});

test("--html writes a page with the tree to a new file, and never over one", () => {
  const page = file("hierarchy.html");
  succeeded(keyrite(["hierarchy", root, issuing, list, request, "--html", page]));
  const text = readFileSync(page, "utf8");
  assert.match(text, /<svg/);
  assert.doesNotMatch(text, /https?:\/\/(?!www\.w3\.org)[^"<]*\.(?:js|css)/);
  const chromium = new Chromium();
  try {
    const dom = chromium.open(text);
    for (const words of ["CONSISTENT", "Root p-384", "Issuing p-384", "list 1"]) {
      assert.ok(dom.includes(words), words);
    }
  } finally {
    chromium.close();
  }
  refused(keyrite(["hierarchy", root, "--html", page]), "site.file-exists");
});

test("files that hold none of the three are refused by name: exit 2", () => {
  const text = put("note.txt", "hello\n");
  refused(
    keyrite(["hierarchy", root, text]),
    "usage.bad-file",
    /note\.txt: it holds no certificate/,
  );
  refused(keyrite(["hierarchy", put("empty.cer", "")]), "usage.bad-file", /the file is empty/);
  refused(keyrite(["hierarchy", file("nowhere.cer")]), "site.missing");
  mkdirSync(file("folder"));
  refused(keyrite(["hierarchy", file("folder")]), "usage.bad-file");
  symlinkSync(root, file("link.pem"));
  assert.notEqual(keyrite(["hierarchy", file("link.pem")]).code, 0);
  refused(
    keyrite(["hierarchy", root, "--rules", "none"]),
    "usage.bad-option",
    /no rules named none/,
  );
  refused(keyrite(["hierarchy"]), "usage.bad-option");
});

test("a request alone is judged, and its key has no certificate yet", () => {
  assert.equal(readCsr(set.csr).view.key.kind, "ec");
  const { stdout } = succeeded(keyrite(["hierarchy", request]));
  assert.match(stdout, /request for Request p-384: P-256, no certificate yet/);
});
