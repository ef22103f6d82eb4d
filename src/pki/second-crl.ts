/**
 * The second reading of a revocation list; see second-parts.ts for what it must not share. Entries are
 * parsed one by one as they are asked for, since a tree of a long list would not fit into memory.
 */

import { hex } from "../lib/encoding.ts";
import type { AlgorithmView } from "./algorithms.ts";
import type { CrlEntryView, CrlHeader } from "./crl-read.ts";
import {
  content,
  dotted,
  integer,
  isType,
  members,
  nameOfOid,
  need,
  type Node,
  octets,
  parse,
  tagged,
  TYPE,
  wholeBytes,
} from "./second-decoder.ts";
import { extensionOf } from "./second-extensions.ts";
import { algorithmOf, MANY, nameOf, timeOf } from "./second-parts.ts";
import { bytesOf, type Element, elementsIn, onlyElement } from "./tlv.ts";

export interface SecondCrl {
  /** DER of the TBSCertList. */
  readonly tbs: Uint8Array;
  readonly header: CrlHeader;
  readonly entries: () => Iterable<CrlEntryView>;
  readonly algorithm: AlgorithmView;
  readonly signature: Uint8Array;
}

const SEQUENCE = 0x30;
/** RFC 5280 §5.3.1, by value; 7 is not used. */
const REASONS = [
  ...["unspecified", "keyCompromise", "cACompromise", "affiliationChanged", "superseded"],
  ...["cessationOfOperation", "certificateHold", undefined, "removeFromCRL", "privilegeWithdrawn"],
  "aACompromise",
];

/** Reads a signed list. @throws Error when it is not one in DER, or of version 1. */
export function secondReadCrl(der: Uint8Array): SecondCrl {
  const [signed, algorithm, signature, ...more] = partsIn(der);
  if (more.length > 0) throw new Error("there are more than three members");
  const tbs = needed(signed);
  return {
    tbs,
    ...secondReadCrlTbs(tbs),
    algorithm: algorithmOf(parse(needed(algorithm))),
    signature: wholeBytes(parse(needed(signature))),
  };
}

/** Reads a TBSCertList. @throws Error */
export function secondReadCrlTbs(tbs: Uint8Array): Pick<SecondCrl, "header" | "entries"> {
  const parts = partsIn(tbs);
  const [version, signature, issuer, thisUpdate, nextUpdate] = parts;
  const rest = parts.slice(5);
  const list = rest.length === 2 ? rest[0] : undefined;
  if (rest.length < 1 || rest.length > 2) throw new Error("members are missing, or too many");
  const extensions = members(tagged(parse(needed(rest.at(-1))), 0), 1, MANY);
  return {
    header: {
      version: parseInt(hex(integer(parse(needed(version)))), 16) + 1,
      signature: algorithmOf(parse(needed(signature))),
      issuer: nameOf(parse(needed(issuer))),
      thisUpdate: timeOf(parse(needed(thisUpdate))),
      nextUpdate: timeOf(parse(needed(nextUpdate))),
      extensions: extensions.map(extensionOf),
    },
    entries: () => entriesIn(list),
  };
}

function* entriesIn(list: Uint8Array | undefined): Generator<CrlEntryView> {
  if (list === undefined) return;
  for (const element of elementsIn(list, sequenceIn(list))) {
    yield entryOf(parse(bytesOf(list, element)));
  }
}

function entryOf(node: Node): CrlEntryView {
  const [serial, revokedAt, extensions] = members(node, 2, 3);
  const found = extensions === undefined ? [] : members(extensions, 1, MANY).map(entryExtension);
  const reasons = found.filter(({ reason }) => reason !== undefined);
  if (reasons.length > 1) throw new Error("a reason stands twice");
  return {
    serial: hex(integer(need(serial))),
    revokedAt: timeOf(need(revokedAt)),
    reason: reasons[0]?.reason ?? null,
    others: found.filter(({ reason }) => reason === undefined).map(({ oid }) => oid),
  };
}

function entryExtension(node: Node): { readonly oid: string; readonly reason?: string } {
  const parts = members(node, 2, 3);
  const [type] = parts;
  const oid = dotted(need(type));
  if (nameOfOid(need(type)) !== "cRLReason") return { oid };
  const value = parse(octets(need(parts.at(-1))));
  if (!isType(value, TYPE.ENUMERATED)) throw new Error("a reason has another type");
  const reason = REASONS[parseInt(hex(content(value)), 16)];
  if (reason === undefined || parts.length > 2) throw new Error("a reason is unknown or critical");
  return { oid, reason };
}

function partsIn(bytes: Uint8Array): readonly Uint8Array[] {
  return [...elementsIn(bytes, sequenceIn(bytes))].map((element) => bytesOf(bytes, element));
}

function sequenceIn(bytes: Uint8Array): Element {
  const outer = onlyElement(bytes);
  if (outer.tag !== SEQUENCE) throw new Error("a SEQUENCE was expected");
  return outer;
}

function needed(bytes: Uint8Array | undefined): Uint8Array {
  if (bytes === undefined) throw new Error("a member is missing");
  return bytes;
}
