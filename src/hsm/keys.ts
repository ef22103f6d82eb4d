/**
 * Generating a key pair and believing nothing: every attribute of both objects is read back and
 * compared, the public key is judged in software, and the pair proves itself with signatures.
 */

import { schemeFor, type KeyAlgorithm } from "../lib/algorithms.ts";
import { KeyriteError } from "../lib/errors.ts";
import { equalBytes, sha256Hex } from "../lib/encoding.ts";
import type { Random } from "../lib/clock.ts";
import { ALGORITHMS } from "./algorithms.ts";
import { attributesToJson, readAttributes } from "./attributes.ts";
import { CKM, CKO, nameOf, type AttributeName } from "./constants.ts";
import { listObjects } from "./inventory.ts";
import { askedTemplate, expectation, requireObject } from "./object-check.ts";
import { findBy, idBytes, refuseTaken, type Context } from "./objects.ts";
import type { ModuleProfile } from "./profiles.ts";
import { spkiOf } from "./public-key.ts";
import { TRANSPORT_UNWRAPS, withUnwrapTemplate } from "./kek-template.ts";
import type { Handle, RawTemplate } from "./raw.ts";
import { challenge, sign, type NonceMemory } from "./sign.ts";
import { templatesFor } from "./templates.ts";
import type { GeneratedKey, GenerateRequest } from "./token.ts";
import { proveTransport } from "./transport.ts";
import type { Formats } from "./wire-formats.ts";

/** Two, so that a token that repeats its ECDSA nonce shows it before it signs anything public. */
const CHALLENGES = 2;

/** What a generation needs besides the open session. */
export interface Surroundings {
  readonly profile: ModuleProfile;
  readonly random: Random;
  readonly nonces: NonceMemory;
  readonly formats: () => Promise<Formats>;
}

/**
 * Generates and proves a key pair; see `Session.generateKeyPair` for the errors. A key that fails a
 * check stays on the token: what becomes of it is decided by people, on record.
 */
export async function generateKeyPair(
  context: Context,
  request: GenerateRequest,
  means: Surroundings,
): Promise<GeneratedKey> {
  const { profile } = means;
  refuseUnfitPurpose(request);
  refuseTaken(context, request.label, request.ckaId);
  const templates = templatesFor(request);
  const publicHalf = expectation(profile, "generated-public", templates.publicKey);
  const privateHalf = expectation(profile, "generated-private", templates.privateKey);
  const generate = (privateTemplate: RawTemplate): Promise<unknown> =>
    context.module.generateKeyPair(
      context.session,
      templates.mechanism,
      askedTemplate(publicHalf),
      privateTemplate,
    );
  const asked = askedTemplate(privateHalf);
  // What a transport key unwraps must not be readable; a CA key unwraps nothing.
  if (request.purpose === "transport") {
    await withUnwrapTemplate(profile, TRANSPORT_UNWRAPS, asked, generate);
  } else await generate(asked);

  const objects = onePair(context, request);
  const named = (half: string): string => `the ${half} key with CKA_ID ${request.ckaId}`;
  const publicKey = requireObject(
    context,
    objects.publicKey,
    publicHalf,
    named("public"),
    QUARANTINE,
  );
  const privateKey = requireObject(
    context,
    objects.privateKey,
    privateHalf,
    named("private"),
    QUARANTINE,
  );
  const { module, session } = context;
  const values = readAttributes(module, session, objects.publicKey, valuesOf(request.algorithm));
  const spki = spkiOf(request.algorithm, values);
  refuseKnownKey(context, objects.publicKey, spki);
  const residuals = await prove(context, request, { spki, object: objects.privateKey }, means);
  return {
    spki,
    spkiSha256: sha256Hex(spki),
    ckaId: request.ckaId,
    privateAttributes: attributesToJson(privateKey.attributes),
    publicAttributes: attributesToJson(publicKey.attributes),
    mechanism: nameOf("CKM", CKM, templates.mechanism),
    waivers: [...new Set([...privateKey.waived, ...publicKey.waived, ...residuals])],
  };
}

// The handles that generation returned are not used: later steps find the key by its id, so the
// objects that are found by id are the ones to judge, and there must be exactly one of each.
function onePair(
  context: Context,
  request: GenerateRequest,
): { readonly publicKey: Handle; readonly privateKey: Handle } {
  const id = idBytes(request.ckaId);
  const publicKeys = findBy(context, "ID", id, CKO.PUBLIC_KEY);
  const privateKeys = findBy(context, "ID", id, CKO.PRIVATE_KEY);
  const labelled = findBy(context, "LABEL", request.label);
  const [publicKey] = publicKeys;
  const [privateKey] = privateKeys;
  const counts = [publicKeys.length, privateKeys.length, labelled.length].join("/");
  if (publicKey === undefined || privateKey === undefined || counts !== "1/1/2") {
    throw new KeyriteError(
      "hsm.bad-output",
      `after generation the token holds ${publicKeys.length} public and ${privateKeys.length} private keys with CKA_ID ${request.ckaId}, and ${labelled.length} objects with the label`,
      { hints: QUARANTINE },
    );
  }
  return { publicKey, privateKey };
}

function valuesOf(algorithm: KeyAlgorithm): readonly AttributeName[] {
  return ALGORITHMS[algorithm].family === "rsa" ? ["MODULUS", "PUBLIC_EXPONENT"] : ["EC_POINT"];
}

const QUARANTINE = [
  "the key stays on the token and must not be used: record what becomes of it",
  "the token or its module needs examining before it generates again",
] as const;

// A generator without entropy makes the same key twice (H07).
function refuseKnownKey(context: Context, own: Handle, spki: Uint8Array): void {
  for (const { handle, spki: other } of listObjects(context, "public")) {
    if (handle === own || other === undefined || !equalBytes(other, spki)) continue;
    throw new KeyriteError(
      "hsm.bad-output",
      "the token generated a key that it holds already under another CKA_ID",
      { hints: QUARANTINE },
    );
  }
}

function refuseUnfitPurpose({ purpose, algorithm }: GenerateRequest): void {
  if (purpose !== "transport" || ALGORITHMS[algorithm].family === "rsa") return;
  throw new KeyriteError("hsm.not-supported", `a ${algorithm} key cannot be a transport key`, {
    hints: ["generate the transport key as rsa-3072 or rsa-4096"],
  });
}

/** Proves the pair in the way of its purpose. @returns residuals, one sentence each. */
async function prove(
  context: Context,
  request: GenerateRequest,
  { spki, object }: { readonly spki: Uint8Array; readonly object: Handle },
  { profile, random, nonces, formats }: Surroundings,
): Promise<readonly string[]> {
  switch (request.purpose) {
    case "ca-signing":
      await proveSignatures(context, request, spki, { random, nonces });
      return [];
    case "transport": {
      const { check } = await formats();
      return proveTransport(context, object, spki, { random, check, profile });
    }
  }
}

async function proveSignatures(
  context: Context,
  request: GenerateRequest,
  spki: Uint8Array,
  { random, nonces }: Pick<Surroundings, "random" | "nonces">,
): Promise<void> {
  for (let round = 0; round < CHALLENGES; round++) {
    const message = challenge(random);
    const scheme = schemeFor(request.algorithm);
    await sign(context, { spki, ckaId: request.ckaId, scheme, message }, nonces);
  }
}
