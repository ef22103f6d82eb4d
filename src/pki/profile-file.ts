/** Reads certificate profiles: strictly, with every objection at its place in the file. */

import { sha256Hex } from "../lib/encoding.ts";
import { objectionsError } from "../lib/objection.ts";
import { check, type Objection } from "../lib/schema.ts";
import { readYaml } from "../lib/yaml.ts";
import { breachesOf } from "./profile-rules.ts";
import { type ProfileData, profileSchema } from "./profile-schema.ts";

export { profileSchema } from "./profile-schema.ts";

/** A profile that may be issued under; `sha256` is of the exact bytes read. */
export type Profile = ProfileData & { readonly sha256: string };

export type ProfileReading =
  | { readonly ok: true; readonly profile: Profile }
  | { readonly ok: false; readonly objections: readonly Objection[] };

/**
 * Reads a profile and returns it, or every objection with its place: `profiles/x.yaml:7:3: BR 7.1.2.1.2:
 * a root must not have an extended key usage`.
 * @throws KeyriteError script.unreadable for what is not acceptable YAML.
 */
export function readProfile(bytes: Uint8Array, file: string): ProfileReading {
  const document = readYaml(bytes, file);
  const result = check(profileSchema, document);
  if (!result.ok) return { ok: false, objections: result.objections };
  const breaches = breachesOf(result.value);
  if (breaches.length > 0) {
    const objections = breaches.map(({ at, text }) => {
      const { line, col } = document.locate(at);
      return { at: `${file}:${line}:${col}`, text };
    });
    return { ok: false, objections };
  }
  return { ok: true, profile: { ...result.value, sha256: sha256Hex(bytes) } };
}

/** Reads a profile. @throws KeyriteError script.unreadable, or script.refused with every objection. */
export function requireProfile(bytes: Uint8Array, file: string): Profile {
  const reading = readProfile(bytes, file);
  if (reading.ok) return reading.profile;
  throw objectionsError("script.refused", reading.objections);
}
