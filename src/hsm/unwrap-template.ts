/** The unwrap template of a private key, with what single modules want besides. */

import { encode } from "./attributes.ts";
import type { ModuleProfile } from "./profiles.ts";
import type { RawAttribute } from "./raw.ts";
import type { KeyForm } from "./recorded-key.ts";

/** @param asked the template without the module's specialities. */
export function unwrapTemplate(
  profile: ModuleProfile,
  { facts, values }: KeyForm,
  asked: readonly RawAttribute[],
): readonly RawAttribute[] {
  if (!profile.wantsPublicPoint || facts.family === "rsa") return asked;
  const point = values.find(([name]) => name === "EC_POINT")?.[1];
  return point === undefined ? asked : [...asked, encode("NSS_DB", point)];
}
