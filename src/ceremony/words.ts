/** The closed words that scripts, policies and records share: roles, names, digests. */

import { hiddenCharacters } from "../lib/plain-text.ts";
import { z } from "../lib/schema.ts";

export const ROLES = [
  "ceremony-administrator",
  "custodian",
  "security-officer",
  "internal-witness",
  "external-witness",
  "recorder",
  "auditor",
] as const;
export type Role = (typeof ROLES)[number];

/** Role under which somebody who is being enrolled proves possession of their keys: no authority. */
export const CANDIDATE_ROLE = "candidate";

/** Roles that look on: they attest and cosign, and never authorise an act on keys or people. */
export const ONLOOKERS: readonly Role[] = ["external-witness", "auditor"];

export const role = z.enum(ROLES);

/** Names of tokens, keys, files and media: ASCII, so that two of them never look alike by accident. */
export const label = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/,
    "must be 1 to 32 letters, digits, dots, dashes or underscores and begin with a letter or digit",
  );
export const slug = z
  .string()
  .regex(
    /^[a-z][a-z0-9-]{1,30}$/,
    "must be 2 to 31 lower-case letters, digits or dashes and begin with a letter",
  );
export const digest = z.string().regex(/^[0-9a-f]{64}$/, "must be 64 lower-case hex digits");

/** One line a person reads or types: no control, format or line-breaking characters. */
export const line = z
  .string()
  .min(1)
  .max(500)
  .regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*$/u, "must be one line without control characters")
  .refine(
    (text) => hiddenCharacters(text).next().done === true && text.normalize("NFC") === text,
    "must hold only characters that show, in Unicode normal form C (NFC)",
  );

/** A clause of a policy or standard, e.g. `BR:6.1.1.1`. */
export const policyRef = z
  .string()
  .regex(/^[A-Z][A-Za-z0-9-]{0,15}:[A-Za-z0-9.()-]{1,40}$/, 'must look like "BR:6.1.1.1"');
