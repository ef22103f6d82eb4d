/**
 * Revokes a certificate that a key of this site has issued: on record at once, and in every CRL that
 * the issuer's key signs from then on. A revocation is never taken back.
 */

import { defineAction } from "../ceremony/action.ts";
import { always, condition, type Condition } from "../ceremony/conditions.ts";
import { REVOCATION_REASONS, type RevocationReason } from "../ceremony/facts-certificates.ts";
import { line } from "../ceremony/words.ts";
import { timestamp } from "../lib/clock.ts";
import { visible } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import type { JsonObject } from "../lib/json.ts";
import { z } from "../lib/schema.ts";
import { certificateNamed, certificateRef, requireCertificate } from "./lib/certificate-refs.ts";
import { nothingIsLeft } from "./lib/settle-nothing.ts";

const params = () =>
  z.strictObject({
    certificate: certificateRef(),
    reason: z.enum(REVOCATION_REASONS),
    /** From when on it is revoked; without it, from now. */
    date: line.optional(),
  });
type Params = z.infer<ReturnType<typeof params>>;

interface Revocation extends JsonObject {
  /** SHA-256 of the certificate. */
  readonly certificate: string;
  readonly issuerSpki: string;
  readonly serial: string;
  readonly reason: RevocationReason;
  readonly date: string;
}

export const revokeCertificate = defineAction<Params, Revocation, Revocation>({
  name: "revoke-certificate",
  control: "dual",
  params,
  facts: ["certificate.revoked"],
  instruction: (p) =>
    `Revoke certificate ${p.certificate}, reason ${p.reason}${p.date === undefined ? "" : `, from ${p.date} on`}. This cannot be taken back.`,
  requires: (p) => [canBeRevoked(p.certificate), always("date", dateProblem(p.date))],
  forecast: (p, custody) => {
    const named = certificateNamed(custody, p.certificate);
    const known = named.ok && named.certificate.source === "issued" ? named.certificate : undefined;
    return {
      certificate: known?.sha256 ?? "0".repeat(64),
      issuerSpki: known?.issuerSpki ?? "0".repeat(64),
      serial: known?.serial ?? "00",
      reason: p.reason,
      date: p.date ?? "planned",
    };
  },
  establishes: (_, { certificate: sha256, issuerSpki, serial, reason, date }) => [
    { kind: "certificate.revoked", sha256, issuerSpki, serial, reason, date },
  ],
  admits: (p, intent, fact) =>
    fact.kind === "certificate.revoked" &&
    fact.sha256 === intent.certificate &&
    fact.issuerSpki === intent.issuerSpki &&
    fact.serial === intent.serial &&
    fact.reason === p.reason &&
    fact.date === intent.date,
  subject(p, room) {
    const known = requireCertificate(room.custody, p.certificate);
    if (known.source !== "issued") throw notOurs(p.certificate);
    const now = `${timestamp(room.clock.now()).slice(0, 19)}Z`;
    const date = p.date ?? now;
    if (date > now || date < known.notBefore) {
      throw new KeyriteError(
        "script.refused",
        `the date ${date} is ${date > now ? "to come" : "before the certificate's own"}`,
      );
    }
    const { sha256, issuerSpki, serial, subject, notBefore, notAfter } = known;
    return Promise.resolve({
      data: { certificate: sha256, issuerSpki, serial, reason: p.reason, date },
      shown: [
        `This certificate is revoked for good, reason ${p.reason}, from ${date} on:`,
        `  name       ${known.file}`,
        `  subject    ${visible(subject)}`,
        `  serial     ${serial}`,
        `  valid      ${notBefore} to ${notAfter}`,
        `  SHA-256    ${sha256}`,
        `  issued by the key with SPKI SHA-256 ${issuerSpki}`,
        "Others learn of it by the next CRL that this key signs.",
      ],
    });
  },
  run: (_, room, { subject }) => {
    room.console.tell("The revocation is on record; the next CRL of the issuer holds it.");
    return Promise.resolve(subject);
  },
  ...nothingIsLeft("Nothing but the record was to be made."),
});

function canBeRevoked(ref: string): Condition {
  return condition("certificate", ({ custody }) => {
    const named = certificateNamed(custody, ref);
    if (!named.ok) return named.problem;
    if (named.certificate.source !== "issued") return notOurs(ref).message;
    return named.certificate.revoked !== null && `certificate ${ref} is revoked already`;
  });
}

function notOurs(ref: string): KeyriteError {
  return new KeyriteError(
    "script.refused",
    `certificate ${ref} was issued elsewhere: only its issuer can revoke it`,
  );
}

function dateProblem(date: string | undefined): string | undefined {
  if (date === undefined) return undefined;
  const exact = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/.test(date);
  const time = exact ? Date.parse(date) : Number.NaN;
  // A day that does not exist is read as another one.
  const same = Number.isFinite(time) && timestamp(time).startsWith(date.slice(0, 19));
  return same ? undefined : 'must be a time like "2026-12-01T00:00:00Z"';
}
