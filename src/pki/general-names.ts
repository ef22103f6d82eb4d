/** General names (RFC 5280 §4.2.1.6): addresses and names of what is not only a distinguished name. */

import { fromHex, hex } from "../lib/encoding.ts";
import { decodeDer, encodeDer, Name } from "./asn1.ts";
import { addressContent, context, element, type Item, readAddress } from "./der.ts";
import { encodeName, readName } from "./name-codec.ts";
import type { DistinguishedName } from "./names.ts";

export type GeneralNameView =
  | { readonly type: "dns" | "email" | "uri"; readonly value: string }
  /** Octets in hex: 4 or 16 of an address, 8 or 32 of an address with its mask. */
  | { readonly type: "ip"; readonly value: string }
  | { readonly type: "directory"; readonly name: DistinguishedName }
  /** DER of the GeneralName in hex. */
  | { readonly type: "other"; readonly value: string };

const EMAIL = context(1, false);
const DNS = context(2, false);
const DIRECTORY = context(4, true);
const URI = context(6, false);
const IP = context(7, false);
const IP_OCTETS = [4, 8, 16, 32];

/** @throws Error for an address that cannot be written. */
export function encodeGeneralName(view: GeneralNameView): Uint8Array {
  switch (view.type) {
    case "email":
      return element(EMAIL, addressContent(view.value));
    case "dns":
      return element(DNS, addressContent(view.value));
    case "uri":
      return element(URI, addressContent(view.value));
    case "ip":
      return element(IP, bytes(view.value));
    case "directory":
      return element(DIRECTORY, encodeDer(encodeName(view.name)));
    case "other":
      return bytes(view.value);
  }
}

/** @throws Error for a malformed one of a known type. */
export function readGeneralName({ tag, der, content }: Item): GeneralNameView {
  switch (tag) {
    case EMAIL:
      return { type: "email", value: readAddress(content) };
    case DNS:
      return { type: "dns", value: readAddress(content) };
    case URI:
      return { type: "uri", value: readAddress(content) };
    case IP:
      if (!IP_OCTETS.includes(content.length)) throw new Error("an IP address has no known length");
      return { type: "ip", value: hex(content) };
    case DIRECTORY:
      return { type: "directory", name: readName(decodeDer(content, Name, "a general name")) };
    default:
      return { type: "other", value: hex(der) };
  }
}

function bytes(text: string): Uint8Array {
  const read = fromHex(text);
  if (read === undefined) throw new TypeError("a general name holds text that is not hex");
  return read;
}
