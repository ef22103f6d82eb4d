/** Known ways for an RSA modulus to be weak, as BR 6.1.1.3 and 6.1.6 list them. */

/** BR 6.1.6: no factor smaller than 752. */
const SMALL_FACTOR_BOUND = 752;
const FERMAT_ROUNDS = 100;
const ROCA_LARGEST_PRIME = 167;

const SMALL_PRIMES = Array.from({ length: SMALL_FACTOR_BOUND - 2 }, (_, index) => index + 2).filter(
  (candidate) => {
    for (let factor = 2; factor * factor <= candidate; factor++) {
      if (candidate % factor === 0) return false;
    }
    return true;
  },
);

/** The smallest prime factor below 752, or undefined. */
export function smallFactor(modulus: bigint): number | undefined {
  return SMALL_PRIMES.find((prime) => modulus % BigInt(prime) === 0n);
}

/**
 * Whether Fermat's method finds two factors within 100 rounds, as it does for primes that lie close
 * together (BR 6.1.1.3) and, in the first round, for a square.
 */
export function hasClosePrimes(modulus: bigint): boolean {
  const root = squareRoot(modulus);
  let a = root * root === modulus ? root : root + 1n;
  for (let round = 0; round < FERMAT_ROUNDS; round++, a++) {
    const square = a * a - modulus;
    const b = squareRoot(square);
    if (b * b === square) return true;
  }
  return false;
}

/**
 * Whether the modulus has the fingerprint of CVE-2017-15361 (ROCA): primes made as powers of 65537
 * modulo a product of small primes leave the modulus in the group 65537 generates modulo each of
 * them. An honest 3072-bit modulus does so by chance with a probability of about 2^-27.
 */
export function hasRocaFingerprint(modulus: bigint): boolean {
  const primes = SMALL_PRIMES.filter((prime) => prime > 2 && prime <= ROCA_LARGEST_PRIME);
  return primes.every((prime) =>
    generated(65537 % prime, prime).has(Number(modulus % BigInt(prime))),
  );
}

function generated(generator: number, prime: number): ReadonlySet<number> {
  const group = new Set<number>();
  for (let power = 1; !group.has(power); power = (power * generator) % prime) group.add(power);
  return group;
}

/** Largest integer whose square is not above `value`. */
function squareRoot(value: bigint): bigint {
  if (value < 2n) return value;
  let guess = 1n << BigInt(Math.ceil(value.toString(2).length / 2));
  for (;;) {
    const next = (guess + value / guess) >> 1n;
    if (next >= guess) return guess;
    guess = next;
  }
}
