/**
 * The site's rules, adopted by digest in the ledger: data, never code. `policy.yaml` is a copy for
 * people; a copy that differs from the adopted digest stops everything.
 */

import { KEY_ALGORITHMS } from "../lib/algorithms.ts";
import { sha256Hex } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import { check, z } from "../lib/schema.ts";
import { readYaml } from "../lib/yaml.ts";
import { DATED, type Dated } from "./people-dates.ts";
import { digest, line, role, type Role } from "./words.ts";

const shareSetRule = z
  .strictObject({ threshold: z.int().min(2).max(16), holders: z.int().min(2).max(16) })
  .refine((rule) => rule.threshold <= rule.holders, "threshold must not exceed holders");

const hsmRule = z.strictObject({
  manufacturer: line,
  model: line.optional(),
  firmware: line.optional(),
  moduleDigest: digest.optional(),
});

export const policySchema = z
  .strictObject({
    keyrite: z.literal("policy/v1"),
    /** Roles in one list belong to different people; a role alone in a list admits no other. */
    separate: z.array(z.array(role).min(1)).default([]),
    shareSets: z.strictObject({
      activation: shareSetRule,
      "security-officer": shareSetRule,
      /** Of an escrowed KEK; the security officers' rule when absent. */
      kek: shareSetRule.optional(),
    }),
    agreement: z.strictObject({ minutes: z.int().min(1).max(60) }),
    /** Records of which everybody who acts must have a date. */
    people: z
      .strictObject({ vetting: z.literal("required"), training: z.literal("required") })
      .partial()
      .optional(),
    witnesses: z
      .strictObject({
        root: z.array(role).default([]),
        "external-sub": z.array(role).default([]),
        "affiliate-sub": z.array(role).default([]),
      })
      .partial()
      .default({}),
    algorithms: z.array(z.enum(KEY_ALGORITHMS)).min(1),
    kdf: z.strictObject({ logN: z.int().min(10).max(20) }),
    hsms: z.array(hsmRule).min(1),
    kek: z
      .strictObject({
        escrow: z.enum(["forbidden", "allowed"]),
        /** Where the CPS allows that a KEK exists outside an HSM. */
        cps: line.optional(),
      })
      .default({ escrow: "forbidden" }),
    copies: z
      .strictObject({ tokens: z.int().min(1), offSite: z.int().min(0) })
      .default({ tokens: 2, offSite: 1 }),
    drills: z
      .strictObject({
        maxAgeDays: z.int().min(1),
        /** Longest a restore may take, and the oldest backup it may start from. */
        rtoMinutes: z.int().min(1).optional(),
        rpoDays: z.int().min(1).optional(),
      })
      .default({ maxAgeDays: 90 }),
  })
  .refine(
    (policy) =>
      policy.shareSets["security-officer"].threshold >= policy.shareSets.activation.threshold,
    "the security-officer threshold must not be below the activation threshold",
  )
  .refine(
    // The KEK opens every backup: its shares weigh at least what a token's do.
    ({ shareSets: { kek, activation } }) =>
      kek === undefined || kek.threshold >= activation.threshold,
    "the kek threshold must not be below the activation threshold",
  )
  .refine(
    ({ kek }) => kek.escrow === "forbidden" || kek.cps !== undefined,
    "kek.escrow: allowed needs kek.cps, the place in the CPS that allows it",
  );

export type PolicyRules = z.infer<typeof policySchema>;

export interface Policy extends PolicyRules {
  /** SHA-256 of the exact bytes. */
  readonly sha256: string;
}

/** Least KDF cost of identities on production sites. */
const PRODUCTION_LOG_N = 17;

// The policy a ledger adopted and the file beside it are nearly always the same bytes.
let lastRead: Policy | undefined;

/**
 * Reads a policy file.
 * @throws KeyriteError script.refused listing every objection with its place.
 */
export function readPolicy(bytes: Uint8Array, file: string): Policy {
  const sha256 = sha256Hex(bytes);
  if (lastRead?.sha256 === sha256) return lastRead;
  const document = readYaml(bytes, file);
  const result = check(policySchema, document);
  if (!result.ok) {
    throw new KeyriteError("script.refused", `policy ${file} is not a valid policy`, {
      hints: result.objections.map((o) => `${o.at}: ${o.text}${o.hint ? ` (${o.hint})` : ""}`),
    });
  }
  lastRead = { ...result.value, sha256 };
  return lastRead;
}

/** Threshold and holders of a share set: a KEK's are the security officers' unless the policy says more. */
export function shareRule(
  { shareSets }: Pick<PolicyRules, "shareSets">,
  purpose: keyof PolicyRules["shareSets"],
): { readonly threshold: number; readonly holders: number } {
  return shareSets[purpose] ?? shareSets["security-officer"];
}

/**
 * Why the policy lets nobody hold these roles together, or undefined. Roles of one list belong to
 * different people; a role alone in its list stands alone.
 */
export function separationProblem(
  policy: Policy | null,
  roles: readonly Role[],
): string | undefined {
  for (const group of policy?.separate ?? []) {
    const [first, second] = group.filter((role) => roles.includes(role));
    if (second !== undefined) return `the policy keeps ${first} and ${second} apart`;
    if (first !== undefined && group.length === 1 && roles.length > 1) {
      return `the policy lets ${first} hold no other role`;
    }
  }
  return undefined;
}

/** The records of which the policy requires a date. */
export function datesRequired({ people }: Pick<PolicyRules, "people">): readonly Dated[] {
  return DATED.filter((what) => people?.[what] === "required");
}

/** What production forbids although the file is well-formed, one sentence each. */
export function productionObjections(policy: Policy): readonly string[] {
  const objections: string[] = [];
  if (policy.kdf.logN < PRODUCTION_LOG_N) {
    objections.push(
      `kdf.logN is ${policy.kdf.logN}; production demands at least ${PRODUCTION_LOG_N}`,
    );
  }
  for (const hsm of policy.hsms) {
    if (hsm.model === undefined || hsm.firmware === undefined || hsm.moduleDigest === undefined) {
      objections.push(
        `the entry for "${hsm.manufacturer}" must name model, firmware and moduleDigest on a production site`,
      );
    }
  }
  return objections;
}
