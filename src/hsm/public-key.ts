/**
 * Public keys as tokens give them: built into a SubjectPublicKeyInfo and judged before anybody
 * relies on them. A token may lie or generate badly; everything here is recomputed in software.
 */

import { createPublicKey, type JsonWebKey, type KeyObject } from "node:crypto";
import { KeyriteError, messageOf } from "../lib/errors.ts";
import { whyKeyRefused } from "../lib/ed25519.ts";
import { concat, equalBytes, hex } from "../lib/encoding.ts";
import { ALGORITHMS, type AlgorithmFacts } from "./algorithms.ts";
import type { Attributes } from "./attributes.ts";
import { CKK } from "./constants.ts";
import { judgeRsaModulus } from "./key-quality.ts";
import { spkiOfModulus, spkiOfPoint } from "./recorded-key.ts";
import { KEY_ALGORITHMS, type KeyAlgorithm } from "../lib/algorithms.ts";

/**
 * DER SubjectPublicKeyInfo of a public key object of a known algorithm, fully judged.
 * @throws KeyriteError hsm.bad-output when a part is missing, the point is not on the curve, or the
 * key is weak (BR 6.1.6, BR 6.1.1.3).
 */
export function spkiOf(algorithm: KeyAlgorithm, attributes: Attributes): Uint8Array {
  const facts = ALGORITHMS[algorithm];
  const finding = judge(facts, attributes);
  if (finding !== undefined) {
    throw badKey(algorithm, finding);
  }
  try {
    return derOf(createPublicKey({ key: jwkOf(facts, attributes), format: "jwk" }));
  } catch (cause) {
    if (cause instanceof KeyriteError) throw cause;
    throw badKey(algorithm, messageOf(cause));
  }
}

/**
 * DER SubjectPublicKeyInfo of any public key object, unjudged, for comparing it with a recorded
 * one; undefined for key types we do not handle and values that are no key.
 */
export function spkiForComparison(attributes: Attributes): Uint8Array | undefined {
  for (const algorithm of KEY_ALGORITHMS) {
    const facts = ALGORITHMS[algorithm];
    if (!couldBe(facts, attributes)) continue;
    try {
      return derOf(createPublicKey({ key: jwkOf(facts, attributes), format: "jwk" }));
    } catch {
      return undefined;
    }
  }
  return undefined;
}

/** As `spkiForComparison`, without asking whether the values make a key: for listing thousands. */
export function spkiOfAttributes(attributes: Attributes): Uint8Array | undefined {
  const algorithm = KEY_ALGORITHMS.find((name) => couldBe(ALGORITHMS[name], attributes));
  if (algorithm === undefined) return undefined;
  const facts = ALGORITHMS[algorithm];
  try {
    return facts.family === "rsa"
      ? spkiOfModulus(bytesIn(attributes, "MODULUS"), bytesIn(attributes, "PUBLIC_EXPONENT"))
      : spkiOfPoint(facts, pointOf(attributes, [facts.family === "ec" ? 1 + 2 * facts.size : 32]));
  } catch {
    return undefined;
  }
}

/**
 * A recorded SubjectPublicKeyInfo as a key of node:crypto.
 * @throws KeyriteError internal.bug when it is not one, or not in its DER form.
 */
export function importSpki(spki: Uint8Array): KeyObject {
  const key = createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" });
  if (!equalBytes(derOf(key), spki)) {
    throw new KeyriteError("internal.bug", "a recorded public key is not in DER");
  }
  return key;
}

/** Which of our algorithms a public key belongs to, or undefined. */
export function algorithmOf(key: KeyObject): KeyAlgorithm | undefined {
  const jwk = key.export({ format: "jwk" });
  return KEY_ALGORITHMS.find((algorithm) => {
    const facts = ALGORITHMS[algorithm];
    switch (facts.family) {
      case "rsa":
        return key.asymmetricKeyDetails?.modulusLength === facts.modulusBits;
      case "ec":
        return jwk.kty === "EC" && jwk.crv === facts.curve;
      case "ed25519":
        return jwk.crv === "Ed25519";
    }
  });
}

/** The modulus of an RSA public key, big-endian without leading zeros. */
export function modulusOf(key: KeyObject): Uint8Array {
  return withoutLeadingZeros(
    new Uint8Array(Buffer.from(key.export({ format: "jwk" }).n ?? "", "base64url")),
  );
}

function badKey(algorithm: KeyAlgorithm, finding: string): KeyriteError {
  return new KeyriteError(
    "hsm.bad-output",
    `the public key that the token returned is no good ${algorithm} key: ${finding}`,
    { hints: ["do not use this key; the token or its random generator needs examining"] },
  );
}

function judge(facts: AlgorithmFacts, attributes: Attributes): string | undefined {
  switch (facts.family) {
    case "rsa": {
      const modulus = bytesIn(attributes, "MODULUS");
      const exponent = bytesIn(attributes, "PUBLIC_EXPONENT");
      return judgeRsaModulus(modulus, exponent, facts.modulusBits);
    }
    case "ec":
      // OpenSSL refuses a point off the curve when the key is imported.
      return undefined;
    case "ed25519":
      return whyKeyRefused(pointOf(attributes, [32]));
  }
}

function jwkOf(facts: AlgorithmFacts, attributes: Attributes): JsonWebKey {
  switch (facts.family) {
    case "rsa":
      return {
        kty: "RSA",
        n: base64url(withoutLeadingZeros(bytesIn(attributes, "MODULUS"))),
        e: base64url(withoutLeadingZeros(bytesIn(attributes, "PUBLIC_EXPONENT"))),
      };
    case "ec": {
      const point = pointOf(attributes, [1 + 2 * facts.size]);
      if (point[0] !== 0x04) {
        throw new KeyriteError("hsm.bad-output", "an EC point is not uncompressed");
      }
      return {
        kty: "EC",
        crv: facts.curve,
        x: base64url(point.subarray(1, 1 + facts.size)),
        y: base64url(point.subarray(1 + facts.size)),
      };
    }
    case "ed25519":
      return { kty: "OKP", crv: "Ed25519", x: base64url(pointOf(attributes, [32])) };
  }
}

function couldBe(facts: AlgorithmFacts, attributes: Attributes): boolean {
  if (attributes.get("KEY_TYPE") !== facts.keyType) return false;
  if (facts.keyType === CKK.RSA) return attributes.has("MODULUS");
  const params = attributes.get("EC_PARAMS");
  if (typeof params !== "object" || facts.family === "rsa") return false;
  const forms = facts.family === "ec" ? [facts.params] : [facts.params, facts.paramsByName];
  return forms.some((form) => equalBytes(form, params));
}

function bytesIn(
  attributes: Attributes,
  name: "MODULUS" | "PUBLIC_EXPONENT" | "EC_POINT",
): Uint8Array {
  const value = attributes.get(name);
  if (typeof value === "object" && value.length > 0) return value;
  throw new KeyriteError("hsm.bad-output", `the token gives a public key without CKA_${name}`);
}

/**
 * CKA_EC_POINT is a DER OCTET STRING; older modules give the point bare (PKCS#11 2.40 errata). The
 * length decides, because both forms of an uncompressed point begin with 0x04.
 */
function pointOf(attributes: Attributes, lengths: readonly number[]): Uint8Array {
  const value = bytesIn(attributes, "EC_POINT");
  if (lengths.includes(value.length)) return value;
  for (const length of lengths) {
    const header = length < 0x80 ? [0x04, length] : [0x04, 0x81, length];
    const fits = value.length === header.length + length;
    if (fits && header.every((byte, index) => value[index] === byte)) {
      return value.subarray(header.length);
    }
  }
  throw new KeyriteError("hsm.bad-output", `CKA_EC_POINT ${hex(value)} has the wrong length`);
}

function derOf(key: KeyObject): Uint8Array {
  return concat(key.export({ format: "der", type: "spki" }));
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64url");
}

function withoutLeadingZeros(bytes: Uint8Array): Uint8Array {
  const first = bytes.findIndex((byte) => byte !== 0);
  return first < 0 ? new Uint8Array(1) : bytes.subarray(first);
}
