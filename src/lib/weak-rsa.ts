/**
 * Known ways for an RSA modulus to be weak, as BR 6.1.1.3 and 6.1.6 list them: checks that cost
 * milliseconds, for a key that a token just made and for a certificate that is about to be signed.
 */

/** BR 6.1.6: no factors smaller than 752. */
const SMALL_FACTOR_LIMIT = 752;
/** BR 6.1.1.3: keys broken by Fermat's method within 100 rounds are refused. */
const FERMAT_ROUNDS = 100;
/** The last prime that the broken library uses for keys of every size. */
const ROCA_LARGEST_PRIME = 167;

/** The smallest prime factor below 752, or undefined. */
export function smallFactor(modulus: bigint): number | undefined {
  return smallPrimes(SMALL_FACTOR_LIMIT).find((prime) => modulus % BigInt(prime) === 0n);
}

/** Whether a modulus without factors below 752 is a power of one number. */
export function isPerfectPower(modulus: bigint): boolean {
  // Such a k-th power has more than 9·k bits, for 752 > 2^9.
  return smallPrimes(Math.ceil(bitLength(modulus) / 9)).some(
    (k) => root(modulus, k) ** BigInt(k) === modulus,
  );
}

/**
 * Whether Fermat's method finds two factors within 100 rounds, as it does for primes that lie close
 * together and, in the first round, for a square.
 */
export function hasClosePrimes(modulus: bigint): boolean {
  let a = root(modulus, 2);
  if (a * a < modulus) a += 1n;
  for (let round = 0; round < FERMAT_ROUNDS; round++, a += 1n) {
    const square = a * a - modulus;
    // Squares end in few ways modulo 64: most rounds need no root.
    if (!SQUARES_MOD_64.has(square % 64n)) continue;
    const b = root(square, 2);
    if (b * b === square) return true;
  }
  return false;
}

/**
 * Whether the modulus has the fingerprint of CVE-2017-15361 (ROCA, Nemec and others 2017): primes made
 * as powers of 65537 modulo a product of small primes leave the modulus in the group that 65537 generates
 * modulo each of them. A sound modulus does so by chance once in about 2^27.
 */
export function hasRocaFingerprint(modulus: bigint): boolean {
  return smallPrimes(ROCA_LARGEST_PRIME + 1)
    .filter((prime) => prime > 2)
    .every((prime) => powersOf65537(prime).has(Number(modulus % BigInt(prime))));
}

/** Number of bits of a positive number. */
export function bitLength(value: bigint): number {
  return value.toString(2).length;
}

/** Every prime below `limit`. */
function smallPrimes(limit: number): readonly number[] {
  const primes: number[] = [];
  for (let candidate = 2; candidate < limit; candidate++) {
    if (primes.every((prime) => candidate % prime !== 0)) primes.push(candidate);
  }
  return primes;
}

/** The largest integer whose k-th power is not above n, by Newton's method. */
function root(n: bigint, k: number): bigint {
  if (n < 2n) return n;
  const degree = BigInt(k);
  let guess = 1n << BigInt(Math.ceil(bitLength(n) / k));
  for (;;) {
    const next = ((degree - 1n) * guess + n / guess ** (degree - 1n)) / degree;
    if (next >= guess) return guess;
    guess = next;
  }
}

const SQUARES_MOD_64: ReadonlySet<bigint> = new Set(
  Array.from({ length: 64 }, (_, index) => BigInt((index * index) % 64)),
);

function powersOf65537(prime: number): ReadonlySet<number> {
  const powers = new Set<number>();
  for (let power = 1; !powers.has(power); power = (power * 65_537) % prime) powers.add(power);
  return powers;
}
