/**
 * How a step names a certificate: by the name it was given when it was issued or imported, or by the
 * SHA-256 of its DER, which is never ambiguous.
 */

import type { Documents } from "../../ceremony/inputs.ts";
import { condition, type Condition } from "../../ceremony/conditions.ts";
import type { CertificateCustody, Custody } from "../../ceremony/custody.ts";
import { keysNamed, type NamedKey } from "../../ceremony/key-choice.ts";
import { digest, label } from "../../ceremony/words.ts";
import { KeyriteError } from "../../lib/errors.ts";
import { z } from "../../lib/schema.ts";
import { didYouMean } from "../../lib/suggest.ts";
import type { SignedCertificate } from "../../pki/view.ts";

const DIGEST = /^[0-9a-f]{64}$/;

/** A certificate by name or by digest. */
export const certificateRef = (): z.Schema<string> => z.union([digest, label]);

export type NamedCertificate =
  | { readonly ok: true; readonly certificate: CertificateCustody }
  | { readonly ok: false; readonly problem: string };

/** The certificate of custody that a name or digest means, or in words why there is none. */
export function certificateNamed(custody: Custody, ref: string): NamedCertificate {
  const { certificates } = custody;
  const known = certificates.get(ref);
  if (known !== undefined) return { ok: true, certificate: known };
  const named = [...certificates.values()].filter(({ file }) => file === ref);
  const [only] = named;
  if (only !== undefined && named.length === 1) return { ok: true, certificate: only };
  if (only !== undefined) {
    const digests = named.map(({ sha256 }) => sha256).join(" and ");
    return no(`${named.length} certificates are named ${ref}; name it by its SHA-256: ${digests}`);
  }
  const near = didYouMean(
    ref,
    [...certificates.values()].map(({ file }) => file),
  );
  const hint = near === undefined ? "" : `; did you mean ${near}?`;
  return no(`no certificate ${ref} is in custody by then${hint}`);
}

function no(problem: string): NamedCertificate {
  return { ok: false, problem };
}

/** @throws KeyriteError script.refused */
export function requireCertificate(custody: Custody, ref: string): CertificateCustody {
  const named = certificateNamed(custody, ref);
  if (named.ok) return named.certificate;
  throw new KeyriteError("script.refused", named.problem);
}

/** A certificate of custody, read from the ledger. @throws KeyriteError script.refused, ledger.damaged */
export async function readNamed(
  custody: Custody,
  documents: Documents,
  ref: string,
): Promise<SignedCertificate & { readonly der: Uint8Array; readonly about: CertificateCustody }> {
  const about = requireCertificate(custody, ref);
  const der = documents.attachment(about.sha256);
  if (der === undefined) {
    throw new KeyriteError("ledger.damaged", `the certificate ${about.sha256} is not attached`);
  }
  const { readCertificate } = await import("../../pki/view.ts");
  return { ...readCertificate(der), der, about };
}

/** Whether a reference is by digest, and so may also mean a file that was given to the plan. */
export function isDigest(ref: string): boolean {
  return DIGEST.test(ref);
}

/** The key with this label on the token. */
export function keyLabelledOn(custody: Custody, token: string, key: string): NamedKey | undefined {
  const choice = keysNamed(custody, token, key);
  return choice.ok ? choice.keys[0] : undefined;
}

/** @throws KeyriteError script.refused */
export function requireKeyOn(custody: Custody, token: string, key: string): NamedKey {
  const found = keyLabelledOn(custody, token, key);
  if (found !== undefined) return found;
  throw new KeyriteError("script.refused", `key ${key} is not on token ${token}`);
}

/** The DER SubjectPublicKeyInfo of a key. @throws KeyriteError ledger.damaged */
export function requireSpki(documents: Documents, spki: string): Uint8Array {
  const bytes = documents.attachment(spki);
  if (bytes !== undefined) return bytes;
  throw new KeyriteError("ledger.damaged", `the public key ${spki} is not attached`);
}

/** The certificate is in custody by then. */
export function certificateIsKnown(param: string, ref: string): Condition {
  return condition(param, ({ custody }) => {
    const named = certificateNamed(custody, ref);
    return !named.ok && named.problem;
  });
}

/** The certificate is a CA's, of the signing key, and may still issue. */
export function isIssuerFor(param: string, ref: string, token: string, key: string): Condition {
  return condition(param, ({ custody, nowMs }) => {
    const named = certificateNamed(custody, ref);
    if (!named.ok) return named.problem;
    const { certificate } = named;
    const signer = keyLabelledOn(custody, token, key);
    // That the key is missing is said by another condition.
    if (signer !== undefined && signer.spki !== certificate.spki) {
      return `certificate ${ref} is not of key ${key}, which signs`;
    }
    if (!certificate.ca) return `certificate ${ref} is no CA certificate`;
    const { notAfter } = certificate;
    // The end of one that is issued in this plan is not known yet, and so is no time.
    if (nowMs !== undefined && Date.parse(notAfter) < nowMs) {
      return `certificate ${ref} has expired, on ${notAfter}`;
    }
    return (
      certificate.source === "issued" &&
      certificate.revoked !== null &&
      `certificate ${ref} is revoked`
    );
  });
}
