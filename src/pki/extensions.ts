/**
 * Certificate extensions as plain data, and their DER both ways. A further extension is one member of
 * the union and one case in each switch; what is not in the union is carried as bytes, never dropped.
 */

import { equalBytes, fromHex, hex } from "../lib/encoding.ts";
import { KeyriteError, messageOf } from "../lib/errors.ts";
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
import { walk } from "./der.ts";
import { KEY_USAGES, type KeyUsageName } from "./extension-names.ts";
import { encodeList, type ListKind, readList } from "./extension-values.ts";
import type { GeneralNameView } from "./general-names.ts";

export { KEY_USAGES, type KeyUsageName } from "./extension-names.ts";
export type { GeneralNameView } from "./general-names.ts";

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
      readonly kind: "ext-key-usage";
      readonly critical: boolean;
      /** Names as in `KEY_PURPOSES`, or dotted numbers. */
      readonly purposes: readonly string[];
    }
  | {
      readonly kind: "certificate-policies";
      readonly critical: boolean;
      readonly policies: readonly {
        readonly oid: string;
        /** Addresses of practice statements. */
        readonly cps: readonly string[];
      }[];
    }
  | {
      readonly kind: "name-constraints";
      readonly critical: boolean;
      readonly permitted: readonly GeneralNameView[];
      readonly excluded: readonly GeneralNameView[];
    }
  | {
      readonly kind: "authority-info-access";
      readonly critical: boolean;
      readonly access: readonly { readonly method: "caIssuers" | "ocsp"; readonly uri: string }[];
    }
  | {
      readonly kind: "crl-distribution-points";
      readonly critical: boolean;
      /** For each point its addresses. */
      readonly points: readonly (readonly string[])[];
    }
  | {
      readonly kind: "subject-alt-name";
      readonly critical: boolean;
      readonly names: readonly GeneralNameView[];
    }
  | { readonly kind: "ocsp-no-check"; readonly critical: boolean }
  | {
      /** In revocation lists only. */
      readonly kind: "crl-number";
      readonly critical: boolean;
      /** Content bytes of the INTEGER in hex. */
      readonly number: string;
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
  "subject-alt-name": "2.5.29.17",
  "basic-constraints": "2.5.29.19",
  "crl-number": "2.5.29.20",
  "name-constraints": "2.5.29.30",
  "crl-distribution-points": "2.5.29.31",
  "certificate-policies": "2.5.29.32",
  "authority-key-id": "2.5.29.35",
  "ext-key-usage": "2.5.29.37",
  "authority-info-access": "1.3.6.1.5.5.7.1.1",
  "ocsp-no-check": "1.3.6.1.5.5.7.48.1.5",
};
const KINDS = new Map(
  (Object.keys(OIDS) as Known[]).map((kind): readonly [string, Known] => [OIDS[kind], kind]),
);

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
    case "ext-key-usage":
    case "certificate-policies":
    case "name-constraints":
    case "authority-info-access":
    case "crl-distribution-points":
    case "subject-alt-name":
    case "ocsp-no-check":
    case "crl-number":
      return encodeList(view);
  }
}

/** The object identifier an extension stands under. */
export function oidOfExtension(view: ExtensionView): string {
  return view.kind === "other" ? view.oid : OIDS[view.kind];
}

/**
 * Reads one extension. A known one must be exactly what we would have written for the same data:
 * asn1-x509 alone lets stray bits in a key usage pass.
 * @throws KeyriteError usage.bad-file
 */
export function readExtension(extension: Extension): ExtensionView {
  const critical = extension.critical;
  const value = new Uint8Array(extension.extnValue.buffer);
  const kind = KINDS.get(extension.extnID);
  const view = kind && readKnown(kind, critical, value);
  if (view === undefined)
    return { kind: "other", critical, oid: extension.extnID, value: hex(value) };
  if (!equalBytes(extensionValue(view), value)) {
    throw new KeyriteError("usage.bad-file", `the ${view.kind} extension is not in canonical DER`);
  }
  return view;
}

function readKnown(kind: Known, critical: boolean, value: Uint8Array): ExtensionView | undefined {
  switch (kind) {
    case "basic-constraints": {
      const read = decodeDer(value, BasicConstraints, "the basic-constraints extension");
      return {
        kind: "basic-constraints",
        critical,
        ca: read.cA,
        pathLength: read.pathLenConstraint ?? null,
      };
    }
    case "key-usage": {
      const bits = decodeDer(value, KeyUsage, "the key-usage extension").toNumber();
      return {
        kind: "key-usage",
        critical,
        usages: KEY_USAGES.filter((_, bit) => (bits >> bit) % 2 === 1),
      };
    }
    case "subject-key-id": {
      const read = decodeDer(value, SubjectKeyIdentifier, "the subject-key-id extension");
      return { kind: "subject-key-id", critical, keyId: hex(new Uint8Array(read.buffer)) };
    }
    case "authority-key-id": {
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
    case "ext-key-usage":
    case "certificate-policies":
    case "name-constraints":
    case "authority-info-access":
    case "crl-distribution-points":
    case "subject-alt-name":
    case "ocsp-no-check":
    case "crl-number":
      return readListed(kind, critical, value);
  }
}

function readListed(
  kind: ListKind,
  critical: boolean,
  value: Uint8Array,
): ExtensionView | undefined {
  try {
    walk(value);
    return readList(kind, critical, value);
  } catch (error) {
    const message = `the ${kind} extension cannot be decoded: ${messageOf(error)}`;
    throw new KeyriteError("usage.bad-file", message, { cause: error });
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
