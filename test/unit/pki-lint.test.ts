import assert from "node:assert/strict";
import { test } from "node:test";
import { hasClosePrimes, hasRocaFingerprint, smallFactor } from "../../src/lib/weak-rsa.ts";
import { signer } from "../support/broken-certificate.ts";
import { closePrimes, modulusOf, rocaModulus, SMALL_FACTOR } from "../support/weak-keys.ts";

test("H07: the modulus checks let honest keys and near misses pass", () => {
  for (const bits of [3072, 4096]) {
    const modulus = modulusOf(signer("rsa", bits).spki);
    assert.equal(smallFactor(modulus), undefined);
    assert.equal(hasClosePrimes(modulus), false);
    assert.equal(hasRocaFingerprint(modulus), false);
  }
  assert.equal(smallFactor(757n * 761n), undefined);
  assert.equal(smallFactor(751n * 761n), 751);
  assert.equal(smallFactor(SMALL_FACTOR), 751);
  assert.equal(hasClosePrimes(closePrimes), true);
  assert.equal(hasClosePrimes(10007n * 10007n), true);
  assert.equal(hasClosePrimes(10007n * 10009n), true);
  assert.equal(hasClosePrimes(10007n * 1000003n), false);
  // One residue outside the group of 65537 modulo 11, {1, 10}, is enough.
  assert.equal(hasRocaFingerprint(rocaModulus()), true);
  assert.equal(hasRocaFingerprint(rocaModulus() + 1n), false);
});
