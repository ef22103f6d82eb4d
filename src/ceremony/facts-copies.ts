/**
 * Facts about what keeps a CA key alive: transport keys and KEKs, copies on tokens and in backups, where
 * they lie, the other sites they may come from, and the drills that prove them.
 */

import { KEY_ALGORITHMS } from "../lib/algorithms.ts";
import { z } from "../lib/schema.ts";
import { digest, label, line, slug } from "./words.ts";

const hexId = z.string().regex(/^[0-9a-f]{2,64}$/);
const generation = z.int().min(1);
const checkValue = z.string().regex(/^[0-9a-f]{16}$/);
const oaep = z.enum(["sha1", "sha256"]);
const wireFormat = z.enum(["rfc5649", "rfc3394", "rfc3394-pkcs7", "aes-cbc-pad"]);
const place = z.enum(["token", "backup"]);

/** An envelope is a KEK under one token's transport key; here stands only its digest. */
const envelope = z.strictObject({ token: label, spki: digest, oaep, sha256: digest });

export const copyFacts = {
  "transport.generated": z.strictObject({
    kind: z.literal("transport.generated"),
    token: label,
    label,
    ckaId: hexId,
    spki: digest,
    algorithm: z.enum(["rsa-3072", "rsa-4096"]),
    oaep: z.array(oaep).min(1),
  }),
  "kek.established": z.strictObject({
    kind: z.literal("kek.established"),
    kek: slug,
    generation,
    mode: z.enum(["hsm-to-hsm", "escrowed"]),
    token: label,
    ckaId: hexId,
    checkValue,
    /** Empty for an escrowed KEK. */
    envelopes: z.array(envelope),
  }),
  "kek.escrowed": z.strictObject({
    kind: z.literal("kek.escrowed"),
    kek: slug,
    generation,
    set: slug,
    setGeneration: generation,
  }),
  "kek.sent": z.strictObject({
    kind: z.literal("kek.sent"),
    kek: slug,
    generation,
    from: label,
    envelope,
  }),
  /** Another site's KEK, by the proofs in a backup of that site: a token of this site may load it. */
  "kek.adopted": z.strictObject({
    kind: z.literal("kek.adopted"),
    kek: slug,
    generation,
    origin: line,
    mode: z.enum(["hsm-to-hsm", "escrowed"]),
    checkValue,
    /** Those to transport keys of this site; their files lie with the backup. */
    envelopes: z.array(envelope),
  }),
  "kek.loaded": z.strictObject({
    kind: z.literal("kek.loaded"),
    kek: slug,
    generation,
    token: label,
    ckaId: hexId,
    checkValue,
  }),
  "kek.destroyed": z.strictObject({
    kind: z.literal("kek.destroyed"),
    kek: slug,
    generation,
    token: label,
  }),
  "key.locked": z.strictObject({ kind: z.literal("key.locked"), spki: digest, token: label }),
  "backup.made": z.strictObject({
    kind: z.literal("backup.made"),
    spki: digest,
    backup: label,
    token: label,
    kek: slug,
    generation,
    format: wireFormat,
    /** SHA-256 of the wrapped key. */
    blob: digest,
    /** The token on which it was opened again. */
    provedOn: label,
  }),
  "backup.completed": z.strictObject({
    kind: z.literal("backup.completed"),
    backup: label,
    /** SHA-256 of backup.json, which is attached. */
    sha256: digest,
    keys: z.int().min(1),
    vaults: z.array(label).min(1),
    signers: z.array(slug).min(2),
  }),
  "key.restored": z.strictObject({
    kind: z.literal("key.restored"),
    spki: digest,
    token: label,
    label,
    ckaId: hexId,
    backup: label,
    /** Origin of the site that made the backup. */
    origin: line,
    algorithm: z.enum(KEY_ALGORITHMS),
  }),
  "key.cloned": z.strictObject({
    kind: z.literal("key.cloned"),
    spki: digest,
    from: label,
    to: label,
    label,
    ckaId: hexId,
    method: z.enum(["wrap", "native"]),
  }),
  "copy.destroyed": z.strictObject({
    kind: z.literal("copy.destroyed"),
    spki: digest,
    place,
    /** Name of the token or of the backup. */
    name: label,
  }),
  "copy.retained": z.strictObject({
    kind: z.literal("copy.retained"),
    spki: digest,
    place,
    name: label,
    reason: line,
  }),
  "key.destroyed": z.strictObject({
    kind: z.literal("key.destroyed"),
    spki: digest,
    reason: line,
  }),
  "token.retired": z.strictObject({
    kind: z.literal("token.retired"),
    token: label,
    serial: line,
    reason: line,
  }),
  "copy.moved": z.strictObject({
    kind: z.literal("copy.moved"),
    place,
    name: label,
    /** The vault, for a backup that lies in several; the token's own name otherwise. */
    vault: label,
    site: line,
    offSite: z.boolean(),
    /** Number of the tamper-evident bag, or name of the safe. */
    container: line,
    holders: z.array(slug).min(1),
  }),
  "site.trusted": z.strictObject({
    kind: z.literal("site.trusted"),
    origin: line,
    genesis: digest,
    /** The ledger's verifier key, as in genesis.json. */
    ledgerKey: line,
    /** SHA-256 of the cosigned checkpoint, which is attached, and what it says. */
    checkpoint: digest,
    size: z.int().min(1),
    root: digest,
  }),
  "drill.concluded": z.strictObject({
    kind: z.literal("drill.concluded"),
    drill: z.enum(["drill", "rehearsal"]),
    verdict: z.enum(["pass", "fail"]),
    token: label,
    backup: label,
    keys: z.int().min(0),
    seconds: z.int().min(0),
    reasons: z.array(line),
    /** SHA-256 of drill-report.json, which is attached. */
    report: digest,
  }),
} as const;
