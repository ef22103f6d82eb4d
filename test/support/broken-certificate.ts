/**
 * Certificates put together by hand, one for each role, of which a test changes one part at a time. What
 * is not changed is right under the strictest rules.
 */

import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import {
  bits,
  bool,
  type Bytes,
  contentOf,
  ctx,
  hexBytes,
  ia5,
  int,
  octets,
  oid,
  parts as partsOf,
  prim,
  printable,
  seq,
  set,
  time,
  utf8String,
} from "./der.ts";

export interface Signer {
  readonly spki: Bytes;
  readonly privateKey: KeyObject;
  /** Hash it signs with; null for Ed25519. */
  readonly hash: string | null;
  /** AlgorithmIdentifier of its signatures. */
  readonly algorithm: Bytes;
}

const ALGORITHMS = {
  "p-256": ["sha256", seq(oid("1.2.840.10045.4.3.2"))],
  "p-384": ["sha384", seq(oid("1.2.840.10045.4.3.3"))],
  "p-521": ["sha512", seq(oid("1.2.840.10045.4.3.4"))],
  ed25519: [null, seq(oid("1.3.101.112"))],
  rsa: ["sha256", seq(oid("1.2.840.113549.1.1.11"), hexBytes("0500"))],
} as const;

export function signer(kind: keyof typeof ALGORITHMS, rsaBits = 3072): Signer {
  const [hash, algorithm] = ALGORITHMS[kind];
  const { publicKey, privateKey } = pair(kind, rsaBits);
  return { spki: publicKey.export({ type: "spki", format: "der" }), privateKey, hash, algorithm };
}

function pair(kind: keyof typeof ALGORITHMS, rsaBits: number) {
  if (kind === "rsa") return generateKeyPairSync("rsa", { modulusLength: rsaBits });
  if (kind === "ed25519") return generateKeyPairSync("ed25519");
  return generateKeyPairSync("ec", { namedCurve: kind.toUpperCase() });
}

export function signBytes({ privateKey, hash }: Signer, message: Uint8Array): Bytes {
  return sign(hash, message, privateKey);
}

/** Something signed, as certificates, lists and requests are. */
export function signed(tbs: Bytes, by: Signer, algorithm = by.algorithm): Bytes {
  return seq(tbs, algorithm, bits(signBytes(by, tbs)));
}

const ATTRIBUTES = {
  CN: [oid("2.5.4.3"), utf8String],
  serialNumber: [oid("2.5.4.5"), printable],
  C: [oid("2.5.4.6"), printable],
  O: [oid("2.5.4.10"), utf8String],
  OU: [oid("2.5.4.11"), utf8String],
} as const;

/** One attribute, alone in its relative name. */
export function rdn(type: keyof typeof ATTRIBUTES, text: string): Bytes {
  const [identifier, value] = ATTRIBUTES[type];
  return set(seq(identifier, value(text)));
}

/** C, O and the common name given. */
export function named(commonName: string, organisation = "Example"): Bytes {
  return seq(rdn("C", "DE"), rdn("O", organisation), rdn("CN", commonName));
}

/** Parts of a certificate in DER; extensions by a name of their own, in order. */
export interface CertificateParts {
  readonly version: Bytes;
  readonly serial: Bytes;
  readonly algorithm: Bytes;
  readonly issuer: Bytes;
  readonly notBefore: Bytes;
  readonly notAfter: Bytes;
  readonly subject: Bytes;
  readonly spki: Bytes;
  readonly extensions: Readonly<Record<string, Bytes>>;
}

export function tbsOf(parts: CertificateParts): Bytes {
  const extensions = Object.values(parts.extensions);
  return seq(
    ...(parts.version.length === 0 ? [] : [ctx(0, parts.version)]),
    parts.serial,
    parts.algorithm,
    parts.issuer,
    seq(parts.notBefore, parts.notAfter),
    parts.subject,
    parts.spki,
    ...(extensions.length === 0 ? [] : [ctx(3, seq(...extensions))]),
  );
}

/** SHA-256 of the key bits, the leftmost 160 bits of it. */
export function keyId(spki: Uint8Array): Bytes {
  const [, key = Buffer.of()] = partsOf(spki);
  return createHash("sha256").update(contentOf(key).subarray(1)).digest().subarray(0, 20);
}

export function ext(identifier: string, critical: boolean, value: Uint8Array): Bytes {
  return seq(oid(identifier), ...(critical ? [bool(true)] : []), octets(value));
}

/** Key usage from its bits, the first one leftmost: `000001100` is keyCertSign and cRLSign. */
export function keyUsage(usage: string, critical = true): Bytes {
  const used = usage.replace(/0+$/, "");
  const unused = (8 - (used.length % 8)) % 8;
  const bytes = used.padEnd(used.length + unused, "0").match(/.{8}/g) ?? [];
  const content = Buffer.from(bytes.map((byte) => parseInt(byte, 2)));
  return ext("2.5.29.15", critical, bits(content, unused));
}

export const purposes = (...oids: readonly string[]): Bytes =>
  ext("2.5.29.37", false, seq(...oids.map(oid)));
export const PURPOSE = {
  server: "1.3.6.1.5.5.7.3.1",
  client: "1.3.6.1.5.5.7.3.2",
  code: "1.3.6.1.5.5.7.3.3",
  email: "1.3.6.1.5.5.7.3.4",
  ocsp: "1.3.6.1.5.5.7.3.9",
} as const;
export const constraints = (...content: readonly Uint8Array[]): Bytes =>
  ext("2.5.29.19", true, seq(...content));
export const subjectKeyId = (id: Uint8Array, critical = false): Bytes =>
  ext("2.5.29.14", critical, octets(id));
export const authorityKeyId = (id: Uint8Array, critical = false): Bytes =>
  ext("2.5.29.35", critical, seq(prim(0, id)));
export const policies = (...oids: readonly string[]): Bytes =>
  ext("2.5.29.32", false, seq(...oids.map((one) => seq(oid(one)))));
export const lists = (...urls: readonly string[]): Bytes =>
  ext("2.5.29.31", false, seq(...urls.map((url) => seq(ctx(0, ctx(0, uri(url)))))));
export const access = (method: string, ...urls: readonly string[]): Bytes =>
  ext("1.3.6.1.5.5.7.1.1", false, seq(...urls.map((url) => seq(oid(method), uri(url)))));
export const uri = (text: string): Bytes => prim(6, contentOf(ia5(text)));
export const dns = (text: string): Bytes => prim(2, contentOf(ia5(text)));
export const permitted = (...names: readonly Uint8Array[]): Bytes =>
  ext("2.5.29.30", true, seq(ctx(0, ...names.map((name) => seq(name)))));
/** The names of one organisation in Germany and no others. */
export const permittedOrganisation = (o: string): Bytes =>
  permitted(ctx(4, seq(rdn("C", "DE"), rdn("O", o))));

/** A serial number that looks random, by name. */
export function serialFor(name: string): Bytes {
  const digits = createHash("sha256").update(name).digest("hex").slice(0, 38);
  return int(`5a${digits}`);
}

export const FROM = "2026-11-24T00:00:00Z";

export function rootParts(key: Signer): CertificateParts {
  return {
    version: int("02"),
    serial: serialFor("root"),
    algorithm: key.algorithm,
    issuer: named("Root G1"),
    notBefore: time(FROM),
    notAfter: time("2046-11-23T23:59:59Z"),
    subject: named("Root G1"),
    spki: key.spki,
    extensions: {
      constraints: constraints(bool(true)),
      usage: keyUsage("0000011"),
      subject: subjectKeyId(keyId(key.spki)),
      authority: authorityKeyId(keyId(key.spki)),
    },
  };
}

export function subordinateParts(key: Signer, issuer: Signer): CertificateParts {
  return {
    ...rootParts(issuer),
    serial: serialFor("issuing"),
    notAfter: time("2036-11-23T23:59:59Z"),
    subject: named("Issuing E1"),
    spki: key.spki,
    extensions: {
      constraints: constraints(bool(true), int("00")),
      usage: keyUsage("0000011"),
      subject: subjectKeyId(keyId(key.spki)),
      authority: authorityKeyId(keyId(issuer.spki)),
      policies: policies("2.23.140.1.2.1"),
      purposes: purposes(PURPOSE.server, PURPOSE.client),
      lists: lists("http://pki.example.org/root-g1.crl"),
      access: access("1.3.6.1.5.5.7.48.2", "http://pki.example.org/root-g1.cer"),
    },
  };
}

export function responderParts(key: Signer, issuer: Signer): CertificateParts {
  return {
    ...rootParts(issuer),
    serial: serialFor("responder"),
    notAfter: time("2027-11-23T23:59:59Z"),
    subject: named("OCSP 1"),
    spki: key.spki,
    extensions: {
      usage: keyUsage("1"),
      purposes: purposes(PURPOSE.ocsp),
      authority: authorityKeyId(keyId(issuer.spki)),
      noCheck: ext("1.3.6.1.5.5.7.48.1.5", false, hexBytes("0500")),
    },
  };
}
