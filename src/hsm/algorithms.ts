/** Key algorithms and signature schemes in the words of PKCS#11 and of node:crypto. */

import { KeyriteError } from "../lib/errors.ts";
import { fromHex } from "../lib/encoding.ts";
import { CKG, CKK, CKM } from "./constants.ts";
import type { RawMechanism } from "./raw.ts";
import type { KeyAlgorithm, SignatureScheme } from "./token.ts";

interface RsaAlgorithm {
  readonly family: "rsa";
  readonly keyType: number;
  readonly generate: number;
  readonly sign: number;
  readonly modulusBits: number;
}

interface EcAlgorithm {
  readonly family: "ec";
  readonly keyType: number;
  readonly generate: number;
  readonly sign: number;
  /** Curve name in a JSON Web Key (RFC 7518 §6.2.1.1). */
  readonly curve: string;
  /** CKA_EC_PARAMS: DER of the named curve. */
  readonly params: Uint8Array;
  /** Bytes of one coordinate. */
  readonly size: number;
  readonly fieldBits: number;
}

interface EdwardsAlgorithm {
  readonly family: "ed25519";
  readonly keyType: number;
  readonly generate: number;
  readonly sign: number;
  readonly params: Uint8Array;
  /** The other form of the same curve that PKCS#11 3.0 §2.3.10 allows: a PrintableString. */
  readonly paramsByName: Uint8Array;
}

export type AlgorithmFacts = RsaAlgorithm | EcAlgorithm | EdwardsAlgorithm;

export const ALGORITHMS: Readonly<Record<KeyAlgorithm, AlgorithmFacts>> = {
  "rsa-3072": rsa(3072),
  "rsa-4096": rsa(4096),
  "p-256": ec("P-256", "06082a8648ce3d030107", 256),
  "p-384": ec("P-384", "06052b81040022", 384),
  "p-521": ec("P-521", "06052b81040023", 521),
  ed25519: {
    family: "ed25519",
    keyType: CKK.EC_EDWARDS,
    generate: CKM.EC_EDWARDS_KEY_PAIR_GEN,
    sign: CKM.EDDSA,
    params: bytes("06032b6570"),
    paramsByName: bytes("130c656477617264733235353139"),
  },
};

function rsa(modulusBits: number): RsaAlgorithm {
  return {
    family: "rsa",
    keyType: CKK.RSA,
    generate: CKM.RSA_PKCS_KEY_PAIR_GEN,
    sign: CKM.RSA_PKCS,
    modulusBits,
  };
}

function ec(curve: string, params: string, fieldBits: number): EcAlgorithm {
  return {
    family: "ec",
    keyType: CKK.EC,
    generate: CKM.EC_KEY_PAIR_GEN,
    sign: CKM.ECDSA,
    curve,
    params: bytes(params),
    size: Math.ceil(fieldBits / 8),
    fieldBits,
  };
}

function bytes(text: string): Uint8Array {
  const value = fromHex(text);
  if (value === undefined) throw new KeyriteError("internal.bug", `${text} is not hex`);
  return value;
}

export interface SchemeFacts {
  readonly family: AlgorithmFacts["family"];
  /** Digest for node:crypto; undefined where the scheme hashes by itself. */
  readonly hash: "sha256" | "sha384" | "sha512" | undefined;
  /** DER of DigestInfo up to the digest (RFC 8017 §9.2 note 1); empty for other families. */
  readonly digestInfo: Uint8Array;
  /** What the token signs the digest with, where that is not the mechanism of the key's algorithm. */
  readonly mechanism?: RawMechanism;
}

const NONE = new Uint8Array(0);

export const SCHEMES: Readonly<Record<SignatureScheme, SchemeFacts>> = {
  "rsa-pkcs1-sha256": {
    family: "rsa",
    hash: "sha256",
    digestInfo: bytes("3031300d060960864801650304020105000420"),
  },
  "rsa-pkcs1-sha384": {
    family: "rsa",
    hash: "sha384",
    digestInfo: bytes("3041300d060960864801650304020205000430"),
  },
  "rsa-pkcs1-sha512": {
    family: "rsa",
    hash: "sha512",
    digestInfo: bytes("3051300d060960864801650304020305000440"),
  },
  "rsa-pss-sha256": pss("sha256", CKM.SHA256, CKG.MGF1_SHA256),
  "rsa-pss-sha384": pss("sha384", CKM.SHA384, CKG.MGF1_SHA384),
  "rsa-pss-sha512": pss("sha512", CKM.SHA512, CKG.MGF1_SHA512),
  "ecdsa-sha256": { family: "ec", hash: "sha256", digestInfo: NONE },
  "ecdsa-sha384": { family: "ec", hash: "sha384", digestInfo: NONE },
  "ecdsa-sha512": { family: "ec", hash: "sha512", digestInfo: NONE },
  ed25519: { family: "ed25519", hash: undefined, digestInfo: NONE },
};

/** RSASSA-PSS over a bare digest, its salt as long as the digest (BR 7.1.3.2.1). */
function pss(digest: "sha256" | "sha384" | "sha512", hash: number, mgf: number): SchemeFacts {
  const salt = Number(digest.slice(3)) / 8;
  const mechanism = {
    mechanism: CKM.RSA_PKCS_PSS,
    parameter: { kind: "pss", hash, mgf, salt },
  } as const;
  return { family: "rsa", hash: digest, digestInfo: NONE, mechanism };
}

/** The mechanism by which a key of an algorithm signs in a scheme. */
export function mechanismFor(facts: AlgorithmFacts, scheme: SchemeFacts): RawMechanism {
  return scheme.mechanism ?? { mechanism: facts.sign };
}
