/** From a step's parameters to the bytes to be signed: the documents it names are read and put together. */

import { SELF } from "../../ceremony/facts-certificates.ts";
import type { Documents } from "../../ceremony/inputs.ts";
import type { Custody } from "../../ceremony/custody.ts";
import { formatDn, parseDn } from "../../pki/names.ts";
import { KeyriteError } from "../../lib/errors.ts";
import type { BuildRequest, ToBeSigned, Urls } from "../../pki/build.ts";
import type { Profile } from "../../pki/profile-file.ts";
import type { CertificateView } from "../../pki/view.ts";
import { certificateNamed, readNamed, requireKeyOn, requireSpki } from "./certificate-refs.ts";
import { kindOf, type IssueParams } from "./issuing-params.ts";

export interface Built {
  readonly built: ToBeSigned;
  readonly profile: Profile;
  /** Digest of the issuer's certificate, or `self`. */
  readonly issuer: string;
  readonly issuerView: CertificateView | null;
  /** The certificate that it replaces or crosses. */
  readonly old: CertificateView | undefined;
  /** Whether its key is one that comes from outside. */
  readonly fresh: boolean;
  /** What the room reads of the documents that it is made from. */
  readonly shown: readonly string[];
}

export interface Means {
  readonly nowMs: number;
  readonly random: (count: number) => Uint8Array;
}

type Common = Pick<BuildRequest, "profile" | "serial" | "nowMs" | "validity" | "urls">;

/** @throws KeyriteError script.refused with every breach of the profile; usage.bad-file, ledger.damaged */
export async function buildFor(
  p: IssueParams,
  custody: Custody,
  documents: Documents,
  means: Means,
): Promise<Built> {
  const { buildCertificate } = await import("../../pki/build.ts");
  const profile = await requireProfileOf(documents, p);
  const above = p.issuer === undefined ? undefined : await readNamed(custody, documents, p.issuer);
  const common = await commonOf(p, profile, means);
  const about = await aboutOf(p, custody, documents, above?.view ?? null, common);
  const built = buildCertificate(about.request);
  const revocations = revocationLines(custody, built.view.key.spkiSha256);
  return {
    built,
    profile,
    issuer: above?.about.sha256 ?? SELF,
    issuerView: above?.view ?? null,
    old: about.old,
    fresh: p.request !== undefined,
    shown: [...about.shown, ...revocations],
  };
}

/**
 * What the room has to know of the key's revoked certificates.
 * @throws KeyriteError script.refused for one that was compromised: it is never certified again, under
 * whatever name (BR 6.1.1.3)
 */
function revocationLines({ certificates }: Custody, spki: string): readonly string[] {
  const lines: string[] = [];
  for (const one of certificates.values()) {
    if (one.source !== "issued" || one.spki !== spki || one.revoked === null) continue;
    const { reason, date } = one.revoked;
    const said = `certificate ${one.file} of this key was revoked with reason ${reason}`;
    if (reason === "keyCompromise" || reason === "cACompromise") {
      throw new KeyriteError("script.refused", `${said}: it gets no other (BR 6.1.1.3)`);
    }
    lines.push(`WARNING: ${said}, from ${date} on. This gives the key another certificate.`);
  }
  return lines;
}

/** The profile that a step names. @throws KeyriteError ledger.damaged, script.unreadable, script.refused */
export async function requireProfileOf(
  documents: Documents,
  { profile }: Pick<IssueParams, "profile">,
): Promise<Profile> {
  const bytes = documents.profile(profile);
  if (bytes === undefined) {
    throw new KeyriteError("ledger.damaged", `the profile ${profile} is not attached`);
  }
  const { requireProfile } = await import("../../pki/profile-file.ts");
  return requireProfile(bytes, `${profile}.yaml`);
}

async function commonOf(p: IssueParams, profile: Profile, means: Means): Promise<Common> {
  const { SERIAL_RANDOM_BYTES, serialFrom } = await import("../../pki/profile.ts");
  const urls = urlsOf(p);
  return {
    profile,
    serial: serialFrom(means.random(SERIAL_RANDOM_BYTES)),
    nowMs: means.nowMs,
    validity: validityOf(p),
    ...(urls === undefined ? {} : { urls }),
  };
}

export function validityOf(p: IssueParams): BuildRequest["validity"] {
  if (p.notBefore !== undefined && p.notAfter !== undefined) {
    return { notBefore: p.notBefore, notAfter: p.notAfter };
  }
  return p.days === undefined ? {} : { days: p.days };
}

export function urlsOf({ crlUrls, caIssuersUrls, ocspUrls }: IssueParams): Urls | undefined {
  if (crlUrls === undefined && caIssuersUrls === undefined && ocspUrls === undefined) {
    return undefined;
  }
  return {
    ...(crlUrls === undefined ? {} : { crl: crlUrls }),
    ...(caIssuersUrls === undefined ? {} : { caIssuers: caIssuersUrls }),
    ...(ocspUrls === undefined ? {} : { ocsp: ocspUrls }),
  };
}

interface About {
  readonly request: BuildRequest;
  readonly old?: CertificateView;
  readonly shown: readonly string[];
}

async function aboutOf(
  p: IssueParams,
  custody: Custody,
  documents: Documents,
  issuer: CertificateView | null,
  common: Common,
): Promise<About> {
  const kind = kindOf(p);
  if (kind === "reissue") {
    const { view: old } = await readNamed(custody, documents, p.replaces ?? "");
    return { request: { ...common, kind, issuer: issuer ?? "self", old }, old, shown: [] };
  }
  if (kind === "root") {
    const { spki } = requireKeyOn(custody, p.token, p.key);
    const subject = parseDn(p.subject ?? "");
    return { request: { ...common, kind, spki: requireSpki(documents, spki), subject }, shown: [] };
  }
  if (issuer === null) throw new KeyriteError("script.refused", "the step names no issuer");
  if (kind === "cross") {
    const { view: existing, shown } = await existingCertificate(
      custody,
      documents,
      p.certificate ?? "",
    );
    const { explain } = await import("../../pki/explain.ts");
    return {
      request: { ...common, kind, issuer, existing },
      old: existing,
      shown: [
        "The certificate that is crossed says, in plain words:",
        ...explain(existing),
        ...shown,
      ],
    };
  }
  const { spki, subject, shown } = await subjectOf(p, custody, documents);
  return { request: { ...common, kind, issuer, spki, subject }, shown };
}

interface SubjectOf {
  readonly spki: Uint8Array;
  readonly subject: ReturnType<typeof parseDn>;
  readonly shown: readonly string[];
}

async function subjectOf(
  p: IssueParams,
  custody: Custody,
  documents: Documents,
): Promise<SubjectOf> {
  if (p.request === undefined) {
    const { spki } = requireKeyOn(custody, p.subjectToken ?? p.token, p.subjectKey ?? "");
    return { spki: requireSpki(documents, spki), subject: parseDn(p.subject ?? ""), shown: [] };
  }
  const bytes = documents.attachment(p.request);
  if (bytes === undefined) {
    throw new KeyriteError("ledger.damaged", `the request ${p.request} is not attached`);
  }
  const { readCsr } = await import("../../pki/csr-read.ts");
  const { explainCsr } = await import("../../pki/explain-csr.ts");
  const { fromHex } = await import("../../lib/encoding.ts");
  const { view } = readCsr(bytes);
  const spki = fromHex(view.key.spki);
  if (spki === undefined) throw new Error("a key's SPKI is no hex");
  // Their names are compared as they are shown: what an outsider asks for is a claim, not an order.
  const subject = p.subject === undefined ? view.subject : parseDn(p.subject);
  const other =
    formatDn(subject) === formatDn(view.subject)
      ? []
      : ["It is issued for another name than the request asks for."];
  return {
    spki,
    subject,
    shown: [
      "The request from outside says, in plain words:",
      ...explainCsr(view),
      "Its signature verifies: whoever made it holds the key. Only its key and name are used.",
      ...other,
    ],
  };
}

/** A certificate by name, by digest, or as a file given to the plan, which nobody here has verified yet. */
async function existingCertificate(
  custody: Custody,
  documents: Documents,
  ref: string,
): Promise<{ readonly view: CertificateView; readonly shown: readonly string[] }> {
  const named = certificateNamed(custody, ref);
  if (named.ok) return { view: (await readNamed(custody, documents, ref)).view, shown: [] };
  const bytes = documents.attachment(ref);
  if (bytes === undefined) throw new KeyriteError("script.refused", named.problem);
  const { readOutsideCertificate } = await import("../../pki/outside.ts");
  const { tbs, view, algorithm, signature } = readOutsideCertificate(bytes);
  if (formatDn(view.subject) !== formatDn(view.issuer)) {
    return { view, shown: ["WARNING: another has signed it, and nobody has verified that here."] };
  }
  // Its signature is all that says that somebody holds the key it gives.
  const { verifySignature } = await import("../../pki/signature.ts");
  const { fromHex } = await import("../../lib/encoding.ts");
  const { scheme } = algorithm;
  const spki = fromHex(view.key.spki) ?? new Uint8Array();
  if (scheme === null || !verifySignature(scheme, spki, tbs, signature)) {
    throw new KeyriteError(
      "script.refused",
      "the certificate to cross is not signed by its own key",
    );
  }
  return { view, shown: ["It is signed by its own key: whoever made it held the key."] };
}
