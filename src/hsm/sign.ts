/** Signing: hashed in software, signed by the token, verified in software before anybody sees it. */

import { constants, hash, verify, type KeyObject } from "node:crypto";
import { KeyriteError } from "../lib/errors.ts";
import type { Random } from "../lib/clock.ts";
import { concat, equalBytes, hex, utf8 } from "../lib/encoding.ts";
import { schemeFor } from "../lib/algorithms.ts";
import {
  ALGORITHMS,
  mechanismFor,
  SCHEMES,
  type AlgorithmFacts,
  type SchemeFacts,
} from "./algorithms.ts";
import { readAttributes } from "./attributes.ts";
import { ecdsaToDer } from "./ecdsa.ts";
import { onePrivateKey, refuseForeignPublicKey, type Context } from "./objects.ts";
import { algorithmOf, importSpki, modulusOf } from "./public-key.ts";
import type { KeyForm } from "./recorded-key.ts";
import type { Handle } from "./raw.ts";
import type { SignRequest } from "./token.ts";
import { judgeNow, type Judge } from "./verifier.ts";

/**
 * The nonces of ECDSA signatures seen in a session. Two signatures with one r give the private key
 * away to everybody who sees both; equal r over an equal digest is only determinism (RFC 6979).
 */
export type NonceMemory = Map<string, string>;

/** First line of every challenge: no other message that a CA key signs begins like this. */
const CHALLENGE_PREFIX = utf8("keyrite/challenge/v1\n");
const CHALLENGE_NONCE_BYTES = 32;

/** A new message to be signed as a proof of possession and for nothing else. */
export function challenge(random: Random): Uint8Array {
  return concat(CHALLENGE_PREFIX, random.bytes(CHALLENGE_NONCE_BYTES));
}

/** How a proof of possession is made. */
export interface ProofMeans {
  readonly random: Random;
  /** True to sign on another thread. */
  readonly apart: boolean;
  readonly judge?: Judge;
}

/**
 * Has an object that is at hand sign a challenge. @returns what is wrong with it, or undefined when
 * the object is the private half of the recorded key.
 */
export async function whyNotPossessed(
  { module, session }: Context,
  object: Handle,
  { algorithm, facts, spki }: KeyForm,
  { random, apart, judge = judgeNow }: ProofMeans,
): Promise<string | undefined> {
  const scheme = SCHEMES[schemeFor(algorithm)];
  const message = challenge(random);
  const data = dataToSign(scheme, facts, message);
  const room = signatureLength(facts);
  const mechanism = mechanismFor(facts, scheme);
  const raw = apart
    ? await module.sign(session, mechanism, object, data, room)
    : module.signNow(session, mechanism, object, data, room);
  if (raw.length !== room) return `its challenge signature has ${raw.length} bytes`;
  const signature = facts.family === "ec" ? ecdsaToDer(raw) : raw;
  const ec =
    facts.family === "ec"
      ? { curve: facts.curve, point: spki.subarray(-1 - 2 * facts.size) }
      : undefined;
  const what = { hash: scheme.hash ?? null, message, spki, signature };
  return (await judge(ec === undefined ? what : { ...what, ec }))
    ? undefined
    : "its challenge signature does not verify under the recorded public key";
}

/**
 * One signature in the form X.509 wants.
 * @throws KeyriteError hsm.object-missing unless exactly one private object has the CKA_ID and can
 * be the recorded key; hsm.bad-output when the signature does not verify or repeats a nonce;
 * hsm.not-supported when scheme and key do not fit.
 */
export async function sign(
  context: Context,
  request: SignRequest,
  nonces: NonceMemory,
): Promise<Uint8Array> {
  const publicKey = importSpki(request.spki);
  const facts = factsOf(publicKey);
  const scheme = SCHEMES[request.scheme];
  if (scheme.family !== facts.family) {
    throw new KeyriteError(
      "hsm.not-supported",
      `${request.scheme} does not fit a ${facts.family} key`,
    );
  }
  const object = onePrivateKey(context, request.ckaId);
  refuseForeignPublicKey(context, request.ckaId, request.spki);
  refuseOtherKey(context, object, request.ckaId, facts, publicKey);

  const data = dataToSign(scheme, facts, request.message);
  const { module, session } = context;
  const mechanism = mechanismFor(facts, scheme);
  const raw = await module.sign(session, mechanism, object, data, signatureLength(facts));
  return checked(raw, request, { publicKey, facts, scheme, data, nonces });
}

function factsOf(publicKey: KeyObject): AlgorithmFacts {
  const algorithm = algorithmOf(publicKey);
  if (algorithm !== undefined) return ALGORITHMS[algorithm];
  throw new KeyriteError("hsm.not-supported", "the recorded public key is of no known algorithm");
}

// What can be compared before signing is compared; for EC the verified signature is the proof.
function refuseOtherKey(
  { module, session }: Context,
  object: Handle,
  ckaId: string,
  facts: AlgorithmFacts,
  publicKey: KeyObject,
): void {
  const found = readAttributes(module, session, object, ["KEY_TYPE", "MODULUS"]);
  const modulus = found.get("MODULUS");
  const sameType = found.get("KEY_TYPE") === facts.keyType;
  const sameModulus =
    facts.family !== "rsa" ||
    typeof modulus !== "object" ||
    equalBytes(modulus, modulusOf(publicKey));
  if (sameType && sameModulus) return;
  throw new KeyriteError(
    "hsm.object-missing",
    `the private key with CKA_ID ${ckaId} does not belong to the recorded public key`,
    { hints: ["the token or the object was exchanged: stop and inspect it"] },
  );
}

// Hashing here and not in the token works on every module: SoftHSM lacks CKM_ECDSA_SHA*.
function dataToSign(scheme: SchemeFacts, facts: AlgorithmFacts, message: Uint8Array): Uint8Array {
  if (scheme.hash === undefined) return message;
  const digest = new Uint8Array(hash(scheme.hash, message, "buffer"));
  // Modules differ on a digest longer than the order: it is cut here, as FIPS 186-5 §6.4 says.
  if (facts.family === "ec") return digest.subarray(0, facts.size);
  return concat(scheme.digestInfo, digest);
}

function signatureLength(facts: AlgorithmFacts): number {
  switch (facts.family) {
    case "rsa":
      return facts.modulusBits / 8;
    case "ec":
      return 2 * facts.size;
    case "ed25519":
      return 64;
  }
}

interface Expectation {
  readonly publicKey: KeyObject;
  readonly facts: AlgorithmFacts;
  readonly scheme: SchemeFacts;
  readonly data: Uint8Array;
  readonly nonces: NonceMemory;
}

function checked(raw: Uint8Array, request: SignRequest, expected: Expectation): Uint8Array {
  const { publicKey, facts, scheme, data, nonces } = expected;
  if (raw.length !== signatureLength(facts)) {
    throw badSignature(request, `has ${raw.length} bytes`);
  }
  const signature = facts.family === "ec" ? ecdsaToDer(raw) : raw;
  const how = { key: publicKey, ...paddingOf(scheme) };
  if (!verify(scheme.hash ?? null, request.message, how, signature)) {
    throw badSignature(request, "does not verify under the recorded public key");
  }
  if (facts.family === "ec") rememberNonce(nonces, request, raw, data);
  return signature;
}

/** PSS with exactly the salt that the certificate announces; a shorter one would verify nowhere else. */
function paddingOf({
  mechanism,
}: SchemeFacts): { padding: number; saltLength: number } | undefined {
  const parameter = mechanism?.parameter;
  if (parameter?.kind !== "pss") return undefined;
  return { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: parameter.salt };
}

function rememberNonce(
  nonces: NonceMemory,
  request: SignRequest,
  raw: Uint8Array,
  digest: Uint8Array,
): void {
  const key = `${hex(request.spki)}:${hex(raw.subarray(0, raw.length / 2))}`;
  const before = nonces.get(key);
  if (before !== undefined && before !== hex(digest)) {
    throw badSignature(request, "repeats the nonce of an earlier one, which gives the key away");
  }
  nonces.set(key, hex(digest));
}

function badSignature(request: SignRequest, what: string): KeyriteError {
  return new KeyriteError(
    "hsm.bad-output",
    `the signature that the token made with CKA_ID ${request.ckaId} ${what}`,
    { hints: ["nothing was issued; the token needs examining before it signs again"] },
  );
}
