/**
 * SHA-256 and SHA-512 (FIPS 180-4) in plain JavaScript: for browsers that keep theirs from a page which was
 * opened from a disk, and for Ed25519 where that is missing. Public data only; nothing here is constant-time.
 */

import { concat } from "./bytes.ts";

const PRIMES: readonly number[] = firstPrimes(80);

/** The first `bits` bits behind the point of a root of a prime, exact: FIPS 180-4 §4.2.2, §5.3.3. */
function fractionBits(prime: number, root: 2n | 3n, bits: bigint): bigint {
  const scaled = BigInt(prime) << (root * bits);
  let low = 0n;
  let high = 1n << (bits + 5n);
  while (high - low > 1n) {
    const middle = (low + high) >> 1n;
    if (middle ** root <= scaled) low = middle;
    else high = middle;
  }
  return low & ((1n << bits) - 1n);
}

function firstPrimes(count: number): readonly number[] {
  const found: number[] = [];
  for (let n = 2; found.length < count; n += 1) if (found.every((p) => n % p !== 0)) found.push(n);
  return found;
}

const K256 = Int32Array.from(PRIMES.slice(0, 64), (p) => Number(fractionBits(p, 3n, 32n)) | 0);
const H256 = Int32Array.from(PRIMES.slice(0, 8), (p) => Number(fractionBits(p, 2n, 32n)) | 0);

function padded(message: Uint8Array, block: number): DataView {
  const tail = block / 8;
  const length = Math.ceil((message.length + 1 + tail) / block) * block;
  const bytes = concat(message, new Uint8Array(length - message.length));
  bytes[message.length] = 0x80;
  const view = new DataView(bytes.buffer);
  view.setBigUint64(length - 8, BigInt(message.length) * 8n);
  return view;
}

export function sha256(message: Uint8Array): Uint8Array {
  const view = padded(message, 64);
  const state = Int32Array.from(H256);
  const w = new Int32Array(64);
  for (let at = 0; at < view.byteLength; at += 64) {
    for (let i = 0; i < 16; i += 1) w[i] = view.getInt32(at + 4 * i);
    compress256(state, w);
  }
  const out = new DataView(new ArrayBuffer(32));
  state.forEach((word, i) => {
    out.setInt32(4 * i, word);
  });
  return new Uint8Array(out.buffer);
}

const at = (words: Int32Array, i: number): number => words[i] ?? 0;
const rotr = (x: number, n: number): number => (x >>> n) | (x << (32 - n));

function compress256(state: Int32Array, w: Int32Array): void {
  for (let i = 16; i < 64; i += 1) {
    const [x, y] = [at(w, i - 15), at(w, i - 2)];
    const s0 = rotr(x, 7) ^ rotr(x, 18) ^ (x >>> 3);
    const s1 = rotr(y, 17) ^ rotr(y, 19) ^ (y >>> 10);
    w[i] = (at(w, i - 16) + s0 + at(w, i - 7) + s1) | 0;
  }
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state;
  for (let i = 0; i < 64; i += 1) {
    const s1 = rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25);
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + at(K256, i) + at(w, i)) | 0;
    const s0 = rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22);
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + t1) | 0, c, b, a, (t1 + t2) | 0];
  }
  [a, b, c, d, e, f, g, h].forEach((word, i) => {
    state[i] = (at(state, i) + word) | 0;
  });
}

const MASK = (1n << 64n) - 1n;
const K512 = PRIMES.map((p) => fractionBits(p, 3n, 64n));
const H512 = PRIMES.slice(0, 8).map((p) => fractionBits(p, 2n, 64n));
const rotr64 = (x: bigint, n: bigint): bigint => ((x >> n) | (x << (64n - n))) & MASK;

/** Slow, and short: a signature needs one call. */
export function sha512(message: Uint8Array): Uint8Array {
  const view = padded(message, 128);
  let state: readonly bigint[] = H512;
  for (let offset = 0; offset < view.byteLength; offset += 128) {
    state = compress512(state, view, offset);
  }
  const out = new DataView(new ArrayBuffer(64));
  state.forEach((word, i) => {
    out.setBigUint64(8 * i, word);
  });
  return new Uint8Array(out.buffer);
}

function compress512(state: readonly bigint[], view: DataView, offset: number): readonly bigint[] {
  const w: bigint[] = [];
  for (let i = 0; i < 80; i += 1) {
    if (i < 16) {
      w.push(view.getBigUint64(offset + 8 * i));
      continue;
    }
    const [x = 0n, y = 0n] = [w[i - 15], w[i - 2]];
    const s0 = rotr64(x, 1n) ^ rotr64(x, 8n) ^ (x >> 7n);
    const s1 = rotr64(y, 19n) ^ rotr64(y, 61n) ^ (y >> 6n);
    w.push(((w[i - 16] ?? 0n) + s0 + (w[i - 7] ?? 0n) + s1) & MASK);
  }
  let [a = 0n, b = 0n, c = 0n, d = 0n, e = 0n, f = 0n, g = 0n, h = 0n] = state;
  for (const [i, word] of w.entries()) {
    const s1 = rotr64(e, 14n) ^ rotr64(e, 18n) ^ rotr64(e, 41n);
    const t1 = h + s1 + ((e & f) ^ (~e & MASK & g)) + (K512[i] ?? 0n) + word;
    const s0 = rotr64(a, 28n) ^ rotr64(a, 34n) ^ rotr64(a, 39n);
    const t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + t1) & MASK, c, b, a, (t1 + t2) & MASK];
  }
  return [a, b, c, d, e, f, g, h].map((word, i) => (word + (state[i] ?? 0n)) & MASK);
}
