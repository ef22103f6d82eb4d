/** What is known of the parts of a hierarchy once each has its signer. */

import { isDeepStrictEqual } from "node:util";
import {
  type CertificateItem,
  type CrlItem,
  type CsrItem,
  type HierarchyItem,
  type Revocation,
  type Signer,
  signerOf,
  type UnreadableItem,
} from "./hierarchy-read.ts";
import { type CertificateRole, find } from "./lint-rule.ts";

/** What a certificate is made to be; `end-entity` for one that is neither CA nor OCSP responder. */
export type Standing = CertificateRole | "end-entity";

export interface PlacedCertificate {
  readonly item: CertificateItem;
  readonly signer: Signer;
  readonly standing: Standing;
  readonly revocation: (Revocation & { readonly list: CrlItem }) | undefined;
}
export interface PlacedCrl {
  readonly item: CrlItem;
  readonly signer: Signer;
}

export interface Hierarchy {
  readonly certificates: readonly PlacedCertificate[];
  readonly crls: readonly PlacedCrl[];
  readonly csrs: readonly CsrItem[];
  readonly unreadable: readonly UnreadableItem[];
}

/** Gives every part its signer, its standing and what the lists say of it. */
export function placed(items: readonly HierarchyItem[]): Hierarchy {
  const certificates = items.filter((item) => item.kind === "certificate");
  const crls = items
    .filter((item) => item.kind === "crl")
    .map((item) => ({ item, signer: signerOf(item, certificates) }));
  const signers = new Map(certificates.map((item) => [item, signerOf(item, certificates)]));
  return {
    certificates: certificates.map((item) => {
      const signer = signers.get(item) ?? { kind: "absent" };
      return {
        item,
        signer,
        standing: standingOf(item, signer, signers),
        revocation: revocationOf(item, signer, crls),
      };
    }),
    crls,
    csrs: items.filter((item) => item.kind === "csr"),
    unreadable: items.filter((item) => item.kind === "unreadable"),
  };
}

function standingOf(
  item: CertificateItem,
  signer: Signer,
  all: ReadonlyMap<CertificateItem, Signer>,
): Standing {
  const { view } = item.read;
  if (signer.kind === "self") return "root";
  if (find(view, "basic-constraints")?.ca !== true) {
    const purposes = find(view, "ext-key-usage")?.purposes ?? [];
    return purposes.includes("OCSPSigning") ? "ocsp-responder" : "end-entity";
  }
  return doubledBy(item, all) === undefined ? "subordinate" : "cross";
}

/** The certificate of the same subject and key that stood before, from another issuer or of its own. */
export function doubledBy(
  item: CertificateItem,
  all: Iterable<readonly [CertificateItem, Signer]>,
): CertificateItem | undefined {
  const { view } = item.read;
  for (const [other, signer] of all) {
    const { key, subject, issuer, notBefore } = other.read.view;
    if (other === item || key.spki !== view.key.spki) continue;
    if (!isDeepStrictEqual(subject, view.subject) || isDeepStrictEqual(issuer, view.issuer))
      continue;
    if (signer.kind === "self" || notBefore.time < view.notBefore.time) return other;
  }
  return undefined;
}

/** Issuer and serial number name a certificate (RFC 5280 §5.3); the newest list of the issuer says. */
function revocationOf(
  { read: { view } }: CertificateItem,
  signer: Signer,
  crls: readonly PlacedCrl[],
): PlacedCertificate["revocation"] {
  const issuerKey = signer.kind === "found" ? signer.item.read.view.key.spki : view.key.spki;
  if (signer.kind !== "found" && signer.kind !== "self") return undefined;
  const newest = listsOf(issuerKey, crls)[0];
  const found = newest?.revoked.get(view.serial);
  return newest === undefined || found === undefined ? undefined : { ...found, list: newest };
}

/** The lists that a key has signed, newest first. */
export function listsOf(spki: string, crls: readonly PlacedCrl[]): readonly CrlItem[] {
  return crls
    .filter(({ signer }) => signer.kind === "found" && signer.item.read.view.key.spki === spki)
    .map(({ item }) => item)
    .sort((a, b) => compare(b.read.header.thisUpdate.time, a.read.header.thisUpdate.time));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

/** The certificates above one, nearest first; a loop ends where it closes. */
export function chainOf(
  item: CertificateItem,
  certificates: readonly PlacedCertificate[],
): readonly PlacedCertificate[] {
  const chain: PlacedCertificate[] = [];
  for (let at = placeOf(item, certificates); at?.signer.kind === "found";) {
    const above = placeOf(at.signer.item, certificates);
    if (above === undefined || chain.includes(above)) break;
    chain.push(above);
    at = above;
  }
  return chain;
}

function placeOf(
  item: CertificateItem,
  certificates: readonly PlacedCertificate[],
): PlacedCertificate | undefined {
  return certificates.find((one) => one.item === item);
}
