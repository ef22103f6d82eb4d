/** Requests that leave the site, and certificates of other CAs that come back: taken in, or not. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { certificatesStatus } from "../../src/ceremony/certificate-status.ts";
import { fromBase64, fromHex, fromUtf8, sha256Hex } from "../../src/lib/encoding.ts";
import { KeyriteError } from "../../src/lib/errors.ts";
import { buildCertificate } from "../../src/pki/build.ts";
import { parseDn } from "../../src/pki/names.ts";
import { requireProfile } from "../../src/pki/profile-file.ts";
import { serialFrom } from "../../src/pki/profile.ts";
import { readCertificate } from "../../src/pki/view.ts";
import {
  active,
  activeWith,
  believed,
  certificate,
  file,
  issue,
  outsideRoot,
  signedOutside,
  step,
  URLS,
  withHierarchy,
} from "../support/certificate-stage.ts";
import { shippedProfile } from "../support/profiles.ts";
import { CAST, script } from "../support/stage-scripts.ts";
import { stageTests } from "../support/stage-tests.ts";
import type { Stage } from "../support/stage.ts";

const fork = await stageTests();

test("a request for an outside CA is signed by its own key; what comes back is taken in", async (t) => {
  const stage = await withHierarchy(fork(t));
  const name = "CN=sub-a,O=Example,C=DE";
  await stage.run(
    active(
      step("request", "make-csr", `token: alpha, key: sub-a, subject: "${name}", file: sub-a-req`),
    ),
    CAST,
  );
  believed(stage);
  assert.equal([...stage.history.custody.requests.values()][0]?.subject, name);
  stage.lent.set("root.pem", outsideRoot());
  stage.lent.set("answer.pem", signedOutside(answerTo(stage, name)));
  const yaml = script(
    [
      step(
        "import",
        "import-certificate",
        "certificate: $answer, issuer: $root, file: from-outside",
      ),
    ],
    ["params: { answer: { type: file, about: a }, root: { type: file, about: r } }"],
  );
  await stage.run(yaml, CAST, { set: { answer: "answer.pem", root: "root.pem" } });
  believed(stage);
  const taken = certificate(stage, "from-outside");
  assert.deepEqual([taken.source, taken.subject, taken.ca], ["imported", name, true]);
  assert.equal(sha256Hex(file(stage, "from-outside.der")), taken.sha256);
  assert.match(stage.console.shown.join("\n"), /signature verifies under the issuer's certificate/);
});

/** What the other organisation would sign: a subordinate of its root, about the key sub-a. */
function answerTo(stage: Stage, name: string): Uint8Array {
  const spki = stage.ledger.attachment(certificate(stage, "sub-a").spki)?.bytes;
  assert.ok(spki);
  const pem = fromUtf8(outsideRoot())
    .split("\n")
    .filter((l) => !l.startsWith("-"))
    .join("");
  const issuer = readCertificate(fromBase64(pem) ?? new Uint8Array()).view;
  return buildCertificate({
    ...{ kind: "subordinate", issuer, spki, subject: parseDn(name), validity: { days: 300 } },
    profile: requireProfile(shippedProfile("private-subordinate"), "p.yaml"),
    serial: serialFrom(fromHex("5a".repeat(10) + "3c".repeat(10)) ?? new Uint8Array()),
    nowMs: stage.clock.time,
    urls: { crl: ["http://crl.example.org/x.crl"] },
  }).tbs;
}

test("a certificate whose issuer nobody gave is taken in loudly, and linted as far as it can be", async (t) => {
  const stage = await withHierarchy(fork(t));
  stage.lent.set("answer.pem", signedOutside(answerTo(stage, "CN=sub-a,O=Example,C=DE")));
  const yaml = script(
    [step("import", "import-certificate", "certificate: $answer, file: from-outside")],
    ["params: { answer: { type: file, about: a } }"],
  );
  await stage.run(yaml, CAST, { set: { answer: "answer.pem" } });
  believed(stage);
  const taken = certificate(stage, "from-outside");
  assert.ok(taken.source === "imported" && !taken.verified);
  const shown = stage.console.shown.join("\n");
  assert.match(shown, /WARNING: nobody has verified who signed this certificate/);
  // The serial number 5a5a… 3c3c… is none that a CSPRNG would give: what the lints find is said and recorded.
  const begun = stage
    .entries()
    .findLast(({ step: id, type }) => id === "import" && type === "step.begun");
  const { warnings } = begun?.data["intent"] as { readonly warnings: readonly string[] };
  for (const warning of warnings) assert.ok(shown.includes(`WARNING: ${warning}`));
  assert.match(
    certificatesStatus(stage.history.custody, stage.clock.time).concerns.join("\n"),
    /from-outside was taken in from outside, and nobody has verified who signed it/,
  );
});

test("a certificate from outside that its issuer has not signed is not taken in", async (t) => {
  const stage = await withHierarchy(fork(t));
  stage.lent.set("root.pem", outsideRoot("CN=Another,O=Partner,C=DE"));
  stage.lent.set("answer.pem", signedOutside(answerTo(stage, "CN=sub-a,O=Example,C=DE")));
  const yaml = script(
    [
      step(
        "import",
        "import-certificate",
        "certificate: $answer, issuer: $root, file: from-outside",
      ),
    ],
    ["params: { answer: { type: file, about: a }, root: { type: file, about: r } }"],
  );
  await assert.rejects(
    stage.run(yaml, CAST, { set: { answer: "answer.pem", root: "root.pem" } }),
    /was not issued under the given issuer's/,
  );
  assert.equal(stage.history.custody.certificates.size, 2);
});

test("a certificate from outside about no key of this site is not taken in", async (t) => {
  const stage = await withHierarchy(fork(t));
  stage.lent.set("answer.pem", outsideRoot());
  const yaml = script(
    [step("import", "import-certificate", "certificate: $answer, file: from-outside")],
    ["params: { answer: { type: file, about: a } }"],
  );
  await assert.rejects(
    stage.run(yaml, CAST, { set: { answer: "answer.pem" } }),
    /is about no key of this site/,
  );
});

test("a request for a key of this site is no request from outside", async (t) => {
  const stage = await withHierarchy(fork(t));
  const about = 'token: alpha, key: sub-a, subject: "CN=sub-a,O=Example,C=DE", file: sub-a-req';
  await stage.run(active(step("request", "make-csr", about)), CAST);
  stage.lent.set("ours.csr", file(stage, "sub-a-req.csr"));
  const more = `issuer: root-ca, request: $ours, profile: tls-subordinate, ${URLS}, file: twice`;
  const yaml = activeWith("ours: { type: file, about: request }", issue("certify", more));
  await assert.rejects(stage.run(yaml, CAST, { set: { ours: "ours.csr" } }), (error) => {
    assert.ok(error instanceof KeyriteError);
    assert.match(error.hints.join("\n"), /key/);
    return true;
  });
  assert.equal(stage.history.custody.certificates.size, 2);
});
