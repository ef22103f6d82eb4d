/**
 * Values of the extensions that asn1-x509 reads too loosely: purposes, policies, addresses, name
 * constraints. Each reader returns undefined for a legal form that we never write; the extension is
 * then carried as bytes.
 */

import { fromHex, hex } from "../lib/encoding.ts";
import {
  addressContent,
  context,
  element,
  need,
  oid,
  readAddress,
  readMany,
  readOid,
  readOne,
  readSequence,
  sequence,
  TAG,
} from "./der.ts";
import { KEY_PURPOSES } from "./extension-names.ts";
import type { ExtensionView } from "./extensions.ts";
import { encodeGeneralName, type GeneralNameView, readGeneralName } from "./general-names.ts";

const PURPOSE_NAMES = new Map(Object.entries(KEY_PURPOSES).map(([name, number]) => [number, name]));

const ACCESS_METHODS = {
  ocsp: "1.3.6.1.5.5.7.48.1",
  caIssuers: "1.3.6.1.5.5.7.48.2",
} as const;
const CPS_POINTER = "1.3.6.1.5.5.7.2.1";

/** More members than any honest extension lists. */
const MANY = 100;

export type ListKind =
  | "ext-key-usage"
  | "certificate-policies"
  | "name-constraints"
  | "authority-info-access"
  | "crl-distribution-points"
  | "subject-alt-name"
  | "ocsp-no-check"
  | "crl-number";
type ListView = Extract<ExtensionView, { readonly kind: ListKind }>;

/** @throws Error for a value that cannot be written. */
export function encodeList(view: ListView): Uint8Array {
  switch (view.kind) {
    case "ext-key-usage":
      return sequence(...view.purposes.map((purpose) => oid(KEY_PURPOSES[purpose] ?? purpose)));
    case "certificate-policies":
      return sequence(...view.policies.map(encodePolicy));
    case "name-constraints":
      return sequence(...subtrees(0, view.permitted), ...subtrees(1, view.excluded));
    case "authority-info-access":
      return sequence(
        ...view.access.map(({ method, uri }) =>
          sequence(oid(ACCESS_METHODS[method]), encodeUri(uri)),
        ),
      );
    case "crl-distribution-points":
      return sequence(...view.points.map(encodePoint));
    case "subject-alt-name":
      return sequence(...view.names.map(encodeGeneralName));
    case "ocsp-no-check":
      return element(TAG.NULL);
    case "crl-number":
      return element(TAG.INTEGER, fromHex(view.number) ?? new Uint8Array());
  }
}

function encodePolicy({ oid: number, cps }: Policy): Uint8Array {
  if (cps.length === 0) return sequence(oid(number));
  const pointers = cps.map((uri) =>
    sequence(oid(CPS_POINTER), element(TAG.IA5_STRING, addressContent(uri))),
  );
  return sequence(oid(number), sequence(...pointers));
}

interface Policy {
  readonly oid: string;
  readonly cps: readonly string[];
}

function subtrees(tag: number, names: readonly GeneralNameView[]): readonly Uint8Array[] {
  if (names.length === 0) return [];
  return [element(context(tag, true), ...names.map((name) => sequence(encodeGeneralName(name))))];
}

function encodeUri(uri: string): Uint8Array {
  return encodeGeneralName({ type: "uri", value: uri });
}

// distributionPoint [0], a CHOICE and so explicit; in it fullName [0] GeneralNames.
function encodePoint(uris: readonly string[]): Uint8Array {
  return sequence(element(context(0, true), element(context(0, true), ...uris.map(encodeUri))));
}

/**
 * Reads a value. @returns undefined for a form that is carried as bytes.
 * @throws Error for what is malformed
 */
export function readList(
  kind: ListKind,
  critical: boolean,
  value: Uint8Array,
): ListView | undefined {
  switch (kind) {
    case "ext-key-usage": {
      const numbers = nonEmpty(readSequence(value, MANY)).map(readOid);
      const purposes = numbers.map((number) => PURPOSE_NAMES.get(number) ?? number);
      return { kind, critical, purposes };
    }
    case "certificate-policies": {
      const policies = all(nonEmpty(readSequence(value, MANY)).map(({ der }) => readPolicy(der)));
      return policies && { kind, critical, policies };
    }
    case "name-constraints":
      return readConstraints(critical, value);
    case "authority-info-access": {
      const access = all(nonEmpty(readSequence(value, MANY)).map(({ der }) => readAccess(der)));
      return access && { kind, critical, access };
    }
    case "crl-distribution-points": {
      const points = all(nonEmpty(readSequence(value, MANY)).map(({ der }) => readPoint(der)));
      return points && { kind, critical, points };
    }
    case "subject-alt-name":
      return { kind, critical, names: nonEmpty(readSequence(value, MANY)).map(readGeneralName) };
    case "ocsp-no-check":
      readOne(value, TAG.NULL);
      return { kind, critical };
    case "crl-number":
      return { kind, critical, number: hex(readInteger(value)) };
  }
}

function nonEmpty<T>(items: readonly T[]): readonly T[] {
  if (items.length === 0) throw new Error("a list is empty");
  return items;
}

function all<T>(items: readonly (T | undefined)[]): readonly T[] | undefined {
  return items.every((item): item is T => item !== undefined) ? items : undefined;
}

function readPolicy(der: Uint8Array): Policy | undefined {
  const [number, qualifiers] = readSequence(der, 2);
  const policy = { oid: readOid(number), cps: [] };
  if (qualifiers === undefined) return policy;
  const cps = all(
    nonEmpty(readSequence(qualifiers.der, MANY)).map((item) => readPointer(item.der)),
  );
  return cps && { ...policy, cps };
}

function readPointer(der: Uint8Array): string | undefined {
  const [type, text] = readSequence(der, 2);
  if (readOid(type) !== CPS_POINTER) return undefined;
  return readAddress(need(text, TAG.IA5_STRING).content);
}

function readConstraints(critical: boolean, value: Uint8Array): ListView | undefined {
  const lists = [0, 1].map((tag) =>
    readSequence(value, 2)
      .filter((item) => item.tag === context(tag, true))
      .flatMap((item) => nonEmpty(readMany(item.content, MANY)).map(({ der }) => readSubtree(der))),
  );
  const [permitted, excluded] = lists.map(all);
  if (permitted === undefined || excluded === undefined) return undefined;
  return { kind: "name-constraints", critical, permitted, excluded };
}

function readSubtree(der: Uint8Array): GeneralNameView | undefined {
  const [base, ...bounds] = readSequence(der, 3);
  return bounds.length > 0 ? undefined : readGeneralName(need(base));
}

function readAccess(
  der: Uint8Array,
): { readonly method: "ocsp" | "caIssuers"; readonly uri: string } | undefined {
  const [type, location] = readSequence(der, 2);
  const number = readOid(type);
  const method = (["ocsp", "caIssuers"] as const).find((name) => ACCESS_METHODS[name] === number);
  const name = readGeneralName(need(location));
  if (method === undefined || name.type !== "uri") return undefined;
  return { method, uri: name.value };
}

function readPoint(der: Uint8Array): readonly string[] | undefined {
  const [point, ...more] = readSequence(der, 3);
  if (point?.tag !== context(0, true) || more.length > 0) return undefined;
  const full = readOne(point.content);
  if (full.tag !== context(0, true)) return undefined;
  const names = nonEmpty(readMany(full.content, MANY)).map(readGeneralName);
  return all(names.map((name) => (name.type === "uri" ? name.value : undefined)));
}

function readInteger(value: Uint8Array): Uint8Array {
  const { content } = readOne(value, TAG.INTEGER);
  const [first = 0, second = 0x80] = content;
  const needless = content.length > 1 && first === 0 && second < 0x80;
  if (content.length === 0 || first >= 0x80 || needless) {
    throw new Error("a number is negative or not in shortest form");
  }
  return content;
}
