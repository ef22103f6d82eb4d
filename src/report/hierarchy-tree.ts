/** The parts of a hierarchy as a tree, for the terminal and for the page alike. */

import type {
  CertificatePart,
  CrlPart,
  CsrPart,
  HierarchyReport,
  UnreadablePart,
} from "../pki/hierarchy.ts";

export interface Branch {
  readonly certificate: CertificatePart;
  /** The lists that this certificate's key has signed, newest first. */
  readonly lists: readonly CrlPart[];
  readonly below: readonly Branch[];
}

export interface Tree {
  /** Certificates that no other one has signed. */
  readonly tops: readonly Branch[];
  /** Lists whose issuer is not there. */
  readonly lists: readonly CrlPart[];
  readonly requests: readonly CsrPart[];
  readonly unreadable: readonly UnreadablePart[];
}

/** Every part once. Certificates that sign each other in a circle have a top all the same. */
export function treeOf({ parts }: HierarchyReport): Tree {
  const certificates = parts.filter((part) => part.kind === "certificate");
  const lists = parts.filter((part) => part.kind === "crl");
  const shown = new Set<CertificatePart>();
  const branch = (certificate: CertificatePart): Branch => {
    shown.add(certificate);
    return {
      certificate,
      lists: lists
        .filter(({ signedBy }) => signedBy === certificate.file)
        .sort((a, b) => (a.thisUpdate < b.thisUpdate ? 1 : -1)),
      below: certificates
        .filter((one) => one.signedBy === certificate.file && !shown.has(one))
        .map(branch),
    };
  };
  const tops = certificates.filter(({ signedBy }) => signedBy === null).map(branch);
  for (const one of certificates) if (!shown.has(one)) tops.push(branch(one));
  return {
    tops,
    lists: lists.filter(({ signedBy }) => signedBy === null),
    requests: parts.filter((part) => part.kind === "csr"),
    unreadable: parts.filter((part) => part.kind === "unreadable"),
  };
}

/** The attribute a name is called by: its first, most specific one. */
export function shortName(dn: string): string {
  const [first = ""] = /^(?:[^,\\]|\\.)*/.exec(dn) ?? [];
  const text = first.replace(/^[A-Za-z0-9.]+=/, "").replace(/\\(.)/g, "$1");
  return text === "" ? "(no name)" : text;
}

const STANDINGS: Readonly<Record<CertificatePart["standing"], string>> = {
  root: "root",
  subordinate: "subordinate CA",
  cross: "cross-certificate",
  "ocsp-responder": "OCSP responder",
  "end-entity": "end entity",
};

/** `subordinate CA, no CA below it` */
export function standingInWords({ standing, pathLength }: CertificatePart): string {
  const words = STANDINGS[standing];
  if (pathLength === null) return words;
  return `${words}, ${pathLength === 0 ? "no CA" : `${pathLength} CA level${pathLength === 1 ? "" : "s"}`} below it`;
}

/** `revoked 2026-11-20, keyCompromise` */
export function revokedInWords({ revoked }: CertificatePart): string | undefined {
  if (revoked === null) return undefined;
  return `revoked ${revoked.at.slice(0, 10)}, ${revoked.reason ?? "no reason"}`;
}

/** `list 7, due 2027-11-23, 2 entries`: the next one is due then */
export function listInWords({ number, nextUpdate, entries }: CrlPart): string {
  const count = `${entries === 0 ? "no" : entries} entr${entries === 1 ? "y" : "ies"}`;
  return `list ${number ?? "without number"}, due ${nextUpdate.slice(0, 10)}, ${count}`;
}

/** `3 certificates, 1 revocation list, 1 request` */
export function countsInWords({ parts }: HierarchyReport): string {
  const words = [
    ["certificate", "certificate"],
    ["crl", "revocation list"],
    ["csr", "request"],
    ["unreadable", "unreadable file"],
  ] as const;
  return words
    .map(([kind, word]) => [parts.filter((part) => part.kind === kind).length, word] as const)
    .filter(([count, word]) => count > 0 || word === "certificate")
    .map(([count, word]) => `${count} ${word}${count === 1 ? "" : "s"}`)
    .join(", ");
}
