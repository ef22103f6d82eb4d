/** The second reading of extensions; see second-parts.ts for what it must not share. */

import { hex } from "../lib/encoding.ts";
import type { ExtensionView, GeneralNameView, KeyUsageName } from "./extensions.ts";
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
  taggedMembers,
  TYPE,
} from "./second-decoder.ts";
import { MANY, nameOf } from "./second-parts.ts";

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
/** What node-forge has no name for. */
const PURPOSES: Readonly<Record<string, string>> = {
  "1.3.6.1.5.5.7.3.9": "OCSPSigning",
  "2.5.29.37.0": "anyExtendedKeyUsage",
};
const CPS_POINTER = "1.3.6.1.5.5.7.2.1";
const NO_CHECK = "1.3.6.1.5.5.7.48.1.5";
const ACCESS: Readonly<Record<string, "ocsp" | "caIssuers">> = {
  "1.3.6.1.5.5.7.48.1": "ocsp",
  "1.3.6.1.5.5.7.48.2": "caIssuers",
};

type Reading = (value: Node) => ExtensionBody | undefined;
type ExtensionBody = WithoutCritical<Exclude<ExtensionView, { readonly kind: "other" }>>;
type WithoutCritical<T> = T extends unknown ? Omit<T, "critical"> : never;

/** By node-forge's name, or by number; undefined leaves an extension as bytes. */
const EXTENSIONS: Readonly<Record<string, Reading>> = {
  basicConstraints: basicConstraints,
  keyUsage: keyUsage,
  subjectKeyIdentifier: (value) => ({ kind: "subject-key-id", keyId: hex(octets(value)) }),
  authorityKeyIdentifier: authorityKeyId,
  extKeyUsage: (value) => ({
    kind: "ext-key-usage",
    purposes: members(value, 1, MANY).map(purposeOf),
  }),
  certificatePolicies: certificatePolicies,
  nameConstraints: nameConstraints,
  authorityInfoAccess: authorityInfoAccess,
  cRLDistributionPoints: distributionPoints,
  subjectAltName: (value) => ({
    kind: "subject-alt-name",
    names: members(value, 1, MANY).map(generalName),
  }),
  [NO_CHECK]: (value) => {
    if (!isType(value, TYPE.NULL)) throw new Error("ocsp-no-check is not NULL");
    return { kind: "ocsp-no-check" };
  },
  cRLNumber: (value) => ({ kind: "crl-number", number: hex(integer(value)) }),
};

/** One Extension of RFC 5280 §4.2. @throws Error */
export function extensionOf(node: Node): ExtensionView {
  const [type, ...rest] = members(node, 2, 3);
  const value = octets(need(rest.at(-1)));
  const critical = rest.length === 2 && isTrue(need(rest[0]));
  const name = nameOfOid(need(type));
  const reading = Object.hasOwn(EXTENSIONS, name) ? EXTENSIONS[name] : undefined;
  const read = reading?.(parse(value));
  if (read !== undefined) return { ...read, critical };
  return { kind: "other", critical, oid: dotted(need(type)), value: hex(value) };
}

function basicConstraints(value: Node): ExtensionBody {
  const found = members(value, 0, 2);
  const ca = found[0] !== undefined && isType(found[0], TYPE.BOOLEAN) && isTrue(found[0]);
  const limit = found[ca ? 1 : 0];
  const pathLength = limit === undefined ? null : parseInt(hex(integer(limit)), 16);
  return { kind: "basic-constraints", ca, pathLength };
}

function keyUsage(value: Node): ExtensionBody {
  const { bytes } = bitString(value);
  const isSet = (bit: number): boolean => ((bytes[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0;
  const usages = USAGE_BITS.filter(([bit]) => isSet(bit)).map(([, name]) => name);
  return { kind: "key-usage", usages };
}

function authorityKeyId(value: Node): ExtensionBody | undefined {
  const [id, ...more] = members(value, 0, 3);
  if (id === undefined || !hasTag(id, 0) || more.length > 0) return undefined;
  return { kind: "authority-key-id", keyId: hex(taggedContent(id, 0)) };
}

function purposeOf(node: Node): string {
  const name = nameOfOid(node);
  return PURPOSES[name] ?? (USED_PURPOSES.includes(name) ? name : dotted(node));
}
const USED_PURPOSES = [
  "serverAuth",
  "clientAuth",
  "codeSigning",
  "emailProtection",
  "timeStamping",
];

function certificatePolicies(value: Node): ExtensionBody | undefined {
  const policies: { oid: string; cps: string[] }[] = [];
  for (const policy of members(value, 1, MANY)) {
    const [oid, qualifiers] = members(policy, 1, 2);
    const cps: string[] = [];
    for (const qualifier of qualifiers === undefined ? [] : members(qualifiers, 1, MANY)) {
      const [type, text] = members(qualifier, 2, 2);
      if (dotted(need(type)) !== CPS_POINTER || !isType(need(text), TYPE.IA5STRING))
        return undefined;
      cps.push(ascii(need(text)));
    }
    policies.push({ oid: dotted(need(oid)), cps });
  }
  return { kind: "certificate-policies", policies };
}

function nameConstraints(value: Node): ExtensionBody | undefined {
  const lists = members(value, 0, 2);
  const permitted = lists.find((list) => hasTag(list, 0));
  const excluded = lists.find((list) => hasTag(list, 1));
  const subtrees = [
    ...(permitted === undefined ? [] : taggedMembers(permitted, 0)),
    ...(excluded === undefined ? [] : taggedMembers(excluded, 1)),
  ].map((subtree) => members(subtree, 1, 3));
  if (subtrees.some((subtree) => subtree.length > 1)) return undefined;
  const names = subtrees.map(([base]) => generalName(need(base)));
  const count = permitted === undefined ? 0 : taggedMembers(permitted, 0).length;
  return {
    kind: "name-constraints",
    permitted: names.slice(0, count),
    excluded: names.slice(count),
  };
}

function authorityInfoAccess(value: Node): ExtensionBody | undefined {
  const access: { method: "ocsp" | "caIssuers"; uri: string }[] = [];
  for (const description of members(value, 1, MANY)) {
    const [type, location] = members(description, 2, 2);
    const method = ACCESS[dotted(need(type))];
    if (method === undefined || !hasTag(need(location), URI)) return undefined;
    access.push({ method, uri: ascii(need(location)) });
  }
  return { kind: "authority-info-access", access };
}

function distributionPoints(value: Node): ExtensionBody | undefined {
  const points: string[][] = [];
  for (const point of members(value, 1, MANY)) {
    const [name, ...more] = members(point, 0, 3);
    if (name === undefined || more.length > 0 || !hasTag(name, 0)) return undefined;
    const fullName = tagged(name, 0);
    if (!hasTag(fullName, 0)) return undefined;
    const names = taggedMembers(fullName, 0);
    if (!names.every((one) => hasTag(one, URI))) return undefined;
    points.push(names.map(ascii));
  }
  return { kind: "crl-distribution-points", points };
}

const EMAIL = 1;
const DNS = 2;
const DIRECTORY = 4;
const URI = 6;
const IP = 7;

function generalName(node: Node): GeneralNameView {
  if (hasTag(node, EMAIL)) return { type: "email", value: ascii(node) };
  if (hasTag(node, DNS)) return { type: "dns", value: ascii(node) };
  if (hasTag(node, URI)) return { type: "uri", value: ascii(node) };
  if (hasTag(node, IP)) return { type: "ip", value: hex(content(node)) };
  if (hasTag(node, DIRECTORY)) return { type: "directory", name: nameOf(tagged(node, DIRECTORY)) };
  return { type: "other", value: hex(encode(node)) };
}
