/**
 * Issuing a certificate: what will be signed is built, linted under a throw-away key and shown before
 * people agree to its digest; what the token signed is compared, linted again and then written.
 */

import type { Act, Doubt, Room, Settlement, Subject } from "../../ceremony/action.ts";
import type { Documents } from "../../ceremony/inputs.ts";
import type { Custody } from "../../ceremony/custody.ts";
import { SELF } from "../../ceremony/facts-certificates.ts";
import type { Fact } from "../../ceremony/facts.ts";
import { digestLines } from "../../ceremony/spoken.ts";
import { line } from "../../ceremony/words.ts";
import { base64, fromBase64, sha256Hex } from "../../lib/encoding.ts";
import { KeyriteError } from "../../lib/errors.ts";
import { formatDn } from "../../pki/names.ts";
import type { CertificateView } from "../../pki/view.ts";
import { certificateForm } from "./certificate-form.ts";
import { readNamed, requireKeyOn, requireSpki } from "./certificate-refs.ts";
import {
  hasAgreedBytes,
  rehearse,
  requireAgreed,
  signAgreed,
  type Agreed,
} from "./double-signing.ts";
import { buildFor, requireProfileOf } from "./issuing-build.ts";
import type { IssueParams } from "./issuing-params.ts";
import type { Issued, ToIssue } from "./issuing-shapes.ts";
import {
  certificateKind,
  leftLines,
  lookAtOutputs,
  outputNames,
  removeTorn,
  writeOutputs,
  type Left,
} from "./outputs.ts";

export async function issueSubject(p: IssueParams, room: Room): Promise<Subject<ToIssue>> {
  const key = requireKeyOn(room.custody, p.token, p.key);
  const nowMs = room.clock.now();
  const random = (count: number): Uint8Array => room.random.bytes(count);
  const made = await buildFor(p, room.custody, room, { nowMs, random });
  const { built, profile, issuer } = made;
  const form = await certificateForm(room.custody, {
    profile,
    issuer: made.issuerView,
    key,
    fresh: made.fresh,
    existing: made.old,
    nowMs,
  });
  const { warnings } = await rehearse(form, built.tbs, built.scheme, key);
  const { differencesFromProfile, differencesFromCertificate } =
    await import("../../pki/differences.ts");
  const differences = [
    ...differencesFromProfile(built.view, profile).map((text) => `From the profile: ${text}`),
    ...(made.old === undefined
      ? []
      : differencesFromCertificate(built.view, made.old).map(
          (text) =>
            `From the certificate that is ${p.replaces === undefined ? "crossed" : "replaced"}: ${text}`,
        )),
  ];
  const sha256 = sha256Hex(built.tbs);
  const { explain } = await import("../../pki/explain.ts");
  return {
    data: {
      tbs: base64(built.tbs),
      sha256,
      scheme: built.scheme,
      spki: built.view.key.spkiSha256,
      issuer,
      issuerSpki: key.spki,
      profileSha256: profile.sha256,
      ...plate(built.view),
      differences,
      warnings,
    },
    shown: [
      ...made.shown,
      "This is what will be signed, in plain words:",
      ...explain(built.view),
      `Profile ${profile.name} ${profile.version}, SHA-256 ${profile.sha256}.`,
      ...(differences.length === 0 ? ["Nothing differs from the profile."] : differences),
      ...warnings.map((warning) => `WARNING: ${warning}`),
      `It was issued under a throw-away ${key.algorithm} key and linted whole: ${warnings.length === 0 ? "no finding" : "the warnings above"}.`,
      ...digestLines("To be signed, SHA-256", sha256),
    ],
  };
}

/** What names a certificate in records; its subject must fit into one. */
function plate(
  view: CertificateView,
): Pick<ToIssue, "subject" | "serial" | "notBefore" | "notAfter" | "ca"> {
  const subject = formatDn(view.subject);
  if (!line.safeParse(subject).success) {
    throw new KeyriteError("script.refused", "the subject does not fit into the record", {
      hints: ["at most 500 characters that all show, in Unicode normal form C"],
    });
  }
  return {
    subject,
    serial: view.serial,
    notBefore: view.notBefore.time,
    notAfter: view.notAfter.time,
    ca: isCa(view),
  };
}

export function isCa(view: Pick<CertificateView, "extensions">): boolean {
  return view.extensions.some((one) => one.kind === "basic-constraints" && one.ca);
}

export async function issueRun(p: IssueParams, room: Room, act: Act<ToIssue>): Promise<Issued> {
  const { subject, settled } = act;
  const { agreed, form, kind } = await agreedIssue(p, room, subject);
  const kept = settled === null ? undefined : await keptFile(room, kind, p, settled as Left);
  if (kept !== undefined) requireAgreed(form, kept, agreed);
  const der = kept ?? (await signAgreed(room, form, agreed));
  const files = await writeOutputs(room, kind, p.file, der);
  return {
    ...plateOf(subject),
    sha256: room.attach(kind.mediaType, der),
    tbs: subject.sha256,
    files,
    warnings: subject.warnings,
  };
}

type Agreement = Pick<
  ToIssue,
  | "spki"
  | "issuer"
  | "issuerSpki"
  | "profileSha256"
  | "subject"
  | "serial"
  | "notBefore"
  | "notAfter"
  | "ca"
>;

function plateOf(agreed: ToIssue): Agreement {
  const { spki, issuer, issuerSpki, profileSha256, subject, serial, notBefore, notAfter, ca } =
    agreed;
  return { spki, issuer, issuerSpki, profileSha256, subject, serial, notBefore, notAfter, ca };
}

/** The DER that an interrupted step had written whole, when people agreed to keep it. */
export async function keptFile(
  room: Room,
  kind: Pick<ReturnType<typeof certificateKind>, "endings">,
  { file }: Pick<IssueParams, "file">,
  left: Left,
): Promise<Uint8Array | undefined> {
  await removeTorn(room, left);
  const [name = ""] = outputNames(kind, file);
  return left.kept === null ? undefined : room.outbox.readIfThere(name);
}

export async function issueSettle(
  p: IssueParams,
  room: Room,
  { intent }: Doubt<ToIssue>,
): Promise<Settlement> {
  const { agreed, form, kind } = await agreedIssue(p, room, intent);
  const { readCertificate } = await import("../../pki/view.ts");
  const left = await lookAtOutputs(room, kind, p.file, {
    agreed: (der) => {
      requireAgreed(form, der, agreed);
    },
    whole: (der) => {
      readCertificate(der);
    },
  });
  return {
    shown: [
      `The certificate with serial ${intent.serial} may have been signed.`,
      ...leftLines(kind, left),
    ],
    data: left,
    // A signature cannot be taken back: there is no undo.
    choices: left.foreign.length === 0 ? ["finish"] : [],
  };
}

async function agreedIssue(
  p: IssueParams,
  room: Room,
  intent: ToIssue,
): Promise<{
  agreed: Agreed;
  form: Awaited<ReturnType<typeof certificateForm>>;
  kind: ReturnType<typeof certificateKind>;
}> {
  const key = requireKeyOn(room.custody, p.token, p.key);
  const tbs = fromBase64(intent.tbs);
  if (tbs === undefined || key.spki !== intent.issuerSpki) {
    throw new KeyriteError("people.agreement-invalid", "what was agreed to cannot be signed");
  }
  const agreed = {
    token: p.token,
    key,
    spki: requireSpki(room, key.spki),
    scheme: intent.scheme,
    tbs,
    sha256: intent.sha256,
  };
  const profile = await requireProfileOf(room, p);
  const above = await chainAbove(room.custody, room, intent.issuer);
  const issuer = above[0]?.view ?? null;
  const fresh = p.request !== undefined;
  const form = await certificateForm(room.custody, { profile, issuer, key, fresh });
  return { agreed, form, kind: certificateKind(above.map(({ der }) => der)) };
}

/** The issuer's certificate and those above it, as far as they are in custody. */
async function chainAbove(
  custody: Custody,
  documents: Documents,
  issuer: string,
): Promise<readonly { readonly der: Uint8Array; readonly view: CertificateView }[]> {
  const chain = [];
  for (let next = issuer; next !== SELF;) {
    const { der, view, about } = await readNamed(custody, documents, next);
    chain.push({ der, view });
    next = about.source === "issued" ? about.issuer : SELF;
  }
  return chain;
}

/** Whether a fact is what people agreed to. */
export function admitsIssued(
  p: IssueParams,
  intent: ToIssue,
  fact: Fact,
  profile: string | undefined,
): boolean {
  if (fact.kind !== "certificate.issued") return false;
  const names = fact.files.map(({ file }) => file);
  return (
    hasAgreedBytes(intent) &&
    fact.tbs === intent.sha256 &&
    fact.spki === intent.spki &&
    fact.issuer === intent.issuer &&
    fact.issuerSpki === intent.issuerSpki &&
    fact.subject === intent.subject &&
    fact.serial === intent.serial &&
    fact.notBefore === intent.notBefore &&
    fact.notAfter === intent.notAfter &&
    fact.ca === intent.ca &&
    fact.profile === p.profile &&
    fact.profileSha256 === intent.profileSha256 &&
    fact.profileSha256 === profile &&
    fact.file === p.file &&
    names.join() === outputNames(certificateKind([]), p.file).join()
  );
}
