/** Steps about certificates as a stage performs them, and documents from outside made in software. */

import assert from "node:assert/strict";
import { sign } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { CertificateCustody } from "../../src/ceremony/custody.ts";
import { assembleCertificate } from "../../src/pki/certificate.ts";
import { assembleCsr, buildCsr } from "../../src/pki/csr.ts";
import { hashOf } from "../../src/pki/algorithms.ts";
import type { ExtensionView } from "../../src/pki/extensions.ts";
import { parseDn } from "../../src/pki/names.ts";
import { pem } from "../../src/pki/pem.ts";
import { utf8 } from "../../src/lib/encoding.ts";
import { CAST, INITIALIZE, script, STEP } from "./stage-scripts.ts";
import type { Stage } from "./stage.ts";
import { softKey, softRoot, type SoftKey } from "./pki.ts";

const TWO = "[ceremony-administrator, internal-witness]";

export const URLS =
  'crlUrls: ["http://crl.example.org/r.crl"], caIssuersUrls: ["http://crt.example.org/r.der"]';

/** A step of the two operators; `rest` is the inside of a flow mapping. */
export function step(id: string, action: string, rest: string): string {
  return `id: ${id}, action: ${action}, by: ${TWO}, with: { ${rest} }`;
}

export function key(label: string): string {
  const about = "algorithm: p-256, purpose: ca-signing, backup: never";
  return step(`generate-${label}`, "generate-key", `token: alpha, key: ${label}, ${about}`);
}

/** A certificate that the key root-g1 signs. */
export function issue(id: string, rest: string, action = "issue-certificate"): string {
  return step(id, action, `token: alpha, key: root-g1, ${rest}`);
}

export function below(name: string): string {
  const about = `issuer: root-ca, subjectKey: ${name}, subject: "CN=${name},O=Example,C=DE"`;
  return issue(`certify-${name}`, `${about}, profile: tls-subordinate, ${URLS}, file: ${name}`);
}

export function crl(file: string): string {
  const about = "token: alpha, key: root-g1, issuer: root-ca, days: 364";
  return step(file, "sign-crl", `${about}, file: ${file}`);
}

export function revoke(certificate: string, reason = "superseded"): string {
  const about = `certificate: ${certificate}, reason: ${reason}`;
  return step(`revoke-${certificate}`, "revoke-certificate", about);
}

/** These steps with token alpha active around them. */
export function active(...steps: readonly string[]): string {
  return script([STEP.activate, ...steps, STEP.deactivate]);
}

/** The same with parameters, as the inside of a flow mapping. */
export function activeWith(params: string, ...steps: readonly string[]): string {
  return script([STEP.activate, ...steps, STEP.deactivate], [`params: { ${params} }`]);
}

export const HIERARCHY = active(
  key("root-g1"),
  key("sub-a"),
  STEP.certify,
  below("sub-a"),
  crl("root-crl"),
);

const outside = softKey("p-256");

/** A request of another organisation, as PEM. */
export function outsideRequest(
  name = "CN=Partner CA,O=Partner,C=DE",
  from: SoftKey = outside,
  extensions: readonly ExtensionView[] = [],
): Uint8Array {
  const { tbs, scheme } = buildCsr({ subject: parseDn(name), spki: from.spki, extensions });
  const signature = sign(hashOf(scheme), tbs, { key: from.privateKey, dsaEncoding: "der" });
  return utf8(pem(assembleCsr(tbs, scheme, new Uint8Array(signature)), "CERTIFICATE REQUEST"));
}

/** Another organisation's self-signed root, as PEM. */
export function outsideRoot(name = "CN=Partner Root,O=Partner,C=DE"): Uint8Array {
  return utf8(pem(softRoot(outside, { subject: parseDn(name) }).der, "CERTIFICATE"));
}

/** A certificate that the other organisation's root has signed over these bytes. */
export function signedOutside(tbs: Uint8Array): Uint8Array {
  const scheme = "ecdsa-sha256";
  const signature = sign(hashOf(scheme), tbs, { key: outside.privateKey, dsaEncoding: "der" });
  return utf8(pem(assembleCertificate(tbs, scheme, new Uint8Array(signature)), "CERTIFICATE"));
}

/** A site with the root, its key and that of a subordinate, certificates and a first CRL. */
export async function withHierarchy(stage: Stage): Promise<Stage> {
  await stage.run(INITIALIZE, CAST);
  await stage.run(HIERARCHY, CAST);
  return stage;
}

/** A file of any ceremony's outbox, by its name. */
export function file(stage: Stage, name: string): Uint8Array {
  const path = stage.issued().find((one) => one.endsWith(`/${name}`));
  assert.ok(path, `${name} is in the outbox`);
  return readFileSync(join(stage.folder, "outbox", path));
}

/** A certificate of custody, by its name. */
export function certificate(stage: Stage, name: string): CertificateCustody {
  const found = [...stage.history.custody.certificates.values()].find((one) => one.file === name);
  assert.ok(found, `${name} is in custody`);
  return found;
}

/** Nothing was found wrong, live or when the ledger is judged anew. */
export function believed(stage: Stage): void {
  assert.deepEqual(stage.findings, []);
  const before = stage.custody;
  stage.judge();
  assert.deepEqual(stage.findings, []);
  assert.equal(stage.custody, before);
}
