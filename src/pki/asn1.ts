/**
 * ASN.1 structures and their DER, through @peculiar/asn1-schema and asn1-x509: the only file that
 * knows them. Decoding here means decoding *and* encoding again to the same bytes.
 */

import {
  AsnConvert,
  AsnIntegerArrayBufferConverter,
  AsnProp,
  AsnPropTypes,
} from "@peculiar/asn1-schema";
import { equalBytes } from "../lib/encoding.ts";
import { KeyriteError, messageOf } from "../lib/errors.ts";
import { walk } from "./der.ts";

export { OctetString } from "@peculiar/asn1-schema";
export {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  Extension,
  Extensions,
  KeyIdentifier,
  KeyUsage,
  KeyUsageFlags,
  Name,
  RelativeDistinguishedName,
  SubjectKeyIdentifier,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Time,
  Validity,
  Version,
} from "@peculiar/asn1-x509";

/** RSAPublicKey of RFC 8017 A.1.1: both integers as their DER content bytes. */
export class RsaPublicKey {
  modulus = new ArrayBuffer(0);
  publicExponent = new ArrayBuffer(0);
}
const integer = { type: AsnPropTypes.Integer, converter: AsnIntegerArrayBufferConverter };
AsnProp(integer)(RsaPublicKey.prototype, "modulus");
AsnProp(integer)(RsaPublicKey.prototype, "publicExponent");

/** The DER of a structure made of the classes above. */
export function encodeDer(structure: object): Uint8Array {
  return new Uint8Array(AsnConvert.serialize(structure));
}

/**
 * The structure in DER bytes. The decoder below takes BER and repairs what it reads, so the result is
 * encoded again and must be the input: trailing bytes, long lengths, explicit defaults and broken
 * UTF-8 all end here.
 * @throws KeyriteError usage.bad-file when the bytes are not this structure in DER.
 */
export function decodeDer<T extends object>(
  bytes: Uint8Array,
  structure: new () => T,
  what: string,
): T {
  let decoded: T;
  let again: Uint8Array;
  try {
    // The decoder recurses, and keeps a padded number as it stands.
    walk(bytes);
    decoded = AsnConvert.parse(bytes, structure);
    again = encodeDer(decoded);
  } catch (error) {
    throw notDer(`${what} cannot be decoded: ${messageOf(error)}`, error);
  }
  if (!equalBytes(again, bytes)) throw notDer(`${what} is not in canonical DER`);
  return decoded;
}

function notDer(message: string, cause?: unknown): KeyriteError {
  return new KeyriteError("usage.bad-file", message, { cause });
}
