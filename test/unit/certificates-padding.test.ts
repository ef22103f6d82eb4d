/** Requests and CRLs where a step chooses: the use that a profile asks for, and how an RSA key signs. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { readCrl } from "../../src/pki/crl-read.ts";
import { readCsr } from "../../src/pki/csr-read.ts";
import {
  active,
  believed,
  crl,
  file,
  issue,
  key,
  step,
  URLS,
  withHierarchy,
} from "../support/certificate-stage.ts";
import { examined } from "../support/stage-planning.ts";
import { CAST, ESTABLISH } from "../support/stage-scripts.ts";
import { FOUNDERS, POLICY } from "../support/stage-site.ts";
import { stageTests } from "../support/stage-tests.ts";
import { Stage } from "../support/stage.ts";

const fork = await stageTests();
const NAME = 'subject: "CN=Sub,O=Example,C=DE"';

function request(about: string): string {
  return active(step("request", "make-csr", `token: alpha, ${NAME}, file: asked, ${about}`));
}

test("a request asks for what its profile says of the key's use, and for nothing else", async (t) => {
  const stage = await withHierarchy(fork(t));
  await stage.run(request("key: sub-a, profile: tls-subordinate"), CAST);
  believed(stage);
  const { view } = readCsr(file(stage, "asked.csr"));
  assert.deepEqual(
    view.extensions.map(({ kind }) => kind),
    ["basic-constraints", "key-usage", "ext-key-usage"],
  );
  const text = execFileSync("openssl", ["req", "-noout", "-text", "-verify"], {
    input: file(stage, "asked.csr"),
    encoding: "utf8",
    stdio: ["pipe", "pipe", "ignore"],
  });
  assert.match(text, /CA:TRUE, pathlen:0/);
  assert.match(stage.console.shown.join("\n"), /It asks for these extensions:/);
});

const OBJECTIONS: Readonly<Record<string, readonly [about: string, says: RegExp]>> = {
  "a profile of roots": ["key: sub-a, profile: tls-root", /tls-root is for root certificates/],
  "a profile that nobody has": ["key: sub-a, profile: nobodys", /nobodys/],
  "a padding for a key that has none": [
    "key: sub-a, rsaPadding: pss",
    /p-256, which has no padding/,
  ],
};

for (const [name, [about, says]] of Object.entries(OBJECTIONS)) {
  test(`a request with ${name} is objected to when planning`, async (t) => {
    const stage = await withHierarchy(fork(t));
    assert.match((await examined(stage, request(about))).join("\n"), says);
  });
}

test("a subordinate with an RSA key signs its CRL with the padding that the step names", async (t) => {
  const founded = await Stage.create(FOUNDERS, POLICY.replace("p-384]", "p-384, rsa-4096]"));
  t.after(() => {
    founded.remove();
  });
  await founded.run(ESTABLISH, CAST);
  const stage = await withHierarchy(founded);
  const about = `issuer: root-ca, subjectKey: sub-r, ${NAME}, profile: tls-subordinate`;
  const list = (name: string, more: string): string =>
    step(
      name,
      "sign-crl",
      `token: alpha, key: sub-r, issuer: sub-r, days: 30, file: ${name}${more}`,
    );
  await stage.run(
    active(
      key("sub-r").replace("p-256", "rsa-4096"),
      issue("certify", `${about}, ${URLS}, file: sub-r`),
      list("pss", ", rsaPadding: pss"),
      list("plain", ""),
      crl("roots"),
      step("asked", "make-csr", `token: alpha, key: sub-r, ${NAME}, rsaPadding: pss, file: asked`),
    ),
    CAST,
  );
  believed(stage);
  const schemes = ["pss.crl", "plain.crl"].map(
    (name) => readCrl(file(stage, name)).algorithm.scheme,
  );
  assert.deepEqual(schemes, ["rsa-pss-sha384", "rsa-pkcs1-sha384"]);
  assert.equal(readCsr(file(stage, "asked.csr")).algorithm.scheme, "rsa-pss-sha384");
});
