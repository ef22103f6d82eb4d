/** Revocation lists of a CA (RFC 5280 §5): version 2, complete, with a reason for every entry. */

import { createHash } from "node:crypto";
import { schemeFor, schemesFor, type SignatureScheme } from "../lib/algorithms.ts";
import { hex } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import { algorithmIdentifier } from "./algorithms.ts";
import { encodeDer, Extensions } from "./asn1.ts";
import { type CrlEntry, writeEntries, type WrittenEntries } from "./crl-entries.ts";
import { type CrlHeader, readCrlHeader } from "./crl-read.ts";
import { bitString, context, element, header, integer, integerContent, TAG } from "./der.ts";
import { encodeTime, isoTime } from "./der-time.ts";
import { encodeExtension } from "./extensions.ts";
import { keyAlgorithm } from "./keys.ts";
import { encodeName } from "./name-codec.ts";
import type { CertificateView } from "./view.ts";

export type { CrlEntry } from "./crl-entries.ts";
export { REVOCATION_REASONS, type RevocationReason } from "./crl-names.ts";

export interface CrlRequest {
  /** The certificate of the CA whose list it is. */
  readonly issuer: CertificateView;
  /** cRLNumber: larger than that of every list before. */
  readonly number: bigint;
  readonly thisUpdateMs: number;
  readonly nextUpdateMs: number;
  /** Read once. */
  readonly entries: Iterable<CrlEntry>;
  /** One that fits the issuer's key; its default without. */
  readonly scheme?: SignatureScheme;
}

export interface CrlToBeSigned {
  /** DER of the TBSCertList: what is agreed to, and what is signed. */
  readonly tbs: Uint8Array;
  /** SHA-256 of it in hex. */
  readonly sha256: string;
  readonly scheme: SignatureScheme;
  /** What the bytes say but for the entries, read back from them. */
  readonly header: CrlHeader;
  readonly count: number;
}

/** RFC 5280 §5.2.3: at most 20 octets; BR 7.2.2: below 2^159. */
const NUMBER_LIMIT = 2n ** 159n;
/** BR 4.9.7: the next list of a CA that issues to CAs is due within twelve months. */
export const LONGEST_CRL_DAYS = 366;
const DAY_MS = 86_400_000;

/**
 * The to-be-signed part of a list.
 * @throws KeyriteError script.refused for entries, numbers or times that cannot stand, or an issuer that
 * may not sign lists; hsm.not-supported for a scheme that does not fit its key
 */
export function buildCrl(request: CrlRequest): CrlToBeSigned {
  const { issuer, number, thisUpdateMs, nextUpdateMs } = request;
  if (number < 0n || number >= NUMBER_LIMIT) refuse("its number is not from 0 to 2^159 - 1");
  if (nextUpdateMs <= thisUpdateMs) refuse("the next one is due before this one is made");
  if (nextUpdateMs - thisUpdateMs > LONGEST_CRL_DAYS * DAY_MS) {
    refuse(`the next one is due later than ${LONGEST_CRL_DAYS} days after this one (BR 4.9.7)`);
  }
  const scheme = schemeOf(request);
  const before = [
    integer(1n),
    encodeDer(algorithmIdentifier(scheme)),
    encodeDer(encodeName(issuer.subject)),
    encodeTime(isoTime(thisUpdateMs)),
    encodeTime(isoTime(nextUpdateMs)),
  ];
  const after = element(context(0, true), extensionsOf(issuer, number));
  const room = before.reduce((sum, part) => sum + part.length, 2 * LONGEST_HEADER);
  const entries = writeEntries(request.entries, { before: room, after: after.length });
  const tbs = framed(entries, before, after);
  const sha256 = hex(createHash("sha256").update(tbs).digest());
  return { tbs, sha256, scheme, header: readCrlHeader(tbs), count: entries.count };
}

/** Tag and length of an element of any size that is handled here. */
const LONGEST_HEADER = 6;

/** The TBSCertList around its entries, in the buffer that holds them. */
function framed(
  { bytes, start, end, count }: WrittenEntries,
  before: readonly Uint8Array[],
  after: Uint8Array,
): Uint8Array {
  // An empty list leaves the field out (RFC 5280 §5.1.2.6).
  const revoked = count === 0 ? [] : [header(TAG.SEQUENCE, end - start)];
  const inner = [...before, ...revoked];
  const length = inner.reduce((sum, part) => sum + part.length, end - start + after.length);
  const head = [header(TAG.SEQUENCE, length), ...inner];
  const first = start - head.reduce((sum, part) => sum + part.length, 0);
  bytes.set(after, end);
  let at = first;
  for (const part of head) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes.subarray(first, end + after.length);
}

/** One element in one piece; `element` of der.ts keeps its bytes outside the heap, for they may be secret. */
function joined(tag: number, parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const { buffer, byteOffset, byteLength } = Buffer.concat([header(tag, length), ...parts]);
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function extensionsOf({ extensions }: CertificateView, number: bigint): Uint8Array {
  const own = extensions.find((extension) => extension.kind === "subject-key-id");
  const usage = extensions.find((extension) => extension.kind === "key-usage");
  if (own === undefined) return refuse("its issuer has no subject key id");
  if (usage !== undefined && !usage.usages.includes("cRLSign")) {
    return refuse("its issuer's key may not sign revocation lists (RFC 5280 §4.2.1.3)");
  }
  const views = [
    { kind: "authority-key-id", critical: false, keyId: own.keyId },
    { kind: "crl-number", critical: false, number: hex(integerContent(number)) },
  ] as const;
  return encodeDer(new Extensions(views.map(encodeExtension)));
}

function schemeOf({ issuer, scheme }: CrlRequest): SignatureScheme {
  const algorithm = keyAlgorithm(issuer.key);
  const fitting = algorithm === null ? [] : schemesFor(algorithm);
  const chosen = scheme ?? (algorithm === null ? undefined : schemeFor(algorithm));
  if (chosen !== undefined && fitting.includes(chosen)) return chosen;
  throw new KeyriteError("hsm.not-supported", "the issuer's key does not sign with this algorithm");
}

/** The signed list in DER. It proves nothing: its signature is checked by whoever writes it to a file. */
export function assembleCrl(
  tbs: Uint8Array,
  scheme: SignatureScheme,
  signature: Uint8Array,
): Uint8Array {
  return joined(TAG.SEQUENCE, [tbs, encodeDer(algorithmIdentifier(scheme)), bitString(signature)]);
}

function refuse(what: string): never {
  throw new KeyriteError("script.refused", `the revocation list cannot be made: ${what}`);
}
