/**
 * People agreed to an issuing step, and the owner of the host completes it with another certificate than the
 * one that was signed, or has led them to agree to names that the signed bytes do not hold.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { sha256Hex, utf8 } from "../../src/lib/encoding.ts";
import { assembleCertificate } from "../../src/pki/certificate.ts";
import { parseDn } from "../../src/pki/names.ts";
import { readCertificate } from "../../src/pki/view.ts";
import { Hand } from "../support/hand.ts";
import { HONEST } from "../support/hand-steps.ts";
import { signBytes } from "../support/pki-issue.ts";
import { softKey, softRoot } from "../support/pki.ts";
import { script, STEP } from "../support/stage-scripts.ts";
import { assertFound, believed, stageTests } from "../support/stage-tests.ts";

const fork = await stageTests();
const CERTIFY = script([
  STEP.initialize,
  STEP.activate,
  STEP.generate,
  STEP.certify,
  STEP.deactivate,
]);
const mallory = softKey("p-256");

interface Forgery {
  /** The DER that the completion cites, from the one that was agreed to. */
  readonly forge: (der: Uint8Array) => Uint8Array;
  readonly says: RegExp;
}

const FORGERIES: Readonly<Record<string, Forgery>> = {
  "the agreed bytes under another's signature": {
    forge: (der) => {
      const { tbs } = readCertificate(der);
      return assembleCertificate(tbs, "ecdsa-sha256", signBytes(mallory, "ecdsa-sha256", tbs));
    },
    says: /the attached certificate is not signed by the key that is recorded/,
  },
  "the agreed bytes with one bit of the signature changed": {
    forge: (der) => der.with(-1, (der.at(-1) ?? 0) ^ 1),
    says: /the attached certificate is not signed by/,
  },
  "a certificate that the key of somebody else has signed": {
    forge: () => softRoot(mallory, { subject: parseDn("CN=Root G1,O=Example,C=DE") }).der,
    says: /the attached certificate is not signed by/,
  },
  "no certificate at all": {
    forge: () => utf8("a certificate"),
    says: /the attached certificate cannot be read/,
  },
  "a certificate with bytes behind it": {
    forge: (der) => Uint8Array.of(...der, 0),
    says: /the attached certificate cannot be read/,
  },
};

for (const [name, { forge, says }] of Object.entries(FORGERIES)) {
  test(`Q12: an issuing step that is completed with ${name} is not believed`, (t) => {
    const stage = fork(t);
    const honest = HONEST["certify"]?.(stage);
    const [attached] = honest?.attached ?? [];
    assert.ok(attached);
    const bytes = forge(attached.bytes);
    const facts = (honest?.facts ?? []).map((fact) => ({ ...fact, sha256: sha256Hex(bytes) }));
    const hand = Hand.upTo(stage, CERTIFY, "generate");
    const before = believed(stage);
    const changes = { facts, attached: [{ ...attached, bytes }] };
    const { completed } = hand.perform("certify", changes);
    assertFound(stage, completed, says);
    assert.equal(believed(stage), before);
  });
}

for (const [member, lie] of Object.entries({
  subject: "CN=Root G2,O=Example,C=DE",
  serial: "4712",
  notBefore: "2025-01-01T00:00:00Z",
  notAfter: "2056-11-20T09:30:00Z",
  ca: false,
})) {
  test(`Q12: people were led to agree to another ${member} than the signed bytes hold`, (t) => {
    const stage = fork(t);
    const hand = Hand.upTo(stage, CERTIFY, "generate");
    const before = believed(stage);
    const honest = HONEST["certify"]?.(stage);
    const facts = (honest?.facts ?? []).map((fact) => ({ ...fact, [member]: lie }));
    const data = { ...honest?.data, [member]: lie };
    const { completed } = hand.perform("certify", { facts, data });
    // The issuer of a root is its subject: whichever is compared first.
    assertFound(
      stage,
      completed,
      new RegExp(`has another (${member}|issuerName) than is recorded`),
    );
    assert.equal(believed(stage), before);
  });
}
