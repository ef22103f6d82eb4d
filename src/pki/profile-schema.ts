/**
 * Certificate profiles as reviewed YAML: what a certificate of a kind holds. Format and meaning of every
 * field: docs/formats/profile.md.
 */

import { KEY_ALGORITHMS } from "../lib/algorithms.ts";
import { line, policyRef, semver, slug } from "../lib/field-shapes.ts";
import { z } from "../lib/schema.ts";
import { KEY_PURPOSES, KEY_USAGES } from "./extension-names.ts";
import { isIsoTime } from "./der-time.ts";
import { ipRange } from "./ip-range.ts";
import { ATTRIBUTE_TYPES, dnProblem } from "./names.ts";

const OID = /^[0-2](\.(0|[1-9][0-9]{0,18})){1,30}$/;
const oid = z.string().regex(OID, 'must be dotted numbers, like "2.23.140.1.2.1"');
const url = z
  .string()
  .max(500)
  .regex(
    /^https?:\/\/[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[1-9][0-9]{0,4})?(\/[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?$/,
    "must be an http or https address with a host in lower case",
  );
/** Addresses, or `asked`: the step gives them, because they depend on the issuer. */
const addresses = z.union([z.literal("asked"), z.array(url).min(1).max(8)]);
const time = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/, 'must look like "2026-12-01T00:00:00Z"')
  .refine(isIsoTime, "is a date that does not exist");
const dnsName = z
  .string()
  .regex(
    /^([a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*)?$/,
    "must be a domain in lower case without a leading dot, or empty for all",
  );
const DN_FORM = "must be a name as RFC 4514 writes it, with types that Keyrite knows";
const IP_FORM = "must be an address range like 192.0.2.0/24, or eight groups and a length";
const CONSTRAINT_KEYS = ["dns", "email", "ip", "directory"] as const;

const constraint = z
  .strictObject({
    dns: dnsName.optional(),
    email: z
      .string()
      .regex(/^[!-~]{1,255}$/, "must be a host, a .domain or a mailbox")
      .optional(),
    ip: z
      .string()
      .refine((text) => ipRange(text) !== undefined, IP_FORM)
      .optional(),
    directory: z
      .string()
      .refine((text) => dnProblem(text) === undefined, DN_FORM)
      .optional(),
  })
  .refine(
    (given) => CONSTRAINT_KEYS.filter((key) => given[key] !== undefined).length === 1,
    `must hold exactly one of ${CONSTRAINT_KEYS.join(", ")}`,
  );
const constraints = z.array(constraint).max(100).default([]);

const attribute = z.enum(ATTRIBUTE_TYPES);
const PURPOSES = Object.keys(KEY_PURPOSES);
const purpose = z
  .string()
  .refine(
    (text) => PURPOSES.includes(text) || OID.test(text),
    `must be one of ${PURPOSES.join(", ")}, or dotted numbers in quotes`,
  );
const purposes = z.array(purpose).max(20);

const daysValidity = z.strictObject({
  days: z.strictObject({
    least: z.int().min(1).max(36_500),
    most: z.int().min(1).max(36_500),
    usual: z.int().min(1).max(36_500),
  }),
  /** Minutes before the step at which the validity begins. */
  backdate: z.int().min(0).max(525_600).default(0),
});
const datesValidity = z.strictObject({ notBefore: time, notAfter: time });

export const KINDS = ["root", "subordinate", "cross", "ocsp-responder"] as const;
export const RULES = ["tls", "smime", "code-signing", "private"] as const;

export const profileSchema = z.strictObject({
  keyrite: z.literal("profile/v1"),
  name: slug,
  version: semver,
  title: line,
  kind: z.enum(KINDS),
  rules: z.enum(RULES),
  policyRefs: z.array(policyRef).min(1).max(20),
  subject: z
    .strictObject({
      order: z.array(attribute).min(1).max(20),
      required: z.array(attribute).min(1).max(20),
    })
    .optional(),
  keys: z.array(z.enum(KEY_ALGORITHMS)).min(1),
  rsaPadding: z.enum(["pkcs1", "pss"]).default("pkcs1"),
  validity: z.union([daysValidity, datesValidity]),
  basicConstraints: z.strictObject({
    ca: z.boolean(),
    pathLength: z.int().min(0).max(20).optional(),
  }),
  keyUsage: z.array(z.enum(KEY_USAGES)).min(1),
  extKeyUsage: purposes.default([]),
  certificatePolicies: z
    .array(z.strictObject({ oid, cps: z.array(url).max(4).default([]) }))
    .max(20)
    .default([]),
  nameConstraints: z
    .strictObject({
      critical: z.boolean().default(true),
      permitted: constraints,
      excluded: constraints,
    })
    .optional(),
  authorityInfoAccess: z
    .strictObject({ caIssuers: addresses.optional(), ocsp: addresses.optional() })
    .default({}),
  crlDistributionPoints: addresses.optional(),
  subjectKeyId: z.enum(["sha256", "sha1"]).optional(),
  authorityKeyId: z.boolean().default(true),
  ocspNoCheck: z.boolean().default(false),
});

export type ProfileData = z.infer<typeof profileSchema>;
export type ProfileKind = ProfileData["kind"];
export type Rules = ProfileData["rules"];
export type NameConstraint = z.infer<typeof constraint>;
