/**
 * Generating a key pair and believing nothing: every attribute of both objects is read back and
 * compared, the public key is judged in software, and the pair proves itself with signatures.
 */

import { schemeFor } from "../lib/algorithms.ts";
import { KeyriteError } from "../lib/errors.ts";
import { concat, equalBytes, sha256Hex, utf8 } from "../lib/encoding.ts";
import type { Random } from "../lib/clock.ts";
import {
  attributesToJson,
  encode,
  readAttributes,
  sameValue,
  toJson,
  type Attributes,
} from "./attributes.ts";
import { CKM, CKO, nameOf, type AttributeName } from "./constants.ts";
import { findBy, idBytes, type Context } from "./objects.ts";
import { waiversFor, type ModuleProfile, type Waiver } from "./profiles.ts";
import { spkiForComparison, spkiOf } from "./public-key.ts";
import type { Handle } from "./raw.ts";
import { sign, type NonceMemory } from "./sign.ts";
import { templatesFor, type TemplateEntry } from "./templates.ts";
import type { GeneratedKey, GenerateRequest } from "./token.ts";

/** First line of every challenge: no other message that a CA key signs begins like this. */
export const CHALLENGE_PREFIX = "keyrite/challenge/v1\n";
const CHALLENGE_NONCE_BYTES = 32;
/** Two, so that a token that repeats its ECDSA nonce shows it before it signs anything public. */
const CHALLENGES = 2;

/** What a generation needs besides the open session. */
export interface Surroundings {
  readonly profile: ModuleProfile;
  readonly random: Random;
  readonly nonces: NonceMemory;
}

/**
 * Generates and proves a key pair; see `Session.generateKeyPair` for the errors. A key that fails a
 * check stays on the token: what becomes of it is decided by people, on record.
 */
export async function generateKeyPair(
  context: Context,
  request: GenerateRequest,
  { profile, random, nonces }: Surroundings,
): Promise<GeneratedKey> {
  refuseTaken(context, request);
  const templates = templatesFor(request);
  const publicHalf = halfOf("public", templates.publicKey, profile);
  const privateHalf = halfOf("private", templates.privateKey, profile);
  await context.module.generateKeyPair(
    context.session,
    templates.mechanism,
    publicHalf.template,
    privateHalf.template,
  );

  const objects = onePair(context, request);
  const publicKey = compare(context, objects.publicKey, publicHalf, request);
  const privateKey = compare(context, objects.privateKey, privateHalf, request);
  const spki = spkiOf(request.algorithm, publicKey.attributes);
  refuseKnownKey(context, objects.publicKey, spki);
  await proveSignatures(context, request, spki, { random, nonces });
  return {
    spki,
    spkiSha256: sha256Hex(spki),
    ckaId: request.ckaId,
    privateAttributes: attributesToJson(onlyTemplated(privateKey.attributes, privateHalf)),
    publicAttributes: attributesToJson(onlyTemplated(publicKey.attributes, publicHalf)),
    mechanism: nameOf("CKM", CKM, templates.mechanism),
    waivers: [...new Set([...privateKey.waived, ...publicKey.waived])],
  };
}

// Any object counts, also a certificate: names that mean two things get mixed up later.
function refuseTaken(context: Context, request: GenerateRequest): void {
  const taken =
    findBy(context, "ID", idBytes(request.ckaId)).length > 0
      ? `CKA_ID ${request.ckaId}`
      : findBy(context, "LABEL", request.label).length > 0
        ? `the label ${request.label}`
        : undefined;
  if (taken === undefined) return;
  throw new KeyriteError("hsm.object-exists", `an object on the token has ${taken} already`, {
    hints: ["choose another label, or inspect what is there with `keyrite hsm inspect`"],
  });
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

interface Half {
  readonly name: "public" | "private";
  readonly entries: readonly TemplateEntry[];
  readonly template: readonly ReturnType<typeof encode>[];
  readonly waivers: ReadonlyMap<AttributeName, Waiver>;
}

function halfOf(
  name: Half["name"],
  entries: readonly TemplateEntry[],
  profile: ModuleProfile,
): Half {
  const waivers = new Map(
    waiversFor(profile, name).flatMap((waiver) =>
      waiver.attributes.map((attribute) => [attribute, waiver] as const),
    ),
  );
  const template = entries
    .filter((entry) => entry.role === "asked" && waivers.get(entry.name)?.omit !== true)
    .map((entry) => encode(entry.name, entry.value));
  return { name, entries, template, waivers };
}

const PUBLIC_VALUES: readonly AttributeName[] = ["MODULUS", "PUBLIC_EXPONENT", "EC_POINT"];

function compare(
  { module, session }: Context,
  object: Handle,
  half: Half,
  request: GenerateRequest,
): { readonly attributes: Attributes; readonly waived: readonly string[] } {
  const names = new Set(half.entries.map((entry) => entry.name));
  if (half.name === "public") for (const name of PUBLIC_VALUES) names.add(name);
  const attributes = readAttributes(module, session, object, [...names]);
  const differing = half.entries.filter((entry) => differs(entry, attributes));
  const excused = (entry: TemplateEntry): boolean =>
    half.waivers.get(entry.name)?.reads === (attributes.get(entry.name) ?? "nothing");
  const unexcused = differing.filter((entry) => !excused(entry));
  if (unexcused.length > 0) {
    const list = unexcused.map((entry) => difference(entry, attributes)).join("; ");
    throw new KeyriteError(
      "hsm.attribute-differs",
      `the ${half.name} key with CKA_ID ${request.ckaId} is not what was asked for: ${list}`,
      { hints: QUARANTINE },
    );
  }
  const waived = differing.flatMap((entry) => half.waivers.get(entry.name)?.sentence ?? []);
  return { attributes, waived };
}

// Modulus and point are left to the SPKI, which says them once and in full.
function onlyTemplated(attributes: Attributes, half: Half): Attributes {
  const names = new Set(half.entries.map((entry) => entry.name));
  return new Map([...attributes].filter(([name]) => names.has(name)));
}

function differs(entry: TemplateEntry, attributes: Attributes): boolean {
  const value = attributes.get(entry.name);
  if (value === undefined) return true;
  if (sameValue(value, entry.value)) return false;
  return entry.alternative === undefined || !sameValue(value, entry.alternative);
}

function difference(entry: TemplateEntry, attributes: Attributes): string {
  const wanted = String(toJson(entry.name, entry.value));
  const value = attributes.get(entry.name);
  const found = value === undefined ? "not given" : String(toJson(entry.name, value));
  return `CKA_${entry.name} is ${found}, not ${wanted}`;
}

const QUARANTINE = [
  "the key stays on the token and must not be used: record what becomes of it",
  "the token or its module needs examining before it generates again",
] as const;

// A generator without entropy makes the same key twice (H07).
function refuseKnownKey(context: Context, own: Handle, spki: Uint8Array): void {
  const { module, session } = context;
  for (const object of module.findObjects(session, [encode("CLASS", CKO.PUBLIC_KEY)])) {
    if (object === own) continue;
    const attributes = readAttributes(module, session, object, [
      "KEY_TYPE",
      "EC_PARAMS",
      ...PUBLIC_VALUES,
    ]);
    const other = spkiForComparison(attributes);
    if (other === undefined || !equalBytes(other, spki)) continue;
    throw new KeyriteError(
      "hsm.bad-output",
      "the token generated a key that it holds already under another CKA_ID",
      { hints: QUARANTINE },
    );
  }
}

async function proveSignatures(
  context: Context,
  request: GenerateRequest,
  spki: Uint8Array,
  { random, nonces }: Pick<Surroundings, "random" | "nonces">,
): Promise<void> {
  for (let round = 0; round < CHALLENGES; round++) {
    const message = concat(utf8(CHALLENGE_PREFIX), random.bytes(CHALLENGE_NONCE_BYTES));
    const scheme = schemeFor(request.algorithm);
    await sign(context, { spki, ckaId: request.ckaId, scheme, message }, nonces);
  }
}
