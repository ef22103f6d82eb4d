/**
 * Ed25519 verification (RFC 8032 §5.1.7) in plain JavaScript, for browsers whose WebCrypto lacks it. Strict in the
 * same way as src/lib/ed25519.ts: S below the group order, canonical keys, none of small order. Public data only.
 */

import { concat, equalBytes, hex } from "./bytes.ts";
import { sha512 } from "./sha2.ts";

const P = 2n ** 255n - 19n;
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const D = mod(-121665n * power(121666n, P - 2n));
const ROOT_OF_MINUS_ONE = power(2n, (P - 1n) / 4n);

/** Extended coordinates: x = X/Z, y = Y/Z, T = XY/Z. */
interface Point {
  readonly x: bigint;
  readonly y: bigint;
  readonly z: bigint;
  readonly t: bigint;
}

const ZERO: Point = { x: 0n, y: 1n, z: 1n, t: 0n };
const BASE = pointOf(mod(4n * power(5n, P - 2n)), 0n) ?? ZERO;

function mod(value: bigint): bigint {
  const rest = value % P;
  return rest < 0n ? rest + P : rest;
}

function power(base: bigint, exponent: bigint): bigint {
  let [result, square] = [1n, mod(base)];
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) result = mod(result * square);
    square = mod(square * square);
  }
  return result;
}

/** The point with this y and the low bit of x (RFC 8032 §5.1.3), or undefined. */
function pointOf(y: bigint, sign: bigint): Point | undefined {
  const [u, v] = [mod(y * y - 1n), mod(D * y * y + 1n)];
  let x = mod(u * power(v, 3n) * power(u * power(v, 7n), (P - 5n) / 8n));
  const check = mod(v * x * x);
  if (check === mod(-u) && u !== 0n) x = mod(x * ROOT_OF_MINUS_ONE);
  else if (check !== u) return undefined;
  if (x === 0n && sign === 1n) return undefined;
  if ((x & 1n) !== sign) x = P - x;
  return { x, y, z: 1n, t: mod(x * y) };
}

function add(p: Point, q: Point): Point {
  const a = mod((p.y - p.x) * (q.y - q.x));
  const b = mod((p.y + p.x) * (q.y + q.x));
  const c = mod(2n * D * p.t * q.t);
  const d = mod(2n * p.z * q.z);
  const [e, f, g, h] = [b - a, d - c, d + c, b + a];
  return { x: mod(e * f), y: mod(g * h), z: mod(f * g), t: mod(e * h) };
}

function times(scalar: bigint, point: Point): Point {
  let [result, doubled] = [ZERO, point];
  for (let rest = scalar; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) result = add(result, doubled);
    doubled = add(doubled, doubled);
  }
  return result;
}

function encode(point: Point): Uint8Array {
  const inverse = power(point.z, P - 2n);
  const [x, y] = [mod(point.x * inverse), mod(point.y * inverse)];
  let rest = y | ((x & 1n) << 255n);
  return Uint8Array.from({ length: 32 }, () => {
    const byte = Number(rest & 0xffn);
    rest >>= 8n;
    return byte;
  });
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${hex(bytes.toReversed())}`);
}

/** Whether these bytes may be a signature and a public key at all; browsers differ in what they refuse here. */
export function isStrict(publicKey: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  if (littleEndian(signature.subarray(32)) >= L) return false;
  const key = decode(publicKey);
  return key !== undefined && !isZero(times(8n, key));
}

function isZero({ x, y, z }: Point): boolean {
  return x === 0n && y === z;
}

function decode(bytes: Uint8Array): Point | undefined {
  const number = littleEndian(bytes);
  const y = number & ((1n << 255n) - 1n);
  return y < P ? pointOf(y, number >> 255n) : undefined;
}

/** Whether `signature` is one over `message` by `publicKey`; false, never an error, for whatever is malformed. */
export function verifyEd25519(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  const key = isStrict(publicKey, signature) ? decode(publicKey) : undefined;
  if (key === undefined) return false;
  const r = signature.subarray(0, 32);
  const k = littleEndian(sha512(concat(r, publicKey, message))) % L;
  const negative = { ...key, x: mod(-key.x), t: mod(-key.t) };
  // Comparing encodings, as OpenSSL does: a signature has one R.
  const expected = add(times(littleEndian(signature.subarray(32)), BASE), times(k, negative));
  return equalBytes(encode(expected), r);
}
