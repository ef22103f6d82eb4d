/** Weak keys a token could return, each caught by the check that names it. */

import assert from "node:assert/strict";
import { generateKeyPairSync, generatePrimeSync } from "node:crypto";
import { describe, test } from "node:test";
import { judgeRsaModulus } from "../../src/hsm/key-quality.ts";

const F4 = Uint8Array.of(1, 0, 1);
const BITS = 3072;

function bytes(value: bigint): Uint8Array {
  const text = value.toString(16);
  return new Uint8Array(Buffer.from(text.padStart(text.length + (text.length % 2), "0"), "hex"));
}

function prime(bits: number): bigint {
  return generatePrimeSync(bits, { bigint: true });
}

/** A prime of that many bits whose square has twice, and whose cube thrice, as many. */
function largePrime(bits: number): bigint {
  const floor = 7n << BigInt(bits - 3);
  for (;;) {
    const candidate = prime(bits);
    if (candidate >= floor) return candidate;
  }
}

const SOUND = Buffer.from(
  generateKeyPairSync("rsa", { modulusLength: BITS }).publicKey.export({ format: "jwk" }).n ?? "",
  "base64url",
);

describe("H07: RSA moduli", () => {
  test("a sound one passes, with or without a leading zero", () => {
    assert.equal(judgeRsaModulus(SOUND, F4, BITS), undefined);
    assert.equal(judgeRsaModulus(Buffer.concat([Buffer.of(0), SOUND]), F4, BITS), undefined);
  });

  const sound = BigInt(`0x${SOUND.toString("hex")}`);
  const p = largePrime(BITS / 2);
  const cases: readonly (readonly [string, bigint, Uint8Array, RegExp])[] = [
    ["one bit short", sound >> 1n, F4, /3071 bits/],
    ["one bit long", sound << 1n, F4, /3073 bits/],
    ["even", sound - 1n, F4, /even/],
    ["exponent 3", sound, Uint8Array.of(3), /exponent 3/],
    ["exponent 65536", sound, Uint8Array.of(1, 0, 0), /exponent/],
    ["exponent 0", sound, Uint8Array.of(0), /exponent/],
    ["a factor of 751", 751n * withBits(BITS - 10), F4, /divisible by (\d+)/],
    ["a square", p * p, F4, /power/],
    ["a cube", largePrime(BITS / 3) ** 3n, F4, /power/],
    ["close factors", p * nextPrime(p), F4, /close together/],
  ];
  for (const [what, modulus, exponent, finding] of cases) {
    test(`H07: ${what} is refused`, () => {
      assert.match(judgeRsaModulus(bytes(modulus), exponent, BITS) ?? "sound", finding);
    });
  }

  test("H07: the fingerprint of the broken Infineon library is refused", () => {
    // Such primes are k·M + (65537^a mod M), M the product of the first primes.
    const first = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71];
    const rest = [
      73, 79, 83, 89, 97, 101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
    ];
    const product = [...first, ...rest].reduce((all, one) => all * BigInt(one), 1n);
    const factor = (power: bigint, floor: bigint): bigint => {
      let candidate = modPow(65_537n, power, product) + product;
      candidate += product * ((floor - candidate) / product + 1n);
      while (!probablyPrime(candidate)) candidate += product;
      return candidate;
    };
    const modulus =
      factor(1234n, 3n << BigInt(BITS / 2 - 2)) * factor(987_654n, 7n << BigInt(BITS / 2 - 3));
    assert.match(judgeRsaModulus(bytes(modulus), F4, BITS) ?? "sound", /ROCA/);
  });
});

// A multiple of 751 with exactly BITS bits, without smaller factors than that.
function withBits(bits: number): bigint {
  for (;;) {
    const candidate = prime(bits);
    if ((751n * candidate).toString(2).length === BITS) return candidate;
  }
}

function nextPrime(value: bigint): bigint {
  let candidate = value + 2n;
  while (!probablyPrime(candidate)) candidate += 2n;
  return candidate;
}

function probablyPrime(n: bigint): boolean {
  return [3n, 5n, 7n, 11n, 13n].every((one) => n % one !== 0n) && modPow(2n, n - 1n, n) === 1n;
}

function modPow(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let [result, square, left] = [1n, base % modulus, exponent];
  while (left > 0n) {
    if (left % 2n === 1n) result = (result * square) % modulus;
    square = (square * square) % modulus;
    left /= 2n;
  }
  return result;
}
