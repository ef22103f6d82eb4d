/** What somebody without Keyrite writes to open a share set: Shamir over GF(256), and Bech32 (BIP 173). */

/** Product in GF(256) with the polynomial x^8 + x^4 + x^3 + x + 1. */
function times(a: number, b: number): number {
  let product = 0;
  for (let bit = 0; bit < 8; bit++) {
    if ((b >> bit) & 1) product ^= a;
    a = (a << 1) ^ (a & 0x80 ? 0x11b : 0);
  }
  return product;
}

function inverse(a: number): number {
  let power = 1;
  for (let i = 0; i < 254; i++) power = times(power, a);
  return power;
}

/** Lagrange interpolation at zero; the last byte of each share is its place. */
export function combineByHand(shares: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, at) =>
    shares.reduce((sum, share) => {
      const x = share[32] ?? 0;
      const others = shares.map((other) => other[32] ?? 0).filter((other) => other !== x);
      const basis = others.reduce((p, other) => times(p, times(other, inverse(other ^ x))), 1);
      return sum ^ times(share[at] ?? 0, basis);
    }, 0),
  );
}

const LETTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/** An age identity file's line for the 32 bytes of an X25519 key. */
export function ageSecretKey(key: Uint8Array): string {
  const prefix = "age-secret-key-";
  const bits = Array.from(key, (byte) => byte.toString(2).padStart(8, "0")).join("");
  const data = (bits + "0000").match(/.{5}/g)?.map((five) => parseInt(five, 2)) ?? [];
  const codes = Array.from(prefix, (letter) => letter.charCodeAt(0));
  const spread = [...codes.map((code) => code >> 5), 0, ...codes.map((code) => code & 31)];
  const check = polymod([...spread, ...data, 0, 0, 0, 0, 0, 0]) ^ 1;
  const checksum = [5, 4, 3, 2, 1, 0].map((at) => (check >> (5 * at)) & 31);
  const text = [...data, ...checksum].map((value) => LETTERS[value] ?? "").join("");
  return `${prefix}1${text}`.toUpperCase();
}

function polymod(values: readonly number[]): number {
  const generators = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];
  return values.reduce((sum, value) => {
    const mixed = ((sum & 0x1ffffff) << 5) ^ value;
    return generators.reduce((all, one, i) => ((sum >> (25 + i)) & 1 ? all ^ one : all), mixed);
  }, 1);
}
