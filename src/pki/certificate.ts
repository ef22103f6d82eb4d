/** Building certificates: from data to the bytes a room agrees to, and with a signature to a file. */

import { KEY_ALGORITHMS, schemeFor, type SignatureScheme } from "../lib/algorithms.ts";
import { KeyriteError } from "../lib/errors.ts";
import { algorithmIdentifier } from "./algorithms.ts";
import {
  Certificate,
  decodeDer,
  encodeDer,
  Extensions,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity as ValidityField,
  Version,
} from "./asn1.ts";
import { readTwice } from "./check.ts";
import { encodeExtension, type ExtensionView } from "./extensions.ts";
import { keyAlgorithm, readSpki } from "./keys.ts";
import { encodeName } from "./name-codec.ts";
import type { DistinguishedName } from "./names.ts";
import { keyIdOf, profileExtensions, ROOT_PROFILE, type Validity, validityOf } from "./profile.ts";
import type { CertificateView } from "./view.ts";

export { pem } from "./pem.ts";

export interface RootRequest {
  /** As `parseDn` reads it; subject and issuer alike. */
  readonly subject: DistinguishedName;
  /** DER SubjectPublicKeyInfo of the key that will sign. */
  readonly spki: Uint8Array;
  /** Content bytes of the serial number, as `serialFrom` makes them. */
  readonly serial: Uint8Array;
  /** Start of validity, cut to the second. */
  readonly notBeforeMs: number;
  readonly days: number;
}

export interface ToBeSigned {
  /** DER of the TBSCertificate: what is agreed to, and what is signed. */
  readonly tbs: Uint8Array;
  /** What those bytes say, read back from them by both decoders. */
  readonly view: CertificateView;
  readonly scheme: SignatureScheme;
}

/**
 * The to-be-signed part of a self-signed root certificate.
 * @throws KeyriteError script.refused for days outside the profile, hsm.not-supported for a key the
 * profile does not take, usage.bad-file for a malformed key, hsm.bad-output when the decoders differ.
 */
export function buildRootTbs(request: RootRequest): ToBeSigned {
  const algorithm = keyAlgorithm(readSpki(request.spki));
  if (algorithm === null || !ROOT_PROFILE.algorithms.includes(algorithm)) {
    const allowed = KEY_ALGORITHMS.filter((name) => ROOT_PROFILE.algorithms.includes(name));
    throw new KeyriteError(
      "hsm.not-supported",
      "the root profile does not take a key of this size",
      {
        hints: [`it takes ${allowed.join(", ")}`],
      },
    );
  }
  const scheme = schemeFor(algorithm);
  const keyId = keyIdOf(request.spki);
  const tbs = encodeTbs({
    serial: request.serial,
    scheme,
    issuer: request.subject,
    validity: validityOf(ROOT_PROFILE, request.notBeforeMs, request.days),
    subject: request.subject,
    spki: request.spki,
    extensions: profileExtensions(ROOT_PROFILE, keyId, keyId),
  });
  return { tbs, view: readTwice(tbs), scheme };
}

export interface TbsContent {
  readonly serial: Uint8Array;
  readonly scheme: SignatureScheme;
  readonly issuer: DistinguishedName;
  readonly validity: Validity;
  readonly subject: DistinguishedName;
  readonly spki: Uint8Array;
  readonly extensions: readonly ExtensionView[];
}

/** DER of a version 3 TBSCertificate; dates up to 2049 become UTCTime (RFC 5280 §4.1.2.5). */
export function encodeTbs(content: TbsContent): Uint8Array {
  const tbs = new TBSCertificate({
    version: Version.v3,
    serialNumber: arrayBuffer(content.serial),
    signature: algorithmIdentifier(content.scheme),
    issuer: encodeName(content.issuer),
    validity: new ValidityField({
      notBefore: new Date(content.validity.notBefore),
      notAfter: new Date(content.validity.notAfter),
    }),
    subject: encodeName(content.subject),
    subjectPublicKeyInfo: decodeDer(content.spki, SubjectPublicKeyInfo, "the public key"),
    extensions: new Extensions(content.extensions.map(encodeExtension)),
  });
  return encodeDer(tbs);
}

/**
 * The signed certificate in DER. It proves nothing: `checkCertificate` judges the result.
 * @throws KeyriteError usage.bad-file when `tbs` is not a TBSCertificate.
 */
export function assembleCertificate(
  tbs: Uint8Array,
  scheme: SignatureScheme,
  signature: Uint8Array,
): Uint8Array {
  return encodeDer(
    new Certificate({
      tbsCertificate: decodeDer(tbs, TBSCertificate, "the to-be-signed certificate"),
      signatureAlgorithm: algorithmIdentifier(scheme),
      signatureValue: arrayBuffer(signature),
    }),
  );
}

function arrayBuffer(bytes: Uint8Array): ArrayBuffer {
  const copy = new ArrayBuffer(bytes.length);
  new Uint8Array(copy).set(bytes);
  return copy;
}
