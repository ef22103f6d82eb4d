/** The one DER form of a SubjectPublicKeyInfo of each algorithm (RFC 3279, RFC 5480, RFC 8410). */

import type { KeyAlgorithm } from "../lib/algorithms.ts";
import { fromHex } from "../lib/encoding.ts";

/**
 * What every SPKI of an algorithm begins with, and its length. A CA key of ours has a modulus of the
 * full length and the exponent 65537, and an uncompressed point, so nothing varies but the key itself.
 */
const FORMS: Readonly<Record<KeyAlgorithm, readonly [prefix: string, length: number]>> = {
  "rsa-3072": ["308201a2300d06092a864886f70d01010105000382018f003082018a0282018100", 422],
  "rsa-4096": ["30820222300d06092a864886f70d01010105000382020f003082020a0282020100", 550],
  "p-256": ["3059301306072a8648ce3d020106082a8648ce3d03010703420004", 91],
  "p-384": ["3076301006072a8648ce3d020106052b8104002203620004", 120],
  "p-521": ["30819b301006072a8648ce3d020106052b810400230381860004", 158],
  ed25519: ["302a300506032b6570032100", 44],
};

const PREFIXES = new Map(
  Object.entries(FORMS).map(([name, [prefix]]) => [name, fromHex(prefix) ?? new Uint8Array()]),
);

/** Whether bytes have the form of a public key of this algorithm; not whether a point is on its curve. */
export function hasSpkiForm(spki: Uint8Array, algorithm: KeyAlgorithm): boolean {
  const prefix = PREFIXES.get(algorithm);
  if (prefix === undefined || spki.length !== FORMS[algorithm][1]) return false;
  return prefix.every((byte, at) => spki[at] === byte);
}
