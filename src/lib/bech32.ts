/**
 * Bech32 (BIP 173) between bytes and ASCII bytes, as age writes its keys. It never makes a string,
 * so that a secret key can be written and read without one.
 */

import { ownBytes, ownCopy } from "./secret.ts";

const ALPHABET = new TextEncoder().encode("qpzry9x8gf2tvdw0s3jn54khce6mua7l");
const GENERATOR = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3] as const;
const CHECKSUM_LENGTH = 6;
const SEPARATOR = 0x31; // "1"

/** Lower-case Bech32 of `data` under a lower-case `prefix`, as ASCII bytes. */
export function encodeBech32(prefix: string, data: Uint8Array): Uint8Array {
  const words = toWords(data);
  const checksum = polymod(polymod(prefixState(prefix), words), new Uint8Array(6)) ^ 1;
  const out = ownBytes(prefix.length + 1 + words.length + CHECKSUM_LENGTH);
  const put = (word: number, i: number): void => {
    out[prefix.length + 1 + i] = ALPHABET[word] ?? 0;
  };
  for (let i = 0; i < prefix.length; i++) out[i] = prefix.charCodeAt(i);
  out[prefix.length] = SEPARATOR;
  words.forEach(put);
  for (let i = 0; i < CHECKSUM_LENGTH; i++) put((checksum >>> (25 - 5 * i)) & 31, words.length + i);
  words.fill(0);
  return out;
}

/**
 * The data of lower-case Bech32 bytes under exactly this prefix, or undefined when the prefix, a
 * character, the checksum or the padding is wrong.
 */
export function decodeBech32(prefix: string, text: Uint8Array): Uint8Array | undefined {
  const start = prefix.length + 1;
  if (text.length < start + CHECKSUM_LENGTH || text[prefix.length] !== SEPARATOR) return undefined;
  for (let i = 0; i < prefix.length; i++) if (text[i] !== prefix.charCodeAt(i)) return undefined;
  const words = ownCopy(text.subarray(start));
  let known = true;
  for (const [i, letter] of words.entries()) {
    const word = ALPHABET.indexOf(letter);
    known &&= word !== -1;
    words[i] = word;
  }
  const valid = known && polymod(prefixState(prefix), words) === 1;
  const data = valid ? fromWords(words.subarray(0, -CHECKSUM_LENGTH)) : undefined;
  words.fill(0);
  return data;
}

/** Upper case of ASCII letters, in place: age writes secret keys in capitals. */
export function toUpperCase(text: Uint8Array): Uint8Array {
  text.forEach((byte, i) => {
    if (byte >= 0x61 && byte <= 0x7a) text[i] = byte - 0x20;
  });
  return text;
}

/** A copy with ASCII capitals in lower case, or undefined when lower-case letters stand among them. */
export function fromUpperCase(text: Uint8Array): Uint8Array | undefined {
  if (text.some((byte) => byte >= 0x61 && byte <= 0x7a)) return undefined;
  const lower = ownCopy(text);
  text.forEach((byte, i) => {
    if (byte >= 0x41 && byte <= 0x5a) lower[i] = byte + 0x20;
  });
  return lower;
}

// All on byte arrays that can be wiped: a key's words are the key.

function polymod(state: number, words: Uint8Array): number {
  for (const word of words) {
    const top = state >>> 25;
    state = ((state & 0x1ffffff) << 5) ^ word;
    GENERATOR.forEach((value, i) => {
      if (((top >>> i) & 1) === 1) state ^= value;
    });
  }
  return state;
}

function prefixState(prefix: string): number {
  const codes = Array.from(prefix, (char) => char.charCodeAt(0));
  const high = codes.map((code) => code >>> 5);
  const low = codes.map((code) => code & 31);
  return polymod(1, Uint8Array.from([...high, 0, ...low]));
}

function toWords(data: Uint8Array): Uint8Array {
  const words = ownBytes(Math.ceil((data.length * 8) / 5));
  let bits = 0;
  let held = 0;
  let at = 0;
  for (const byte of data) {
    held = ((held << 8) | byte) & 0xfff;
    for (bits += 8; bits >= 5; bits -= 5) words[at++] = (held >>> (bits - 5)) & 31;
  }
  if (bits > 0) words[at] = (held << (5 - bits)) & 31;
  return words;
}

function fromWords(words: Uint8Array): Uint8Array | undefined {
  const data = ownBytes(Math.floor((words.length * 5) / 8));
  let bits = 0;
  let held = 0;
  let at = 0;
  for (const word of words) {
    held = ((held << 5) | word) & 0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    data[at++] = (held >>> bits) & 0xff;
  }
  // BIP 173: at most four padding bits, all zero; otherwise one key would have several texts.
  if (bits < 5 && (held & ((1 << bits) - 1)) === 0) return data;
  data.fill(0);
  return undefined;
}
