/** The closed words that scripts, policies and records share: roles, names, digests. */

import { z } from "../lib/schema.ts";

export { day, digest, label, line, policyRef, slug } from "../lib/field-shapes.ts";

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
