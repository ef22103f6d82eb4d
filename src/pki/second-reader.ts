/**
 * The second reading of a certificate. It repeats no line and no table of the first reader, so that
 * one wrong object identifier or one lenient decoder cannot deceive both.
 */

import type { SignatureScheme } from "../lib/algorithms.ts";
import { fromUtf8, hex, sha256Hex } from "../lib/encoding.ts";
import type { AlgorithmView } from "./algorithms.ts";
import type { ExtensionView, KeyUsageName } from "./extensions.ts";
import type { Curve, KeyView } from "./keys.ts";
import type { DistinguishedName, NameAttribute } from "./names.ts";
import {
  ascii,
  bitString,
  content,
  dotted,
  encode,
  hasTag,
  integer,
  isTrue,
  isType,
  members,
  nameOfOid,
  need,
  type Node,
  octets,
  parse,
  tagged,
  taggedContent,
  TYPE,
  wholeBytes,
} from "./second-decoder.ts";
import type { CertificateView, SignedCertificate, TimeView } from "./view.ts";

/** More relative names or extensions than any honest certificate holds. */
const MANY = 99;

/** By node-forge's names; by number what it has no name for. */
const ATTRIBUTES: Readonly<Record<string, string>> = {
  commonName: "CN",
  serialNumber: "serialNumber",
  countryName: "C",
  localityName: "L",
  stateOrProvinceName: "ST",
  organizationName: "O",
  organizationalUnitName: "OU",
  "2.5.4.97": "organizationIdentifier",
  "0.9.2342.19200300.100.1.25": "DC",
};
const SCHEMES: Readonly<Record<string, SignatureScheme>> = {
  "sha256WithRSAEncryption 0500": "rsa-pkcs1-sha256",
  "sha384WithRSAEncryption 0500": "rsa-pkcs1-sha384",
  "sha512WithRSAEncryption 0500": "rsa-pkcs1-sha512",
  "1.2.840.10045.4.3.2 absent": "ecdsa-sha256",
  "1.2.840.10045.4.3.3 absent": "ecdsa-sha384",
  "1.2.840.10045.4.3.4 absent": "ecdsa-sha512",
  "EdDSA25519 absent": "ed25519",
};
const CURVES: Readonly<Record<string, Curve>> = {
  "1.2.840.10045.3.1.7": "p-256",
  "1.3.132.0.34": "p-384",
  "1.3.132.0.35": "p-521",
};
/** Bit, counted from the left, by name. */
const USAGE_BITS: readonly (readonly [number, KeyUsageName])[] = [
  [0, "digitalSignature"],
  [1, "nonRepudiation"],
  [2, "keyEncipherment"],
  [3, "dataEncipherment"],
  [4, "keyAgreement"],
  [5, "keyCertSign"],
  [6, "cRLSign"],
  [7, "encipherOnly"],
  [8, "decipherOnly"],
];

/** Reads a signed certificate. @throws Error when it is not one in DER. */
export function secondReadCertificate(der: Uint8Array): SignedCertificate {
  const [tbsNode, algorithm, signature] = members(parse(der), 3, 3);
  const tbs = encode(need(tbsNode));
  return {
    tbs,
    view: secondReadTbs(tbs),
    algorithm: algorithmOf(need(algorithm)),
    signature: wholeBytes(need(signature)),
  };
}

/** Reads a version 3 TBSCertificate with extensions. @throws Error when it is not one in DER. */
export function secondReadTbs(der: Uint8Array): CertificateView {
  const parts = members(parse(der), 8, 8);
  const [version, serial, signature, issuer, validity, subject, key, extensions] = parts;
  const [notBefore, notAfter] = members(need(validity), 2, 2);
  return {
    version: parseInt(hex(integer(tagged(need(version), 0))), 16) + 1,
    serial: hex(integer(need(serial))),
    signature: algorithmOf(need(signature)),
    issuer: nameOf(need(issuer)),
    notBefore: timeOf(need(notBefore)),
    notAfter: timeOf(need(notAfter)),
    subject: nameOf(need(subject)),
    key: keyOf(need(key)),
    extensions: members(tagged(need(extensions), 3), 1, MANY).map(extensionOf),
  };
}

function algorithmOf(node: Node): AlgorithmView {
  const [type, parameters] = members(node, 1, 2);
  const der = parameters === undefined ? null : hex(encode(parameters));
  const scheme = SCHEMES[`${nameOfOid(need(type))} ${der ?? "absent"}`] ?? null;
  return { oid: dotted(need(type)), parameters: der, scheme };
}

function nameOf(node: Node): DistinguishedName {
  return members(node, 0, MANY).map((rdn) => members(rdn, 1, MANY, TYPE.SET).map(attributeOf));
}

function attributeOf(node: Node): NameAttribute {
  const [type, value] = members(node, 2, 2);
  const known = ATTRIBUTES[nameOfOid(need(type))];
  return { type: known ?? dotted(need(type)), ...textOf(need(value)) };
}

function textOf(node: Node): Pick<NameAttribute, "form" | "value"> {
  if (isType(node, TYPE.UTF8)) return { form: "utf8", value: fromUtf8(content(node)) };
  if (isType(node, TYPE.PRINTABLESTRING)) return { form: "printable", value: ascii(node) };
  if (isType(node, TYPE.IA5STRING)) return { form: "ia5", value: ascii(node) };
  return { form: "other", value: hex(encode(node)) };
}

function timeOf(node: Node): TimeView {
  const utc = isType(node, TYPE.UTCTIME);
  if (!utc && !isType(node, TYPE.GENERALIZEDTIME)) throw new Error("a time has another type");
  const written = ascii(node);
  // RFC 5280 §4.1.2.5.1: two-digit years from 50 on belong to the last century.
  const text = utc ? `${written < "50" ? "20" : "19"}${written}` : written;
  const match = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  if (match === null) throw new Error("a time is malformed");
  const [year, month, day, hour, minute, second] = match.slice(1).map(String);
  const time = `${year ?? ""}-${month ?? ""}-${day ?? ""}T${hour ?? ""}:${minute ?? ""}:${second ?? ""}Z`;
  return { time, form: utc ? "utc" : "generalized" };
}

function keyOf(node: Node): KeyView {
  const [algorithm, bits] = members(node, 2, 2);
  const [type, parameters] = members(need(algorithm), 1, 2);
  const spki = encode(node);
  const base = { spki: hex(spki), spkiSha256: sha256Hex(spki) };
  const key = wholeBytes(need(bits));
  switch (nameOfOid(need(type))) {
    case "rsaEncryption": {
      const [modulus, exponent] = members(parse(key), 2, 2).map(magnitude);
      if (modulus === undefined || exponent === undefined) throw new Error("a member is missing");
      return { ...base, kind: "rsa", bits: bitLength(modulus), modulus, exponent };
    }
    case "1.2.840.10045.2.1": {
      const curve = CURVES[dotted(need(parameters))];
      if (curve === undefined) throw new Error("the key's curve is unknown");
      return { ...base, kind: "ec", curve, point: hex(key) };
    }
    case "EdDSA25519":
      return { ...base, kind: "ed25519", point: hex(key) };
    default:
      throw new Error("the key's algorithm is unknown");
  }
}

function magnitude(node: Node): string {
  return hex(integer(node)).replace(/^0+/, "");
}

function bitLength(digits: string): number {
  return 4 * (digits.length - 1) + parseInt(digits.slice(0, 1), 16).toString(2).length;
}

type Reading = (value: Node) => ExtensionBody | undefined;
type ExtensionBody = WithoutCritical<Exclude<ExtensionView, { readonly kind: "other" }>>;
type WithoutCritical<T> = T extends unknown ? Omit<T, "critical"> : never;

const EXTENSIONS: Readonly<Record<string, Reading>> = {
  basicConstraints: (value) => {
    const found = members(value, 0, 2);
    const ca = found[0] !== undefined && isType(found[0], TYPE.BOOLEAN) && isTrue(found[0]);
    const limit = found[ca ? 1 : 0];
    const pathLength = limit === undefined ? null : parseInt(hex(integer(limit)), 16);
    return { kind: "basic-constraints", ca, pathLength };
  },
  keyUsage: (value) => {
    const { bytes } = bitString(value);
    const isSet = (bit: number): boolean => ((bytes[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0;
    const usages = USAGE_BITS.filter(([bit]) => isSet(bit)).map(([, name]) => name);
    return { kind: "key-usage", usages };
  },
  subjectKeyIdentifier: (value) => ({ kind: "subject-key-id", keyId: hex(octets(value)) }),
  authorityKeyIdentifier: (value) => {
    const [id, ...more] = members(value, 0, 3);
    if (id === undefined || !hasTag(id, 0) || more.length > 0) return undefined;
    return { kind: "authority-key-id", keyId: hex(taggedContent(id, 0)) };
  },
};

function extensionOf(node: Node): ExtensionView {
  const [type, ...rest] = members(node, 2, 3);
  const value = octets(need(rest.at(-1)));
  const critical = rest.length === 2 && isTrue(need(rest[0]));
  const read = EXTENSIONS[nameOfOid(need(type))]?.(parse(value));
  if (read !== undefined) return { ...read, critical };
  return { kind: "other", critical, oid: dotted(need(type)), value: hex(value) };
}
