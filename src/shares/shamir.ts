/**
 * Shamir's secret sharing over GF(256), through shamir-secret-sharing. A share is the secret's length
 * of y bytes and one x byte. The library checks neither sets nor integrity: commitments do (share-set.ts).
 */

import { combine, split } from "shamir-secret-sharing";
import { moveToOwn, ownCopy, Secret } from "../lib/secret.ts";

/**
 * Splits a borrowed secret into `n` shares of which `k` suffice (2 ≤ k ≤ n ≤ 255), and proves the
 * split before the caller can wipe the source.
 * @throws Error when the shares do not all lead back to the secret
 */
export async function splitSecret(secret: Secret, n: number, k: number): Promise<Secret[]> {
  const source = secret.use(ownCopy);
  const secrets: Secret[] = [];
  try {
    const shares = (await split(source, n, k)).map(moveToOwn);
    secrets.push(...shares.map((share) => Secret.take(share)));
    await proveSplit(source, shares, k);
    return secrets;
  } catch (error) {
    for (const share of secrets) share.wipe();
    throw error;
  } finally {
    source.fill(0);
  }
}

/**
 * The secret that these borrowed shares lead to: a wrong one, without an error, when they are too
 * few, altered or of different splits.
 * @throws Error for fewer than two shares, unequal lengths, or x bytes that are zero or repeated
 */
export async function combineShares(shares: readonly Secret[]): Promise<Secret> {
  // The library refuses a Buffer: exact Uint8Array copies, wiped below.
  const copies = shares.map((share) => share.use(ownCopy));
  try {
    checkPlaces(copies);
    return Secret.take(moveToOwn(await combine(copies)));
  } finally {
    for (const copy of copies) copy.fill(0);
  }
}

/**
 * Recombines n-k+1 groups: the same k-1 shares with each of the others. The secret and those k-1
 * shares fix the polynomial, so each other share that leads back to the secret lies on it; then
 * every group of k does.
 * @throws Error when one does not, or two shares stand at one place
 */
export async function proveSplit(
  source: Uint8Array,
  shares: Uint8Array[],
  k: number,
): Promise<void> {
  checkPlaces(shares);
  const fixed = shares.slice(0, k - 1);
  for (const other of shares.slice(k - 1)) {
    const back = await combine([...fixed, other]);
    const same = back.length === source.length && back.every((byte, i) => byte === source[i]);
    back.fill(0);
    if (!same) throw new Error("the split of a secret does not lead back to it");
  }
}

/** At x = 0 the polynomial is the secret itself, and a place taken twice says nothing new. */
function checkPlaces(shares: readonly Uint8Array[]): void {
  const places = shares.map((share) => share.at(-1) ?? 0);
  if (places.includes(0)) throw new Error("a share stands at place zero");
  if (new Set(places).size !== places.length) throw new Error("two shares stand at one place");
}
