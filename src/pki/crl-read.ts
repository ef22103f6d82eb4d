/** Reads revocation lists: the header at once, the entries one by one as they are asked for. */

import { hex } from "../lib/encoding.ts";
import { KeyriteError, messageOf } from "../lib/errors.ts";
import { type AlgorithmView, readAlgorithm } from "./algorithms.ts";
import { AlgorithmIdentifier, decodeDer, Extensions, Name } from "./asn1.ts";
import { REASON_PREFIX } from "./crl-entries.ts";
import { REASON_CODES } from "./crl-names.ts";
import { context, type Item, need, readOid, readOne, readSequence, TAG, walk } from "./der.ts";
import { readTimeItem } from "./der-time.ts";
import { type ExtensionView, readExtension } from "./extensions.ts";
import { readName } from "./name-codec.ts";
import type { DistinguishedName } from "./names.ts";
import { derFrom } from "./pem.ts";
import { bytesOf, contentOf, type Element, elementAt, elementsIn, onlyElement } from "./tlv.ts";
import type { TimeView } from "./view.ts";

export const LARGEST_CRL = 32 * 1024 * 1024;
const MANY = 50;

/** What a list says but for its entries. */
export interface CrlHeader {
  /** 2 for a list with extensions, as people count; 1 for one without. */
  readonly version: number;
  /** The algorithm named inside the signed part. */
  readonly signature: AlgorithmView;
  readonly issuer: DistinguishedName;
  readonly thisUpdate: TimeView;
  readonly nextUpdate: TimeView;
  readonly extensions: readonly ExtensionView[];
}

export interface CrlEntryView {
  /** Content bytes of the serial number in hex. */
  readonly serial: string;
  readonly revokedAt: TimeView;
  /** As in RFC 5280 §5.3.1; null where none is given. */
  readonly reason: string | null;
  /** Identifiers of its other extensions. */
  readonly others: readonly string[];
}

export interface SignedCrl {
  readonly der: Uint8Array;
  readonly tbs: Uint8Array;
  readonly header: CrlHeader;
  readonly count: number;
  /** Decodes while it is read. @throws KeyriteError usage.bad-file at an entry that is malformed. */
  readonly entries: () => Iterable<CrlEntryView>;
  readonly algorithm: AlgorithmView;
  readonly signature: Uint8Array;
}

/** Reads a list in DER or PEM. @throws KeyriteError usage.bad-file for anything else. */
export function readCrl(bytes: Uint8Array): SignedCrl {
  const der = derFrom(bytes, ["X509 CRL"], "the revocation list", LARGEST_CRL);
  return decoding(() => {
    const [tbs, algorithm, signature, ...more] = elementsIn(
      der,
      expect(onlyElement(der), TAG.SEQUENCE),
    );
    if (more.length > 0) throw new Error("it has more than three parts");
    const signed = bytesOf(der, expect(tbs, TAG.SEQUENCE));
    const { list, header } = readTbs(signed);
    const bits = contentOf(der, expect(signature, TAG.BIT_STRING));
    if (bits[0] !== 0) throw new Error("its signature is not of whole bytes");
    return {
      der,
      tbs: signed,
      header,
      count: countIn(signed, list),
      entries: () => entriesIn(signed, list),
      algorithm: readAlgorithm(
        decodeDer(bytesOf(der, expect(algorithm)), AlgorithmIdentifier, "its signature algorithm"),
      ),
      signature: bits.subarray(1),
    };
  });
}

/** What a TBSCertList says but for its entries. @throws KeyriteError usage.bad-file */
export function readCrlHeader(tbs: Uint8Array): CrlHeader {
  return decoding(() => readTbs(tbs).header);
}

interface Tbs {
  readonly header: CrlHeader;
  /** revokedCertificates, if any. */
  readonly list: Element | undefined;
}

function readTbs(tbs: Uint8Array): Tbs {
  const members = [...elementsIn(tbs, expect(onlyElement(tbs), TAG.SEQUENCE))];
  const next = (tag?: number): Item => asItem(tbs, expect(members.shift(), tag));
  const version = members[0]?.tag === TAG.INTEGER ? hex(next().der) : "020100";
  if (version !== "020101") throw new Error("it is not a list of version 2");
  const signature = decodeDer(next().der, AlgorithmIdentifier, "its signature algorithm");
  const issuer = next(TAG.SEQUENCE);
  walk(issuer.der);
  const [thisUpdate, nextUpdate] = [readTimeItem(next()), readTimeItem(next())];
  const list = members[0]?.tag === TAG.SEQUENCE ? members.shift() : undefined;
  if (list?.start === list?.end && list !== undefined) throw new Error("an empty list is written");
  const extensions = next(context(0, true)).content;
  if (members.length > 0) throw new Error("its signed part has more members than it can");
  walk(extensions);
  const found = Array.from(decodeDer(extensions, Extensions, "its extensions"), readExtension);
  return {
    header: {
      version: 2,
      signature: readAlgorithm(signature),
      issuer: readName(decodeDer(issuer.der, Name, "its issuer")),
      thisUpdate,
      nextUpdate,
      extensions: found,
    },
    list,
  };
}

function expect(element: Element | undefined, tag?: number): Element {
  if (element === undefined) throw new Error("a member is missing");
  if (tag !== undefined && element.tag !== tag) throw new Error("a member has another type");
  return element;
}

function asItem(bytes: Uint8Array, element: Element): Item {
  return { tag: element.tag, der: bytesOf(bytes, element), content: contentOf(bytes, element) };
}

function countIn(tbs: Uint8Array, list: Element | undefined): number {
  let count = 0;
  for (let at = list?.start ?? 0; at < (list?.end ?? 0); count++) {
    at = elementAt(tbs, at, list?.end).end;
  }
  return count;
}

function* entriesIn(tbs: Uint8Array, list: Element | undefined): Generator<CrlEntryView> {
  for (let at = list?.start ?? 0; at < (list?.end ?? 0);) {
    const element = elementAt(tbs, at, list?.end);
    yield decoding(() => readEntry(bytesOf(tbs, element)));
    at = element.end;
  }
}

function readEntry(der: Uint8Array): CrlEntryView {
  const [serial, revokedAt, extensions, ...more] = readSequence(der, 4);
  if (more.length > 0) throw new Error("an entry has more than three members");
  const { content } = need(serial, TAG.INTEGER);
  if (content.length === 0) throw new Error("a serial number is empty");
  const entry = { serial: hex(content), revokedAt: readTimeItem(need(revokedAt)) };
  if (extensions === undefined) return { ...entry, reason: null, others: [] };
  const usual = usualReason(extensions.der);
  if (usual !== undefined) return { ...entry, reason: usual, others: [] };
  const found = readSequence(extensions.der, MANY).map(({ der: one }) => readEntryExtension(one));
  const reasons = found.flatMap(({ reason }) => (reason === undefined ? [] : [reason]));
  if (found.length === 0 || reasons.length > 1)
    throw new Error("an entry's extensions are malformed");
  const others = found.flatMap(({ oid, reason }) => (reason === undefined ? [oid] : []));
  return { ...entry, reason: reasons[0] ?? null, others };
}

const REASON_CODE = "2.5.29.21";
const REASON_NAMES = new Map(Object.entries(REASON_CODES).map(([name, code]) => [code, name]));

/** The reason in extensions that hold nothing else, as most do, by comparing bytes. */
function usualReason(extensions: Uint8Array): string | undefined {
  const prefix = REASON_PREFIX.length;
  if (extensions.length !== prefix + 1) return undefined;
  if (REASON_PREFIX.compare(extensions, 0, prefix) !== 0) return undefined;
  return REASON_NAMES.get(extensions[prefix] ?? -1);
}

function readEntryExtension(der: Uint8Array): { readonly oid: string; readonly reason?: string } {
  const members = readSequence(der, 3);
  const oid = readOid(members[0]);
  const value = need(members.at(-1), TAG.OCTET_STRING).content;
  if (oid !== REASON_CODE) return { oid };
  // BR 7.2.2: not critical, so of two members.
  const { content } = readOne(value, TAG.ENUMERATED);
  const reason = content.length === 1 ? REASON_NAMES.get(content[0] ?? -1) : undefined;
  if (members.length !== 2 || reason === undefined) throw new Error("a reason is malformed");
  return { oid, reason };
}

function decoding<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    const message = `the revocation list cannot be decoded: ${messageOf(error)}`;
    throw new KeyriteError("usage.bad-file", message, { cause: error });
  }
}
