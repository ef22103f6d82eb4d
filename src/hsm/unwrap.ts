/**
 * One key out of its wrapped form: made with a full template, every attribute read back, the public
 * object rebuilt, a challenge signed. What does not pass is destroyed again and named.
 */

import { hex, sha256Hex } from "../lib/encoding.ts";
import { KeyriteError, messageOf } from "../lib/errors.ts";
import type { Random } from "../lib/clock.ts";
import { attributesToJson } from "./attributes.ts";
import type { NotUnwrapped, UnwrapItem, UnwrapOutcome } from "./backup.ts";
import { ckrOf } from "./ckr.ts";
import { CKO } from "./constants.ts";
import { askedTemplate, checkObject, expectation, type Checked } from "./object-check.ts";
import { destroyQuietly, findBy, idBytes, type Context } from "./objects.ts";
import type { ModuleProfile } from "./profiles.ts";
import type { Handle, RawAttribute } from "./raw.ts";
import { keyForm, type KeyForm } from "./recorded-key.ts";
import { restoreTemplates, type RestoredName } from "./restore-templates.ts";
import { whyNotPossessed } from "./sign.ts";
import { unwrapTemplate } from "./unwrap-template.ts";
import type { Judge } from "./verifier.ts";
import { splitBlob } from "./wire-formats.ts";

export interface UnwrapWork {
  readonly kek: Handle;
  readonly profile: ModuleProfile;
  readonly random: Random;
  /** Mechanism number by wire format. */
  readonly unwraps: ReadonlyMap<string, number>;
  readonly onToken: boolean;
  /** See `UnwrapOptions`. */
  readonly brief: boolean;
  /** True when other lanes run at the same time: then slow calls go to threads of their own. */
  readonly apart: boolean;
  readonly judge: Judge;
}

/** What became of one key, and the objects of it that stay. */
export interface Ended {
  readonly outcome: UnwrapOutcome;
  readonly kept: readonly Handle[];
}

/**
 * Unwraps and proves one key.
 * @throws KeyriteError when the token fails rather than the key: nothing more is to be tried then.
 */
export async function unwrapOne(
  context: Context,
  item: UnwrapItem,
  work: UnwrapWork,
): Promise<Ended> {
  const made: Handle[] = [];
  try {
    const key = keyForm(item.spki, item.algorithm);
    const outcome = await bringBack(context, item, key, work, made);
    if (typeof outcome === "string") return ended(problem(context, item, outcome, work, made));
    if (work.onToken) return { outcome, kept: made };
    const left = destroyAll(context, made);
    return ended(left === undefined ? outcome : notDestroyed(item, left));
  } catch (error) {
    if (isOfTheKey(error)) return ended(problem(context, item, messageOf(error), work, made));
    destroyAll(context, made);
    throw error;
  }
}

function ended(outcome: UnwrapOutcome): Ended {
  return { outcome, kept: [] };
}

/** The key, or what is wrong with it. */
async function bringBack(
  context: Context,
  item: UnwrapItem,
  key: KeyForm,
  work: UnwrapWork,
  made: Handle[],
): Promise<UnwrapOutcome | string> {
  const { profile, onToken, apart, random } = work;
  const name = onToken ? { label: item.label, ckaId: item.ckaId } : copyName(random);
  const templates = restoreTemplates(name, key, onToken);
  const expected = expectation(profile, "restored-private", templates.privateKey);
  const asked = unwrapTemplate(profile, key, askedTemplate(expected));
  const privateKey = await unwrap(context, item, asked, work);
  made.push(privateKey);
  const checked = checkObject(context, privateKey, expected);
  if (checked.differences.length > 0) return `the private key came back wrong: ${said(checked)}`;

  let publicHalf: Checked | undefined;
  if (onToken) {
    const wanted = expectation(profile, "restored-public", templates.publicKey);
    const template = askedTemplate(wanted);
    const { module, session } = context;
    const publicKey = apart
      ? await module.createObject(session, template)
      : module.createObjectNow(session, template);
    made.push(publicKey);
    publicHalf = checkObject(context, publicKey, wanted);
    if (publicHalf.differences.length > 0) return `its public object is wrong: ${said(publicHalf)}`;
  }

  const wrong = await whyNotPossessed(context, privateKey, key, {
    random,
    apart: apart && key.facts.family === "rsa",
    judge: work.judge,
  });
  if (wrong !== undefined) return `it is not the recorded key: ${wrong}`;
  const done = { status: "ok", spkiSha256: key.spkiSha256, ckaId: item.ckaId } as const;
  if (work.brief && checked.exact && publicHalf?.exact !== false) {
    return { ...done, privateAttributes: {}, publicAttributes: {}, waivers: [], exact: name };
  }
  return {
    ...done,
    privateAttributes: attributesToJson(checked.attributes),
    publicAttributes: publicHalf === undefined ? {} : attributesToJson(publicHalf.attributes),
    waivers: [...new Set([...checked.waived, ...(publicHalf?.waived ?? [])])],
  };
}

// A copy may stand beside its original for a moment, and NSS replaces what has the same CKA_ID.
function copyName(random: Random): RestoredName {
  return { label: "keyrite proof", ckaId: hex(random.bytes(16)) };
}

async function unwrap(
  { module, session }: Context,
  item: UnwrapItem,
  template: readonly RawAttribute[],
  { kek, unwraps, apart }: UnwrapWork,
): Promise<Handle> {
  const mechanism = unwraps.get(item.format);
  if (mechanism === undefined) {
    throw new KeyriteError("internal.bug", `format ${item.format} was not checked beforehand`);
  }
  const { how, bytes } = splitBlob(mechanism, item.blob);
  return apart
    ? module.unwrapKey(session, how, kek, bytes, template)
    : module.unwrapKeyNow(session, how, kek, bytes, template);
}

function said({ differences }: Checked): string {
  return differences.join("; ");
}

function problem(
  context: Context,
  { ckaId, label, spki }: UnwrapItem,
  what: string,
  { onToken }: UnwrapWork,
  made: readonly Handle[],
): NotUnwrapped {
  const left = destroyAll(context, made);
  return {
    status: "problem",
    spkiSha256: sha256Hex(spki),
    ckaId,
    problem: `${label} was not restored: ${what}`,
    remains: onToken ? destroyStrays(context, ckaId) : left,
  };
}

// A call that reports a failure may have made its object all the same. Nothing on the token had this CKA_ID
// when the batch began, so whatever half of a key has it now is of this item.
function destroyStrays(context: Context, ckaId: string): string | undefined {
  const halves = (): readonly Handle[] =>
    [CKO.PRIVATE_KEY, CKO.PUBLIC_KEY].flatMap((half) =>
      findBy(context, "ID", idBytes(ckaId), half),
    );
  for (const object of halves()) destroyQuietly(context, object);
  const { length } = halves();
  return length === 0 ? undefined : `${length} objects with CKA_ID ${ckaId} are still there`;
}

function notDestroyed({ ckaId, label, spki }: UnwrapItem, remains: string): NotUnwrapped {
  const what = `the copy of ${label} was proved, but not destroyed`;
  return { status: "problem", spkiSha256: sha256Hex(spki), ckaId, problem: what, remains };
}

function destroyAll(context: Context, made: readonly Handle[]): string | undefined {
  const left = made.filter((object) => !destroyQuietly(context, object));
  return left.length === 0 ? undefined : `${left.length} of ${made.length} objects are still there`;
}

// What a module answers about one wrapped key or template. Everything else – a device that is gone, a
// session or handle that is invalid – is about the token, and would be the same for the next key.
const OF_THE_KEY = new Set([
  "CKR_GENERAL_ERROR",
  "CKR_FUNCTION_FAILED",
  "CKR_ARGUMENTS_BAD",
  "CKR_ATTRIBUTE_READ_ONLY",
  "CKR_ATTRIBUTE_TYPE_INVALID",
  "CKR_ATTRIBUTE_VALUE_INVALID",
  "CKR_DATA_INVALID",
  "CKR_DATA_LEN_RANGE",
  "CKR_DOMAIN_PARAMS_INVALID",
  "CKR_CURVE_NOT_SUPPORTED",
  "CKR_ENCRYPTED_DATA_INVALID",
  "CKR_ENCRYPTED_DATA_LEN_RANGE",
  "CKR_KEY_SIZE_RANGE",
  "CKR_KEY_TYPE_INCONSISTENT",
  "CKR_PUBLIC_KEY_INVALID",
  "CKR_TEMPLATE_INCOMPLETE",
  "CKR_TEMPLATE_INCONSISTENT",
  "CKR_WRAPPED_KEY_INVALID",
  "CKR_WRAPPED_KEY_LEN_RANGE",
]);

function isOfTheKey(error: unknown): boolean {
  // A record that is no public key never reached the token.
  if (error instanceof KeyriteError && error.cause === undefined) {
    return error.code === "hsm.not-supported";
  }
  return OF_THE_KEY.has(ckrOf(error) ?? "");
}
