/**
 * What planning finds wrong with the documents of an issuing step: its profile, the request, and, as far
 * as everything is there already, the certificate that would come out.
 */

import type { Flaw } from "../../ceremony/action.ts";
import type { Situation } from "../../ceremony/conditions.ts";
import type { Custody } from "../../ceremony/custody.ts";
import type { Documents } from "../../ceremony/inputs.ts";
import { visible } from "../../lib/encoding.ts";
import { KeyriteError } from "../../lib/errors.ts";
import { parseDn } from "../../pki/names.ts";
import type { Profile } from "../../pki/profile-file.ts";
import { certificateNamed, keyLabelledOn } from "./certificate-refs.ts";
import { buildFor, urlsOf } from "./issuing-build.ts";
import { kindOf, type IssueParams } from "./issuing-params.ts";

/** @param kinds those of profiles that the action takes */
export async function examineIssue(
  p: IssueParams,
  { custody }: Situation,
  documents: Documents,
  kinds: readonly Profile["kind"][],
): Promise<readonly Flaw[]> {
  const bytes = documents.profile(p.profile);
  // That there is no such profile was objected to already.
  if (bytes === undefined) return [];
  const { readProfile } = await import("../../pki/profile-file.ts");
  const read = await attempt("profile", async () => {
    await Promise.resolve();
    return readProfile(bytes, `${p.profile}.yaml`);
  });
  if ("flaws" in read) return read.flaws;
  if (!read.value.ok) {
    return read.value.objections.map(({ at, text }) => ({
      param: "profile",
      text: `${at}: ${text}`,
    }));
  }
  const { profile } = read.value;
  const wrong = kindFlaw(p, profile, kinds);
  if (wrong !== undefined) return [wrong];
  const flaws = await fieldFlaws(p, profile);
  if (flaws.length > 0 || !everythingIsThere(p, custody, documents)) return flaws;
  const nowMs = earliest(p, profile, custody);
  const random = (count: number): Uint8Array => new Uint8Array(count).fill(1);
  const built = await attempt(blamed(p), () => buildFor(p, custody, documents, { nowMs, random }));
  return "flaws" in built ? built.flaws : [];
}

// Planning knows no clock: the first second at which it could be issued shows every other breach.
function earliest(
  { issuer, notBefore }: IssueParams,
  { validity }: Profile,
  custody: Custody,
): number {
  const dated = notBefore ?? ("notBefore" in validity ? validity.notBefore : undefined);
  const named = issuer === undefined ? undefined : certificateNamed(custody, issuer);
  const from = named?.ok === true ? named.certificate.notBefore : "2026-01-01T00:00:00Z";
  return Date.parse(dated ?? from);
}

function kindFlaw(
  p: IssueParams,
  profile: Profile,
  kinds: readonly Profile["kind"][],
): Flaw | undefined {
  const kind = kindOf(p);
  if (!kinds.includes(profile.kind)) {
    const action = profile.kind === "ocsp-responder" ? "sign-ocsp-responder" : "issue-certificate";
    return {
      param: "profile",
      text: `profile ${p.profile} is for ${profile.kind} certificates: use ${action}`,
    };
  }
  const fits =
    kind === "reissue" ||
    profile.kind === kind ||
    (kind === "subordinate" && profile.kind === "ocsp-responder");
  if (fits) return undefined;
  const text = `profile ${p.profile} is for ${profile.kind} certificates; the step asks for a ${kind} certificate`;
  return { param: "profile", text };
}

async function fieldFlaws(p: IssueParams, profile: Profile): Promise<readonly Flaw[]> {
  const { datesProblem, daysProblem, subjectProblem, urlsProblem } =
    await import("../../pki/build-problems.ts");
  const { subject, days, notBefore, notAfter } = p;
  const problems: readonly (readonly [string, string | undefined])[] = [
    ["subject", subject === undefined ? undefined : subjectProblem(profile, parseDn(subject))],
    ["days", days === undefined ? undefined : daysProblem(profile, days)],
    [
      "notBefore",
      notBefore === undefined || notAfter === undefined
        ? undefined
        : datesProblem(profile, notBefore, notAfter),
    ],
    ["profile", kindOf(p) === "reissue" ? undefined : urlsProblem(profile, urlsOf(p) ?? {})],
  ];
  return problems.flatMap(([param, text]) => (text === undefined ? [] : [{ param, text }]));
}

/** Whether the certificate can be built for a look: nothing of it is made by an earlier step. */
function everythingIsThere(p: IssueParams, custody: Custody, documents: Documents): boolean {
  const there = (sha256: string | undefined): boolean =>
    sha256 !== undefined && documents.attachment(sha256) !== undefined;
  const certificate = (ref: string): boolean => {
    const named = certificateNamed(custody, ref);
    return there(named.ok ? named.certificate.sha256 : ref);
  };
  const own = p.subjectKey ?? (kindOf(p) === "root" ? p.key : undefined);
  return (
    [p.issuer, p.certificate, p.replaces].every((ref) => ref === undefined || certificate(ref)) &&
    (p.request === undefined || there(p.request)) &&
    (own === undefined || there(keyLabelledOn(custody, p.subjectToken ?? p.token, own)?.spki))
  );
}

function blamed({ request, certificate, replaces }: IssueParams): string {
  if (request !== undefined) return "request";
  if (certificate !== undefined) return "certificate";
  return replaces === undefined ? "profile" : "replaces";
}

type Attempt<T> = { readonly value: T } | { readonly flaws: readonly Flaw[] };

/** What was refused is a flaw of the step; anything else is a bug. */
export async function attempt<T>(param: string, act: () => Promise<T>): Promise<Attempt<T>> {
  try {
    return { value: await act() };
  } catch (error) {
    if (!(error instanceof KeyriteError)) throw error;
    const hints = error.hints.map((hint) => `: ${visible(hint)}`).join("");
    return { flaws: [{ param, text: `${visible(error.message)}${hints}` }] };
  }
}
