/**
 * Facts: what completed, agreed steps made true. The vocabulary is closed; custody is a fold over
 * nothing but these. Formats: docs/formats/ledger.md.
 */

import { DEVICE_ACT_KINDS, DEVICE_LOG_FORMATS } from "../hsm/device-log.ts";
import { KEY_ALGORITHMS } from "../lib/algorithms.ts";
import type { JsonObject } from "../lib/json.ts";
import { z } from "../lib/schema.ts";
import { certificateFacts } from "./facts-certificates.ts";
import { copyFacts } from "./facts-copies.ts";
import { day, digest, label, line, role, slug } from "./words.ts";

/** Why somebody is taken off the roster. */
export const LEAVING_REASONS = [
  "left",
  "role-changed",
  "vetting-failed",
  "training-failed",
  "compromised",
] as const;
export type LeavingReason = (typeof LEAVING_REASONS)[number];

const hexId = z.string().regex(/^[0-9a-f]{2,64}$/);
const generation = z.int().min(1);
/** Absent where nobody stated them. */
const dates = { vettedUntil: day.optional(), trainedUntil: day.optional() };

const schemas = {
  "policy.adopted": z.strictObject({ kind: z.literal("policy.adopted"), sha256: digest }),
  "person.enrolled": z.strictObject({
    kind: z.literal("person.enrolled"),
    person: slug,
    roles: z.array(role).min(1),
    card: digest,
    reference: line,
    ...dates,
  }),
  "person.renewed": z.strictObject({
    kind: z.literal("person.renewed"),
    person: slug,
    reference: line,
    ...dates,
  }),
  "person.revoked": z.strictObject({
    kind: z.literal("person.revoked"),
    person: slug,
    reason: z.enum(LEAVING_REASONS),
    reference: line,
  }),
  "people.present": z.strictObject({
    kind: z.literal("people.present"),
    attending: z.array(z.strictObject({ person: slug, role })).min(1),
    bindings: digest,
  }),
  "clock.attested": z.strictObject({
    kind: z.literal("clock.attested"),
    source: line,
    offsetSeconds: z.int(),
  }),
  "token.bound": z.strictObject({
    kind: z.literal("token.bound"),
    token: label,
    module: digest,
    profile: label,
    serial: line,
    /** What the token calls itself: some keep a fixed label with blanks, whatever they are asked. */
    label: line,
    manufacturer: z.string().max(64),
    model: z.string().max(64),
    firmware: z.string().max(64),
    activation: z.enum(["sealed", "vendor"]),
  }),
  "share-set.made": z.strictObject({
    kind: z.literal("share-set.made"),
    set: slug,
    generation,
    purpose: z.enum(["activation", "security-officer", "kek"]),
    token: label,
    threshold: z.int().min(2),
    holders: z.array(slug).min(2),
    /** SHA-256 of share-set.json, which is attached. */
    sha256: digest,
    sealed: digest,
  }),
  "token.activated": z.strictObject({
    kind: z.literal("token.activated"),
    token: label,
    set: slug,
    generation,
    people: z.array(slug).min(2),
  }),
  "token.deactivated": z.strictObject({ kind: z.literal("token.deactivated"), token: label }),
  "key.generated": z.strictObject({
    kind: z.literal("key.generated"),
    spki: digest,
    token: label,
    label,
    ckaId: hexId,
    algorithm: z.enum(KEY_ALGORITHMS),
    purpose: z.enum(["ca-signing"]),
    backup: z.enum(["wrap", "native", "never"]),
  }),
  "deviation.recorded": z.strictObject({
    kind: z.literal("deviation.recorded"),
    rule: line,
    reason: line,
  }),
  "device-log.attached": z.strictObject({
    kind: z.literal("device-log.attached"),
    token: label,
    /** SHA-256 of the log, which is attached. */
    sha256: digest,
    format: z.enum(DEVICE_LOG_FORMATS),
    /** The device's own numbers of the first and the last entry that no earlier log holds. */
    first: z.int().min(0),
    last: z.int().min(0),
    /** What the device chains its next entry to. */
    lastDigest: z.string().regex(/^[0-9a-f]{16,128}$/),
    /** What the device says was done, and tried in vain, by kind of act. */
    acts: z.array(
      z.strictObject({
        act: z.enum(DEVICE_ACT_KINDS),
        done: z.int().min(0),
        failed: z.int().min(0),
      }),
    ),
    unexplained: z.int().min(0),
    missing: z.int().min(0),
    problems: z.int().min(0),
  }),
  ...certificateFacts,
  ...copyFacts,
} as const;

export type FactKind = keyof typeof schemas;
export type FactOf<K extends FactKind> = z.infer<(typeof schemas)[K]>;
export type Fact = { [K in FactKind]: FactOf<K> }[FactKind];
/** Facts about copies of keys and what opens them. */
export type CopyFact = Extract<Fact, { readonly kind: keyof typeof copyFacts }>;

/** Whether a fact is about copies of keys and what opens them. */
export function isCopyFact(fact: Fact): fact is CopyFact {
  return Object.hasOwn(copyFacts, fact.kind);
}

/** Facts about certificates, requests, revocations and CRLs. */
export type CertificateFact = Extract<Fact, { readonly kind: keyof typeof certificateFacts }>;

/** Whether a fact is about certificates, requests, revocations and CRLs. */
export function isCertificateFact(fact: Fact): fact is CertificateFact {
  return Object.hasOwn(certificateFacts, fact.kind);
}

/** The names of the members of every kind of fact: what its format page has to explain. */
export const FACT_MEMBERS: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries(schemas).map(([kind, schema]) => [kind, Object.keys(schema.shape)]),
);

/** A fact as recorded, or what is wrong with it. */
export function parseFact(value: JsonObject): Fact | string {
  const { kind } = value;
  if (typeof kind !== "string") return "kind: it is no text";
  if (!isFactKind(kind)) return `kind: there is no fact ${kind}`;
  const parsed = schemas[kind].safeParse(value);
  if (parsed.success) return parsed.data;
  return parsed.error.issues.map((i) => `${i.path.join(".")}: ${i.message}`).join("; ");
}

function isFactKind(kind: string): kind is FactKind {
  return Object.hasOwn(schemas, kind);
}
