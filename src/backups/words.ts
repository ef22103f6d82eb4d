/** The forms of names and numbers that the files of a backup share. */

import { z } from "../lib/schema.ts";

/** How a wrapped key is encoded: the semantics, never a mechanism number, which vendors share. */
export const WRAP_FORMATS = ["rfc5649", "rfc3394", "rfc3394-pkcs7", "aes-cbc-pad"] as const;
export type WrapFormat = (typeof WRAP_FORMATS)[number];

/** Where the value of a KEK has been: in HSMs alone, or also sealed under a share set. */
export const KEK_MODES = ["hsm-to-hsm", "escrowed"] as const;
export type KekMode = (typeof KEK_MODES)[number];

export const digest = z.string().regex(/^[0-9a-f]{64}$/, "must be 64 lower-case hex digits");
export const label = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/, "must be a label of 1 to 32 characters");
export const slug = z.string().regex(/^[a-z][a-z0-9-]{1,30}$/, "must be 2 to 31 of a-z, 0-9, dash");
export const generation = z.int().min(1).max(1_000_000);
export const checkValue = z.string().regex(/^[0-9a-f]{16}$/, "must be 16 lower-case hex digits");
export const hexId = z.string().regex(/^([0-9a-f]{2}){1,32}$/, "must be 1 to 32 bytes in hex");

/** What a token says of itself: shown escaped, never acted on. */
export const plateText = z
  .string()
  .max(64)
  .regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\uFFFD]*$/u, "must be text without control characters");
export const base64Text = z.string().max(4096);
