/**
 * Certificates, revocation lists and requests judged against each other: whether the chains build, names,
 * key ids and algorithms agree, validity nests, and what is revoked. Pure: the caller reads the files.
 */

import type { SignatureScheme } from "../lib/algorithms.ts";
import {
  doubledBy,
  type Hierarchy,
  type PlacedCertificate,
  placed,
  type Standing,
} from "./hierarchy-model.ts";
import { type CsrItem, readItems, type Signer } from "./hierarchy-read.ts";
import { HIERARCHY_RULES } from "./hierarchy-rules.ts";
import { keyAlgorithm, type KeyView } from "./keys.ts";
import { type Finding, findings, LINK_LINTS, lintCrl, lintCsr, lintSigned } from "./lint.ts";
import { find, type Trust } from "./lint-rule.ts";
import { formatDn } from "./names.ts";
import type { PkiFile, PkiKind } from "./pki-files.ts";

export { LARGEST_PKI_FILE, type PkiFile, readPkiFile } from "./pki-files.ts";

export interface HierarchyContext {
  readonly nowMs: number;
  /** Whose rules the certificates must keep beyond RFC 5280. */
  readonly trust: Trust;
}

export interface HierarchyFinding extends Finding {
  /** The files it is about, the first one at fault. */
  readonly files: readonly string[];
}

interface Part {
  readonly file: string;
  readonly sha256: string;
}
/** Names are RFC 4514 text out of the files: whoever shows them escapes them. */
export interface CertificatePart extends Part {
  readonly kind: "certificate";
  readonly standing: Standing;
  readonly subject: string;
  readonly issuer: string;
  readonly serial: string;
  readonly key: string;
  readonly spkiSha256: string;
  readonly signature: SignatureScheme | null;
  readonly notBefore: string;
  readonly notAfter: string;
  /** Levels of CAs that may stand below it; null for no limit. */
  readonly pathLength: number | null;
  /** File of the certificate that signed it; null for a root, or when it is not among the files. */
  readonly signedBy: string | null;
  readonly revoked: {
    readonly at: string;
    readonly reason: string | null;
    readonly list: string;
  } | null;
}
export interface CrlPart extends Part {
  readonly kind: "crl";
  readonly issuer: string;
  /** In decimal; null for a list without. */
  readonly number: string | null;
  readonly thisUpdate: string;
  readonly nextUpdate: string;
  readonly entries: number;
  readonly signedBy: string | null;
}
export interface CsrPart extends Part {
  readonly kind: "csr";
  readonly subject: string;
  readonly key: string;
  readonly spkiSha256: string;
  /** Files of the certificates about its key. */
  readonly answeredBy: readonly string[];
}
export interface UnreadablePart extends Part {
  readonly kind: "unreadable";
  readonly meant: PkiKind;
}
export type HierarchyPart = CertificatePart | CrlPart | CsrPart | UnreadablePart;

export interface HierarchyReport {
  /** Whether no rule of severity `error` is broken. */
  readonly verdict: "CONSISTENT" | "INCONSISTENT";
  readonly judgedAt: string;
  readonly trust: Trust;
  readonly parts: readonly HierarchyPart[];
  /** Errors first. */
  readonly findings: readonly HierarchyFinding[];
}

/**
 * Judges the parts of one hierarchy; parts that cannot be read are findings.
 * @param files as `readPkiFile` gives them; what stands twice is taken once.
 */
export function judgeHierarchy(
  files: readonly PkiFile[],
  { nowMs, trust }: HierarchyContext,
): HierarchyReport {
  const hierarchy = placed(readItems(files));
  const all = [...between(hierarchy, nowMs), ...within(hierarchy, trust)];
  const found = [
    ...all.filter(({ severity }) => severity === "error"),
    ...all.filter(({ severity }) => severity === "warning"),
  ];
  return {
    verdict: found.some(({ severity }) => severity === "error") ? "INCONSISTENT" : "CONSISTENT",
    judgedAt: new Date(nowMs).toISOString(),
    trust,
    parts: partsOf(hierarchy),
    findings: found,
  };
}

function between(hierarchy: Hierarchy, nowMs: number): readonly HierarchyFinding[] {
  return HIERARCHY_RULES.flatMap(({ rule, severity, source, check }) =>
    check(hierarchy, nowMs).map((breach) => ({ rule, severity, source, ...breach })),
  );
}

/** What the lints say of each part, given its issuer. */
function within(
  { certificates, crls, csrs }: Hierarchy,
  trust: Trust,
): readonly HierarchyFinding[] {
  const signers = certificates.map(({ item, signer }) => [item, signer] as const);
  return [
    ...certificates.flatMap((one) => {
      const { item, signer } = one;
      const existing = one.standing === "cross" ? doubledBy(item, signers)?.read.view : undefined;
      return about([item.name, ...above(signer)], certificateFindings(one, trust, existing));
    }),
    ...crls.flatMap(({ item, signer }) => {
      if (signer.kind !== "found") return [];
      const found = lintCrl(item.read, { issuer: signer.item.read.view, trust });
      return about([item.name, ...above(signer)], found);
    }),
    ...csrs.flatMap(({ name, read }) => about([name], lintCsr(read.view, { trust }))),
  ];
}

function certificateFindings(
  { item, signer, standing }: PlacedCertificate,
  trust: Trust,
  existing: PlacedCertificate["item"]["read"]["view"] | undefined,
): readonly Finding[] {
  const { view, algorithm } = item.read;
  // Without its issuer nothing can be said that depends on it; the missing issuer is a finding itself.
  if (signer.kind !== "self" && signer.kind !== "found") return [];
  const issuer = signer.kind === "self" ? null : signer.item.read.view;
  if (standing !== "end-entity") {
    return lintSigned(item.read, { role: standing, trust, issuer, existing });
  }
  const subject = { view, algorithm, issuer, trust, role: "ocsp-responder" } as const;
  return findings(LINK_LINTS, subject);
}

function about(files: readonly string[], found: readonly Finding[]): readonly HierarchyFinding[] {
  return found.map((finding) => ({ ...finding, files }));
}

function above(signer: Signer): readonly string[] {
  return signer.kind === "found" ? [signer.item.name] : [];
}

function partsOf({ certificates, crls, csrs, unreadable }: Hierarchy): readonly HierarchyPart[] {
  return [
    ...certificates.map(certificatePart),
    ...crls.map(({ item, signer }): CrlPart => {
      const { issuer, thisUpdate, nextUpdate } = item.read.header;
      const number = find(item.read.header, "crl-number")?.number;
      return {
        ...{ kind: "crl", file: item.name, sha256: item.sha256, issuer: formatDn(issuer) },
        number: number === undefined ? null : BigInt(`0x${number}`).toString(),
        ...{ thisUpdate: thisUpdate.time, nextUpdate: nextUpdate.time, entries: item.read.count },
        signedBy: above(signer)[0] ?? null,
      };
    }),
    ...csrs.map((item) => csrPart(item, certificates)),
    ...unreadable.map(({ name, sha256, meant }): UnreadablePart => ({
      kind: "unreadable",
      file: name,
      sha256,
      meant,
    })),
  ];
}

function certificatePart({
  item,
  signer,
  standing,
  revocation,
}: PlacedCertificate): CertificatePart {
  const { view } = item.read;
  return {
    ...{ kind: "certificate", file: item.name, sha256: item.sha256, standing },
    subject: formatDn(view.subject),
    issuer: formatDn(view.issuer),
    serial: view.serial,
    key: keyInWords(view.key),
    spkiSha256: view.key.spkiSha256,
    signature: view.signature.scheme,
    notBefore: view.notBefore.time,
    notAfter: view.notAfter.time,
    pathLength: find(view, "basic-constraints")?.pathLength ?? null,
    signedBy: above(signer)[0] ?? null,
    revoked:
      revocation === undefined
        ? null
        : { at: revocation.at, reason: revocation.reason, list: revocation.list.name },
  };
}

function csrPart(
  { name, sha256, read }: CsrItem,
  certificates: Hierarchy["certificates"],
): CsrPart {
  const { subject, key } = read.view;
  const answers = certificates.filter(({ item }) => item.read.view.key.spki === key.spki);
  return {
    ...{ kind: "csr", file: name, sha256, subject: formatDn(subject), key: keyInWords(key) },
    spkiSha256: key.spkiSha256,
    answeredBy: answers.map(({ item }) => item.name),
  };
}

function keyInWords(key: KeyView): string {
  const algorithm = keyAlgorithm(key);
  if (algorithm !== null) return algorithm.replace(/^(rsa|p)/, (word) => word.toUpperCase());
  return key.kind === "rsa" ? `RSA-${key.bits}` : key.kind;
}
