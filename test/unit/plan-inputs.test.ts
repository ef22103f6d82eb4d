/** Documents that a script is planned with: read once, digested in the plan, attached, and judged before the day. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LONGEST_INPUT } from "../../src/ceremony/inputs.ts";
import { sha256Hex, utf8 } from "../../src/lib/encoding.ts";
import {
  active,
  activeWith,
  crl,
  issue,
  outsideRequest,
  outsideRoot,
  step,
  URLS,
  withHierarchy,
} from "../support/certificate-stage.ts";
import { shippedProfile } from "../support/profiles.ts";
import { examined } from "../support/stage-planning.ts";
import { CAST, script } from "../support/stage-scripts.ts";
import { stageTests } from "../support/stage-tests.ts";
import type { Stage } from "../support/stage.ts";

const fork = await stageTests();

const REQUEST = "request: { type: file, about: request }";
const SUB = `issuer: root-ca, request: $request, profile: tls-subordinate, ${URLS}, file: partner`;
const PARTNER = activeWith(REQUEST, issue("certify", SUB));
const SET = { request: "partner.csr" };

test("a file stands in the plan by its digest, a profile by its name and digest", async (t) => {
  const stage = await withHierarchy(fork(t));
  const bytes = outsideRequest();
  stage.lent.set("partner.csr", bytes);
  const { document, inputs, steps } = stage.plan(PARTNER, SET);
  assert.deepEqual(document["params"], { request: sha256Hex(bytes) });
  assert.deepEqual(document["profiles"], {
    "tls-subordinate": sha256Hex(shippedProfile("tls-subordinate")),
  });
  assert.equal(steps[2]?.values["request"], sha256Hex(bytes));
  assert.deepEqual(
    inputs.map((one) => [one.mediaType, sha256Hex(one.bytes)]),
    [
      ["application/octet-stream", sha256Hex(bytes)],
      ["application/yaml", sha256Hex(shippedProfile("tls-subordinate"))],
    ],
  );
  assert.ok(!JSON.stringify(document).includes("partner.csr"), "its path is no part of the plan");
});

test("a plan without documents says nothing of them", (t) => {
  const { document, inputs } = fork(t).plan(script([]));
  assert.equal("profiles" in document, false);
  assert.deepEqual(inputs, []);
});

test("what was taken in is attached when the ceremony opens", async (t) => {
  const stage = await withHierarchy(fork(t));
  stage.lent.set("partner.csr", outsideRequest());
  await assert.rejects(stage.run(PARTNER, { ...CAST, agrees: () => false }, { set: SET }));
  const sent = sha256Hex(stage.lent.get("partner.csr") ?? "");
  assert.ok(stage.ledger.attachment(sent));
  assert.ok(stage.ledger.attachment(sha256Hex(shippedProfile("tls-subordinate"))));
});

describe("objections to what a script names", () => {
  const texts = (stage: Stage, yaml: string, set = {}): string => {
    const planning = stage.planning(yaml, set);
    assert.ok(!planning.ok, "the script was planned");
    return planning.objections.map(({ text, hint }) => `${text} – ${hint ?? ""}`).join("\n");
  };

  test("a file that is not there, or is longer than a mebibyte", (t) => {
    const stage = fork(t);
    assert.match(
      texts(stage, PARTNER, SET),
      /"request": the value "partner\.csr" is no file that can/,
    );
    stage.lent.set("partner.csr", new Uint8Array(LONGEST_INPUT + 1));
    assert.match(texts(stage, PARTNER, SET), /is longer than 1048576 bytes/);
  });

  test("a file with a default: nobody shall forget to name it", (t) => {
    const planning = fork(t).planning(
      activeWith("request: { type: file, about: request, default: a.csr }", issue("certify", SUB)),
    );
    assert.ok(!planning.ok);
    assert.match(planning.objections[0]?.text ?? "", /is a file and cannot have a default/);
  });

  test("a profile that is not there, with the name that was probably meant", (t) => {
    const yaml = active(issue("certify", 'subject: "CN=x", profile: tls-rot, file: x'));
    assert.match(texts(fork(t), yaml), /there is no profile "tls-rot" – did you mean "tls-root"\?/);
  });

  test("digests that are no digest in place of a file", (t) => {
    const yaml = active(issue("certify", SUB.replace("$request", "partner.csr")));
    assert.match(texts(fork(t), yaml), /64 lower-case hex digits/);
  });
});

/** Requests and certificates from outside that a plan is not made with. */
const HOSTILE: Readonly<Record<string, () => Uint8Array>> = {
  nothing: () => new Uint8Array(),
  text: () => utf8("a request"),
  "a certificate": () => outsideRoot(),
  "a request cut short": () => outsideRequest().subarray(0, 200),
  "a request with a byte changed": () =>
    outsideRequest().map((byte, i) => (i === 120 ? (byte === 65 ? 66 : 65) : byte)),
  "two requests": () =>
    utf8(`${Buffer.from(outsideRequest()).toString()}${Buffer.from(outsideRequest()).toString()}`),
};

for (const [what, bytes] of Object.entries(HOSTILE)) {
  test(`I01: ${what} in place of a request is objected to when planning`, async (t) => {
    const stage = await withHierarchy(fork(t));
    stage.lent.set("partner.csr", bytes());
    const found = await examined(stage, PARTNER, SET);
    assert.equal(found.length, 1, found.join("\n"));
    assert.match(found[0] ?? "", /^step certify: /);
  });
}

test("a certificate whose name was given twice is named by its digest", async (t) => {
  const stage = await withHierarchy(fork(t));
  await stage.run(
    active(issue("again", "replaces: root-ca, profile: tls-root, file: root-ca")),
    CAST,
  );
  const [text = ""] = await examined(stage, active(crl("xx")));
  assert.match(
    text,
    /2 certificates are named root-ca; name it by its SHA-256: [0-9a-f]{64} and [0-9a-f]{64}/,
  );
  const digest = /[0-9a-f]{64}/.exec(text)?.[0] ?? "";
  assert.deepEqual(
    await examined(stage, active(crl("xx").replace("issuer: root-ca", `issuer: ${digest}`))),
    [],
  );
});

test("a certificate that is crossed must be one", async (t) => {
  const stage = await withHierarchy(fork(t));
  stage.lent.set(
    "theirs.pem",
    utf8("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
  );
  const yaml = activeWith(
    "theirs: { type: file, about: root }",
    issue(
      "cross",
      `issuer: root-ca, certificate: $theirs, profile: cross-certificate, ${URLS}, file: cross`,
    ),
    step("import", "import-certificate", "certificate: $theirs, file: y"),
  );
  const found = await examined(stage, yaml, { theirs: "theirs.pem" });
  assert.equal(
    found.filter((text) => /^step (cross|import): /.test(text)).length,
    2,
    found.join("\n"),
  );
});
