/** Keys of the fake module: made by node:crypto, seen through PKCS#11 attributes. */

import {
  createECDH,
  createHash,
  generateKeyPair,
  privateEncrypt,
  constants,
  randomBytes,
  sign,
  type KeyObject,
} from "node:crypto";
import { promisify } from "node:util";
import { ALGORITHMS, type AlgorithmFacts } from "../../src/hsm/algorithms.ts";
import { encode } from "../../src/hsm/attributes.ts";
import { CKM } from "../../src/hsm/constants.ts";
import { ckrError } from "../../src/hsm/ckr.ts";
import type { RawAttribute, RawMechanism } from "../../src/hsm/raw.ts";
import { KEY_ALGORITHMS } from "../../src/lib/algorithms.ts";
import { concat, equalBytes, hex } from "../../src/lib/encoding.ts";

export interface FakeKeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

const generate = promisify(generateKeyPair);

/** Which algorithm a generation template asks for. @throws KeyriteError as a module would. */
export function factsAsked(mechanism: number, template: readonly RawAttribute[]): AlgorithmFacts {
  const asked = KEY_ALGORITHMS.map((name) => ALGORITHMS[name]).find((facts) => {
    if (facts.generate !== mechanism) return false;
    const [name, value] =
      facts.family === "rsa"
        ? (["MODULUS_BITS", facts.modulusBits] as const)
        : (["EC_PARAMS", facts.params] as const);
    const wanted = encode(name, value);
    return template.some(
      (entry) => entry.type === wanted.type && equalBytes(entry.value, wanted.value),
    );
  });
  if (asked === undefined) throw ckrError("C_GenerateKeyPair", 0xd0);
  return asked;
}

export async function makeKeyPair(facts: AlgorithmFacts): Promise<FakeKeyPair> {
  switch (facts.family) {
    case "rsa":
      return generate("rsa", { modulusLength: facts.modulusBits });
    case "ec":
      return generate("ec", { namedCurve: facts.curve });
    case "ed25519":
      return generate("ed25519");
  }
}

/** Attributes that only the token knows: the public values. */
export function publicValues(facts: AlgorithmFacts, key: KeyObject): readonly RawAttribute[] {
  const jwk = key.export({ format: "jwk" });
  const part = (text: string | undefined): Uint8Array =>
    new Uint8Array(Buffer.from(text ?? "", "base64url"));
  switch (facts.family) {
    case "rsa":
      return [encode("MODULUS", part(jwk.n)), encode("PUBLIC_EXPONENT", part(jwk.e))];
    case "ec": {
      const point = concat(Uint8Array.of(4), part(jwk.x), part(jwk.y));
      return [encode("EC_PARAMS", facts.params), encode("EC_POINT", octetString(point))];
    }
    case "ed25519":
      return [encode("EC_PARAMS", facts.params), encode("EC_POINT", octetString(part(jwk.x)))];
  }
}

function octetString(bytes: Uint8Array): Uint8Array {
  const length = bytes.length < 0x80 ? [bytes.length] : [0x81, bytes.length];
  return concat(Uint8Array.of(0x04, ...length), bytes);
}

/** Makes an ECDSA nonce of that many bytes; a bad generator is one that repeats itself. */
export type NonceSource = (bytes: number) => Uint8Array;

export const honestNonces: NonceSource = (bytes) => new Uint8Array(randomBytes(bytes));

/** A signature as the module returns it: no hashing, ECDSA as r‖s. */
export function signRaw(
  { mechanism, parameter }: RawMechanism,
  key: KeyObject,
  data: Uint8Array,
  nonces: NonceSource,
): Uint8Array {
  switch (mechanism) {
    case CKM.RSA_PKCS:
      return new Uint8Array(
        privateEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, Buffer.from(data)),
      );
    case CKM.RSA_PKCS_PSS: {
      if (parameter?.kind !== "pss") throw ckrError("C_SignInit", 0x71);
      const padding = constants.RSA_NO_PADDING;
      return new Uint8Array(privateEncrypt({ key, padding }, pssEncoded(key, data)));
    }
    case CKM.EDDSA:
      return new Uint8Array(sign(null, data, key));
    case CKM.ECDSA:
      return ecdsa(key, data, nonces);
    default:
      throw ckrError("C_SignInit", 0x70);
  }
}

/** EMSA-PSS of RFC 8017 §9.1.1 over a digest, salt and mask of the digest's length and hash. */
function pssEncoded(key: KeyObject, digest: Uint8Array): Buffer {
  const hashName = `sha${digest.length * 8}`;
  const length = (key.asymmetricKeyDetails?.modulusLength ?? 0) / 8;
  const salt = randomBytes(digest.length);
  const h = createHash(hashName).update(Buffer.alloc(8)).update(digest).update(salt).digest();
  const masked = Buffer.alloc(length - digest.length - 1);
  masked[masked.length - salt.length - 1] = 1;
  salt.copy(masked, masked.length - salt.length);
  for (let at = 0, counter = 0; at < masked.length; at += h.length, counter++) {
    const count = Buffer.alloc(4);
    count.writeUInt32BE(counter);
    const mask = createHash(hashName).update(h).update(count).digest();
    for (let i = 0; i < h.length && at + i < masked.length; i++) {
      masked[at + i] = (masked[at + i] ?? 0) ^ (mask[i] ?? 0);
    }
  }
  masked[0] = (masked[0] ?? 0) & 0x7f;
  return Buffer.concat([masked, h, Buffer.of(0xbc)]);
}

const CURVES: Readonly<Record<string, { readonly ecdh: string; readonly order: bigint }>> = {
  "P-256": {
    ecdh: "prime256v1",
    order: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  },
  "P-384": {
    ecdh: "secp384r1",
    order:
      0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
  },
  "P-521": {
    ecdh: "secp521r1",
    order:
      0x01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n,
  },
};

// node:crypto signs no bare digest with ECDSA, so the equation is written out (FIPS 186-5 §6.4.1).
// Only ever run on throw-away keys: BigInt arithmetic is not constant-time.
function ecdsa(key: KeyObject, digest: Uint8Array, nonces: NonceSource): Uint8Array {
  const { crv = "", d = "" } = key.export({ format: "jwk" });
  const curve = CURVES[crv];
  if (curve === undefined) throw ckrError("C_SignInit", 0x140);
  const { ecdh, order } = curve;
  const size = Math.ceil(order.toString(16).length / 2);
  const nonce = (toInteger(nonces(size)) % (order - 1n)) + 1n;
  const point = createECDH(ecdh);
  point.setPrivateKey(fromInteger(nonce, size));
  const r = toInteger(point.getPublicKey().subarray(1, 1 + size)) % order;
  const secret = toInteger(Buffer.from(d, "base64url"));
  // Digests here are never longer than the order in whole bytes, so no bits are cut off.
  const s = (inverse(nonce, order) * (toInteger(digest) + r * secret)) % order;
  return concat(fromInteger(r, size), fromInteger(s, size));
}

function toInteger(bytes: Uint8Array): bigint {
  return BigInt(`0x0${hex(bytes)}`);
}

function fromInteger(value: bigint, size: number): Buffer {
  return Buffer.from(value.toString(16).padStart(2 * size, "0"), "hex");
}

function inverse(value: bigint, modulus: bigint): bigint {
  let [a, b, x, y] = [value % modulus, modulus, 1n, 0n];
  while (a > 1n) {
    const quotient = a / b;
    [a, b, x, y] = [b, a % b, y, x - quotient * y];
  }
  return ((x % modulus) + modulus) % modulus;
}
