/**
 * C2SP signed notes (signed-note v1.0.0) and timestamped Ed25519 cosignatures (tlog-cosignature
 * v1.0.1): the one form in which people and the ledger sign text.
 */

import { verifySignature, whyKeyRefused, type SigningKey } from "./ed25519.ts";
import { base64, concat, fromBase64, sha256, utf8 } from "./encoding.ts";
import { KeyriteError } from "./errors.ts";

/** `ed25519` signs the note text (type byte 01), `cosignature` a time and the text (04). */
export type KeyType = "ed25519" | "cosignature";

const TYPE_BYTE: Readonly<Record<KeyType, number>> = { ed25519: 0x01, cosignature: 0x04 };

export interface VerifierKey {
  readonly name: string;
  readonly type: KeyType;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** The first four bytes of SHA-256(name ‖ LF ‖ type ‖ key), big-endian. */
  readonly keyId: number;
}

export interface SignatureLine {
  readonly name: string;
  readonly keyId: number;
  /** What follows the key id: a signature, or an eight-byte time and a signature. */
  readonly payload: Uint8Array;
  /** The exact line, without its newline. */
  readonly line: string;
}

export interface Note {
  /** What is signed: every line with its newline, without the blank line. */
  readonly text: string;
  readonly signatures: readonly SignatureLine[];
}

// The specification asks for at least 16; the bound keeps a hostile note from buying hours of work.
const MAX_SIGNATURES = 100;
const MAX_NOTE_LENGTH = 1_000_000;
const DASH = "\u2014 ";

/** Whether a text can name a key: not empty, no Unicode space, no plus, no control character. */
export function isKeyName(text: string): boolean {
  // Nearly every name; the Unicode tables behind the other pattern take a millisecond to make.
  if (/^[!-*,-~]+$/.test(text)) return true;
  return text.isWellFormed() && /^[^\p{White_Space}\p{Cc}\uFEFF\uFFFD+]+$/u.test(text);
}

/**
 * A verifier key from its parts, its id computed.
 * @throws KeyriteError ledger.damaged for a name or a public key that the format refuses.
 */
export function verifierKey(name: string, type: KeyType, publicKey: Uint8Array): VerifierKey {
  if (!isKeyName(name)) throw damaged(`"${name}" cannot name a key`);
  const refused = whyKeyRefused(publicKey);
  if (refused !== undefined) throw damaged(`key ${name}: ${refused}`);
  return { name, type, publicKey: new Uint8Array(publicKey), keyId: keyId(name, type, publicKey) };
}

/**
 * A verifier key from `name+hex8+base64`. Only the first two plus signs separate: base64 has its own.
 * @throws KeyriteError ledger.damaged when it is malformed or its id does not follow from the rest.
 */
export function parseVerifierKey(vkey: string): VerifierKey {
  const parts = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/su.exec(vkey);
  const [, name = "", id = "", encoded = ""] = parts ?? [];
  const bytes = parts === null ? undefined : fromBase64(encoded);
  if (bytes === undefined) throw damaged("a verifier key is not of the form name+id+key");
  const type = keyTypes.find((candidate) => TYPE_BYTE[candidate] === bytes[0]);
  if (type === undefined) throw damaged(`verifier key ${name} is of an unknown type`);
  const key = verifierKey(name, type, bytes.subarray(1));
  if (hexId(key.keyId) !== id) throw damaged(`verifier key ${name} does not have the id ${id}`);
  return key;
}

const keyTypes: readonly KeyType[] = ["ed25519", "cosignature"];

/** The text form of a verifier key: `name+hex8+base64`. */
export function formatVerifierKey(key: VerifierKey): string {
  const material = concat(Uint8Array.of(TYPE_BYTE[key.type]), key.publicKey);
  return `${key.name}+${hexId(key.keyId)}+${base64(material)}`;
}

/**
 * A note's text and signature lines; nothing is verified yet. The last blank line separates them.
 * @throws KeyriteError ledger.damaged when the note is malformed.
 */
export function parseNote(note: string): Note {
  if (note.length > MAX_NOTE_LENGTH) throw damaged("the note is longer than 1,000,000 characters");
  checkText(note);
  const split = note.lastIndexOf("\n\n");
  if (split < 1) throw damaged("the note has no blank line before its signatures");
  const block = note.slice(split + 2);
  if (!block.endsWith("\n")) throw damaged("the note does not end with a signature line");
  const lines = block.slice(0, -1).split("\n");
  if (lines.length > MAX_SIGNATURES) {
    throw damaged(`the note has more than ${MAX_SIGNATURES} signatures`);
  }
  return { text: note.slice(0, split + 1), signatures: lines.map(parseSignatureLine) };
}

/**
 * One signature line, without its newline.
 * @throws KeyriteError ledger.damaged when it is malformed.
 */
export function parseSignatureLine(line: string): SignatureLine {
  const [name = "", encoded = "", ...rest] = line.slice(DASH.length).split(" ");
  const bytes = fromBase64(encoded);
  const fits = line.startsWith(DASH) && rest.length === 0 && isKeyName(name);
  if (!fits || bytes === undefined || bytes.length < 5) {
    throw damaged("a signature line is malformed");
  }
  return { name, keyId: readId(bytes), payload: bytes.subarray(4), line };
}

/**
 * A whole note from its text and its signature lines.
 * @throws TypeError when the text does not end with a newline; as `parseNote` for what it refuses.
 */
export function formatNote(text: string, lines: readonly string[]): string {
  const note = `${text}\n${lines.join("\n")}\n`;
  const back = parseNote(note);
  if (back.text !== text) throw new TypeError("the text of a note ends with a newline");
  return note;
}

/** The signature line of an `ed25519` key over a note text, without its newline. */
export function signatureLine(text: string, name: string, key: SigningKey): string {
  checkSignable(text, name);
  const id = keyId(name, "ed25519", key.publicKey);
  return formatLine(name, id, key.sign(utf8(text)));
}

/**
 * The cosignature line of a person or witness over a checkpoint's text (the note without signature
 * lines), made at `unixSeconds`.
 * @throws TypeError when the text has fewer than three lines or a blank one: it is no checkpoint.
 */
export function cosignatureLine(
  checkpointText: string,
  name: string,
  unixSeconds: number,
  key: SigningKey,
): string {
  checkSignable(checkpointText, name);
  if (!/^(?:[^\n]+\n){3,}$/.test(checkpointText)) throw new TypeError("that is no checkpoint text");
  if (!Number.isSafeInteger(unixSeconds) || unixSeconds < 0) {
    throw new TypeError(`${unixSeconds} is no time in whole seconds`);
  }
  const time = new Uint8Array(8);
  new DataView(time.buffer).setBigUint64(0, BigInt(unixSeconds));
  const id = keyId(name, "cosignature", key.publicKey);
  const signature = key.sign(cosignedMessage(checkpointText, BigInt(unixSeconds)));
  return formatLine(name, id, concat(time, signature));
}

/** Whether a line is a signature over `text` by `key`. False when it names another key. */
export function checkSignature(text: string, line: SignatureLine, key: VerifierKey): boolean {
  if (line.name !== key.name || line.keyId !== key.keyId) return false;
  switch (key.type) {
    case "ed25519":
      return verifySignature(key.publicKey, utf8(text), line.payload);
    case "cosignature": {
      if (line.payload.length !== 72) return false;
      const time = readTime(line.payload);
      // The specification's bound on times, 2^63 - 1.
      if (time >= 2n ** 63n) return false;
      const message = cosignedMessage(text, time);
      return verifySignature(key.publicKey, message, line.payload.subarray(8));
    }
  }
}

/**
 * The time of a cosignature line, in seconds since 1970; it means nothing before `checkSignature`.
 * @throws KeyriteError ledger.damaged when the line is no cosignature or its time is beyond 2^53.
 */
export function cosignatureTime(line: SignatureLine): number {
  const time = line.payload.length === 72 ? Number(readTime(line.payload)) : NaN;
  if (!Number.isSafeInteger(time)) throw damaged(`the line of ${line.name} is no cosignature`);
  return time;
}

/**
 * The keys, each once, that signed the note. Lines of unknown keys are ignored, as the format demands.
 * @throws KeyriteError ledger.damaged when a line names a known key and its signature is wrong.
 */
export function verifyNote(note: Note, keys: readonly VerifierKey[]): readonly VerifierKey[] {
  const signers = new Set<VerifierKey>();
  for (const line of note.signatures) {
    const key = keys.find(({ name, keyId }) => name === line.name && keyId === line.keyId);
    if (key === undefined) continue;
    if (!checkSignature(note.text, line, key))
      throw damaged(`the signature of ${key.name} is wrong`);
    signers.add(key);
  }
  return [...signers];
}

function keyId(name: string, type: KeyType, publicKey: Uint8Array): number {
  return readId(sha256(`${name}\n`, Uint8Array.of(TYPE_BYTE[type]), publicKey));
}

function readId(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(0);
}

function readTime(payload: Uint8Array): bigint {
  return new DataView(payload.buffer, payload.byteOffset, payload.length).getBigUint64(0);
}

function hexId(id: number): string {
  return id.toString(16).padStart(8, "0");
}

function formatLine(name: string, id: number, payload: Uint8Array): string {
  const head = new Uint8Array(4);
  new DataView(head.buffer).setUint32(0, id);
  return `${DASH}${name} ${base64(concat(head, payload))}`;
}

function cosignedMessage(checkpointText: string, unixSeconds: bigint): Uint8Array {
  return utf8(`cosignature/v1\ntime ${unixSeconds}\n${checkpointText}`);
}

function checkSignable(text: string, name: string): void {
  checkText(text);
  if (!text.endsWith("\n")) throw new TypeError("the text of a note ends with a newline");
  if (!isKeyName(name)) throw new TypeError(`"${name}" cannot name a key`);
}

function checkText(text: string): void {
  // Bytes that are not UTF-8 arrive here as U+FFFD: a signed text holds none, so none is ambiguous.
  if (!text.isWellFormed() || text.includes("\uFFFD")) throw damaged("the note is not valid UTF-8");
  const control = /[\0-\x09\x0b-\x1f]/.exec(text);
  if (control !== null) throw damaged(`the note holds a control character at ${control.index}`);
}

function damaged(message: string): KeyriteError {
  return new KeyriteError("ledger.damaged", message);
}
