/**
 * A reader of C2SP tlog-tiles and of signed notes, written from those specifications and sharing no code with
 * the program: what it accepts, others accept too.
 */

import { createHash, createPublicKey, verify } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const sha = (...parts: readonly Uint8Array[]): Buffer => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
};
const leafOf = (entry: Uint8Array): Buffer => sha(Buffer.of(0), entry);
const nodeOf = (left: Uint8Array, right: Uint8Array): Buffer => sha(Buffer.of(1), left, right);

/** RFC 6962 §2.1, by its definition. */
export function treeHead(leaves: readonly Uint8Array[]): Buffer {
  const [only] = leaves;
  if (only === undefined) return sha();
  if (leaves.length === 1) return Buffer.from(only);
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  return nodeOf(treeHead(leaves.slice(0, split)), treeHead(leaves.slice(split)));
}

/** `tile/<L>/<N>[.p/<W>]` with N in groups of three digits, all but the last behind an x. */
export function pathOf(level: number | "entries", index: number, width: number): string {
  const digits = String(index);
  const padded = digits.padStart(Math.ceil(digits.length / 3) * 3, "0");
  const groups = padded.match(/\d{3}/g) ?? [];
  const last = groups.pop() ?? "";
  const name = [...groups.map((group) => `x${group}`), last].join("/");
  return `tile/${level}/${name}${width < 256 ? `.p/${width}` : ""}`;
}

interface ReadLog {
  readonly origin: string;
  readonly size: number;
  readonly root: string;
  readonly entries: readonly string[];
}

/** Splits a note and returns its text and signatures. */
function noteParts(note: string): { text: string; lines: readonly string[] } {
  const at = note.lastIndexOf("\n\n");
  if (at < 0) throw new Error("no blank line");
  return {
    text: note.slice(0, at + 1),
    lines: note
      .slice(at + 2)
      .trimEnd()
      .split("\n"),
  };
}

/** Verifies a note with one Ed25519 verifier key, as signed-note v1.0.0 says; returns its text. */
export function openNote(note: string, vkey: string): string {
  const { text, lines } = noteParts(note);
  const plus = vkey.indexOf("+");
  const name = vkey.slice(0, plus);
  const material = Buffer.from(vkey.slice(plus + 10), "base64");
  const id = sha(Buffer.from(`${name}\n`), material).subarray(0, 4);
  if (vkey.slice(plus + 1, plus + 9) !== id.toString("hex")) throw new Error("wrong key id");
  const ours = lines.filter((line) => line.startsWith(`— ${name} `));
  const signature = ours
    .map((line) => Buffer.from(line.slice(`— ${name} `.length), "base64"))
    .find((bytes) => bytes.subarray(0, 4).equals(id));
  if (signature === undefined) throw new Error("not signed by that key");
  const prefix = Buffer.from("302a300506032b6570032100", "hex");
  const der = Buffer.concat([prefix, material.subarray(1)]);
  const key = createPublicKey({ key: der, format: "der", type: "spki" });
  if (!verify(null, Buffer.from(text), key, signature.subarray(4)))
    throw new Error("bad signature");
  return text;
}

/** Reads a whole log from its tiles and checks every level against the checkpoint. */
export function readLog(folder: string, vkey: string): ReadLog {
  const note = openNote(readFileSync(join(folder, "checkpoint"), "utf8"), vkey);
  const [origin = "", sizeText = "", rootText = ""] = note.split("\n");
  const size = Number(sizeText);
  const entries = tilesOf(folder, "entries", size).flatMap(unbundle);
  if (entries.length !== size) throw new Error(`${entries.length} entries, not ${size}`);
  let row: readonly Buffer[] = entries.map((entry) => leafOf(entry));
  const leaves = row;
  for (let level = 0; row.length > 0; level += 1) {
    const stored = Buffer.concat(tilesOf(folder, level, row.length));
    if (!stored.equals(Buffer.concat(row))) throw new Error(`level ${level} differs`);
    const full = row;
    row = Array.from({ length: Math.floor(full.length / 256) }, (_, i) =>
      treeHead(full.slice(i * 256, i * 256 + 256)),
    );
  }
  const root = treeHead(leaves).toString("base64");
  if (root !== rootText) throw new Error("the tiles do not lead to the root");
  return { origin, size, root, entries: entries.map((entry) => entry.toString("utf8")) };
}

function tilesOf(folder: string, level: number | "entries", count: number): Buffer[] {
  return Array.from({ length: Math.ceil(count / 256) }, (_, index) => {
    const path = join(folder, pathOf(level, index, Math.min(256, count - index * 256)));
    if (!existsSync(path)) throw new Error(`${path} is missing`);
    return readFileSync(path);
  });
}

function unbundle(bundle: Buffer): Buffer[] {
  const entries: Buffer[] = [];
  for (let at = 0; at < bundle.length;) {
    const length = bundle.readUInt16BE(at);
    if (at + 2 + length > bundle.length) throw new Error("a bundle ends in the middle");
    entries.push(bundle.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return entries;
}
