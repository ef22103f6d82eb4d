/**
 * Reads requests from outside. Whoever made one may be an adversary: it is bounded, walked before any
 * decoder that recurses sees it, and nothing of it is believed before its own key has signed it.
 */

import { whyKeyRefused } from "../lib/ed25519.ts";
import { hex, visible } from "../lib/encoding.ts";
import { KeyriteError, messageOf } from "../lib/errors.ts";
import { type AlgorithmView, readAlgorithm } from "./algorithms.ts";
import { AlgorithmIdentifier, decodeDer, Extensions, Name } from "./asn1.ts";
import {
  context,
  type Item,
  need,
  readMany,
  readOid,
  readOne,
  readSequence,
  TAG,
  walk,
} from "./der.ts";
import { type ExtensionView, oidOfExtension, readExtension } from "./extensions.ts";
import { type KeyView, readSpki } from "./keys.ts";
import { KEY_LINTS } from "./lint-key.ts";
import { readName } from "./name-codec.ts";
import { formatDn, type DistinguishedName } from "./names.ts";
import { derFrom } from "./pem.ts";
import { verifySignature } from "./signature.ts";

export const LARGEST_CSR = 64 * 1024;
/** More attributes or extensions than any honest request asks for. */
const MANY = 50;
const LABELS = ["CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"];

/** extensionRequest, RFC 2985 §5.4.2 */
export const EXTENSION_REQUEST = "1.2.840.113549.1.9.14";

export interface CsrView {
  readonly version: 1;
  readonly subject: DistinguishedName;
  readonly key: KeyView;
  /** The extensions it asks for, in the order of the encoding. */
  readonly extensions: readonly ExtensionView[];
  /** Every other attribute: its identifier, and the DER of its set of values in hex. */
  readonly attributes: readonly { readonly oid: string; readonly value: string }[];
}

export interface SignedCsr {
  readonly der: Uint8Array;
  /** DER of the CertificationRequestInfo. */
  readonly tbs: Uint8Array;
  readonly view: CsrView;
  readonly algorithm: AlgorithmView;
  readonly signature: Uint8Array;
}

/**
 * Reads a request in DER or PEM whose signature verifies under its own key.
 * @throws KeyriteError usage.bad-file for anything else, a weak key, doubled attributes or extensions,
 * and characters in names that do not show.
 */
export function readCsr(bytes: Uint8Array): SignedCsr {
  const der = derFrom(bytes, LABELS, "the request", LARGEST_CSR);
  return decoding(() => {
    walk(der);
    const [tbs, algorithm, signature, ...more] = readSequence(der, 4);
    if (more.length > 0) throw new Error("it has more than three parts");
    const read = {
      der,
      tbs: need(tbs, TAG.SEQUENCE).der,
      view: readInfo(need(tbs).der),
      algorithm: readAlgorithm(
        decodeDer(need(algorithm).der, AlgorithmIdentifier, "its signature algorithm"),
      ),
      signature: wholeBits(need(signature, TAG.BIT_STRING)),
    };
    refuseWeakKey(read.view);
    refuseForgery(read);
    return read;
  });
}

/** What a CertificationRequestInfo says. @throws KeyriteError usage.bad-file when it is not one in DER. */
export function readCsrInfo(tbs: Uint8Array): CsrView {
  return decoding(() => {
    walk(tbs);
    return readInfo(tbs);
  });
}

function decoding<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof KeyriteError && error.code === "usage.bad-file") throw error;
    const message = `the request cannot be decoded: ${visible(messageOf(error))}`;
    throw new KeyriteError("usage.bad-file", message, { cause: error });
  }
}

function readInfo(der: Uint8Array): CsrView {
  const [version, subject, spki, attributes, ...more] = readSequence(der, 5);
  if (hex(need(version).der) !== "020100") bad("the version of the request is not 1");
  if (more.length > 0) throw new Error("its signed part has more than four members");
  const name = readName(decodeDer(need(subject).der, Name, "the subject of the request"));
  refuseHidden(name);
  const key: KeyView = readSpki(need(spki).der);
  return { version: 1, subject: name, key, ...readAttributes(need(attributes, context(0, true))) };
}

function readAttributes(list: Item): Pick<CsrView, "extensions" | "attributes"> {
  const items = readMany(list.content, MANY);
  if (!isSorted(items)) bad("the attributes of the request are not in the order of DER");
  const attributes = items.map(({ der }) => {
    const [type, values, ...more] = readSequence(der, 3);
    const set = need(values, TAG.SET);
    if (more.length > 0 || set.content.length === 0) throw new Error("an attribute is malformed");
    return { oid: readOid(type), set };
  });
  const names = attributes.map(({ oid }) => oid);
  const twice = names.find((name, at) => names.indexOf(name) < at);
  if (twice !== undefined) bad(`the request holds the attribute ${twice} twice`);
  const wanted = attributes.find(({ oid }) => oid === EXTENSION_REQUEST);
  return {
    extensions: wanted === undefined ? [] : readExtensions(wanted.set.content),
    attributes: attributes
      .filter((found) => found !== wanted)
      .map(({ oid, set }) => ({ oid, value: hex(set.der) })),
  };
}

/** DER orders a SET OF by the encodings of its members (X.690 §11.6). */
function isSorted(items: readonly Item[]): boolean {
  return items.every(
    ({ der }, at) => at === 0 || Buffer.compare(items[at - 1]?.der ?? der, der) <= 0,
  );
}

function readExtensions(values: Uint8Array): readonly ExtensionView[] {
  const { der } = readOne(values, TAG.SEQUENCE);
  const found = decodeDer(der, Extensions, "the extensions that the request asks for");
  if (found.length > MANY) bad(`the request asks for more than ${MANY} extensions`);
  const extensions = Array.from(found, readExtension);
  const names = extensions.map(oidOfExtension);
  const twice = names.find((name, at) => names.indexOf(name) < at);
  if (twice !== undefined) bad(`the request asks for the extension ${twice} twice`);
  return extensions;
}

/** What nobody in the room could see or would read differently must not come near a certificate. */
function refuseHidden(name: DistinguishedName): void {
  const hidden = name
    .flat()
    .find(
      ({ form, value }) =>
        form !== "other" && /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\u{fffd}]/u.test(value),
    );
  if (hidden === undefined) return;
  bad(`the subject of the request holds characters that do not show: ${visible(formatDn(name))}`);
}

function wholeBits({ content }: Item): Uint8Array {
  if (content[0] !== 0) throw new Error("its signature is not of whole bytes");
  return content.subarray(1);
}

/** The first rule that the key breaks; later ones may take long on a key of a size we do not use. */
function refuseWeakKey(view: CsrView): void {
  for (const { rule, source, check } of KEY_LINTS) {
    const problem = check({ view, trust: "private" });
    if (problem !== undefined)
      bad(`the key of the request is refused: ${problem} (${rule}, ${source})`);
  }
}

function refuseForgery({ tbs, view, algorithm, signature }: SignedCsr): void {
  const { scheme } = algorithm;
  if (scheme === null) bad("the request is signed with an algorithm that we do not use");
  const { key } = view;
  const spki = new Uint8Array(Buffer.from(key.spki, "hex"));
  // Under a point of small order one signature verifies for many messages: it proves nothing.
  const why =
    key.kind === "ed25519"
      ? whyKeyRefused(new Uint8Array(Buffer.from(key.point, "hex")))
      : undefined;
  if (why !== undefined) bad(`the key of the request is refused: ${why}`);
  if (!verifySignature(scheme, spki, tbs, signature)) {
    bad("the signature of the request does not verify under its own key");
  }
}

function bad(message: string): never {
  throw new KeyriteError("usage.bad-file", message);
}
