/** PKCS#7 bundles (RFC 5652 §5) that carry certificates and no signature: a chain in one file. */

import { KeyriteError, messageOf } from "../lib/errors.ts";
import {
  context,
  element,
  integer,
  need,
  oid,
  readMany,
  readOid,
  readOne,
  readSequence,
  sequence,
  TAG,
  walk,
} from "./der.ts";

const SIGNED_DATA = "1.2.840.113549.1.7.2";
const DATA = "1.2.840.113549.1.7.1";
/** More certificates than any honest chain has. */
const MOST = 100;

/**
 * A bundle of certificates in DER, in the order given: the issued one first, each followed by its
 * issuer, as chain files are read. (DER would sort a SET OF; here every known reader takes either,
 * and RFC 5652 §5.1 asks for BER only.)
 */
export function certsOnly(certificates: readonly Uint8Array[]): Uint8Array {
  const data = sequence(
    integer(1n),
    element(TAG.SET),
    sequence(oid(DATA)),
    element(context(0, true), ...certificates),
    element(TAG.SET),
  );
  return sequence(oid(SIGNED_DATA), element(context(0, true), data));
}

/**
 * The certificates of such a bundle, in its order.
 * @throws KeyriteError usage.bad-file for anything but a bundle as `certsOnly` writes it.
 */
export function readCertsOnly(der: Uint8Array): readonly Uint8Array[] {
  try {
    walk(der);
    const [type, content] = readSequence(der, 2);
    if (readOid(type) !== SIGNED_DATA) throw new Error("it is no signed data");
    const wrapped = readOne(need(content, context(0, true)).content);
    const members = readSequence(wrapped.der, 6);
    const list = need(members.find(({ tag }) => tag === context(0, true)));
    return readMany(list.content, MOST).map((item) => need(item, TAG.SEQUENCE).der);
  } catch (error) {
    const message = `the bundle cannot be decoded: ${messageOf(error)}`;
    throw new KeyriteError("usage.bad-file", message, { cause: error });
  }
}
