/** Public keys that must be refused, each for one reason. */

import { bits, type Bytes, contentOf, hexBytes, int, NULL, oid, parts, seq } from "./der.ts";

/** SubjectPublicKeyInfo of an RSA key. */
export function rsaSpki(modulus: bigint, exponent = 65537n): Bytes {
  const key = seq(int(positive(modulus)), int(positive(exponent)));
  return seq(seq(oid("1.2.840.113549.1.1.1"), NULL), bits(key));
}

/** The modulus in a SubjectPublicKeyInfo of an RSA key. */
export function modulusOf(spki: Uint8Array): bigint {
  const [, key = hexBytes("")] = parts(spki);
  const [modulus = hexBytes("")] = parts(contentOf(key).subarray(1));
  return BigInt(`0x${contentOf(modulus).toString("hex")}`);
}

/** Content of a positive INTEGER in hex. */
export function positive(value: bigint): string {
  const digits = value.toString(16);
  const even = digits.length % 2 === 0 ? digits : `0${digits}`;
  return /^[89a-f]/.test(even) ? `00${even}` : even;
}

const SMALL = Array.from({ length: 749 }, (_, index) => BigInt(index + 2));

/** The first number from `start` on, in steps, that has no factor below 751. */
function withoutSmallFactors(start: bigint): bigint {
  let number = start | 1n;
  while (SMALL.some((factor) => number % factor === 0n)) number += 2n;
  return number;
}

/** A modulus of 3072 bits with the factor 751 and no smaller one. */
export const SMALL_FACTOR = 751n * withoutSmallFactors(2n ** 3062n);

/** A modulus of 3072 bits from two factors that lie some thousands apart, as no two primes should. */
const near = withoutSmallFactors(3n * 2n ** 1534n);
export const closePrimes = near * withoutSmallFactors(near + 4096n);

/** A power of 65537 modulo the product of the odd primes up to 167, brought to 3072 bits. */
export function rocaModulus(): bigint {
  const primes = Array.from({ length: 165 }, (_, index) => index + 3).filter((candidate) =>
    Array.from({ length: 11 }, (_, index) => index + 2).every(
      (factor) => candidate % factor !== 0 || candidate === factor,
    ),
  );
  const product = primes.reduce((all, prime) => all * BigInt(prime), 1n);
  const power = 65537n ** 1009n % product;
  const lifted = power + product * (2n ** 3071n / product + 1n);
  return lifted % 2n === 1n ? lifted : lifted + product;
}

/** A P-256 key whose point is not on the curve. */
export const OFF_CURVE = seq(
  seq(oid("1.2.840.10045.2.1"), oid("1.2.840.10045.3.1.7")),
  bits(hexBytes(`04${"11".repeat(64)}`)),
);
