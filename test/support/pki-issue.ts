/** Certificates issued by software keys under shipped profiles, for the tests of certificates. */

import { createHash, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { KeyAlgorithm, SignatureScheme } from "../../src/lib/algorithms.ts";
import { utf8 } from "../../src/lib/encoding.ts";
import { hashOf } from "../../src/pki/algorithms.ts";
import { buildCertificate, type BuildRequest, type Urls } from "../../src/pki/build.ts";
import { assembleCertificate } from "../../src/pki/certificate.ts";
import { parseDn } from "../../src/pki/names.ts";
import { serialFrom } from "../../src/pki/profile.ts";
import { type Profile, requireProfile } from "../../src/pki/profile-file.ts";
import { padding } from "../../src/pki/signature.ts";
import { type CertificateView, readCertificate } from "../../src/pki/view.ts";
import { NOT_BEFORE, softKey, type SoftKey } from "./pki.ts";

const PROFILES = join(import.meta.dirname, "../../ceremonies/profiles");

export function profileText(name: string): string {
  return readFileSync(join(PROFILES, `${name}.yaml`), "utf8");
}

/** A shipped profile, with lines replaced or added where a test needs another one. */
export function profileNamed(
  name: string,
  changes: Readonly<Record<string, string>> = {},
): Profile {
  return requireProfile(utf8(changed(profileText(name), changes)), `${name}.yaml`);
}

/** Replaces the line of a key, or adds it; an empty text removes it. */
export function changed(text: string, changes: Readonly<Record<string, string>>): string {
  let lines = text.trimEnd().split("\n");
  for (const [key, value] of Object.entries(changes)) {
    lines = lines.filter((line) => !line.startsWith(`${key}:`));
    if (value !== "") lines.push(`${key}: ${value}`);
  }
  return `${lines.join("\n")}\n`;
}

export const URLS: Urls = {
  crl: ["http://crl.example.com/root.crl"],
  caIssuers: ["http://ca.example.com/root.der"],
};

/** Of a name: the same in every run, and another for every name. */
export function serialOf(name: string): Uint8Array {
  return serialFrom(new Uint8Array(createHash("sha256").update(name).digest().subarray(0, 20)));
}

export function signBytes(key: SoftKey, scheme: SignatureScheme, message: Uint8Array): Uint8Array {
  const how = { key: key.privateKey, dsaEncoding: "der", ...padding(scheme) } as const;
  return new Uint8Array(sign(hashOf(scheme), message, how));
}

export interface Issued {
  readonly key: SoftKey;
  readonly tbs: Uint8Array;
  readonly der: Uint8Array;
  readonly view: CertificateView;
}

/** Builds, signs and assembles; `subjectKey` is the key that the certificate is about. */
export function issue(request: BuildRequest, signer: SoftKey, subjectKey: SoftKey): Issued {
  const { tbs, scheme } = buildCertificate(request);
  const der = assembleCertificate(tbs, scheme, signBytes(signer, scheme, tbs));
  return { key: subjectKey, tbs, der, view: readCertificate(der).view };
}

export const ROOT_NAME = "CN=Example Root G1,O=Example,C=DE";
export const SUB_NAME = "CN=Example Issuing A1,O=Example,C=DE";

export function issueRoot(
  algorithm: KeyAlgorithm = "p-256",
  profile: Profile = profileNamed("tls-root"),
  name = ROOT_NAME,
): Issued {
  const key = softKey(algorithm);
  const { spki } = key;
  const common = { profile, serial: serialOf(name), nowMs: NOT_BEFORE, validity: {} };
  return issue({ kind: "root", ...common, spki, subject: parseDn(name) }, key, key);
}

/** The request for a subordinate below `root`. */
export function subRequest(
  root: Issued,
  profile: Profile = profileNamed("tls-subordinate"),
  spki: Uint8Array = softKey("p-256").spki,
): Extract<BuildRequest, { kind: "subordinate" }> {
  const asks = profile.crlDistributionPoints === "asked";
  const { crl = [] } = URLS;
  const urls = profile.authorityInfoAccess.caIssuers === "asked" ? URLS : { crl };
  return {
    kind: "subordinate",
    profile,
    serial: serialOf(SUB_NAME),
    nowMs: NOT_BEFORE + 60_000,
    validity: {},
    ...(asks ? { urls } : {}),
    issuer: root.view,
    spki,
    subject: parseDn(SUB_NAME),
  };
}

export function issueSub(root: Issued, profile = profileNamed("tls-subordinate")): Issued {
  const key = softKey("p-256");
  return issue(subRequest(root, profile, key.spki), root.key, key);
}
