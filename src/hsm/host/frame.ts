/**
 * What crosses between Keyrite and a module's process: a JSON head, and bytes behind it that are never text.
 * Secrets are among those bytes, and every buffer they lay in is wiped.
 */

import { concat, fromUtf8, utf8 } from "../../lib/encoding.ts";
import { ownBytes, ownCopy, Secret } from "../../lib/secret.ts";

/** Length of the frame behind the first eight bytes, then that of its head, as 32-bit numbers. */
export const PREFIX_BYTES = 8;
/** A listing of 100,000 objects with all their attributes fits. */
const LONGEST = 512 << 20;

/** Stands in the head for bytes: where they begin behind it, how many, and whether they are secret. */
interface Mark {
  readonly "bytes at": readonly [start: number, length: number, secret: boolean];
}

export interface Encoded {
  readonly bytes: Uint8Array;
  /** True when `bytes` are to be wiped after they were sent. */
  readonly secret: boolean;
}

/**
 * One frame. Bytes and secrets may stand anywhere in `message`; everything else is JSON. The secrets stay
 * the caller's to wipe.
 */
export function encodeFrame(message: unknown): Encoded {
  const parts: Uint8Array[] = [];
  let at = 0;
  let secret = false;
  const mark = (bytes: Uint8Array, isSecret: boolean): Mark => {
    const start = at;
    parts.push(bytes);
    at += bytes.length;
    secret ||= isSecret;
    return { "bytes at": [start, bytes.length, isSecret] };
  };
  // A Buffer has become JSON before a replacer sees it, so what it was is asked of its owner.
  const text = JSON.stringify(message, function (this: unknown, key: string, given: unknown) {
    const value: unknown =
      typeof this === "object" && this !== null ? Reflect.get(this, key) : given;
    if (value instanceof Uint8Array) return mark(value, false);
    if (value instanceof Secret) return value.use((bytes) => mark(bytes, true));
    return given;
  });
  const head = utf8(text);
  const prefix = new Uint8Array(PREFIX_BYTES);
  const view = new DataView(prefix.buffer);
  view.setUint32(0, head.length + at);
  view.setUint32(4, head.length);
  return { bytes: concat(prefix, head, ...parts), secret };
}

/** What the first eight bytes say. @throws Error when no frame begins like this */
export function readPrefix(prefix: Uint8Array): { readonly length: number; readonly head: number } {
  const view = new DataView(prefix.buffer, prefix.byteOffset, PREFIX_BYTES);
  const [length, head] = [view.getUint32(0), view.getUint32(4)];
  if (length > LONGEST || head > length) throw new Error("a frame has an impossible length");
  return { length, head };
}

/**
 * The message of a frame. Bytes are copies when one among them is secret, and `body` is wiped then.
 * @throws Error when it is no frame
 */
export function decodeFrame(body: Uint8Array, headLength: number): unknown {
  const text = fromUtf8(body.subarray(0, headLength));
  const rest = body.subarray(headLength);
  if (rest.length === 0) return JSON.parse(text);
  const secret = text.includes(",true]}");
  try {
    return JSON.parse(text, (_key, value: unknown) => {
      const found = markIn(value);
      if (found === undefined) return value;
      const [start, length, isSecret] = found;
      const bytes = rest.subarray(start, start + length);
      if (bytes.length !== length) throw new Error("a frame is shorter than it says");
      if (isSecret) return Secret.take(ownCopy(bytes));
      return secret ? ownCopy(bytes) : bytes;
    });
  } finally {
    if (secret) body.fill(0);
  }
}

function markIn(value: unknown): Mark["bytes at"] | undefined {
  if (!isRecord(value)) return undefined;
  const found: unknown = value["bytes at"];
  if (!Array.isArray(found) || found.length !== 3) return undefined;
  const [start, length, secret] = found as readonly unknown[];
  if (!isCount(start) || !isCount(length) || typeof secret !== "boolean") return undefined;
  return [start, length, secret];
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Room for a frame's body outside the JavaScript heap. */
export function roomFor(length: number): Uint8Array {
  return ownBytes(length);
}
