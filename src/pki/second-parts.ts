/**
 * The parts that certificates, requests and revocation lists have in common, by the second decoder. It
 * repeats no line and no table of the first reader, so that one wrong object identifier or one lenient
 * decoder cannot deceive both.
 */

import type { SignatureScheme } from "../lib/algorithms.ts";
import { fromUtf8, hex, sha256Hex } from "../lib/encoding.ts";
import type { AlgorithmView } from "./algorithms.ts";
import type { Curve, KeyView } from "./keys.ts";
import type { DistinguishedName, NameAttribute } from "./names.ts";
import {
  ascii,
  content,
  dotted,
  encode,
  integer,
  isType,
  members,
  nameOfOid,
  need,
  type Node,
  parse,
  tagged,
  TYPE,
  wholeBytes,
} from "./second-decoder.ts";
import type { TimeView } from "./view.ts";

/** More relative names or extensions than any honest certificate holds. */
export const MANY = 99;

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

export function algorithmOf(node: Node): AlgorithmView {
  const [type, parameters] = members(node, 1, 2);
  const name = nameOfOid(need(type));
  const der = parameters === undefined ? null : hex(encode(parameters));
  const scheme =
    name === "RSASSA-PSS" ? pssScheme(parameters) : SCHEMES[`${name} ${der ?? "absent"}`];
  return { oid: dotted(need(type)), parameters: der, scheme: scheme ?? null };
}

/** By hash: the scheme, and how long its salt must be. */
const PSS: Readonly<Record<string, readonly [scheme: SignatureScheme, salt: number]>> = {
  sha256: ["rsa-pss-sha256", 32],
  sha384: ["rsa-pss-sha384", 48],
  sha512: ["rsa-pss-sha512", 64],
};

/** Hash, mask and salt of RSASSA-PSS must all fit (BR 7.1.3.2.1); anything else is no scheme of ours. */
function pssScheme(parameters: Node | undefined): SignatureScheme | undefined {
  try {
    const [hash, mask, salt] = members(need(parameters), 3, 3);
    const [maskType, maskHash] = members(tagged(need(mask), 1), 2, 2);
    const name = hashName(tagged(need(hash), 0));
    const [scheme, length] = PSS[name] ?? [];
    const fits =
      nameOfOid(need(maskType)) === "mgf1" &&
      hashName(need(maskHash)) === name &&
      parseInt(hex(integer(tagged(need(salt), 2))), 16) === length;
    return fits ? scheme : undefined;
  } catch {
    return undefined;
  }
}

function hashName(node: Node): string {
  const [type, parameters] = members(node, 2, 2);
  if (!isType(need(parameters), TYPE.NULL)) throw new Error("a hash has parameters");
  return nameOfOid(need(type));
}

export function nameOf(node: Node): DistinguishedName {
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

export function timeOf(node: Node): TimeView {
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

export function keyOf(node: Node): KeyView {
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
