/** Is this the RSA public key that was asked for, and one that a sound generator makes? */

import { hex } from "../lib/encoding.ts";
import {
  bitLength,
  hasClosePrimes,
  hasRocaFingerprint,
  isPerfectPower,
  smallFactor,
} from "../lib/weak-rsa.ts";

/** What is wrong with an RSA modulus and exponent, both big-endian, or undefined. */
export function judgeRsaModulus(
  modulus: Uint8Array,
  exponent: Uint8Array,
  bits: number,
): string | undefined {
  const n = toInteger(modulus);
  const e = toInteger(exponent);
  const length = bitLength(n);
  if (length !== bits) return `the modulus has ${length} bits, not ${bits}`;
  if (n % 2n === 0n) return "the modulus is even";
  if (e < 65_537n || e % 2n === 0n) return `the public exponent ${e.toString()} is not allowed`;
  const factor = smallFactor(n);
  if (factor !== undefined) return `the modulus is divisible by ${factor}`;
  if (isPerfectPower(n)) return "the modulus is a power of one number";
  if (hasClosePrimes(n)) return "the modulus has two factors too close together";
  if (hasRocaFingerprint(n)) return "the modulus has the ROCA fingerprint (CVE-2017-15361)";
  return undefined;
}

function toInteger(bytes: Uint8Array): bigint {
  return BigInt(`0x0${hex(bytes)}`);
}
