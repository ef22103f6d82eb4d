/** Schemas of the short texts that scripts, policies, profiles and records share: names, digests, one line. */

import { hiddenCharacters } from "./plain-text.ts";
import { z } from "./schema.ts";

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

/** A day of the calendar in UTC, `YYYY-MM-DD`. */
export const day = z
  .string()
  .regex(/^[0-9]{4}-[0-9]{2}-[0-9]{2}$/, 'must be a day like "2027-11-30"')
  .refine(
    // What the calendar does not have, 30 February for one, is read as another day or as none.
    (text) => new Date(Date.parse(text) || 0).toISOString().startsWith(text),
    "must be a day that the calendar has",
  );

/** A clause of a policy or standard, e.g. `BR:6.1.1.1`. */
export const policyRef = z
  .string()
  .regex(/^[A-Z][A-Za-z0-9-]{0,15}:[A-Za-z0-9.()-]{1,40}$/, 'must look like "BR:6.1.1.1"');

export const semver = z.string().regex(/^\d+\.\d+\.\d+$/, 'must look like "1.0.0"');
