/** The parts of a hierarchy as they were read by both decoders, and which certificate has signed which part. */

import { isDeepStrictEqual } from "node:util";
import { fromHex, sha256Hex } from "../lib/encoding.ts";
import { messageOf } from "../lib/errors.ts";
import type { AlgorithmView } from "./algorithms.ts";
import { differences } from "./check.ts";
import { readCrl, type SignedCrl } from "./crl-read.ts";
import { readCsr, type SignedCsr } from "./csr-read.ts";
import { find } from "./lint-rule.ts";
import type { DistinguishedName } from "./names.ts";
import { withoutRepeats, type PkiFile } from "./pki-files.ts";
import { secondReadCrl } from "./second-crl.ts";
import { secondReadCsr } from "./second-csr.ts";
import { secondReadCertificate } from "./second-reader.ts";
import { verifySignature } from "./signature.ts";
import { readCertificate, type SignedCertificate } from "./view.ts";

interface Item {
  readonly name: string;
  readonly sha256: string;
}
export interface CertificateItem extends Item {
  readonly kind: "certificate";
  readonly read: SignedCertificate;
}
export interface CrlItem extends Item {
  readonly kind: "crl";
  readonly read: SignedCrl;
  /** Reason and time by serial number. */
  readonly revoked: ReadonlyMap<string, Revocation>;
}
export interface CsrItem extends Item {
  readonly kind: "csr";
  readonly read: SignedCsr;
}
export interface UnreadableItem extends Item {
  readonly kind: "unreadable";
  readonly meant: PkiFile["kind"];
  readonly problem: string;
}
export type HierarchyItem = CertificateItem | CrlItem | CsrItem | UnreadableItem;

export interface Revocation {
  readonly at: string;
  readonly reason: string | null;
}

/** Reads every part once; what stands twice in the files is taken once. */
export function readItems(files: readonly PkiFile[]): readonly HierarchyItem[] {
  return withoutRepeats(files).map((file) => {
    const item = { name: file.name, sha256: sha256Hex(file.der) };
    try {
      return readItem(file, item);
    } catch (error) {
      return { ...item, kind: "unreadable", meant: file.kind, problem: messageOf(error) };
    }
  });
}

function readItem({ kind, der }: PkiFile, item: Item): HierarchyItem {
  switch (kind) {
    case "certificate": {
      const read = readCertificate(der);
      requireSame(read.view, secondReadCertificate(der).view);
      return { ...item, kind, read };
    }
    case "csr": {
      const read = readCsr(der);
      requireSame(read.view, secondReadCsr(der).view);
      return { ...item, kind, read };
    }
    case "crl":
      return { ...item, kind, ...readList(der) };
  }
}

function readList(der: Uint8Array): Pick<CrlItem, "read" | "revoked"> {
  const read = readCrl(der);
  const again = secondReadCrl(der);
  requireSame(read.header, again.header);
  const others = again.entries()[Symbol.iterator]();
  const revoked = new Map<string, Revocation>();
  for (const entry of read.entries()) {
    const other = others.next();
    requireSame(entry, other.done === true ? undefined : other.value);
    revoked.set(entry.serial, { at: entry.revokedAt.time, reason: entry.reason });
  }
  return { read, revoked };
}

function requireSame(first: unknown, second: unknown): void {
  const differing = differences(first, second);
  if (differing.length > 0) {
    throw new Error(`two decoders read it differently: ${differing.join(", ")}`);
  }
}

/** Who has signed a part. */
export type Signer =
  | { readonly kind: "self" }
  | { readonly kind: "found"; readonly item: CertificateItem }
  /** A certificate is meant, by its name or key id, whose key has not signed it. */
  | { readonly kind: "forged"; readonly meant: CertificateItem }
  | { readonly kind: "absent" };

/** Looks for the certificate whose key has signed a certificate or a list. */
export function signerOf(
  child: CertificateItem | CrlItem,
  certificates: readonly CertificateItem[],
): Signer {
  if (child.kind === "certificate" && hasSigned(child, child)) {
    const { issuer, subject } = child.read.view;
    if (isDeepStrictEqual(issuer, subject)) return { kind: "self" };
  }
  const others = certificates.filter((item) => item !== child);
  const meant = others
    .map((item) => ({ item, points: pointsAt(child, item) }))
    .sort((a, b) => b.points - a.points);
  const found = meant.find(({ item }) => hasSigned(item, child));
  if (found !== undefined) return { kind: "found", item: found.item };
  const [first] = meant;
  return first !== undefined && first.points >= NAMED
    ? { kind: "forged", meant: first.item }
    : { kind: "absent" };
}

const NAMED = 4;

/** How much of a part points at a certificate as its issuer: name, key id, validity around it, a root. */
function pointsAt(child: CertificateItem | CrlItem, { read: { view } }: CertificateItem): number {
  const { issuer, extensions, from, to } = pointersOf(child);
  const keyId = find({ extensions }, "authority-key-id")?.keyId;
  const named = isDeepStrictEqual(issuer, view.subject);
  const keyed = keyId !== undefined && keyId === find(view, "subject-key-id")?.keyId;
  const nested = view.notBefore.time <= from && view.notAfter.time >= to;
  const isRoot = isDeepStrictEqual(view.issuer, view.subject);
  return (named ? NAMED : 0) + (keyed ? NAMED : 0) + (nested ? 2 : 0) + (isRoot ? 1 : 0);
}

function pointersOf({ kind, read }: CertificateItem | CrlItem): {
  readonly issuer: DistinguishedName;
  readonly extensions: SignedCrl["header"]["extensions"];
  readonly from: string;
  readonly to: string;
} {
  if (kind === "crl") {
    const { issuer, extensions, thisUpdate } = read.header;
    return { issuer, extensions, from: thisUpdate.time, to: thisUpdate.time };
  }
  const { issuer, extensions, notBefore, notAfter } = read.view;
  return { issuer, extensions, from: notBefore.time, to: notAfter.time };
}

function hasSigned(
  { read: { view } }: CertificateItem,
  { read }: { readonly read: { tbs: Uint8Array; algorithm: AlgorithmView; signature: Uint8Array } },
): boolean {
  const { scheme } = read.algorithm;
  const spki = fromHex(view.key.spki);
  if (scheme === null || spki === undefined) return false;
  return verifySignature(scheme, spki, read.tbs, read.signature);
}
