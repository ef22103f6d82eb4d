/** A request that people agreed to sign: the host records another one of the same key and name. */

import assert from "node:assert/strict";
import { sign } from "node:crypto";
import { test } from "node:test";
import { base64, sha256Hex } from "../../src/lib/encoding.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { hashOf } from "../../src/pki/algorithms.ts";
import { assembleCsr, buildCsr } from "../../src/pki/csr.ts";
import type { ExtensionView } from "../../src/pki/extensions.ts";
import { parseDn } from "../../src/pki/names.ts";
import { pem } from "../../src/pki/pem.ts";
import { as, Hand } from "../support/hand.ts";
import { HONEST } from "../support/hand-steps.ts";
import { softKey } from "../support/pki.ts";
import { script, STEP } from "../support/stage-scripts.ts";
import { assertFound, stageTests } from "../support/stage-tests.ts";
import type { Stage } from "../support/stage.ts";

const NAME = "CN=Root G1,O=Example,C=DE";
const REQUEST = `id: request, action: make-csr, by: [ceremony-administrator, internal-witness], with: { token: alpha, key: root-g1, subject: "${NAME}", file: root-req }`;
const YAML = script([STEP.initialize, STEP.activate, STEP.generate, REQUEST, STEP.deactivate]);
const KEY = softKey("p-256");
const fork = await stageTests();

interface Signed {
  readonly tbs: Uint8Array;
  readonly der: Uint8Array;
}

function signed(extensions: readonly ExtensionView[] = []): Signed {
  const { tbs, scheme } = buildCsr({ subject: parseDn(NAME), spki: KEY.spki, extensions });
  const signature = sign(hashOf(scheme), tbs, { key: KEY.privateKey, dsaEncoding: "der" });
  return { tbs, der: assembleCsr(tbs, scheme, new Uint8Array(signature)) };
}

const AGREED = signed();
const OTHER = signed([{ kind: "basic-constraints", critical: true, ca: true, pathLength: null }]);

/** Performs the step with what was agreed to, and records this request; returns the index of its outcome. */
function request(stage: Stage, recorded: Signed, intent: JsonObject = {}): number {
  const hand = Hand.upTo(stage, YAML, "activate");
  const spki = sha256Hex(KEY.spki);
  const { der } = recorded;
  const { facts = [] } = HONEST["generate"]?.(stage) ?? {};
  hand.perform("generate", {
    facts: facts.map((fact) => ({ ...fact, spki })),
    attached: [{ mediaType: "application/pkix-spki", bytes: KEY.spki }],
  });
  const sha256 = sha256Hex(der);
  const files = [
    { file: "root-req.csr.der", sha256 },
    { file: "root-req.csr", sha256: sha256Hex(pem(der, "CERTIFICATE REQUEST")) },
  ];
  const { completed } = hand.perform("request", {
    who: as("ana", "eve"),
    data: {
      ...{ tbs: base64(AGREED.tbs), sha256: sha256Hex(AGREED.tbs), scheme: "ecdsa-sha256" },
      ...{ spki, subject: NAME, profileSha256: null, warnings: [], ...intent },
    },
    facts: [{ kind: "csr.made", sha256, spki, subject: NAME, file: "root-req", files }],
    attached: [{ mediaType: "application/pkcs10", bytes: der }],
  });
  return completed;
}

test("the request that was agreed to is taken", (t) => {
  const stage = fork(t);
  request(stage, AGREED);
  assert.deepEqual(stage.findings, []);
  assert.equal(stage.history.custody.requests.size, 1);
});

test("Q12: another request of the same key and name, which asks to be a CA", (t) => {
  const stage = fork(t);
  assertFound(stage, request(stage, OTHER), /csr\.made is not what people agreed to/);
  assert.equal(stage.history.custody.requests.size, 0);
});

test("Q12: bytes to be signed that are not those of the digest that was read aloud", (t) => {
  const stage = fork(t);
  const at = request(stage, OTHER, { sha256: sha256Hex(OTHER.tbs) });
  assertFound(stage, at, /csr\.made is not what people agreed to/);
});
