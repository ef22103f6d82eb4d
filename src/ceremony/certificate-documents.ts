/**
 * Whether an attached certificate, request or CRL is what the record says of it: signed by the key it names,
 * over the bytes that were agreed to, and with these names, numbers and dates in it. Without this the owner
 * of the host could complete an agreed step with the digest of another document.
 */

import { sha256Hex } from "../lib/encoding.ts";
import { messageOf } from "../lib/errors.ts";
import { pem, type PemLabel } from "../pki/pem.ts";
import {
  certificatePlate,
  crlPlate,
  keyDigest,
  requestPlate,
  signedParts,
  type RevokedPlate,
  type SignedParts,
} from "../pki/recorded.ts";
import { schemeOfDer } from "../pki/scheme-identifiers.ts";
import { verifySignature } from "../pki/signature.ts";
import type { FactOf } from "./facts.ts";

/** Attachments by their SHA-256; what is missing is found where attachments are counted. */
export type DocumentOf = (sha256: string) => Uint8Array | undefined;

/**
 * @param issuerName subject of the issuer's certificate
 * @returns what of the document differs from the record, or undefined also for one that is missing
 */
export function whyOtherIssued(
  fact: FactOf<"certificate.issued">,
  issuerName: string,
  document: DocumentOf,
): string | undefined {
  return judged("certificate", fact, document, (parts) => {
    const { spki, ...plate } = certificatePlate(parts.tbs);
    return (
      whyUnsigned(parts, document(fact.issuerSpki)) ??
      other(
        { ...plate, tbs: sha256Hex(parts.tbs), spki: keyDigest({ spki }) },
        { ...fact, issuerName },
      )
    );
  });
}

/** As `whyOtherIssued`; who signed it is for the importing step to say. */
export function whyOtherImported(
  fact: FactOf<"certificate.imported">,
  document: DocumentOf,
): string | undefined {
  return judged("certificate", fact, document, ({ tbs }) => {
    const { spki, ...plate } = certificatePlate(tbs);
    return other({ ...plate, spki: keyDigest({ spki }) }, fact);
  });
}

/** As `whyOtherIssued`; a request is signed by the key that it is about. */
export function whyOtherRequest(
  fact: FactOf<"csr.made">,
  document: DocumentOf,
): string | undefined {
  return judged("request", fact, document, (parts) => {
    const { spki, ...plate } = requestPlate(parts.tbs);
    return whyUnsigned(parts, spki) ?? other({ ...plate, spki: keyDigest({ spki }) }, fact);
  });
}

/**
 * As `whyOtherIssued`; besides, the CRL holds the certificates that custody has as revoked, and no others.
 * @param revoked those by their serial numbers
 */
export function whyOtherCrl(
  fact: FactOf<"crl.issued">,
  document: DocumentOf,
  revoked: () => ReadonlyMap<string, Pick<RevokedPlate, "date" | "reason">>,
): string | undefined {
  return judged("CRL", fact, document, (parts) => {
    const { revoked: listed, ...plate } = crlPlate(parts.tbs);
    const said = { ...plate, entries: listed.length, tbs: sha256Hex(parts.tbs) };
    return (
      whyUnsigned(parts, document(fact.issuerSpki)) ??
      other(said, fact) ??
      whyOtherEntries(listed, revoked())
    );
  });
}

// The room has read the first fifty of them.
function whyOtherEntries(
  listed: readonly RevokedPlate[],
  revoked: ReadonlyMap<string, Pick<RevokedPlate, "date" | "reason">>,
): string | undefined {
  const seen = new Set<string>();
  for (const { serial, date, reason } of listed) {
    const known = revoked.get(serial);
    if (known === undefined) return `holds the serial number ${serial}, which is not revoked`;
    if (known.date !== date || known.reason !== reason) {
      return `gives another date or reason for the serial number ${serial}`;
    }
    seen.add(serial);
  }
  return seen.size === revoked.size ? undefined : "leaves a revoked certificate out";
}

/** SHA-256 of the signed part of a document; empty for what has none, which is no digest of anything. */
export function signedDigest(der: Uint8Array): string {
  try {
    return sha256Hex(signedParts(der).tbs);
  } catch {
    return "";
  }
}

interface Recorded {
  readonly sha256: string;
  readonly files: readonly { readonly file: string; readonly sha256: string }[];
}

/** By what a file is called: the label of its PEM, or null for the DER itself. */
const ENDINGS: readonly (readonly [ending: RegExp, label: PemLabel | null])[] = [
  [/\.(der|crl)$/, null],
  [/\.crl\.pem$/, "X509 CRL"],
  [/\.pem$/, "CERTIFICATE"],
  [/\.csr$/, "CERTIFICATE REQUEST"],
];

/** What was handed over is the document itself, and its PEM; a bundle holds others besides. */
function whyOtherFiles(der: Uint8Array, { sha256, files }: Recorded): string | undefined {
  const wrong = files.find((one) => {
    const [, label] = ENDINGS.find(([ending]) => ending.test(one.file)) ?? [];
    if (label === undefined) return false;
    return one.sha256 !== (label === null ? sha256 : sha256Hex(pem(der, label)));
  });
  return wrong === undefined ? undefined : `is not what ${wrong.file} is recorded as`;
}

function judged(
  what: string,
  fact: Recorded,
  document: DocumentOf,
  judge: (parts: SignedParts) => string | undefined,
): string | undefined {
  const der = document(fact.sha256);
  if (der === undefined) return undefined;
  try {
    const problem = judge(signedParts(der)) ?? whyOtherFiles(der, fact);
    return problem === undefined ? undefined : `the attached ${what} ${problem}`;
  } catch (error) {
    return `the attached ${what} cannot be read: ${messageOf(error)}`;
  }
}

function whyUnsigned(
  { tbs, algorithm, signature }: SignedParts,
  spki: Uint8Array | undefined,
): string | undefined {
  if (spki === undefined) return undefined;
  const scheme = schemeOfDer(algorithm);
  if (scheme !== undefined && verifySignature(scheme, spki, tbs, signature)) return undefined;
  return "is not signed by the key that is recorded as its issuer's";
}

/** What was read, against the members of the fact with the same names. */
function other<T extends object>(
  read: T,
  fact: Readonly<Record<keyof T, unknown>>,
): string | undefined {
  const names = Object.keys(read) as (keyof T & string)[];
  const name = names.find((one) => read[one] !== fact[one]);
  return name === undefined ? undefined : `has another ${name} than is recorded`;
}
