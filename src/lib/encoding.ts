/** Bytes and text: strict in what it reads, one form in what it writes. */

import { createHash, hash, timingSafeEqual } from "node:crypto";
import { canonicalJson, type Json } from "./json.ts";
import { ownBytes } from "./secret.ts";

export { visible } from "./visible.ts";

const encoder = new TextEncoder();
const strictDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Text of UTF-8 bytes. @throws TypeError when they are not UTF-8. */
export function fromUtf8(bytes: Uint8Array): string {
  return strictDecoder.decode(bytes);
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex");
}

/** Bytes of lower-case hex, or undefined for any other text. */
export function fromHex(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/.test(text)) return undefined;
  return new Uint8Array(Buffer.from(text, "hex"));
}

export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
}

/** Bytes of standard padded base64 in its one canonical form, or undefined for any other text. */
export function fromBase64(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64") === text ? new Uint8Array(bytes) : undefined;
}

export function sha256(...parts: readonly (Uint8Array | string)[]): Uint8Array {
  const [only] = parts;
  // Making a hash object costs more than hashing what is usually hashed here.
  if (only !== undefined && parts.length === 1)
    return new Uint8Array(hash("sha256", only, "buffer"));
  const joint = createHash("sha256");
  for (const part of parts) joint.update(part);
  return new Uint8Array(joint.digest());
}

/** SHA-256 as 64 lower-case hex characters: how every digest stands in records and notes. */
export function sha256Hex(...parts: readonly (Uint8Array | string)[]): string {
  return hex(sha256(...parts));
}

/** SHA-256 of the canonical JSON of a value. */
export function digestOf(value: Json): string {
  return sha256Hex(canonicalJson(value));
}

/** The parts in one array, which lies outside the JavaScript heap: it may hold a secret. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const out = ownBytes(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Equality in time that depends on the lengths only. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Hex in groups of four, to be read aloud and compared: `03ab 9f00 …`. */
export function groupedHex(digest: string): string {
  return digest.match(/.{1,4}/g)?.join(" ") ?? "";
}
