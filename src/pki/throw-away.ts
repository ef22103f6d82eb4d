/**
 * A key pair that exists for one signature in this process: what it signs is linted whole and binds
 * nobody, so that a CA key never signs anything only to see what comes out.
 */

import { generateKeyPair, sign, type KeyObject } from "node:crypto";
import { promisify } from "node:util";
import type { KeyAlgorithm, SignatureScheme } from "../lib/algorithms.ts";
import { hashOf } from "./algorithms.ts";
import { padding } from "./signature.ts";

export interface ThrowAwayKey {
  /** DER SubjectPublicKeyInfo. */
  readonly spki: Uint8Array;
  /** A signature in the form X.509 wants. */
  sign(scheme: SignatureScheme, message: Uint8Array): Uint8Array;
}

const CURVES = { "p-256": "P-256", "p-384": "P-384", "p-521": "P-521" } as const;

/** A new key of this type and size: what it signs has the form and length of the real thing. */
export async function throwAwayKey(algorithm: KeyAlgorithm): Promise<ThrowAwayKey> {
  const { publicKey, privateKey } = await generate(algorithm);
  const der = publicKey.export({ format: "der", type: "spki" });
  return {
    spki: new Uint8Array(der.buffer, der.byteOffset, der.length),
    sign(scheme, message) {
      const how = { key: privateKey, dsaEncoding: "der", ...padding(scheme) } as const;
      return new Uint8Array(sign(hashOf(scheme), message, how));
    },
  };
}

interface Pair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

function generate(algorithm: KeyAlgorithm): Promise<Pair> {
  const make = promisify(generateKeyPair);
  switch (algorithm) {
    case "rsa-3072":
    case "rsa-4096":
      return make("rsa", { modulusLength: Number(algorithm.slice(-4)) });
    case "p-256":
    case "p-384":
    case "p-521":
      return make("ec", { namedCurve: CURVES[algorithm] });
    case "ed25519":
      return make("ed25519");
  }
}
