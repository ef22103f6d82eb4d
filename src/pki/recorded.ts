/**
 * What a record says of a certificate, a request or a list, read from its DER by tags alone: cheap enough for
 * every verification of a ledger, and without the decoders that the document was made and checked with.
 */

import { fromUtf8, hex, sha256Hex } from "../lib/encoding.ts";
import { type Item, need, readMany, readOid, readOne, readSequence, TAG } from "./der.ts";
import { readTimeItem } from "./der-time.ts";
import {
  ATTRIBUTE_OIDS,
  ATTRIBUTE_TYPES,
  type DistinguishedName,
  formatDn,
  type NameAttribute,
} from "./names.ts";
import { REASON_CODES } from "./crl-names.ts";
import { bytesOf, contentOf, type Element, elementsIn, onlyElement } from "./tlv.ts";

/** The three parts of everything that is signed. */
export interface SignedParts {
  readonly tbs: Uint8Array;
  /** DER of the algorithm named outside the signed part. */
  readonly algorithm: Uint8Array;
  readonly signature: Uint8Array;
}

export interface CertificatePlate {
  /** DER of the SubjectPublicKeyInfo. */
  readonly spki: Uint8Array;
  readonly issuerName: string;
  readonly subject: string;
  readonly serial: string;
  readonly notBefore: string;
  readonly notAfter: string;
  readonly ca: boolean;
}

export interface RequestPlate {
  readonly spki: Uint8Array;
  readonly subject: string;
}

export interface CrlPlate {
  readonly number: number;
  readonly thisUpdate: string;
  readonly nextUpdate: string;
  readonly revoked: readonly RevokedPlate[];
}

export interface RevokedPlate {
  /** In hex. */
  readonly serial: string;
  readonly date: string;
  /** As RFC 5280 §5.3.1 names it, or null where none is given. */
  readonly reason: string | null;
}

/** More members than a signed part has, or relative names a name. */
const MANY = 99;

/** @throws Error for what has not three parts of the right types */
export function signedParts(der: Uint8Array): SignedParts {
  const [tbs, algorithm, signature, ...more] = readSequence(der, 4);
  if (more.length > 0) throw new Error("it has more than three parts");
  const bits = need(signature, TAG.BIT_STRING).content;
  if (bits[0] !== 0) throw new Error("its signature is not of whole bytes");
  return {
    tbs: need(tbs, TAG.SEQUENCE).der,
    algorithm: need(algorithm, TAG.SEQUENCE).der,
    signature: bits.subarray(1),
  };
}

const VERSION_3 = "a003020102";
const EXPLICIT_0 = 0xa0;
const EXPLICIT_3 = 0xa3;

/** @throws Error for what is no TBSCertificate of version 3 */
export function certificatePlate(tbs: Uint8Array): CertificatePlate {
  const [version, serial, , issuer, validity, subject, spki, extensions, ...more] = readSequence(
    tbs,
    MANY,
  );
  if (more.length > 0 || hex(need(version).der) !== VERSION_3)
    throw new Error("it is of no known version");
  const [notBefore, notAfter] = readMany(need(validity, TAG.SEQUENCE).content, 2);
  return {
    spki: need(spki, TAG.SEQUENCE).der,
    issuerName: nameIn(issuer),
    subject: nameIn(subject),
    serial: hex(need(serial, TAG.INTEGER).content),
    notBefore: readTimeItem(need(notBefore)).time,
    notAfter: readTimeItem(need(notAfter)).time,
    ca: isCa(extensions),
  };
}

/** @throws Error for what is no CertificationRequestInfo */
export function requestPlate(tbs: Uint8Array): RequestPlate {
  const [version, subject, spki] = readSequence(tbs, MANY);
  need(version, TAG.INTEGER);
  return { subject: nameIn(subject), spki: need(spki, TAG.SEQUENCE).der };
}

/** @throws Error for what is no TBSCertList with a number */
export function crlPlate(tbs: Uint8Array): CrlPlate {
  const outer = onlyElement(tbs);
  const members = [...elementsIn(tbs, outer)];
  const [, , , thisUpdate, nextUpdate] = members;
  const list = members.find(({ tag }, at) => at > 4 && tag === TAG.SEQUENCE);
  const extensions = members.find(({ tag }) => tag === EXPLICIT_0);
  const number =
    extensions === undefined ? undefined : valueOf(contentOf(tbs, extensions), CRL_NUMBER);
  if (number === undefined) throw new Error("it has no number");
  return {
    number: Number(BigInt(`0x${hex(readOne(number, TAG.INTEGER).content)}`)),
    thisUpdate: readTimeItem(itemOf(tbs, thisUpdate)).time,
    nextUpdate: readTimeItem(itemOf(tbs, nextUpdate)).time,
    revoked: list === undefined ? [] : revokedIn(tbs, list),
  };
}

function revokedIn(tbs: Uint8Array, list: Element): readonly RevokedPlate[] {
  const revoked: RevokedPlate[] = [];
  for (const entry of elementsIn(tbs, list)) {
    const [serial, date, extensions, ...more] = readSequence(bytesOf(tbs, entry), 4);
    if (more.length > 0) throw new Error("an entry has more than three parts");
    revoked.push({
      serial: hex(need(serial, TAG.INTEGER).content),
      date: readTimeItem(need(date)).time,
      reason: extensions === undefined ? null : reasonIn(extensions.der),
    });
  }
  return revoked;
}

const NAME_BY_CODE = new Map(Object.entries(REASON_CODES).map(([name, code]) => [code, name]));

function reasonIn(extensions: Uint8Array): string | null {
  const value = valueOf(extensions, REASON);
  if (value === undefined) return null;
  const code = readOne(value, TAG.ENUMERATED).content[0] ?? -1;
  return NAME_BY_CODE.get(code) ?? null;
}

function itemOf(bytes: Uint8Array, element: Element | undefined): Item {
  if (element === undefined) throw new Error("a value is missing");
  const { tag, at, start, end } = element;
  return { tag, der: bytes.subarray(at, end), content: bytes.subarray(start, end) };
}

const CRL_NUMBER = "2.5.29.20";
const BASIC_CONSTRAINTS = "2.5.29.19";
const REASON = "2.5.29.21";

function isCa(extensions: Item | undefined): boolean {
  if (extensions === undefined) return false;
  const value = valueOf(need(extensions, EXPLICIT_3).content, BASIC_CONSTRAINTS);
  if (value === undefined) return false;
  const [first] = readSequence(value, 2);
  return first?.tag === TAG.BOOLEAN && first.content[0] === 0xff;
}

/** The value of the one extension of that type in a SEQUENCE of them. */
function valueOf(extensions: Uint8Array, type: string): Uint8Array | undefined {
  const found = readSequence(extensions, MANY).flatMap(({ der }) => {
    const parts = readSequence(der, 3);
    return readOid(parts[0]) === type ? [need(parts.at(-1), TAG.OCTET_STRING).content] : [];
  });
  if (found.length > 1) throw new Error("an extension stands twice");
  return found[0];
}

function nameIn(item: Item | undefined): string {
  const rdns = readMany(need(item, TAG.SEQUENCE).content, MANY);
  const name: DistinguishedName = rdns.map((rdn) =>
    readMany(need(rdn, TAG.SET).content, MANY).map(attributeIn),
  );
  return formatDn(name);
}

const UTF8 = 0x0c;
const PRINTABLE = 0x13;

function attributeIn(item: Item): NameAttribute {
  const [type, value, ...more] = readMany(need(item, TAG.SEQUENCE).content, 3);
  if (more.length > 0) throw new Error("an attribute has more than two parts");
  const oid = readOid(type);
  const known = ATTRIBUTE_TYPES.find((candidate) => ATTRIBUTE_OIDS[candidate] === oid) ?? oid;
  const { tag, content, der } = need(value);
  const text = (): string => fromUtf8(content);
  if (tag === UTF8) return { type: known, form: "utf8", value: text() };
  if (tag === PRINTABLE) return { type: known, form: "printable", value: text() };
  if (tag === TAG.IA5_STRING) return { type: known, form: "ia5", value: text() };
  return { type: known, form: "other", value: hex(der) };
}

/** SHA-256 of a key's DER: its name everywhere. */
export function keyDigest({ spki }: { readonly spki: Uint8Array }): string {
  return sha256Hex(spki);
}
