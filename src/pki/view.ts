/**
 * A certificate as plain data: everything it says, nothing decided about it. What the room is shown,
 * what the lints judge and what two decoders are compared by is this one shape.
 */

import { hex } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import { type AlgorithmView, readAlgorithm } from "./algorithms.ts";
import {
  Certificate,
  decodeDer,
  encodeDer,
  SubjectPublicKeyInfo,
  TBSCertificate,
  type Time,
} from "./asn1.ts";
import { type ExtensionView, readExtension } from "./extensions.ts";
import { type KeyView, readSpki } from "./keys.ts";
import { readName } from "./name-codec.ts";
import type { DistinguishedName } from "./names.ts";

export interface TimeView {
  /** UTC to the second, `2026-11-23T09:30:00Z`. */
  readonly time: string;
  readonly form: "utc" | "generalized";
}

export interface CertificateView {
  /** 3 for X.509 v3, as people count, not 2 as it is encoded. */
  readonly version: number;
  /** Content bytes of the INTEGER in hex, a leading `00` included. */
  readonly serial: string;
  /** The algorithm named inside the signed part. */
  readonly signature: AlgorithmView;
  readonly issuer: DistinguishedName;
  readonly notBefore: TimeView;
  readonly notAfter: TimeView;
  readonly subject: DistinguishedName;
  readonly key: KeyView;
  /** In the order of the encoding. */
  readonly extensions: readonly ExtensionView[];
}

export interface SignedCertificate {
  /** DER of the signed part, as it stands in the certificate. */
  readonly tbs: Uint8Array;
  readonly view: CertificateView;
  /** The algorithm named outside the signed part. */
  readonly algorithm: AlgorithmView;
  readonly signature: Uint8Array;
}

/**
 * Reads a signed certificate.
 * @throws KeyriteError usage.bad-file for anything but one certificate in canonical DER.
 */
export function readCertificate(der: Uint8Array): SignedCertificate {
  const certificate = decodeDer(der, Certificate, "the certificate");
  // Encoded again and not cut out: decodeDer has proved that these are the certificate's own bytes.
  const tbs = encodeDer(certificate.tbsCertificate);
  return {
    tbs,
    view: readTbs(tbs),
    algorithm: readAlgorithm(certificate.signatureAlgorithm),
    signature: new Uint8Array(certificate.signatureValue),
  };
}

/**
 * Reads the to-be-signed part of a certificate.
 * @throws KeyriteError usage.bad-file for anything but one TBSCertificate in canonical DER.
 */
export function readTbs(tbs: Uint8Array): CertificateView {
  const read = decodeDer(tbs, TBSCertificate, "the to-be-signed certificate");
  if (read.issuerUniqueID !== undefined || read.subjectUniqueID !== undefined) {
    throw new KeyriteError("usage.bad-file", "the certificate holds unique identifiers");
  }
  return {
    version: read.version + 1,
    serial: hex(new Uint8Array(read.serialNumber)),
    signature: readAlgorithm(read.signature),
    issuer: readName(read.issuer),
    notBefore: readTime(read.validity.notBefore),
    notAfter: readTime(read.validity.notAfter),
    subject: readName(read.subject),
    key: readSpki(encodeDer(new SubjectPublicKeyInfo(read.subjectPublicKeyInfo))),
    extensions: Array.from(read.extensions ?? [], readExtension),
  };
}

function readTime(time: Time): TimeView {
  const text = time.getTime().toISOString();
  if (!text.endsWith(".000Z")) {
    // RFC 5280 §4.1.2.5.2 forbids fractions of a second.
    throw new KeyriteError("usage.bad-file", "a time in the certificate has fractions of a second");
  }
  return {
    time: text.replace(".000Z", "Z"),
    form: time.utcTime === undefined ? "generalized" : "utc",
  };
}
