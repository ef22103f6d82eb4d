/**
 * Signs the CRL of a CA key: every certificate of it that custody has as revoked, under a number that
 * is higher than any before it.
 */

import { defineAction, type Room } from "../ceremony/action.ts";
import { fileIsFree, keyIsOn, tokenIsActive } from "../ceremony/conditions.ts";
import { tokenOwesNothing } from "../ceremony/conditions-copies.ts";
import type { Custody } from "../ceremony/custody.ts";
import { revokedBy } from "../ceremony/custody-certificates.ts";
import { digestLines } from "../ceremony/spoken.ts";
import { SELF } from "../ceremony/facts-certificates.ts";
import { label } from "../ceremony/words.ts";
import type { SignatureScheme } from "../lib/algorithms.ts";
import { sha256Hex } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import type { JsonObject } from "../lib/json.ts";
import { z } from "../lib/schema.ts";
import {
  certificateNamed,
  certificateRef,
  isIssuerFor,
  keyLabelledOn,
  readNamed,
  requireKeyOn,
  requireSpki,
} from "./lib/certificate-refs.ts";
import { crlForm } from "./lib/crl-form.ts";
import { rsaPadding, rsaPaddingFits } from "./lib/rsa-padding.ts";
import {
  rehearse,
  requireAgreed,
  signAgreed,
  type Agreed,
  type Form,
} from "./lib/double-signing.ts";
import { keptFile } from "./lib/issuing.ts";
import {
  CRL,
  leftLines,
  lookAtOutputs,
  outputNames,
  writeOutputs,
  type Left,
  type OutFile,
} from "./lib/outputs.ts";

const params = () =>
  z.strictObject({
    token: label,
    key: label,
    /** The issuer's certificate. */
    issuer: certificateRef(),
    /** Until the next one is due; a CRL of a CA has to be renewed within twelve months (BR 4.9.7). */
    days: z.int().min(1).max(366),
    /** How an RSA key signs; without it as it has signed itself, or PKCS#1 below a root. */
    rsaPadding: rsaPadding().optional(),
    file: label,
  });
type Params = z.infer<ReturnType<typeof params>>;

interface ToSign extends JsonObject {
  /** SHA-256 of the to-be-signed part, which is attached. */
  readonly sha256: string;
  readonly scheme: SignatureScheme;
  /** Digest of the issuer's certificate. */
  readonly issuer: string;
  readonly issuerSpki: string;
  readonly number: number;
  readonly thisUpdate: string;
  readonly nextUpdate: string;
  readonly entries: number;
  readonly warnings: readonly string[];
}
interface Signed extends JsonObject {
  readonly sha256: string;
  readonly tbs: string;
  readonly issuer: string;
  readonly issuerSpki: string;
  readonly number: number;
  readonly thisUpdate: string;
  readonly nextUpdate: string;
  readonly entries: number;
  readonly files: readonly OutFile[];
  readonly warnings: readonly string[];
}

export const signCrl = defineAction<Params, ToSign, Signed>({
  name: "sign-crl",
  control: "dual",
  params,
  facts: ["crl.issued"],
  instruction: (p) =>
    `Sign the CRL of ${p.issuer} with key ${p.key} on token ${p.token}, valid ${p.days} days, file ${p.file}.`,
  requires: (p) => [
    tokenIsActive(p.token),
    keyIsOn(p.token, p.key),
    tokenOwesNothing(p.token),
    fileIsFree(p.file),
    isIssuerFor("issuer", p.issuer, p.token, p.key),
    rsaPaddingFits(p),
  ],
  forecast: (p, custody) => {
    const named = certificateNamed(custody, p.issuer);
    const issuerSpki = keyLabelledOn(custody, p.token, p.key)?.spki ?? "0".repeat(64);
    return {
      sha256: sha256Hex(`planned\n${p.file}`),
      tbs: "0".repeat(64),
      issuer: named.ok ? named.certificate.sha256 : "0".repeat(64),
      issuerSpki,
      number: 1,
      thisUpdate: "planned",
      nextUpdate: "planned",
      entries: revokedBy(custody, issuerSpki).length,
      files: [{ file: `${p.file}.crl`, sha256: "0".repeat(64) }],
      warnings: [],
    };
  },
  establishes: (p, { sha256, tbs, files, ...signed }) => [
    { kind: "crl.issued", sha256, tbs, ...datesOf(signed), file: p.file, files: [...files] },
  ],
  admits: (p, intent, fact) =>
    fact.kind === "crl.issued" &&
    fact.tbs === intent.sha256 &&
    fact.issuer === intent.issuer &&
    fact.issuerSpki === intent.issuerSpki &&
    fact.number === intent.number &&
    fact.thisUpdate === intent.thisUpdate &&
    fact.nextUpdate === intent.nextUpdate &&
    fact.entries === intent.entries &&
    fact.file === p.file &&
    fact.files.map(({ file }) => file).join() === outputNames(CRL, p.file).join(),
  async subject(p, room) {
    const key = requireKeyOn(room.custody, p.token, p.key);
    const built = await build(p, room, key.spki);
    const { tbs, scheme, header, count, about } = built;
    const form = await crlForm(room.custody, { issuer: built.issuer, key });
    const { warnings, der } = await rehearse(form, tbs, scheme, key);
    const { readCrl } = await import("../pki/crl-read.ts");
    const { explainCrl } = await import("../pki/explain-crl.ts");
    const sha256 = room.attach("application/octet-stream", tbs);
    return {
      data: {
        sha256,
        scheme,
        issuer: about,
        issuerSpki: key.spki,
        number: built.number,
        thisUpdate: header.thisUpdate.time,
        nextUpdate: header.nextUpdate.time,
        entries: count,
        warnings,
      },
      shown: [
        "This is what will be signed, in plain words:",
        ...explainCrl(header, count, readCrl(der).entries()),
        lastLine(room.custody, key.spki),
        ...warnings.map((warning) => `WARNING: ${warning}`),
        ...digestLines("To be signed, SHA-256", sha256),
      ],
    };
  },
  async run(p, room, { subject, settled }) {
    const { agreed, form } = await agreedCrl(p, room, subject);
    const kept = settled === null ? undefined : await keptFile(room, CRL, p, settled as Left);
    if (kept !== undefined) requireAgreed(form, kept, agreed);
    const der = kept ?? (await signAgreed(room, form, agreed));
    const files = await writeOutputs(room, CRL, p.file, der);
    const { sha256: tbs, warnings } = subject;
    const sha256 = room.attach(CRL.mediaType, der);
    return { ...datesOf(subject), tbs, sha256, files, warnings };
  },
  async settle(p, room, { intent }) {
    const { agreed, form } = await agreedCrl(p, room, intent);
    const { readCrl } = await import("../pki/crl-read.ts");
    const left = await lookAtOutputs(room, CRL, p.file, {
      agreed: (der) => {
        requireAgreed(form, der, agreed);
      },
      whole: (der) => {
        readCrl(der);
      },
    });
    return {
      shown: [`CRL number ${intent.number} may have been signed.`, ...leftLines(CRL, left)],
      data: left,
      choices: left.foreign.length === 0 ? ["finish"] : [],
    };
  },
});

type Dates = Pick<
  ToSign,
  "issuer" | "issuerSpki" | "number" | "thisUpdate" | "nextUpdate" | "entries"
>;

function datesOf({ issuer, issuerSpki, number, thisUpdate, nextUpdate, entries }: Dates): Dates {
  return { issuer, issuerSpki, number, thisUpdate, nextUpdate, entries };
}

const DAY_MS = 86_400_000;

async function build(p: Params, room: Room, spki: string) {
  const { buildCrl } = await import("../pki/crl.ts");
  const { schemeWith } = await import("../pki/keys.ts");
  const { view: issuer, about } = await readNamed(room.custody, room, p.issuer);
  const entries = revokedBy(room.custody, spki).map(({ serial, revoked: { date, reason } }) => ({
    serial,
    revokedAt: date,
    reason,
  }));
  const thisUpdateMs = Math.floor(room.clock.now() / 1000) * 1000;
  const number = nextNumber(room.custody, spki, thisUpdateMs);
  const nextUpdateMs = thisUpdateMs + p.days * DAY_MS - 1000;
  // A root signs its lists as it has signed itself: PSS where its profile says so.
  const own = about.source === "issued" && about.issuer === SELF ? issuer.signature.scheme : null;
  const scheme = p.rsaPadding === undefined ? own : schemeWith(issuer.key, p.rsaPadding);
  const request = {
    ...{ issuer, number: BigInt(number), thisUpdateMs, nextUpdateMs, entries },
    ...(scheme === null ? {} : { scheme }),
  };
  return { ...buildCrl(request), issuer, about: about.sha256, number };
}

/**
 * Numbers follow the clock, in seconds since 1970, and never go back. A counter would be used twice by
 * two sites that hold copies of one key, or after a ceremony that was abandoned right after it signed.
 */
export function nextNumber(custody: Pick<Custody, "crls">, spki: string, nowMs: number): number {
  return Math.max(Math.floor(nowMs / 1000), (custody.crls.get(spki)?.number ?? 0) + 1);
}

function lastLine({ crls }: Custody, spki: string): string {
  const last = crls.get(spki);
  if (last === undefined) return "It is the first CRL of this key.";
  return `The last one of this key has number ${last.number}, ${last.entries} entries, and was good until ${last.nextUpdate}.`;
}

async function agreedCrl(
  p: Params,
  room: Room,
  intent: ToSign,
): Promise<{ readonly agreed: Agreed; readonly form: Form }> {
  const key = requireKeyOn(room.custody, p.token, p.key);
  const tbs = room.attachment(intent.sha256);
  if (tbs === undefined || key.spki !== intent.issuerSpki) {
    throw new KeyriteError("people.agreement-invalid", "what was agreed to cannot be signed");
  }
  const { view: issuer } = await readNamed(room.custody, room, intent.issuer);
  const { scheme, sha256 } = intent;
  const spki = requireSpki(room, key.spki);
  return {
    agreed: { token: p.token, key, spki, scheme, tbs, sha256 },
    form: await crlForm(room.custody, { issuer, key }),
  };
}
