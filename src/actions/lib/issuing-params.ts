/** What a step says about the certificate it issues: whose key and name go into it, and by which profile. */

import { SELF } from "../../ceremony/facts-certificates.ts";
import {
  always,
  fileIsFree,
  keyIsOn,
  tokenIsActive,
  type Condition,
} from "../../ceremony/conditions.ts";
import { condition } from "../../ceremony/conditions.ts";
import { tokenOwesNothing } from "../../ceremony/conditions-copies.ts";
import type { Custody } from "../../ceremony/custody.ts";
import { digest, label, line } from "../../ceremony/words.ts";
import { sha256Hex } from "../../lib/encoding.ts";
import { z } from "../../lib/schema.ts";
import { dnProblem } from "../../pki/names.ts";
import {
  certificateIsKnown,
  certificateNamed,
  isDigest,
  isIssuerFor,
  keyLabelledOn,
} from "./certificate-refs.ts";
import type { Issued } from "./issuing-shapes.ts";

const urls = () => z.array(line).min(1).max(8).optional();

/** What both actions that issue certificates take. */
export const commonParams = {
  /** The key that signs. */
  token: label,
  key: label,
  profile: label,
  file: label,
  days: z.int().min(1).max(36_500).optional(),
  notBefore: line.optional(),
  notAfter: line.optional(),
  crlUrls: urls(),
  caIssuersUrls: urls(),
  ocspUrls: urls(),
};

/** Whose key a subordinate certificate is about, and how it is called. */
export const subjectParams = {
  subject: line.optional(),
  /** A key on this token, or on `subjectToken`. */
  subjectKey: label.optional(),
  subjectToken: label.optional(),
  /** A certificate request from outside: a parameter of type `file`. */
  request: digest.optional(),
};

/** The parameters of an issuing step. */
export interface IssueParams {
  readonly token: string;
  readonly key: string;
  readonly profile: string;
  readonly file: string;
  readonly days?: number | undefined;
  readonly notBefore?: string | undefined;
  readonly notAfter?: string | undefined;
  readonly crlUrls?: readonly string[] | undefined;
  readonly caIssuersUrls?: readonly string[] | undefined;
  readonly ocspUrls?: readonly string[] | undefined;
  readonly subject?: string | undefined;
  readonly subjectKey?: string | undefined;
  readonly subjectToken?: string | undefined;
  readonly request?: string | undefined;
  /** The issuer's certificate; without one the certificate is its own issuer. */
  readonly issuer?: string | undefined;
  /** An existing certificate whose name and key are certified once more, by another issuer. */
  readonly certificate?: string | undefined;
  /** A certificate that is issued again, with the same key. */
  readonly replaces?: string | undefined;
}

export type IssueKind = "root" | "subordinate" | "cross" | "reissue";

/** What kind of certificate these parameters ask for. */
export function kindOf({ issuer, certificate, replaces }: IssueParams): IssueKind {
  if (replaces !== undefined) return "reissue";
  if (certificate !== undefined) return "cross";
  return issuer === undefined ? "root" : "subordinate";
}

/** Why the parameters contradict each other, by the one to blame. */
function contradictions(p: IssueParams): readonly Condition[] {
  const about = (["subjectKey", "request", "certificate", "replaces"] as const).filter(
    (name) => p[name] !== undefined,
  );
  const kind = kindOf(p);
  const [first = "profile", ...more] = about;
  const problems: readonly (readonly [string, string | false])[] = [
    [first, more.length > 0 && `${about.join(" and ")} exclude each other: name one`],
    [
      "certificate",
      kind === "cross" && p.issuer === undefined && "a cross-certificate needs an issuer",
    ],
    ["subject", kind === "root" && p.subject === undefined && "a root needs a subject"],
    [
      "subjectKey",
      kind === "subordinate" &&
        p.subjectKey === undefined &&
        p.request === undefined &&
        "name the key it is about: subjectKey, or request for one from outside",
    ],
    [
      "subject",
      p.subjectKey !== undefined && p.subject === undefined && "a key of this site needs a subject",
    ],
    [
      "subject",
      (kind === "cross" || kind === "reissue") &&
        p.subject !== undefined &&
        "the subject is that of the certificate it is about, byte for byte",
    ],
    ["subject", p.subject !== undefined && (dnProblem(p.subject) ?? false)],
    [
      "subjectToken",
      p.subjectToken !== undefined && p.subjectKey === undefined && "it goes with subjectKey",
    ],
    [
      "notAfter",
      (p.notBefore === undefined) !== (p.notAfter === undefined) &&
        "notBefore and notAfter go together",
    ],
    ["days", p.days !== undefined && p.notAfter !== undefined && "give days or dates, not both"],
  ];
  return problems.map(([param, problem]) => always(param, problem === false ? undefined : problem));
}

/** What has to hold before a certificate is issued, as far as custody tells. */
export function issueConditions(p: IssueParams): readonly Condition[] {
  return [
    tokenIsActive(p.token),
    keyIsOn(p.token, p.key),
    tokenOwesNothing(p.token),
    fileIsFree(p.file),
    ...contradictions(p),
    ...(p.issuer === undefined ? [] : [isIssuerFor("issuer", p.issuer, p.token, p.key)]),
    ...(p.subjectKey === undefined ? [] : [subjectIsOn(p.subjectToken ?? p.token, p.subjectKey)]),
    // By digest it may as well be a file that was given to the plan.
    ...(p.certificate === undefined || isDigest(p.certificate)
      ? []
      : [certificateIsKnown("certificate", p.certificate)]),
    ...(p.replaces === undefined
      ? []
      : [certificateIsKnown("replaces", p.replaces), isOfSameIssuer(p, p.replaces)]),
  ];
}

function subjectIsOn(token: string, key: string): Condition {
  return condition(
    "subjectKey",
    ({ custody }) =>
      keyLabelledOn(custody, token, key) === undefined &&
      `key ${key} is not on token ${token} by then`,
  );
}

function isOfSameIssuer({ token, key, issuer }: IssueParams, replaces: string): Condition {
  return condition("replaces", ({ custody }) => {
    const named = certificateNamed(custody, replaces);
    if (!named.ok || named.certificate.source !== "issued") {
      return named.ok && `certificate ${replaces} was issued elsewhere`;
    }
    const old = named.certificate;
    const signer = keyLabelledOn(custody, token, key);
    if (signer !== undefined && signer.spki !== old.issuerSpki) {
      return `key ${key} did not sign certificate ${replaces}`;
    }
    if (old.issuer === SELF && issuer !== undefined) {
      return `certificate ${replaces} is its own issuer: leave issuer out`;
    }
    return old.issuer !== SELF && issuer === undefined && `name the issuer of ${replaces}`;
  });
}

/** One sentence for the room. */
export function issueInstruction(p: IssueParams, what = "a certificate"): string {
  const under = `under profile ${p.profile}`;
  const by = p.issuer === undefined ? "" : ` as issuer ${p.issuer}`;
  const signed = `signed by key ${p.key} on token ${p.token}${by}, file ${p.file}`;
  switch (kindOf(p)) {
    case "reissue":
      return `Issue certificate ${p.replaces ?? ""} again with the same key ${under}, ${signed}.`;
    case "cross":
      return `Cross-certify ${p.certificate ?? ""} ${under}, ${signed}.`;
    case "root":
      return `Issue the self-signed certificate of key ${p.key} for ${p.subject ?? ""} ${under}, on token ${p.token}, file ${p.file}.`;
    case "subordinate": {
      const whose =
        p.request === undefined
          ? `key ${p.subjectKey ?? ""} on token ${p.subjectToken ?? p.token}`
          : `the request with SHA-256 ${p.request}`;
      const named = p.subject ?? "the name it asks for";
      return `Issue ${what} of ${whose} for ${named} ${under}, ${signed}.`;
    }
  }
}

/** Evidence as planning may foresee it: names are as they will be, digests take their places. */
export function foreseen(p: IssueParams, custody: Custody, ca: boolean): Issued {
  const signer = keyLabelledOn(custody, p.token, p.key)?.spki ?? "0".repeat(64);
  const issuer = p.issuer === undefined ? undefined : certificateNamed(custody, p.issuer);
  const about = p.replaces ?? p.certificate;
  const old = about === undefined ? undefined : certificateNamed(custody, about);
  const known = old?.ok === true ? old.certificate : undefined;
  const own =
    p.subjectKey === undefined
      ? undefined
      : keyLabelledOn(custody, p.subjectToken ?? p.token, p.subjectKey)?.spki;
  const outside = p.request ?? about;
  const spki =
    known?.spki ?? own ?? (outside === undefined ? signer : sha256Hex(`planned\n${outside}`));
  return {
    sha256: sha256Hex(`planned\n${p.file}`),
    tbs: "0".repeat(64),
    spki,
    issuer: issuer?.ok === true ? issuer.certificate.sha256 : SELF,
    issuerSpki: signer,
    profileSha256: "0".repeat(64),
    subject: p.subject ?? known?.subject ?? "planned",
    serial: "00",
    notBefore: "planned",
    notAfter: "planned",
    ca,
    files: [{ file: `${p.file}.der`, sha256: "0".repeat(64) }],
    warnings: [],
  };
}
