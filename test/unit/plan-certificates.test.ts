/** Steps about certificates that cannot be performed: each is objected to before the day, in the script's words. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fromPem } from "../../src/pki/pem.ts";
import {
  active,
  activeWith,
  below,
  crl,
  issue,
  outsideRoot,
  revoke,
  URLS,
  withHierarchy,
} from "../support/certificate-stage.ts";
import { CAST } from "../support/stage-scripts.ts";
import { examined } from "../support/stage-planning.ts";
import { stageTests } from "../support/stage-tests.ts";

const fork = await stageTests();

/** What is objected to on a site with a hierarchy. */
const OBJECTIONS: Readonly<Record<string, readonly [yaml: string, says: RegExp]>> = {
  "a profile of another kind": [
    active(issue("step-x", 'subject: "CN=x,O=Example,C=DE", profile: tls-subordinate, file: x')),
    /profile tls-subordinate is for subordinate certificates; the step asks for a root/,
  ],
  "an OCSP responder by issue-certificate": [
    active(
      issue(
        "step-x",
        'issuer: root-ca, subjectKey: sub-a, subject: "CN=x", profile: ocsp-responder, file: x',
      ),
    ),
    /use sign-ocsp-responder/,
  ],
  "a CA by sign-ocsp-responder": [
    active(
      below("sub-a")
        .replace("issue-certificate", "sign-ocsp-responder")
        .replace("file: sub-a", "file: x"),
    ),
    /use issue-certificate/,
  ],
  "a subject that the profile does not take": [
    active(
      issue(
        "step-x",
        `issuer: root-ca, subjectKey: sub-a, subject: "CN=x", profile: tls-subordinate, ${URLS}, file: x`,
      ),
    ),
    /step step-x: .*subject.* (C|O|country|organi)/,
  ],
  "days beyond the profile's": [
    active(
      below("sub-a").replace("profile:", "days: 9000, profile:").replace("file: sub-a", "file: x"),
    ),
    /9000/,
  ],
  "addresses that the profile asks for and nobody gives": [
    active(below("sub-a").replace(`${URLS}, file: sub-a`, "file: x")),
    /asks for crl addresses/,
  ],
  "addresses that the profile does not ask for": [
    active(issue("step-x", `replaces: root-ca, profile: tls-root, ${URLS}, file: x`)),
    /does not ask for|excludes|URL|address/,
  ],
  "an issuer nobody knows": [
    active(below("sub-a").replace("root-ca", "rot-ca").replace("file: sub-a", "file: x")),
    /no certificate rot-ca is in custody by then; did you mean root-ca\?/,
  ],
  "an issuer of another key": [
    active(below("sub-a").replace("root-ca", "sub-a").replace("file: sub-a", "file: x")),
    /certificate sub-a is not of key root-g1, which signs/,
  ],
  "an issuer that an earlier step revokes": [
    active(revoke("root-ca"), below("sub-a").replace("file: sub-a", "file: x")),
    /certificate root-ca is revoked/,
  ],
  "two revocations of one certificate": [
    active(revoke("sub-a"), revoke("sub-a").replace("id: revoke-sub-a", "id: again")),
    /certificate sub-a is revoked already/,
  ],
  "two things that a certificate is about": [
    active(
      issue(
        "step-x",
        "issuer: root-ca, certificate: sub-a, replaces: sub-a, profile: cross-certificate, file: x",
      ),
    ),
    /certificate and replaces exclude each other/,
  ],
  "a subject for a cross-certificate": [
    active(
      issue(
        "step-x",
        `issuer: root-ca, certificate: sub-a, subject: "CN=x", profile: cross-certificate, ${URLS}, file: x`,
      ),
    ),
    /the subject is that of the certificate it is about/,
  ],
  "a renewal by a key that has not signed it": [
    active(
      issue("step-x", "replaces: sub-a, issuer: sub-a, profile: tls-subordinate, file: x").replace(
        "key: root-g1",
        "key: sub-a",
      ),
    ),
    /key sub-a did not sign certificate sub-a/,
  ],
  "a renewal of a root under an issuer": [
    active(issue("step-x", "replaces: root-ca, issuer: root-ca, profile: tls-root, file: x")),
    /is its own issuer: leave issuer out/,
  ],
  "half of the dates": [
    active(
      below("sub-a")
        .replace("profile:", 'notBefore: "2026-12-01T00:00:00Z", profile:')
        .replace("file: sub-a", "file: x"),
    ),
    /notBefore and notAfter go together/,
  ],
  "days and dates": [
    active(
      below("sub-a")
        .replace(
          "profile:",
          'days: 9, notBefore: "2026-12-01T00:00:00Z", notAfter: "2027-12-01T00:00:00Z", profile:',
        )
        .replace("file: sub-a", "file: x"),
    ),
    /give days or dates, not both/,
  ],
  "a certificate that outlives its issuer": [
    active(
      below("sub-a")
        .replace(
          "profile:",
          'notBefore: "2030-12-01T00:00:00Z", notAfter: "2039-12-01T00:00:00Z", profile:',
        )
        .replace("file: sub-a", "file: x"),
    ),
    /issuer/,
  ],
  "a CRL of a certificate of another key": [
    active(crl("xx").replace("issuer: root-ca", "issuer: sub-a")),
    /certificate sub-a is not of key root-g1/,
  ],
  "a CRL that lasts longer than a year": [
    active(crl("xx").replace("days: 364", "days: 400")),
    /must be at most 366/,
  ],
  "a reason that no CRL can give": [
    active(revoke("sub-a", "certificateHold")),
    /"certificateHold" is not one of keyCompromise/,
  ],
  "a date that does not exist": [
    active(revoke("sub-a").replace("reason:", 'date: "2026-02-30T00:00:00Z", reason:')),
    /must be a time like/,
  ],
  "a file that an earlier step writes": [
    active(crl("xx"), crl("yy").replace("file: yy", "file: xx")),
    /already written/,
  ],
};

describe("what is objected to before the day", () => {
  for (const [what, [yaml, says]] of Object.entries(OBJECTIONS)) {
    test(what, async (t) => {
      const stage = await withHierarchy(fork(t));
      assert.match((await examined(stage, yaml)).join("\n"), says);
    });
  }
});

test("an issuer that has expired is objected to when planning, and one that will is not", async (t) => {
  const stage = await withHierarchy(fork(t));
  const yaml = active(below("sub-a").replace("file: sub-a", "file: x"), crl("late"));
  assert.deepEqual(await examined(stage, yaml), []);
  stage.clock.time = Date.parse("2036-11-24T00:00:00Z");
  const texts = await examined(stage, yaml);
  assert.equal(texts.length, 2);
  for (const text of texts) assert.match(text, /certificate root-ca has expired, on 2036-11-2/);
});

test("a root from outside that its own key has not signed is not crossed", async (t) => {
  const stage = await withHierarchy(fork(t));
  const good = outsideRoot();
  const der = fromPem(good, "CERTIFICATE");
  stage.lent.set("torn.der", der.with(-1, (der.at(-1) ?? 0) ^ 1));
  stage.lent.set("good.pem", good);
  const yaml = activeWith(
    "theirs: { type: file, about: root }",
    issue(
      "cross",
      `issuer: root-ca, certificate: $theirs, profile: cross-certificate, ${URLS}, file: cross`,
    ),
  );
  assert.deepEqual(await examined(stage, yaml, { theirs: "good.pem" }), []);
  const [refusal = ""] = await examined(stage, yaml, { theirs: "torn.der" });
  assert.match(refusal, /the certificate to cross is not signed by its own key/);
});

test("a key whose certificate was revoked for another reason gets one more, and the room is told", async (t) => {
  const stage = await withHierarchy(fork(t));
  await stage.run(active(revoke("sub-a"), crl("crl-2")), CAST);
  const anew = active(
    issue("anew", "issuer: root-ca, replaces: sub-a, profile: tls-subordinate, file: x"),
  );
  assert.deepEqual(await examined(stage, anew), []);
  await stage.run(anew, CAST);
  const shown = stage.console.shown.join("\n");
  assert.match(
    shown,
    /WARNING: certificate sub-a of this key was revoked with reason superseded, from/,
  );
});

test("a key that was compromised gets no other certificate, whatever its step is called", async (t) => {
  const stage = await withHierarchy(fork(t));
  const again = active(below("sub-a").replace("file: sub-a", "file: x"));
  const anew = active(
    issue("anew", "issuer: root-ca, replaces: sub-a, profile: tls-subordinate, file: x"),
  );
  assert.deepEqual([await examined(stage, again), await examined(stage, anew)], [[], []]);
  await stage.run(active(revoke("sub-a", "keyCompromise"), crl("crl-2")), CAST);
  for (const yaml of [again, anew]) {
    const texts = await examined(stage, yaml);
    assert.match(
      texts.join("\n"),
      /certificate sub-a of this key was revoked with reason keyCompr/,
    );
  }
});
