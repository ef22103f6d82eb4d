/** ECDSA signatures: the raw r‖s of PKCS#11, and the DER that X.509 wants (RFC 3279 §2.2.3). */

import { concat } from "../lib/encoding.ts";

/**
 * DER `SEQUENCE { r INTEGER, s INTEGER }` of a raw signature.
 * @param raw r‖s, each half of it, as PKCS#11 2.40 §2.3.1 returns it.
 */
export function ecdsaToDer(raw: Uint8Array): Uint8Array {
  const half = raw.length / 2;
  const body = concat(integer(raw.subarray(0, half)), integer(raw.subarray(half)));
  return concat(header(0x30, body.length), body);
}

function integer(bytes: Uint8Array): Uint8Array {
  let first = 0;
  while (first < bytes.length - 1 && bytes[first] === 0) first += 1;
  const digits = bytes.subarray(first);
  // A leading one bit would make the number negative.
  const sign = (digits[0] ?? 0) >= 0x80 ? Uint8Array.of(0) : new Uint8Array(0);
  return concat(header(0x02, sign.length + digits.length), sign, digits);
}

function header(tag: number, length: number): Uint8Array {
  return length < 0x80 ? Uint8Array.of(tag, length) : Uint8Array.of(tag, 0x81, length);
}
