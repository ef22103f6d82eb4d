/**
 * Is this an RSA modulus that a sound generator makes? Checks that BR 6.1.6 and 6.1.1.3 ask for, and
 * that cost milliseconds.
 */

import { hex } from "../lib/encoding.ts";

/** BR 6.1.6: no factors smaller than 752. */
const SMALL_FACTOR_LIMIT = 752;
/** BR 6.1.1.3: keys broken by Fermat's method within 100 rounds are refused. */
const FERMAT_ROUNDS = 100;

/** What is wrong with an RSA modulus and exponent, both big-endian, or undefined. */
export function judgeRsaModulus(
  modulus: Uint8Array,
  exponent: Uint8Array,
  bits: number,
): string | undefined {
  const n = toInteger(modulus);
  const e = toInteger(exponent);
  const length = n.toString(2).length;
  if (length !== bits) return `the modulus has ${length} bits, not ${bits}`;
  if (n % 2n === 0n) return "the modulus is even";
  if (e < 65_537n || e % 2n === 0n) return `the public exponent ${e.toString()} is not allowed`;
  const factor = smallPrimes(SMALL_FACTOR_LIMIT).find((prime) => n % BigInt(prime) === 0n);
  if (factor !== undefined) return `the modulus is divisible by ${factor}`;
  if (isPerfectPower(n, bits)) return "the modulus is a power of one number";
  if (fallsToFermat(n)) return "the modulus has two factors too close together";
  if (hasRocaFingerprint(n)) return "the modulus has the ROCA fingerprint (CVE-2017-15361)";
  return undefined;
}

function toInteger(bytes: Uint8Array): bigint {
  return BigInt(`0x0${hex(bytes)}`);
}

function smallPrimes(limit: number): readonly number[] {
  const primes: number[] = [];
  for (let candidate = 2; candidate < limit; candidate++) {
    if (primes.every((prime) => candidate % prime !== 0)) primes.push(candidate);
  }
  return primes;
}

// Without factors below 752 > 2^9, a k-th power of `bits` bits has k < bits / 9.
function isPerfectPower(n: bigint, bits: number): boolean {
  return smallPrimes(Math.ceil(bits / 9)).some((k) => root(n, k) ** BigInt(k) === n);
}

/** The largest integer whose k-th power is not above n, by Newton's method. */
function root(n: bigint, k: number): bigint {
  const degree = BigInt(k);
  let guess = 1n << BigInt(Math.ceil(n.toString(2).length / k));
  for (;;) {
    const next = ((degree - 1n) * guess + n / guess ** (degree - 1n)) / degree;
    if (next >= guess) return guess;
    guess = next;
  }
}

function fallsToFermat(n: bigint): boolean {
  let a = root(n, 2);
  if (a * a < n) a += 1n;
  for (let round = 0; round < FERMAT_ROUNDS; round++, a += 1n) {
    const square = a * a - n;
    // Squares end in few ways modulo 64: most rounds need no root.
    if (!SQUARES_MOD_64.has(square % 64n)) continue;
    const b = root(square, 2);
    if (b * b === square) return true;
  }
  return false;
}

const SQUARES_MOD_64: ReadonlySet<bigint> = new Set(
  Array.from({ length: 64 }, (_, index) => BigInt((index * index) % 64)),
);

/**
 * Moduli of the broken Infineon library are powers of 65537 modulo every small prime (Nemec and
 * others 2017). A sound modulus passes all of these by chance once in 2^28.
 */
function hasRocaFingerprint(n: bigint): boolean {
  return ROCA_PRIMES.every((prime) => powersOf65537(prime).has(Number(n % BigInt(prime))));
}

const ROCA_PRIMES = [
  11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157,
] as const;

function powersOf65537(prime: number): ReadonlySet<number> {
  const powers = new Set<number>();
  for (let power = 1; !powers.has(power); power = (power * 65_537) % prime) powers.add(power);
  return powers;
}
