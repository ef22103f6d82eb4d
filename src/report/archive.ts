/**
 * `archive.json`: what makes a bundle the archive of a period. It names the archive before it by digest, and
 * says until when the records must be kept. Format: docs/formats/archive.md.
 */

import type { Custody } from "../ceremony/custody.ts";
import { retentionOf, type RetainedKey, type Retention } from "../ceremony/retention.ts";
import { digest } from "../ceremony/words.ts";
import type { LedgerStore } from "../ledger/store.ts";
import { fromUtf8, hex, utf8 } from "../lib/encoding.ts";
import { canonicalJson, type Json } from "../lib/json.ts";
import { z } from "../lib/schema.ts";
import type { BundleReading } from "./bundle-reading.ts";

export const ARCHIVE = "archive.json";
export const LONGEST_ARCHIVE = 1 << 24;

const previous = z.strictObject({
  /** Digest of its bundle.json. */
  bundle: digest,
  number: z.int().min(1),
  size: z.int().min(1),
  root: digest,
});
/** The archive before, as the next one names it. */
export type PreviousArchive = z.infer<typeof previous>;

const schema = z.object({
  keyrite: z.literal("archive/v1"),
  number: z.int().min(1),
  previous: z.union([z.literal("none"), previous]),
});

/** The bytes of archive.json; `before` is null for the first archive. */
export function archiveBytes(reading: BundleReading, before: PreviousArchive | null): Uint8Array {
  const { genesis, history, root } = reading;
  const retention = retentionOf(retainedKeys(reading), history.lastTime ?? "");
  return utf8(
    canonicalJson({
      keyrite: "archive/v1",
      origin: genesis.origin,
      number: (before?.number ?? 0) + 1,
      previous: before === null ? "none" : { ...before },
      from: before?.size ?? 0,
      to: history.size,
      root,
      closed: history.lastTime,
      retention: retentionJson(retention),
    }),
  );
}

function retentionJson({ until, rules }: Retention): Json {
  return { until, rules: rules.map((rule) => ({ ...rule })) };
}

/** What an archive.json says of the one before it; a text says why it cannot be read. */
export function readArchive(
  bytes: Uint8Array,
): { readonly number: number; readonly before: PreviousArchive | null } | string {
  try {
    const parsed = schema.safeParse(JSON.parse(fromUtf8(bytes)));
    if (!parsed.success) return `${ARCHIVE} is malformed`;
    const { number, previous: before } = parsed.data;
    return { number, before: before === "none" ? null : before };
  } catch {
    return `${ARCHIVE} is not JSON in UTF-8`;
  }
}

/** Why a ledger does not go on from an earlier archive, or undefined: its beginning must be that archive's. */
export function whyNotAfter(ledger: LedgerStore, before: PreviousArchive): string | undefined {
  if (before.size > ledger.size)
    return `the archive before has ${before.size} entries, more than this ledger`;
  return hex(ledger.rootAt(before.size)) === before.root
    ? undefined
    : "its first entries are not those of the archive before";
}

/** The CA keys of a ledger as retention asks about them. */
export function retainedKeys({ history, destroyed }: BundleReading): readonly RetainedKey[] {
  const { custody } = history;
  return [...custody.keys.values()].map(({ spki, label }) => ({
    spki,
    label,
    destroyedAt: destroyed.get(spki) ?? null,
    retained: (custody.copies.get(spki)?.retained.size ?? 0) > 0,
    certificateEnd: lastEnd(custody, (one) => one.ca && one.spki === spki),
    relyingEnd: lastEnd(custody, (one) => "issuerSpki" in one && one.issuerSpki === spki),
  }));
}

type Certificate = Custody["certificates"] extends ReadonlyMap<string, infer C> ? C : never;

function lastEnd({ certificates }: Custody, of: (one: Certificate) => boolean): string | null {
  const ends = [...certificates.values()].filter(of).map((one) => {
    const revoked = "revoked" in one ? one.revoked : null;
    return revoked !== null && Date.parse(revoked.date) < Date.parse(one.notAfter)
      ? revoked.date
      : one.notAfter;
  });
  return ends.reduce<string | null>(
    (last, end) => (last === null || Date.parse(end) > Date.parse(last) ? end : last),
    null,
  );
}
