/** Signed notes, verifier keys and cosignatures, read and verified in the page. Format: docs/formats/note.md. */

import { concat, fromBase64, hex, utf8 } from "./bytes.ts";
import type { PageCrypto } from "./crypto.ts";

export interface Line {
  readonly name: string;
  /** Key id, eight hex digits. */
  readonly id: string;
  readonly payload: Uint8Array;
}

export interface Note {
  readonly text: string;
  readonly lines: readonly Line[];
}

/** A key that signs notes (1) or checkpoints with a time (4). */
export interface Key {
  readonly name: string;
  readonly id: string;
  readonly type: 1 | 4;
  readonly bytes: Uint8Array;
}

/** A signature line, or undefined when it is malformed. */
export function readLine(line: string): Line | undefined {
  const [dash, name = "", encoded = "", ...more] = line.split(" ");
  const bytes = fromBase64(encoded);
  if (dash !== "\u2014" || name === "" || more.length > 0) return undefined;
  if (bytes === undefined || bytes.length < 5) return undefined;
  return { name, id: hex(bytes.subarray(0, 4)), payload: bytes.subarray(4) };
}

/** A note, or undefined when it is malformed. */
export function readNote(note: string): Note | undefined {
  const split = note.lastIndexOf("\n\n");
  if (split < 1 || !note.endsWith("\n")) return undefined;
  const lines = note
    .slice(split + 2, -1)
    .split("\n")
    .map(readLine);
  if (lines.some((line) => line === undefined)) return undefined;
  return { text: note.slice(0, split + 1), lines: lines.filter((line) => line !== undefined) };
}

/** A verifier key whose id follows from the rest, or undefined. */
export async function readKey(crypto: PageCrypto, vkey: string): Promise<Key | undefined> {
  const [, name = "", id = "", encoded = ""] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/su.exec(vkey) ?? [];
  const bytes = fromBase64(encoded);
  const type = bytes?.[0];
  if (bytes?.length !== 33 || (type !== 1 && type !== 4)) return undefined;
  const digest = await crypto.sha256(concat(utf8(`${name}\n`), bytes));
  if (hex(digest.subarray(0, 4)) !== id) return undefined;
  return { name, id, type, bytes: bytes.subarray(1) };
}

/** Whether a line is this key's good signature over a text. */
export async function isSigned(
  crypto: PageCrypto,
  text: string,
  line: Line,
  key: Key,
): Promise<boolean> {
  if (line.name !== key.name || line.id !== key.id) return false;
  if (key.type === 1) return crypto.verify(key.bytes, utf8(text), line.payload);
  if (line.payload.length !== 72) return false;
  const { buffer, byteOffset } = line.payload;
  const time = new DataView(buffer, byteOffset, 8).getBigUint64(0);
  const message = utf8(`cosignature/v1\ntime ${time}\n${text}`);
  return crypto.verify(key.bytes, message, line.payload.subarray(8));
}

/** What the three lines of a checkpoint say, or undefined. */
export function readCheckpoint(
  text: string,
): { readonly origin: string; readonly size: number; readonly root: Uint8Array } | undefined {
  const [, origin = "", size = "", root = ""] =
    /^([^\n]+)\n(0|[1-9][0-9]*)\n([^\n]+)\n$/.exec(text) ?? [];
  const bytes = fromBase64(root);
  if (origin === "" || bytes?.length !== 32) return undefined;
  return { origin, size: Number(size), root: bytes };
}
