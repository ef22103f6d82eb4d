/**
 * DER by a second, unrelated parser: node-forge's generic ASN.1 and its table of object identifiers,
 * and nothing else of it (its *verification* code has let forgeries pass). The only file that knows it.
 * Everything here throws a plain Error when the bytes are not what is asked for.
 */

import forge from "node-forge";
import { hex } from "../lib/encoding.ts";

export type Node = forge.asn1.Asn1;
const { UNIVERSAL, CONTEXT_SPECIFIC } = forge.asn1.Class;
export const TYPE = forge.asn1.Type;

/** Parses strictly: forge takes some BER, so what it read must encode to the same bytes. */
export function parse(der: Uint8Array): Node {
  const text = binary(der);
  const node = forge.asn1.fromDer(text, true);
  if (forge.asn1.toDer(node).getBytes() !== text) throw new Error("the bytes are not DER");
  return node;
}

export function encode(node: Node): Uint8Array {
  return fromBinary(forge.asn1.toDer(node).getBytes());
}

/** The node itself, unless it was left out. */
export function need(node: Node | undefined): Node {
  if (node === undefined) throw new Error("a member is missing");
  return node;
}

export function isType(node: Node, type: forge.asn1.Type): boolean {
  return node.tagClass === UNIVERSAL && node.type === type;
}

/** Members of a SEQUENCE (or SET), in a number within bounds. */
export function members(node: Node, least: number, most: number, type = TYPE.SEQUENCE): Node[] {
  expectType(node, type);
  const found = children(node);
  if (found.length < least || found.length > most) {
    throw new Error(`found ${found.length} members, expected ${least} to ${most}`);
  }
  return found;
}

/** The one node under the context tag `[tag]`. */
export function tagged(node: Node, tag: number): Node {
  const [inner, ...more] = hasTag(node, tag) ? children(node) : [];
  if (more.length > 0) throw new Error(`[${tag}] holds more than one value`);
  return need(inner);
}

/** The nodes under an implicit context tag `[tag]` that stands for a SEQUENCE or SET, possibly none. */
export function taggedSet(node: Node, tag: number): Node[] {
  if (!hasTag(node, tag)) throw new Error(`[${tag}] is missing`);
  return children(node);
}

/** The same where at least one is asked for. */
export function taggedMembers(node: Node, tag: number): Node[] {
  const found = taggedSet(node, tag);
  if (found.length === 0) throw new Error(`[${tag}] is empty`);
  return found;
}

/** Content of a primitive under an implicit context tag `[tag]`. */
export function taggedContent(node: Node, tag: number): Uint8Array {
  if (!hasTag(node, tag)) throw new Error(`[${tag}] is missing`);
  return content(node);
}

export function hasTag(node: Node, tag: number): boolean {
  // forge types a context tag as a universal one; here it is a number.
  const number: number = node.type;
  return node.tagClass === CONTEXT_SPECIFIC && number === tag;
}

/** Content bytes of an INTEGER. */
export function integer(node: Node): Uint8Array {
  expectType(node, TYPE.INTEGER);
  return content(node);
}

/** True: DER writes a BOOLEAN only when it differs from its default, and every default here is FALSE. */
export function isTrue(node: Node): true {
  expectType(node, TYPE.BOOLEAN);
  if (hex(content(node)) !== "ff") throw new Error("a BOOLEAN that is not TRUE was written");
  return true;
}

export function octets(node: Node): Uint8Array {
  expectType(node, TYPE.OCTETSTRING);
  return content(node);
}

/** A BIT STRING raw: forge also parses what is inside whenever it can. */
export function bitString(node: Node): { readonly unused: number; readonly bytes: Uint8Array } {
  expectType(node, TYPE.BITSTRING);
  const raw = "bitStringContents" in node ? node.bitStringContents : undefined;
  if (typeof raw !== "string") throw new Error("a BIT STRING has no contents");
  const bytes = fromBinary(raw);
  return { unused: bytes[0] ?? 8, bytes: bytes.subarray(1) };
}

/** Bytes of a BIT STRING without unused bits. */
export function wholeBytes(node: Node): Uint8Array {
  const { unused, bytes } = bitString(node);
  if (unused !== 0) throw new Error("a BIT STRING has unused bits");
  return bytes;
}

/** An object identifier in dotted numbers. */
export function dotted(node: Node): string {
  expectType(node, TYPE.OID);
  return forge.asn1.derToOid(binary(content(node)));
}

/** forge's own name of an object identifier; dotted numbers when it has none. */
export function nameOfOid(node: Node): string {
  const numbers = dotted(node);
  return forge.pki.oids[numbers] ?? numbers;
}

/** Text of a primitive that must be printable ASCII. */
export function ascii(node: Node): string {
  const text = binary(content(node));
  if (!/^[\x20-\x7e]*$/.test(text)) throw new Error("a string holds more than printable ASCII");
  return text;
}

export function content(node: Node): Uint8Array {
  if (node.constructed || typeof node.value !== "string") {
    throw new Error("a primitive was expected");
  }
  return fromBinary(node.value);
}

function children(node: Node): Node[] {
  if (!node.constructed || typeof node.value === "string") {
    throw new Error("a constructed value was expected");
  }
  return node.value;
}

function expectType(node: Node, type: forge.asn1.Type): void {
  if (!isType(node, type)) throw new Error(`found type ${node.type}, expected ${type}`);
}

function binary(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1");
}

function fromBinary(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "latin1"));
}
