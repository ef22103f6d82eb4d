/**
 * What a KEK must be: it wraps and unwraps, and nothing else. With decryption it would open in the clear
 * what it wraps; with a value that can leave, everything it ever wrapped would leave with it.
 */

import { KEK_BYTES } from "./aes-wrap.ts";
import { encode, type AttributeValue } from "./attributes.ts";
import { ckrOf } from "./ckr.ts";
import { CKA, CKK, CKO, type AttributeName } from "./constants.ts";
import { expectation, type Expectation } from "./object-check.ts";
import { destroyQuietly, idBytes, type Context } from "./objects.ts";
import type { ModuleProfile } from "./profiles.ts";
import type { Handle, RawAttribute, RawNestedAttribute, RawTemplate } from "./raw.ts";
import { orRefused } from "./refused.ts";
import type { TemplateEntry } from "./templates.ts";

/** @param label absent when only the rest is to be compared. */
export function kekExpectation(
  profile: ModuleProfile,
  { label, ckaId }: { readonly label?: string; readonly ckaId: string },
): Expectation {
  const name = label === undefined ? [] : [asked("LABEL", label, "how operators call the KEK")];
  return expectation(profile, "kek", [
    ...name,
    asked("ID", idBytes(ckaId), "finds the KEK again after a crash"),
    ...KEK_ENTRIES,
  ]);
}

export const KEK_ENTRIES: readonly TemplateEntry[] = [
  asked("CLASS", CKO.SECRET_KEY, "it is a secret key"),
  asked("KEY_TYPE", CKK.AES, "AES-256 wraps keys of every strength we allow"),
  asked("TOKEN", true, "it outlives the session"),
  asked("PRIVATE", true, "nobody sees or uses it without the user PIN"),
  asked("SENSITIVE", true, "its value is never shown in the clear"),
  asked("EXTRACTABLE", false, "it travels in envelopes made before, and in no other way"),
  asked("WRAP", true, "it wraps keys for a backup"),
  asked("UNWRAP", true, "it unwraps them for a restore"),
  asked("ENCRYPT", false, "encrypting and unwrapping together import keys of known value"),
  asked("DECRYPT", false, "wrapping and decrypting together show keys in the clear"),
  asked("SIGN", false, "a KEK authenticates nothing"),
  asked("VERIFY", false, "the counterpart of SIGN"),
  asked("DERIVE", false, "derived keys escape every rule for this one"),
  asked("MODIFIABLE", false, "nobody adds DECRYPT later"),
  asked("COPYABLE", false, "a copy could carry weaker attributes"),
  asked("DESTROYABLE", true, "a KEK is destroyed at the end of its life, on record"),
  expected("LOCAL", false, "it came out of an envelope"),
  expected("ALWAYS_SENSITIVE", false, "the token cannot know what it was elsewhere"),
  expected("NEVER_EXTRACTABLE", false, "it was extractable for the moment the envelopes took"),
  { ...asked("VALUE_LEN", KEK_BYTES, "AES-256"), role: "expected" },
];

function unwrapTemplate(nested: readonly RawAttribute[]): RawNestedAttribute {
  return { type: CKA.UNWRAP_TEMPLATE.type, nested };
}

/** CKA_UNWRAP_TEMPLATE of a KEK: without it whoever is logged in unwraps a backup readable. */
export const KEK_UNWRAPS = unwrapTemplate([
  encode("PRIVATE", true),
  encode("SENSITIVE", true),
  encode("EXTRACTABLE", false),
]);

/**
 * CKA_UNWRAP_TEMPLATE of a transport key. It leaves EXTRACTABLE open: sending a KEK on to a token that
 * came later means to wrap it once more. A KEK that decrypted would show everything it ever wrapped.
 */
export const TRANSPORT_UNWRAPS = unwrapTemplate([
  encode("PRIVATE", true),
  encode("SENSITIVE", true),
  encode("ENCRYPT", false),
  encode("DECRYPT", false),
]);

// What modules answer that know no CKA_UNWRAP_TEMPLATE, or not here.
const TEMPLATE_REFUSED = new Set([
  "CKR_ATTRIBUTE_TYPE_INVALID",
  "CKR_ATTRIBUTE_VALUE_INVALID",
  "CKR_ATTRIBUTE_READ_ONLY",
  "CKR_TEMPLATE_INCONSISTENT",
]);

/**
 * Makes an object with CKA_UNWRAP_TEMPLATE, or without where the module refuses it. Whether it is
 * obeyed is found out by trying, never by reading it back.
 */
export async function withUnwrapTemplate<T>(
  profile: ModuleProfile,
  rule: RawNestedAttribute,
  asked: readonly RawAttribute[],
  make: (template: RawTemplate) => T | Promise<T>,
): Promise<T> {
  if (profile.ignoresUnwrapTemplate !== undefined) return make(asked);
  try {
    return await make([rule, ...asked]);
  } catch (error) {
    if (!TEMPLATE_REFUSED.has(ckrOf(error) ?? "")) throw error;
    return make(asked);
  }
}

/**
 * What a key leaves open to an attacker who is logged in: whether it unwraps an AES key readable and extractable. That
 * it refuses to counts only where it unwraps the same as we ask for it: else nothing was tried.
 * @param unwrap tries it with a key that is worth nothing.
 * @returns residuals, one sentence each
 */
export function unwrapResiduals(
  context: Context,
  profile: ModuleProfile,
  unwrap: (template: readonly RawAttribute[]) => Handle,
): readonly string[] {
  if (unwraps(context, unwrap, READABLE)) return [profile.ignoresUnwrapTemplate ?? NOT_ENFORCED];
  return unwraps(context, unwrap, SESSION_KEK) ? [] : [NOT_TRIED];
}

function unwraps(
  context: Context,
  unwrap: (template: readonly RawAttribute[]) => Handle,
  template: readonly RawAttribute[],
): boolean {
  const object = orRefused(() => unwrap(template));
  if (object === undefined) return false;
  destroyQuietly(context, object);
  return true;
}

const NOT_ENFORCED =
  "the token does not enforce CKA_UNWRAP_TEMPLATE: whoever is logged in and holds a wrapped key can unwrap it readable";
const NOT_TRIED =
  "the token unwraps no AES key that could be tried: whether whoever is logged in can unwrap one readable is not known";

const SESSION: readonly RawAttribute[] = [
  encode("CLASS", CKO.SECRET_KEY),
  encode("KEY_TYPE", CKK.AES),
  encode("TOKEN", false),
  encode("PRIVATE", true),
];
const READABLE: readonly RawAttribute[] = [
  ...SESSION,
  encode("SENSITIVE", false),
  encode("EXTRACTABLE", true),
];

/** An unwrapped KEK for this session, as we would have it. */
export const SESSION_KEK: readonly RawAttribute[] = [
  ...SESSION,
  encode("SENSITIVE", true),
  encode("EXTRACTABLE", false),
  encode("ENCRYPT", false),
  encode("DECRYPT", false),
  encode("WRAP", true),
];

function asked(name: AttributeName, value: AttributeValue, why: string): TemplateEntry {
  return { name, value, why, role: "asked" };
}

function expected(name: AttributeName, value: AttributeValue, why: string): TemplateEntry {
  return { name, value, why, role: "expected" };
}
