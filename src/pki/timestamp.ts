/**
 * Judges RFC 3161 time stamps: that an authority whose root the reader trusts said at which time it saw a
 * digest. Everything is checked here; nothing is asked of anybody.
 */

import { createHash, verify, X509Certificate } from "node:crypto";
import { equalBytes, hex } from "../lib/encoding.ts";
import { KeyriteError, messageOf } from "../lib/errors.ts";
import { element, type Item, need, readOid, readSequence, TAG, walk } from "./der.ts";
import { readCms, type SignedCms } from "./timestamp-cms.ts";
import { bigintOf, readImprint } from "./timestamp-request.ts";
import { readCertificate } from "./view.ts";

export interface Timestamp {
  /** RFC 3339, as precise as the authority was. */
  readonly time: string;
  /** Subject of the authority's certificate, as it stands there: escape it on output. */
  readonly authority: string;
  /** Serial number of the stamp, hex. */
  readonly serial: string;
  /** Identifier of the policy under which it was made. */
  readonly policy: string;
  /** SHA-256 of what was stamped. */
  readonly digest: Uint8Array;
}

export interface ExpectedStamp {
  /** SHA-256 of what should be stamped; absent: whatever is stamped is told. */
  readonly digest?: Uint8Array;
  /** Nonce of the request, when it is at hand. */
  readonly nonce?: bigint;
  /** Certificates that the reader trusts as authorities' roots, DER. */
  readonly roots: readonly Uint8Array[];
}

export const LONGEST_RESPONSE = 256 * 1024;
const TST_INFO = "1.2.840.113549.1.9.16.1.4";
const TIME_STAMPING = "timeStamping";
const MOST_MEMBERS = 16;

/**
 * Judges a TimeStampResp.
 * @throws KeyriteError usage.bad-file when it is malformed or a refusal; ledger.not-trusted when it does
 * not hold: another digest or nonce, a signature that fails, an authority that is not below a root.
 */
export function judgeTimestamp(response: Uint8Array, expected: ExpectedStamp): Timestamp {
  const { info, cms } = opened(response);
  const signer = judgeSigner(cms);
  requireChain(signer, cms.certificates, expected.roots, Date.parse(info.time));
  if (expected.digest !== undefined && !equalBytes(info.digest, expected.digest)) {
    throw untrusted(
      "it stamps something else",
      "give the checkpoint that the request was made for",
    );
  }
  if (expected.nonce !== undefined && info.nonce !== expected.nonce) {
    throw untrusted("it answers another request", "the answer must repeat the request's nonce");
  }
  return told(info, signer);
}

/**
 * What a TimeStampResp says, its signature verified by the certificate that it carries. Who that is, nobody
 * has said: `judgeTimestamp` does.
 * @throws as `judgeTimestamp`
 */
export function readTimestamp(response: Uint8Array): Timestamp {
  const { info, cms } = opened(response);
  return told(info, judgeSigner(cms));
}

function told(info: StampInfo, signer: X509Certificate): Timestamp {
  const { time, serial, policy, digest } = info;
  return { time, authority: signer.subject.replaceAll("\n", ", "), serial, policy, digest };
}

interface StampInfo extends Omit<Timestamp, "authority"> {
  readonly nonce: bigint | undefined;
}

function opened(response: Uint8Array): { readonly info: StampInfo; readonly cms: SignedCms } {
  try {
    if (response.length > LONGEST_RESPONSE) throw new Error("it is longer than any time stamp");
    walk(response);
    const [status, token] = readSequence(response, 2);
    requireGranted(need(status, TAG.SEQUENCE));
    const cms = readCms(need(token, TAG.SEQUENCE).der);
    if (cms.contentType !== TST_INFO) throw new Error("what it signs is no time stamp");
    return { info: readInfo(cms.content), cms };
  } catch (error) {
    throw new KeyriteError("usage.bad-file", `the time stamp is refused: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

function requireGranted(status: Item): void {
  const [code, ...words] = readSequence(status.der, 3);
  const value = bigintOf(need(code, TAG.INTEGER).content);
  if (value === 0n || value === 1n) return;
  const said = words.map(({ content }) => Buffer.from(content).toString("utf8")).join(" ");
  throw new Error(`the authority did not grant it (status ${value}) ${said}`.trim());
}

/** TSTInfo (§2.4.2). */
function readInfo(der: Uint8Array): StampInfo {
  const [version, policy, imprint, serial, genTime, ...rest] = readSequence(der, MOST_MEMBERS);
  if (bigintOf(need(version, TAG.INTEGER).content) !== 1n) throw new Error("it is not version 1");
  const nonce = rest.find(({ tag }) => tag === TAG.INTEGER);
  return {
    policy: readOid(policy),
    digest: readImprint(need(imprint, TAG.SEQUENCE).der),
    serial: hex(need(serial, TAG.INTEGER).content),
    time: readTime(need(genTime, TAG.GENERALIZED_TIME)),
    nonce: nonce === undefined ? undefined : bigintOf(nonce.content),
  };
}

/** GeneralizedTime with or without a fraction, always UTC (§2.4.2). */
function readTime({ content }: Item): string {
  const text = Buffer.from(content).toString("latin1");
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\.\d{0,8}[1-9])?Z$/.exec(text);
  const [, year, month, day, hour, minute, second, fraction = ""] = parts ?? [];
  const time = `${year ?? ""}-${month ?? ""}-${day ?? ""}T${hour ?? ""}:${minute ?? ""}:${second ?? ""}${fraction}Z`;
  if (parts === null || Number.isNaN(Date.parse(time))) throw new Error("its time is malformed");
  return time;
}

/** The authority's certificate, bound to the stamp by ESSCertID (RFC 5816), whose key made the signature. */
function judgeSigner(cms: SignedCms): X509Certificate {
  const { signer, content } = cms;
  const digest = createHash(signer.hash).update(content).digest();
  if (!equalBytes(digest, signer.messageDigest) || signer.contentType !== cms.contentType) {
    throw untrusted("its signature is over other contents", "get a new answer from the authority");
  }
  const der = cms.certificates.find((one) =>
    equalBytes(createHash(signer.certHashBy).update(one).digest(), signer.certHash),
  );
  if (der === undefined) {
    throw untrusted(
      "it does not carry its authority's certificate",
      "ask with certReq, as keyrite does",
    );
  }
  const certificate = new X509Certificate(der);
  // §2.4.2: the signature is over the attributes as a SET OF, not with the tag they travel under.
  const signed = element(TAG.SET, signer.attributes);
  if (!verify(signer.hash, signed, certificate.publicKey, signer.signature)) {
    throw untrusted("its signature does not verify", "get a new answer from the authority");
  }
  requirePurpose(der);
  return certificate;
}

// RFC 3161 §2.3: a certificate for nothing but time stamping, and it says so critically.
function requirePurpose(der: Uint8Array): void {
  const { view } = readCertificate(der);
  const usage = view.extensions.find(({ kind }) => kind === "ext-key-usage");
  const only = usage?.kind === "ext-key-usage" && usage.purposes.join() === TIME_STAMPING;
  if (only && usage.critical) return;
  throw untrusted(
    "its authority's certificate is not for time stamping alone",
    "ask another authority",
  );
}

const MOST_ISSUERS = 8;

function requireChain(
  leaf: X509Certificate,
  carried: readonly Uint8Array[],
  roots: readonly Uint8Array[],
  at: number,
): void {
  const trusted = roots.map((der) => new X509Certificate(der));
  const between = carried.map((der) => new X509Certificate(der));
  let current = leaf;
  for (let depth = 0; depth < MOST_ISSUERS; depth += 1) {
    requireValid(current, at);
    if (trusted.some((root) => root.raw.equals(current.raw))) return;
    const issuer = [...trusted, ...between].find((one) => issued(one, current));
    if (issuer === undefined) break;
    current = issuer;
  }
  throw untrusted(
    "its authority is not below a root that you trust",
    "give the authority's root certificate, got from somewhere else: --root FILE",
  );
}

function issued(issuer: X509Certificate, subject: X509Certificate): boolean {
  if (!issuer.ca || issuer.raw.equals(subject.raw)) return false;
  return subject.checkIssued(issuer) && subject.verify(issuer.publicKey);
}

function requireValid({ validFrom, validTo, subject }: X509Certificate, at: number): void {
  if (Date.parse(validFrom) <= at && at <= Date.parse(validTo)) return;
  throw untrusted(
    `the certificate of ${subject.replaceAll("\n", ", ")} was not valid at that time`,
    "ask another authority",
  );
}

function untrusted(problem: string, hint: string): KeyriteError {
  return new KeyriteError("ledger.not-trusted", `the time stamp is refused: ${problem}`, {
    hints: [hint],
  });
}
