/**
 * The same revocation list as a plain loop writes it: no check of anything, no decoding, no signature.
 * What stands before and behind the entries is taken from the product's, for it is the same in any list.
 */

import { createHash } from "node:crypto";
import { buildCrl } from "../../src/pki/crl.ts";
import { header } from "../../src/pki/der.ts";
import { elementsIn, onlyElement } from "../../src/pki/tlv.ts";
import type { CrlMaterial } from "./crl.ts";

const REASON = Buffer.from("300c300a0603551d1504030a0104", "hex");
/** Sequence, serial number of 20 octets, UTCTime and reason. */
const ENTRY = 2 + 2 + 20 + 2 + 13 + REASON.length;

/** SHA-256 of its to-be-signed part, in hex. */
export function bareCrl(material: CrlMaterial): string {
  const { entries } = material;
  const { before, after } = frame(material);
  const length = entries.length * ENTRY;
  const head = [...before, ...header(0x30, length)];
  const outer = header(0x30, head.length + length + after.length);
  const bytes = Buffer.alloc(outer.length + head.length + length + after.length);
  bytes.set(outer);
  bytes.set(head, outer.length);
  let at = outer.length + head.length;
  for (const { serial, revokedAt: time } of entries) {
    bytes[at++] = 0x30;
    bytes[at++] = ENTRY - 2;
    bytes[at++] = 0x02;
    bytes[at++] = 20;
    at += bytes.write(serial, at, "hex");
    bytes[at++] = 0x17;
    bytes[at++] = 13;
    const date = `${time.slice(2, 4)}${time.slice(5, 7)}${time.slice(8, 10)}`;
    const clock = `${time.slice(11, 13)}${time.slice(14, 16)}${time.slice(17, 19)}`;
    at += bytes.write(`${date}${clock}Z`, at, "latin1");
    bytes.set(REASON, at);
    at += REASON.length;
  }
  bytes.set(after, at);
  return createHash("sha256").update(bytes).digest("hex");
}

interface Frame {
  readonly before: Uint8Array;
  readonly after: Uint8Array;
}
const frames = new WeakMap<CrlMaterial, Frame>();

/** Everything but the entries and the lengths around them, made once. */
function frame(material: CrlMaterial): Frame {
  const known = frames.get(material);
  if (known !== undefined) return known;
  const { tbs } = buildCrl({ ...material, entries: [], number: 7n });
  const { start, end } = onlyElement(tbs);
  // The extensions are the last member; a byte of a key id may look like their tag.
  const { at } = [...elementsIn(tbs, onlyElement(tbs))].at(-1) ?? { at: end };
  const found = { before: tbs.subarray(start, at), after: tbs.subarray(at) };
  frames.set(material, found);
  return found;
}
