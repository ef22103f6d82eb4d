/** The second reading of a PKCS#10 request; see second-parts.ts for what it must not share. */

import { hex } from "../lib/encoding.ts";
import type { AlgorithmView } from "./algorithms.ts";
import type { CsrView } from "./csr.ts";
import {
  dotted,
  encode,
  integer,
  members,
  nameOfOid,
  need,
  type Node,
  parse,
  taggedSet,
  TYPE,
  wholeBytes,
} from "./second-decoder.ts";
import { extensionOf } from "./second-extensions.ts";
import { algorithmOf, keyOf, MANY, nameOf } from "./second-parts.ts";

export interface SecondCsr {
  /** DER of the CertificationRequestInfo. */
  readonly tbs: Uint8Array;
  readonly view: CsrView;
  readonly algorithm: AlgorithmView;
  readonly signature: Uint8Array;
}

/** Reads a request, without judging key or signature. @throws Error when it is not one in DER. */
export function secondReadCsr(der: Uint8Array): SecondCsr {
  const [info, algorithm, signature] = members(parse(der), 3, 3);
  const tbs = encode(need(info));
  return {
    tbs,
    view: secondReadCsrInfo(tbs),
    algorithm: algorithmOf(need(algorithm)),
    signature: wholeBytes(need(signature)),
  };
}

/** Reads a CertificationRequestInfo. @throws Error when it is not one in DER. */
export function secondReadCsrInfo(tbs: Uint8Array): CsrView {
  const [version, subject, key, list] = members(parse(tbs), 4, 4);
  if (hex(integer(need(version))) !== "00") throw new Error("the version is not 1");
  const attributes = taggedSet(need(list), 0).map((node) => members(node, 2, 2));
  const wanted = attributes.filter(([type]) => nameOfOid(need(type)) === "extensionRequest");
  const others = attributes.filter((attribute) => !wanted.includes(attribute));
  return {
    version: 1,
    subject: nameOf(need(subject)),
    key: keyOf(need(key)),
    extensions: wanted.flatMap(([, values]) => extensionsIn(need(values))),
    attributes: others.map(([type, values]) => ({
      oid: dotted(need(type)),
      value: hex(encode(need(values))),
    })),
  };
}

function extensionsIn(values: Node): CsrView["extensions"] {
  const [list] = members(values, 1, 1, TYPE.SET);
  return members(need(list), 0, MANY).map(extensionOf);
}
