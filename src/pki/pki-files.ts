/**
 * What a file holds: certificates, revocation lists and requests, in DER, in PEM, or in a PKCS#7 bundle.
 * Told by structure, never by the file's name, and only by headers: judging the parts is the readers' task.
 */

import { equalBytes, fromBase64, hex } from "../lib/encoding.ts";
import { KeyriteError, messageOf } from "../lib/errors.ts";
import { bytesOf, contentOf, type Element, elementsIn, firstIn, onlyElement } from "./tlv.ts";

export type PkiKind = "certificate" | "crl" | "csr";

export interface PkiFile {
  /** The file's name, with `#2` for the second part of one that holds several. */
  readonly name: string;
  readonly kind: PkiKind;
  readonly der: Uint8Array;
}

/** A revocation list of several hundred thousand entries is smaller. */
export const LARGEST_PKI_FILE = 32 * 1024 * 1024;
/** More parts than any honest chain or hierarchy has. */
const MOST_PARTS = 1000;

const SEQUENCE = 0x30;
const INTEGER = 0x02;
const OID = 0x06;
const UTC_TIME = 0x17;
const GENERALIZED_TIME = 0x18;
const CONTEXT_0 = 0xa0;
const CONTEXT_1 = 0xa1;
/** id-signedData, RFC 5652 §5.1 */
const SIGNED_DATA = "2a864886f70d010702";

/**
 * The parts of a file, in their order.
 * @throws KeyriteError usage.bad-file, naming the file, when it is empty, too large or none of the kinds.
 */
export function readPkiFile(bytes: Uint8Array, name: string): readonly PkiFile[] {
  try {
    const parts = partsOf(bytes);
    return parts.map((part, i) => ({
      name: parts.length === 1 ? name : `${name}#${i + 1}`,
      ...part,
    }));
  } catch (error) {
    const hints = ["certificates, revocation lists and requests are taken in DER, PEM or PKCS#7"];
    throw new KeyriteError("usage.bad-file", `${name}: ${messageOf(error)}`, {
      hints,
      cause: error,
    });
  }
}

type Part = Omit<PkiFile, "name">;

function partsOf(bytes: Uint8Array): readonly Part[] {
  if (bytes.length === 0) throw new Error("the file is empty");
  if (bytes.length > LARGEST_PKI_FILE) {
    throw new Error(`the file is larger than ${LARGEST_PKI_FILE / 1024 / 1024} MiB`);
  }
  const parts = bytes[0] === SEQUENCE ? derParts(bytes) : pemParts(bytes);
  if (parts.length > MOST_PARTS) throw new Error(`the file holds more than ${MOST_PARTS} parts`);
  return parts;
}

const LABELS: Readonly<Record<string, PkiKind | "pkcs7">> = {
  CERTIFICATE: "certificate",
  "X509 CRL": "crl",
  "CERTIFICATE REQUEST": "csr",
  "NEW CERTIFICATE REQUEST": "csr",
  PKCS7: "pkcs7",
  CMS: "pkcs7",
};

/** RFC 7468; text outside the marked blocks is skipped, as `openssl x509 -text` writes some. */
function pemParts(bytes: Uint8Array): readonly Part[] {
  const text = Buffer.from(bytes).toString("latin1").replaceAll("\r\n", "\n");
  const parts: Part[] = [];
  const begin = /^-----BEGIN ([A-Z0-9 ]{1,40})-----$/gm;
  for (let match = begin.exec(text); match !== null; match = begin.exec(text)) {
    const label = match[1] ?? "";
    const kind = Object.hasOwn(LABELS, label) ? LABELS[label] : undefined;
    if (kind === undefined) throw new Error(`it holds ${article(label)}, which has no place here`);
    const from = begin.lastIndex;
    const end = text.indexOf(`\n-----END ${label}-----`, from);
    if (end < 0) throw new Error(`the block ${label} has no end`);
    const der = fromBase64(text.slice(from, end).replaceAll("\n", ""));
    if (der === undefined) throw new Error(`the block ${label} is not base64`);
    const found = derParts(der);
    const told = found[0]?.kind;
    if (kind !== "pkcs7" && (told !== kind || found.length !== 1)) {
      throw new Error(`the block ${label} holds something else`);
    }
    parts.push(...found);
    begin.lastIndex = end;
  }
  if (parts.length === 0) throw new Error("it holds no certificate, revocation list or request");
  return parts;
}

function article(label: string): string {
  return `${/^[AEIOU]/.test(label) ? "an" : "a"} ${label}`;
}

function derParts(der: Uint8Array): readonly Part[] {
  const outer = onlyElement(der);
  if (outer.tag !== SEQUENCE) throw new Error("it is neither DER nor PEM");
  const [first, second, third, more] = firstIn(der, outer, 4);
  if (first?.tag === OID) return bundleParts(der, first, second);
  if (first?.tag !== SEQUENCE || second?.tag !== SEQUENCE || third?.tag !== 0x03 || more) {
    throw new Error("it is no certificate, revocation list or request");
  }
  return [{ kind: kindOf(der, first), der }];
}

/** By the types of the first members of what is signed (RFC 5280 §4.1, §5.1; RFC 2986 §4.1). */
function kindOf(der: Uint8Array, signed: Element): PkiKind {
  const members = firstIn(der, signed, 4);
  const tags = members.map(({ tag }) => tag);
  const isTime = (tag: number | undefined): boolean => tag === UTC_TIME || tag === GENERALIZED_TIME;
  if (tags[0] === CONTEXT_0) return "certificate";
  // Version 1 of lists and certificates has no version field.
  if (isTime(tags[2]) || (tags[0] === INTEGER && isTime(tags[3]))) return "crl";
  if (tags[0] !== INTEGER) throw new Error("it is no certificate, revocation list or request");
  const [validFrom] = tags[3] === SEQUENCE && members[3] ? firstIn(der, members[3], 1) : [];
  return isTime(validFrom?.tag) ? "certificate" : "csr";
}

/** A bundle of RFC 5652 §5: its certificates and lists; who signed it, if anybody, does not matter. */
function bundleParts(
  der: Uint8Array,
  type: Element,
  content: Element | undefined,
): readonly Part[] {
  if (hex(contentOf(der, type)) !== SIGNED_DATA || content?.tag !== CONTEXT_0) {
    throw new Error("it is a PKCS#7 file of another kind than a bundle of certificates");
  }
  const [data] = firstIn(der, content, 1);
  if (data?.tag !== SEQUENCE) throw new Error("it is a damaged PKCS#7 file");
  const parts: Part[] = [];
  for (const member of elementsIn(der, data)) {
    if (member.tag !== CONTEXT_0 && member.tag !== CONTEXT_1) continue;
    for (const entry of elementsIn(der, member)) {
      const found = derParts(bytesOf(der, entry));
      const kind = member.tag === CONTEXT_0 ? "certificate" : "crl";
      if (found[0]?.kind !== kind || found.length !== 1) {
        throw new Error("its PKCS#7 bundle holds something else than certificates and lists");
      }
      parts.push(...found);
    }
  }
  if (parts.length === 0) throw new Error("its PKCS#7 bundle is empty");
  return parts;
}

/** The parts without those whose bytes stood there before: chains repeat their issuers. */
export function withoutRepeats(files: readonly PkiFile[]): readonly PkiFile[] {
  const kept: PkiFile[] = [];
  for (const file of files) {
    if (!kept.some(({ der }) => equalBytes(der, file.der))) kept.push(file);
  }
  return kept;
}
