/**
 * Certificate extensions as plain data, and their DER both ways. A further extension is one member of
 * the union and one case in each switch; what is not in the union is carried as bytes, never dropped.
 */

import { equalBytes, fromHex, hex } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import {
  AuthorityKeyIdentifier,
  BasicConstraints,
  decodeDer,
  encodeDer,
  Extension,
  KeyIdentifier,
  KeyUsage,
  OctetString,
  SubjectKeyIdentifier,
} from "./asn1.ts";

/** Names of RFC 5280 §4.2.1.3 in bit order. */
export const KEY_USAGES = [
  "digitalSignature",
  "nonRepudiation",
  "keyEncipherment",
  "dataEncipherment",
  "keyAgreement",
  "keyCertSign",
  "cRLSign",
  "encipherOnly",
  "decipherOnly",
] as const;
export type KeyUsageName = (typeof KEY_USAGES)[number];

export type ExtensionView =
  | {
      readonly kind: "basic-constraints";
      readonly critical: boolean;
      readonly ca: boolean;
      /** How many CA certificates may follow below; null for no limit. */
      readonly pathLength: number | null;
    }
  | {
      readonly kind: "key-usage";
      readonly critical: boolean;
      /** In bit order. */
      readonly usages: readonly KeyUsageName[];
    }
  | {
      readonly kind: "subject-key-id";
      readonly critical: boolean;
      /** Key identifier in hex. */
      readonly keyId: string;
    }
  | {
      readonly kind: "authority-key-id";
      readonly critical: boolean;
      /** Key identifier of the issuer in hex. */
      readonly keyId: string;
    }
  | {
      readonly kind: "other";
      readonly critical: boolean;
      readonly oid: string;
      /** DER of the value in hex. */
      readonly value: string;
    };

type Known = Exclude<ExtensionView["kind"], "other">;
const OIDS: Readonly<Record<Known, string>> = {
  "subject-key-id": "2.5.29.14",
  "key-usage": "2.5.29.15",
  "basic-constraints": "2.5.29.19",
  "authority-key-id": "2.5.29.35",
};

export function encodeExtension(view: ExtensionView): Extension {
  return new Extension({
    extnID: view.kind === "other" ? view.oid : OIDS[view.kind],
    critical: view.critical,
    extnValue: new OctetString(extensionValue(view)),
  });
}

function extensionValue(view: ExtensionView): Uint8Array {
  switch (view.kind) {
    case "basic-constraints": {
      const limit = view.pathLength === null ? {} : { pathLenConstraint: view.pathLength };
      return encodeDer(new BasicConstraints({ cA: view.ca, ...limit }));
    }
    case "key-usage":
      return encodeDer(new KeyUsage(usageBits(view.usages)));
    case "subject-key-id":
      return encodeDer(new SubjectKeyIdentifier(bytes(view.keyId)));
    case "authority-key-id": {
      const keyIdentifier = new KeyIdentifier(bytes(view.keyId));
      return encodeDer(new AuthorityKeyIdentifier({ keyIdentifier }));
    }
    case "other":
      return bytes(view.value);
  }
}

/**
 * Reads one extension. A known one must be exactly what we would have written for the same data:
 * asn1-x509 alone lets stray bits in a key usage pass.
 * @throws KeyriteError usage.bad-file
 */
export function readExtension(extension: Extension): ExtensionView {
  const critical = extension.critical;
  const value = new Uint8Array(extension.extnValue.buffer);
  const view = readKnown(extension.extnID, critical, value);
  if (view === undefined)
    return { kind: "other", critical, oid: extension.extnID, value: hex(value) };
  if (!equalBytes(extensionValue(view), value)) {
    throw new KeyriteError("usage.bad-file", `the ${view.kind} extension is not in canonical DER`);
  }
  return view;
}

function readKnown(oid: string, critical: boolean, value: Uint8Array): ExtensionView | undefined {
  switch (oid) {
    case OIDS["basic-constraints"]: {
      const read = decodeDer(value, BasicConstraints, "the basic-constraints extension");
      return {
        kind: "basic-constraints",
        critical,
        ca: read.cA,
        pathLength: read.pathLenConstraint ?? null,
      };
    }
    case OIDS["key-usage"]: {
      const bits = decodeDer(value, KeyUsage, "the key-usage extension").toNumber();
      return {
        kind: "key-usage",
        critical,
        usages: KEY_USAGES.filter((_, bit) => (bits >> bit) % 2 === 1),
      };
    }
    case OIDS["subject-key-id"]: {
      const read = decodeDer(value, SubjectKeyIdentifier, "the subject-key-id extension");
      return { kind: "subject-key-id", critical, keyId: hex(new Uint8Array(read.buffer)) };
    }
    case OIDS["authority-key-id"]: {
      const read = decodeDer(value, AuthorityKeyIdentifier, "the authority-key-id extension");
      // Naming the issuer by name and serial is legal in RFC 5280 and left as bytes: nothing of ours does it.
      if (read.authorityCertIssuer !== undefined) return undefined;
      if (read.keyIdentifier === undefined) return undefined;
      return {
        kind: "authority-key-id",
        critical,
        keyId: hex(new Uint8Array(read.keyIdentifier.buffer)),
      };
    }
    default:
      return undefined;
  }
}

function usageBits(usages: readonly KeyUsageName[]): number {
  return usages.reduce((bits, usage) => bits | (1 << KEY_USAGES.indexOf(usage)), 0);
}

function bytes(text: string): Uint8Array {
  const read = fromHex(text);
  if (read === undefined) throw new TypeError("an extension holds text that is not hex");
  return read;
}
