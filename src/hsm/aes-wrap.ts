/**
 * The wire formats in software, for finding out which mechanism of a token makes which: only ever
 * under keys that were made to be thrown away, and for check values.
 */

import { createCipheriv, createDecipheriv } from "node:crypto";
import { concat, sha256Hex } from "../lib/encoding.ts";
import type { WireFormat } from "./backup.ts";

/** Every format, the most wanted first. */
export const WIRE_FORMATS: readonly WireFormat[] = [
  "rfc5649",
  "rfc3394",
  "rfc3394-pkcs7",
  "aes-cbc-pad",
];

/** The publicly known key that is wrapped for a check value: the bytes 00, 01 … 1f. */
export const CHECK_KEY = Uint8Array.from({ length: 32 }, (_, index) => index);

/** A KEK is AES-256. */
export const KEK_BYTES = 32;

const CHECK_VALUE_DIGITS = 16;

/**
 * Check value of a KEK from its RFC 3394 wrap of CHECK_KEY. Wrapping is all a KEK may do, and this is
 * a length for which all vendors agree; CKA_CHECK_VALUE would need encryption with ECB, and is missing
 * on some tokens.
 */
export function checkValueOf(wrapped: Uint8Array): string {
  return sha256Hex(wrapped).slice(0, CHECK_VALUE_DIGITS);
}

/** `data` under a 256-bit key. @param iv 16 bytes, for aes-cbc-pad. */
export function wrapInSoftware(
  format: WireFormat,
  key: Uint8Array,
  data: Uint8Array,
  iv: Uint8Array,
): Uint8Array {
  switch (format) {
    case "rfc5649":
      return cipher("id-aes256-wrap-pad", key, IV_5649, data);
    case "rfc3394":
      return cipher("id-aes256-wrap", key, IV_3394, padded(data, 0));
    case "rfc3394-pkcs7":
      return cipher("id-aes256-wrap", key, IV_3394, padded(data, 8 - (data.length % 8)));
    case "aes-cbc-pad":
      return concat(iv, cipher("aes-256-cbc", key, iv, data));
  }
}

/** What `wrapInSoftware` was given, or undefined when it is not of this format and key. */
export function openInSoftware(
  format: WireFormat,
  key: Uint8Array,
  blob: Uint8Array,
): Uint8Array | undefined {
  // OpenSSL opens no bytes to no bytes, with nothing that could be wrong (RFC 3394 §2.2.1: two blocks at least).
  if (blob.length === 0) return undefined;
  try {
    switch (format) {
      case "rfc5649":
        return decipher("id-aes256-wrap-pad", key, IV_5649, blob);
      case "rfc3394":
        return decipher("id-aes256-wrap", key, IV_3394, blob);
      case "rfc3394-pkcs7":
        return withoutPadding(decipher("id-aes256-wrap", key, IV_3394, blob));
      case "aes-cbc-pad":
        return decipher("aes-256-cbc", key, blob.subarray(0, IV_BYTES), blob.subarray(IV_BYTES));
    }
  } catch {
    return undefined;
  }
}

/**
 * The DER at the start of `bytes`, when nothing but zeros follows it: SoftHSM 2.6 pads a PKCS#8 to
 * eight bytes before it wraps it, whatever the mechanism does.
 */
export function withoutTrailingZeros(bytes: Uint8Array): Uint8Array | undefined {
  const [tag, first = 0] = bytes;
  const more = first < 0x80 ? 0 : first & 0x7f;
  if (tag !== 0x30 || more > 2) return undefined;
  const body = bytes.subarray(2, 2 + more).reduce((sum, byte) => sum * 256 + byte, 0);
  const length = 2 + more + (more === 0 ? first : body);
  const rest = bytes.subarray(length);
  const fits = length <= bytes.length && rest.length < 8 && rest.every((byte) => byte === 0);
  return fits ? bytes.subarray(0, length) : undefined;
}

export const IV_BYTES = 16;
const IV_3394 = new Uint8Array(8).fill(0xa6);
const IV_5649 = Uint8Array.of(0xa6, 0x59, 0x59, 0xa6);

function cipher(name: string, key: Uint8Array, iv: Uint8Array, data: Uint8Array): Uint8Array {
  const machine = createCipheriv(name, key, iv);
  return concat(machine.update(data), machine.final());
}

function decipher(name: string, key: Uint8Array, iv: Uint8Array, data: Uint8Array): Uint8Array {
  const machine = createDecipheriv(name, key, iv);
  return concat(machine.update(data), machine.final());
}

/** @param byte value and, unless 0, number of the padding bytes. */
function padded(data: Uint8Array, byte: number): Uint8Array {
  const count = byte === 0 ? (8 - (data.length % 8)) % 8 : byte;
  return concat(data, new Uint8Array(count).fill(byte));
}

function withoutPadding(bytes: Uint8Array): Uint8Array | undefined {
  const count = bytes.at(-1) ?? 0;
  const padding = bytes.subarray(bytes.length - count);
  const fits = count >= 1 && count <= 8 && padding.every((byte) => byte === count);
  return fits ? bytes.subarray(0, bytes.length - count) : undefined;
}
