/** Distinguished names between our plain form and ASN.1. */

import { fromHex, hex } from "../lib/encoding.ts";
import {
  AttributeTypeAndValue,
  AttributeValue,
  decodeDer,
  encodeDer,
  Name,
  RelativeDistinguishedName,
} from "./asn1.ts";
import {
  ATTRIBUTE_OIDS,
  ATTRIBUTE_TYPES,
  type DistinguishedName,
  type NameAttribute,
} from "./names.ts";

export function encodeName(name: DistinguishedName): Name {
  return new Name(name.map((rdn) => new RelativeDistinguishedName(rdn.map(encodeAttribute))));
}

function encodeAttribute({ type, form, value }: NameAttribute): AttributeTypeAndValue {
  const known = ATTRIBUTE_TYPES.find((candidate) => candidate === type);
  return new AttributeTypeAndValue({
    type: known === undefined ? type : ATTRIBUTE_OIDS[known],
    value: encodeValue(form, value),
  });
}

function encodeValue(form: NameAttribute["form"], value: string): AttributeValue {
  switch (form) {
    case "utf8":
      return new AttributeValue({ utf8String: value });
    case "printable":
      return new AttributeValue({ printableString: value });
    case "ia5":
      return new AttributeValue({ ia5String: value });
    case "other": {
      const der = fromHex(value);
      if (der === undefined) throw new TypeError("a name holds a value that is not hex");
      return decodeDer(der, AttributeValue, "a name's value");
    }
  }
}

/** Reads a name as it stands, multi-valued relative names and unknown types included. */
export function readName(name: Name): DistinguishedName {
  return Array.from(name, (rdn) => Array.from(rdn, readAttribute));
}

function readAttribute({ type, value }: AttributeTypeAndValue): NameAttribute {
  const known = ATTRIBUTE_TYPES.find((candidate) => ATTRIBUTE_OIDS[candidate] === type);
  return { type: known ?? type, ...readValue(value) };
}

function readValue(value: AttributeValue): Pick<NameAttribute, "form" | "value"> {
  if (value.utf8String !== undefined) return { form: "utf8", value: value.utf8String };
  if (value.printableString !== undefined)
    return { form: "printable", value: value.printableString };
  if (value.ia5String !== undefined) return { form: "ia5", value: value.ia5String };
  return { form: "other", value: hex(encodeDer(value)) };
}
