/** The CMS SignedData of a time stamp (RFC 5652 §5): exactly one signer, with the attributes RFC 3161 asks for. */

import { context, type Item, need, readMany, readOid, readSequence, readOne, TAG } from "./der.ts";

export interface SignedCms {
  readonly contentType: string;
  readonly content: Uint8Array;
  /** DER of every certificate it carries. */
  readonly certificates: readonly Uint8Array[];
  readonly signer: CmsSigner;
}

export interface CmsSigner {
  readonly hash: Hash;
  /** Content bytes of the signed attributes: a SET OF them is what is signed. */
  readonly attributes: Uint8Array;
  readonly signature: Uint8Array;
  /** From the signed attributes. */
  readonly contentType: string;
  readonly messageDigest: Uint8Array;
  /** Digest of the signer's certificate, and by which hash. */
  readonly certHash: Uint8Array;
  readonly certHashBy: Hash | "sha1";
}

type Hash = "sha256" | "sha384" | "sha512";

const SIGNED_DATA = "1.2.840.113549.1.7.2";
const CONTENT_TYPE = "1.2.840.113549.1.9.3";
const MESSAGE_DIGEST = "1.2.840.113549.1.9.4";
const SIGNING_CERTIFICATE = "1.2.840.113549.1.9.16.2.12";
const SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47";
const HASHES: ReadonlyMap<string, Hash> = new Map([
  ["2.16.840.1.101.3.4.2.1", "sha256"],
  ["2.16.840.1.101.3.4.2.2", "sha384"],
  ["2.16.840.1.101.3.4.2.3", "sha512"],
]);
const MOST_CERTIFICATES = 16;
const MOST_MEMBERS = 16;

/** @throws Error saying what is malformed. */
export function readCms(der: Uint8Array): SignedCms {
  const [type, wrapped] = readSequence(der, 2);
  if (readOid(type) !== SIGNED_DATA) throw new Error("it is not signed data");
  const inner = readOne(need(wrapped, context(0, true)).content, TAG.SEQUENCE);
  const [, , encapsulated, ...rest] = readMany(inner.content, MOST_MEMBERS);
  const { contentType, content } = readContent(need(encapsulated, TAG.SEQUENCE));
  const carried = rest.find(({ tag }) => tag === context(0, true));
  const certificates = carried === undefined ? [] : readMany(carried.content, MOST_CERTIFICATES);
  const signers = readMany(need(rest.at(-1), TAG.SET).content, 2);
  const [signer, ...more] = signers;
  if (more.length > 0) throw new Error("it has more than one signature");
  return {
    contentType,
    content,
    certificates: certificates.map((item) => item.der),
    signer: readSigner(need(signer, TAG.SEQUENCE)),
  };
}

function readContent({ der }: Item): {
  readonly contentType: string;
  readonly content: Uint8Array;
} {
  const [type, wrapped] = readSequence(der, 2);
  const { content } = readOne(need(wrapped, context(0, true)).content, TAG.OCTET_STRING);
  return { contentType: readOid(type), content };
}

function readSigner({ content }: Item): CmsSigner {
  const [, , digestAlgorithm, attributes, , signature] = readMany(content, MOST_MEMBERS);
  const signed = need(attributes, context(0, true)).content;
  const values = readAttributes(signed);
  const v2 = values.get(SIGNING_CERTIFICATE_V2);
  const v1 = values.get(SIGNING_CERTIFICATE);
  return {
    hash: hashNamed(need(digestAlgorithm, TAG.SEQUENCE)),
    attributes: signed,
    signature: need(signature, TAG.OCTET_STRING).content,
    contentType: readOid(values.get(CONTENT_TYPE)),
    messageDigest: need(values.get(MESSAGE_DIGEST), TAG.OCTET_STRING).content,
    ...(v2 === undefined ? readCertId(need(v1, TAG.SEQUENCE)) : readCertIdV2(v2)),
  };
}

/** Signed attributes by type, each with exactly one value. */
function readAttributes(content: Uint8Array): ReadonlyMap<string, Item> {
  const values = new Map<string, Item>();
  for (const { der } of readMany(content, MOST_MEMBERS)) {
    const [type, set] = readSequence(der, 2);
    const name = readOid(type);
    const [value, ...more] = readMany(need(set, TAG.SET).content, 2);
    if (value === undefined || more.length > 0 || values.has(name)) {
      throw new Error(`its attribute ${name} has not exactly one value`);
    }
    values.set(name, value);
  }
  return values;
}

function hashNamed({ der }: Item): Hash {
  const name = readOid(readSequence(der, 2)[0]);
  const hash = HASHES.get(name);
  if (hash === undefined) throw new Error(`it is signed over the hash ${name}`);
  return hash;
}

/** SigningCertificate (RFC 2634 §5.4): the first ESSCertID, SHA-1. */
function readCertId({ der }: Item): Pick<CmsSigner, "certHash" | "certHashBy"> {
  const [certs] = readSequence(der, 2);
  const [first] = readMany(need(certs, TAG.SEQUENCE).content, MOST_CERTIFICATES);
  const [certHash] = readSequence(need(first, TAG.SEQUENCE).der, 2);
  return { certHash: need(certHash, TAG.OCTET_STRING).content, certHashBy: "sha1" };
}

/** SigningCertificateV2 (RFC 5035 §3): the hash is SHA-256 when none is named. */
function readCertIdV2({ der }: Item): Pick<CmsSigner, "certHash" | "certHashBy"> {
  const [certs] = readSequence(der, 2);
  const [first] = readMany(need(certs, TAG.SEQUENCE).content, MOST_CERTIFICATES);
  const members = readSequence(need(first, TAG.SEQUENCE).der, 3);
  const [algorithm] = members;
  const named = algorithm?.tag === TAG.SEQUENCE;
  const certHash = need(members[named ? 1 : 0], TAG.OCTET_STRING).content;
  return { certHash, certHashBy: named ? hashNamed(algorithm) : "sha256" };
}
