/**
 * Issues a certificate. The to-be-signed bytes are shown in plain words and agreed to by digest; what
 * the token signed is read again by a second decoder before any file is written.
 */

import { defineAction, type Room } from "../ceremony/action.ts";
import { always, fileIsFree, keyIsOn, tokenIsActive } from "../ceremony/conditions.ts";
import { tokenOwesNothing } from "../ceremony/conditions-copies.ts";
import type { Custody } from "../ceremony/custody.ts";
import { keysNamed, type NamedKey } from "../ceremony/key-choice.ts";
import { digestLines } from "../ceremony/spoken.ts";
import { label, line } from "../ceremony/words.ts";
import { base64, fromBase64, sha256Hex, utf8, visible } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import type { JsonObject } from "../lib/json.ts";
import { z } from "../lib/schema.ts";
import type { CertificateView } from "../pki/view.ts";
import { dnProblem, formatDn, parseDn } from "../pki/names.ts";

const params = () =>
  z.strictObject({
    token: label,
    key: label,
    profile: z.enum(["root"]),
    subject: line,
    days: z.int().min(1).max(9132),
    file: label,
  });
type Params = z.infer<ReturnType<typeof params>>;

interface Tbs extends JsonObject {
  /** DER of the to-be-signed part, base64. */
  readonly tbs: string;
  readonly sha256: string;
  readonly spki: string;
  readonly subject: string;
  readonly serial: string;
  readonly notBefore: string;
  readonly notAfter: string;
  readonly warnings: readonly string[];
}
interface Issued extends JsonObject {
  readonly sha256: string;
  readonly tbsSha256: string;
  readonly spki: string;
  readonly subject: string;
  readonly serial: string;
  readonly notBefore: string;
  readonly notAfter: string;
  readonly files: readonly { readonly file: string; readonly sha256: string }[];
  readonly warnings: readonly string[];
}

export const issueCertificate = defineAction<Params, Tbs, Issued>({
  name: "issue-certificate",
  control: "dual",
  params,
  facts: ["certificate.issued"],
  instruction: (p) =>
    `Issue the ${p.profile} certificate of key ${p.key} for ${p.subject}, valid ${p.days} days.`,
  requires: (p) => [
    tokenIsActive(p.token),
    keyIsOn(p.token, p.key),
    tokenOwesNothing(p.token),
    fileIsFree(p.file),
    always("subject", dnProblem(p.subject)),
  ],
  forecast: (p, custody) => ({
    sha256: sha256Hex(`planned\n${p.file}`),
    tbsSha256: "",
    spki: keyOf(custody, p)?.spki ?? "0".repeat(64),
    subject: p.subject,
    serial: "00",
    notBefore: "planned",
    notAfter: "planned",
    files: [],
    warnings: [],
  }),
  establishes: (p, { sha256, spki, subject, serial, notBefore, notAfter }) => [
    {
      kind: "certificate.issued",
      sha256,
      spki,
      issuerSpki: spki,
      profile: p.profile,
      subject,
      serial,
      notBefore,
      notAfter,
      file: p.file,
    },
  ],
  admits: (p, intent, fact) =>
    fact.kind === "certificate.issued" &&
    fact.spki === intent.spki &&
    fact.issuerSpki === intent.spki &&
    fact.subject === intent.subject &&
    fact.serial === intent.serial &&
    fact.notBefore === intent.notBefore &&
    fact.notAfter === intent.notAfter &&
    fact.profile === p.profile &&
    fact.file === p.file,
  async subject(p, room) {
    const { buildRootTbs } = await import("../pki/certificate.ts");
    const { explain } = await import("../pki/explain.ts");
    const { SERIAL_RANDOM_BYTES, serialFrom } = await import("../pki/profile.ts");
    const key = requireKey(room, p);
    const built = buildRootTbs({
      subject: parseDn(p.subject),
      spki: requireSpki(room, key),
      serial: serialFrom(room.random.bytes(SERIAL_RANDOM_BYTES)),
      notBeforeMs: room.clock.now(),
      days: p.days,
    });
    const { view } = built;
    const warnings = await lintOrRefuse(view);
    const sha256 = sha256Hex(built.tbs);
    return {
      data: { tbs: base64(built.tbs), sha256, spki: key.spki, ...plate(view), warnings },
      shown: [
        "This is what will be signed, in plain words:",
        ...explain(view),
        ...warnings.map((warning) => `WARNING: ${warning}`),
        ...digestLines("To be signed, SHA-256", sha256),
      ],
    };
  },
  async run(p, room, { subject }) {
    const { assembleCertificate, pem } = await import("../pki/certificate.ts");
    const { checkCertificate } = await import("../pki/check.ts");
    const { readCertificate } = await import("../pki/view.ts");
    const { schemeFor } = await import("../lib/algorithms.ts");
    const key = requireKey(room, p);
    const spki = requireSpki(room, key);
    const tbs = agreedTbs(subject);
    const scheme = schemeFor(key.algorithm);
    const request = { spki, ckaId: key.ckaId, scheme, message: tbs };
    const [signature] = await room.tokens.session(p.token).signAll([request]);
    if (signature === undefined) throw new Error("a signature is missing");
    const der = assembleCertificate(tbs, scheme, signature);
    checkCertificate(der, { tbs, spki });
    const { view } = readCertificate(der);
    await lintOrRefuse(view);
    const pemFile = `${p.file}.pem`;
    const derFile = `${p.file}.der`;
    const files = [
      {
        file: pemFile,
        sha256: await room.outbox.writeOnce(pemFile, utf8(pem(der, "CERTIFICATE"))),
      },
      { file: derFile, sha256: await room.outbox.writeOnce(derFile, der) },
    ];
    const names = files.map(({ file }) => file).join(" and ");
    room.console.tell(
      `The certificate is verified and written to outbox/${room.ceremony}: ${names}.`,
    );
    return {
      sha256: room.attach("application/pkix-cert", der),
      tbsSha256: subject.sha256,
      spki: key.spki,
      ...plate(view),
      files,
      warnings: subject.warnings,
    };
  },
});

/** What names a certificate in records. */
function plate(view: CertificateView): Pick<Tbs, "subject" | "serial" | "notBefore" | "notAfter"> {
  return {
    subject: formatDn(view.subject),
    serial: view.serial,
    notBefore: view.notBefore.time,
    notAfter: view.notAfter.time,
  };
}

function keyOf(custody: Custody, p: Params): NamedKey | undefined {
  const choice = keysNamed(custody, p.token, p.key);
  return choice.ok ? choice.keys[0] : undefined;
}

function requireKey(room: Room, p: Params): NamedKey {
  const key = keyOf(room.custody, p);
  if (key !== undefined) return key;
  throw new KeyriteError("script.refused", `key ${p.key} is not on token ${p.token}`);
}

function requireSpki(room: Room, key: NamedKey): Uint8Array {
  const spki = room.attachment(key.spki);
  if (spki !== undefined) return spki;
  throw new KeyriteError("ledger.damaged", `the public key ${key.spki} is not attached`);
}

// What was agreed is what is signed: the bytes come out of the subject and must have its digest.
function agreedTbs(subject: Tbs): Uint8Array {
  const tbs = fromBase64(subject.tbs);
  if (tbs === undefined || sha256Hex(tbs) !== subject.sha256) {
    throw new KeyriteError("people.agreement-invalid", "the bytes to sign are not those agreed to");
  }
  return tbs;
}

/** Warnings of the lint table; errors of it stop the step. */
async function lintOrRefuse(view: CertificateView): Promise<readonly string[]> {
  const { lint } = await import("../pki/lint.ts");
  const findings = lint(view);
  const errors = findings.filter((finding) => finding.severity === "error");
  if (errors.length > 0) {
    throw new KeyriteError("script.refused", "the certificate breaks rules of its profile", {
      hints: errors.map(({ rule, source, message }) => `${rule} (${source}): ${visible(message)}`),
    });
  }
  return findings.map(({ rule, source, message }) => `${rule} (${source}): ${visible(message)}`);
}
