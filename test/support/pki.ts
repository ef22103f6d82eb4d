/** Software keys that sign, and roots built with them, for the tests of certificates. */

import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import type { KeyAlgorithm } from "../../src/lib/algorithms.ts";
import { hashOf } from "../../src/pki/algorithms.ts";
import {
  assembleCertificate,
  buildRootTbs,
  type RootRequest,
  type ToBeSigned,
} from "../../src/pki/certificate.ts";
import { parseDn } from "../../src/pki/names.ts";
import { serialFrom } from "../../src/pki/profile.ts";

export interface SoftKey {
  readonly algorithm: KeyAlgorithm;
  readonly spki: Uint8Array;
  readonly privateKey: KeyObject;
}

export function softKey(algorithm: KeyAlgorithm): SoftKey {
  const { publicKey, privateKey } = pair(algorithm);
  const spki = new Uint8Array(publicKey.export({ type: "spki", format: "der" }));
  return { algorithm, spki, privateKey };
}

function pair(algorithm: KeyAlgorithm): { publicKey: KeyObject; privateKey: KeyObject } {
  switch (algorithm) {
    case "rsa-3072":
    case "rsa-4096":
      return generateKeyPairSync("rsa", { modulusLength: Number(algorithm.slice(4)) });
    case "ed25519":
      return generateKeyPairSync("ed25519");
    case "p-256":
    case "p-384":
    case "p-521":
      return generateKeyPairSync("ec", { namedCurve: algorithm.toUpperCase() });
  }
}

/** A serial number that looks random and is the same in every run. */
export const SERIAL = serialFrom(
  new Uint8Array(createHash("sha256").update("serial").digest().subarray(0, 20)),
);
export const NOT_BEFORE = Date.UTC(2026, 10, 23, 9, 30, 0, 250);

export function rootRequest(spki: Uint8Array, changes: Partial<RootRequest> = {}): RootRequest {
  return {
    subject: parseDn("CN=Demo Root G1,O=Example,C=DE"),
    spki,
    serial: SERIAL,
    notBeforeMs: NOT_BEFORE,
    days: 7305,
    ...changes,
  };
}

export function signWith(key: SoftKey, { tbs, scheme }: ToBeSigned): Uint8Array {
  const options = { key: key.privateKey, dsaEncoding: "der" as const };
  return new Uint8Array(sign(hashOf(scheme), tbs, options));
}

export interface SoftRoot {
  readonly key: SoftKey;
  readonly toBeSigned: ToBeSigned;
  readonly signature: Uint8Array;
  readonly der: Uint8Array;
}

export function softRoot(key: SoftKey, changes: Partial<RootRequest> = {}): SoftRoot {
  const toBeSigned = buildRootTbs(rootRequest(key.spki, changes));
  const signature = signWith(key, toBeSigned);
  const der = assembleCertificate(toBeSigned.tbs, toBeSigned.scheme, signature);
  return { key, toBeSigned, signature, der };
}
