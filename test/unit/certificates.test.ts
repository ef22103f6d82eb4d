/** Certificates in ceremonies: whole hierarchies, documents from outside, revocations, and their files. */

import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { test } from "node:test";
import { fromBase64, fromUtf8, groupedHex, sha256Hex } from "../../src/lib/encoding.ts";
import { isJsonObject } from "../../src/lib/json.ts";
import { readCrl } from "../../src/pki/crl-read.ts";
import type { ExtensionView } from "../../src/pki/extensions.ts";
import { readCertificate } from "../../src/pki/view.ts";
import {
  active,
  activeWith,
  believed,
  below,
  certificate,
  crl,
  file,
  issue,
  key,
  outsideRequest,
  outsideRoot,
  revoke,
  URLS,
  withHierarchy,
} from "../support/certificate-stage.ts";
import { CAST } from "../support/stage-scripts.ts";
import { stageTests } from "../support/stage-tests.ts";

const fork = await stageTests();

test("Q12: whether what was signed fits together is told before anybody is asked to cosign it", async (t) => {
  const stage = await withHierarchy(fork(t));
  const verdict = "What was signed was judged together";
  const told = (): boolean => stage.console.shown.some((text) => text.startsWith(verdict));
  let asked = 0;
  const agrees = ({ step }: { readonly step: string }): boolean => {
    if (step !== "close") return true;
    asked += 1;
    assert.ok(told(), "nobody vouches for what they have not heard");
    return true;
  };
  await stage.run(active(crl("second-crl")), { ...CAST, agrees });
  assert.ok(asked >= 2);
});

test("a hierarchy is built in one ceremony: root, subordinate and the first CRL", async (t) => {
  const stage = await withHierarchy(fork(t));
  believed(stage);
  assert.deepEqual(
    stage
      .issued()
      .map((path) => path.split("/").at(-1))
      .sort(),
    [
      ...["root-ca.der", "root-ca.p7b", "root-ca.pem", "root-crl.crl", "root-crl.crl.pem"],
      ...["sub-a.der", "sub-a.p7b", "sub-a.pem"],
    ],
  );
  const root = new X509Certificate(file(stage, "root-ca.pem"));
  const sub = new X509Certificate(file(stage, "sub-a.der"));
  assert.ok(sub.verify(root.publicKey) && sub.checkIssued(root) && root.verify(root.publicKey));
  const [above, issued] = [certificate(stage, "root-ca"), certificate(stage, "sub-a")];
  assert.ok(issued.source === "issued");
  assert.deepEqual([issued.issuer, issued.issuerSpki], [above.sha256, above.spki]);
  const der = file(stage, "sub-a.der");
  const digests = [sha256Hex(der), sha256Hex(readCertificate(der).tbs)];
  assert.deepEqual([issued.sha256, issued.tbs], digests);
  assert.equal(issued.ca, true);
  for (const one of issued.files) assert.equal(sha256Hex(file(stage, one.file)), one.sha256);
});

test("the chain of a subordinate is bundled with it, its own certificate first", async (t) => {
  const stage = await withHierarchy(fork(t));
  const text = fromUtf8(file(stage, "sub-a.p7b"));
  assert.match(text, /^-----BEGIN PKCS7-----\n/);
  const bundle = fromBase64(
    text
      .split("\n")
      .filter((l) => !l.startsWith("-"))
      .join(""),
  );
  assert.ok(bundle);
  const places = ["sub-a.der", "root-ca.der"].map((name) =>
    Buffer.from(bundle).indexOf(file(stage, name)),
  );
  assert.ok(places.every((at) => at > 0));
});

test("what is signed was shown before, with the digest of its very bytes", async (t) => {
  const stage = await withHierarchy(fork(t));
  const begun = stage
    .entries()
    .find(({ type, step: id }) => type === "step.begun" && id === "certify-sub-a");
  const intent = begun?.data["intent"] ?? null;
  assert.ok(isJsonObject(intent));
  assert.ok(typeof intent["tbs"] === "string");
  const tbs = fromBase64(intent["tbs"]) ?? new Uint8Array();
  assert.equal(intent["sha256"], sha256Hex(tbs));
  const shown = stage.console.shown.join("\n");
  const [words = ""] = /^(\S+ ){7}\S+/.exec(groupedHex(sha256Hex(tbs))) ?? [];
  assert.ok(shown.includes(`To be signed, SHA-256:\n    ${words}`));
  assert.match(shown, /is a CA +yes, with no CA below it/);
  assert.match(shown, /Nothing differs from the profile\./);
  assert.match(shown, /issued under a throw-away p-256 key and linted whole: no finding/);
});

test("a subordinate whose key is elsewhere gets its certificate from its request", async (t) => {
  const stage = await withHierarchy(fork(t));
  stage.lent.set("partner.csr", outsideRequest());
  const yaml = activeWith(
    "request: { type: file, about: request }",
    issue(
      "certify",
      `issuer: root-ca, request: $request, profile: tls-subordinate, ${URLS}, file: partner`,
    ),
  );
  await stage.run(yaml, CAST, { set: { request: "partner.csr" } });
  believed(stage);
  assert.equal(certificate(stage, "partner").subject, "CN=Partner CA,O=Partner,C=DE");
  assert.ok(!stage.history.custody.keys.has(certificate(stage, "partner").spki));
  assert.match(stage.console.shown.join("\n"), /The request from outside says, in plain words:/);
  const sent = sha256Hex(stage.lent.get("partner.csr") ?? "");
  assert.equal(sha256Hex(stage.ledger.attachment(sent)?.bytes ?? ""), sent);
  const begun = stage
    .entries()
    .findLast((one) => one.type === "step.opened" && one.step === "certify");
  assert.ok(begun?.description.includes(sent), "the digest of the file is read aloud");
});

test("H07: what a request asks for is shown, and none of it comes into the certificate", async (t) => {
  const stage = await withHierarchy(fork(t));
  const greedy: readonly ExtensionView[] = [
    { kind: "basic-constraints", critical: true, ca: true, pathLength: 7 },
    { kind: "key-usage", critical: true, usages: ["keyCertSign", "cRLSign", "keyAgreement"] },
    { kind: "ext-key-usage", critical: false, purposes: ["anyExtendedKeyUsage", "codeSigning"] },
    { kind: "subject-alt-name", critical: false, names: [{ type: "dns", value: "evil.example" }] },
  ];
  stage.lent.set("greedy.csr", outsideRequest("CN=Partner CA,O=Partner,C=DE", undefined, greedy));
  const yaml = activeWith(
    "request: { type: file, about: request }",
    issue(
      "certify",
      `issuer: root-ca, request: $request, profile: tls-subordinate, ${URLS}, file: greedy`,
    ),
  );
  await stage.run(yaml, CAST, { set: { request: "greedy.csr" } });
  believed(stage);
  const shown = stage.console.shown.join("\n");
  assert.match(shown, /evil\.example/);
  assert.match(shown, /Only its key and name are used\./);
  assert.match(shown, /Nothing differs from the profile\./);
  const { view } = readCertificate(file(stage, "greedy.der"));
  const ours = readCertificate(file(stage, "sub-a.der")).view;
  const kinds = (one: typeof view): readonly string[] => one.extensions.map(({ kind }) => kind);
  assert.deepEqual(kinds(view), kinds(ours));
  const same = ({ kind }: ExtensionView): boolean => kind !== "subject-key-id";
  assert.deepEqual(view.extensions.filter(same), ours.extensions.filter(same));
});

test("a root of another organisation is cross-certified: name and key byte for byte", async (t) => {
  const stage = await withHierarchy(fork(t));
  stage.lent.set("theirs.pem", outsideRoot());
  const yaml = activeWith(
    "theirs: { type: file, about: root }",
    issue(
      "cross",
      `issuer: root-ca, certificate: $theirs, profile: cross-certificate, ${URLS}, file: cross`,
    ),
  );
  await stage.run(yaml, CAST, { set: { theirs: "theirs.pem" } });
  believed(stage);
  const theirs = new X509Certificate(outsideRoot());
  const crossed = new X509Certificate(file(stage, "cross.der"));
  assert.equal(crossed.subject, theirs.subject);
  assert.ok(crossed.publicKey.equals(theirs.publicKey));
  assert.ok(crossed.checkIssued(new X509Certificate(file(stage, "root-ca.der"))));
  assert.match(stage.console.shown.join("\n"), /From the certificate that is crossed: issuer:/);
});

test("a root is issued again for the same key, and what it certified stays good", async (t) => {
  const stage = await withHierarchy(fork(t));
  await stage.run(
    active(issue("renew", "replaces: root-ca, profile: tls-root, days: 7305, file: root-ca-2")),
    CAST,
  );
  believed(stage);
  const [old, renewed] = [certificate(stage, "root-ca"), certificate(stage, "root-ca-2")];
  assert.deepEqual([renewed.subject, renewed.spki], [old.subject, old.spki]);
  assert.notEqual(renewed.serial, old.serial);
  const sub = new X509Certificate(file(stage, "sub-a.der"));
  assert.ok(sub.checkIssued(new X509Certificate(file(stage, "root-ca-2.der"))));
  const shown = stage.console.shown.join("\n");
  assert.match(shown, /From the certificate that is replaced: serial number:/);
  assert.doesNotMatch(shown, /that is replaced: subject/);
});

test("a revocation goes into the next CRL, whose number never goes back", async (t) => {
  const stage = await withHierarchy(fork(t));
  const first = [...stage.history.custody.crls.values()][0];
  // The clock stood still, or was set back behind the last CRL.
  await stage.run(active(revoke("sub-a"), crl("crl-2"), crl("crl-3")), CAST);
  believed(stage);
  const lists = ["root-crl.crl", "crl-2.crl", "crl-3.crl"].map((name) =>
    readCrl(file(stage, name)),
  );
  assert.deepEqual(
    lists.map(({ count }) => count),
    [0, 1, 1],
  );
  const [entry] = [...(lists[2]?.entries() ?? [])];
  assert.equal(entry?.serial, certificate(stage, "sub-a").serial);
  assert.equal(entry.reason, "superseded");
  const last = [...stage.history.custody.crls.values()][0];
  assert.ok(first && last && last.number >= first.number + 2);
  assert.equal(last.entries, 1);
});

test("the certificate of an OCSP responder is no CA's, and can issue nothing", async (t) => {
  const stage = await withHierarchy(fork(t));
  await stage.run(
    active(
      key("ocsp"),
      issue(
        "responder",
        `issuer: root-ca, subjectKey: ocsp, subject: "CN=OCSP 1,O=Example,C=DE", profile: ocsp-responder, file: ocsp-1`,
        "sign-ocsp-responder",
      ),
    ),
    CAST,
  );
  believed(stage);
  assert.equal(certificate(stage, "ocsp-1").ca, false);
  const planning = stage.planning(
    active(
      below("sub-a")
        .replace("issuer: root-ca", "issuer: ocsp-1")
        .replace("key: root-g1", "key: ocsp"),
    ),
  );
  assert.ok(!planning.ok);
  assert.match(
    planning.objections.map(({ text }) => text).join("\n"),
    /ocsp-1 is no CA certificate/,
  );
});
