/** Whether the names in a certificate stand inside the constraints of a CA above it (RFC 5280 §4.2.1.10, §6.1.3). */

import { isDeepStrictEqual } from "node:util";
import { fromHex, visible } from "../lib/encoding.ts";
import type { GeneralNameView } from "./general-names.ts";
import { ipInWords } from "./ip-range.ts";
import { find } from "./lint-rule.ts";
import { type DistinguishedName, formatDn } from "./names.ts";
import type { CertificateView } from "./view.ts";

type Named = Pick<CertificateView, "subject" | "issuer" | "extensions">;

/** The first name that the CA's certificate does not allow below it, in words, or undefined. */
export function nameOutside(
  below: Named,
  above: Pick<CertificateView, "extensions">,
): string | undefined {
  const constraints = find(above, "name-constraints");
  // RFC 5280 §6.1.3 (b): what a CA has issued to its own name is not held to them.
  if (constraints === undefined || isDeepStrictEqual(below.subject, below.issuer)) return undefined;
  const { permitted, excluded } = constraints;
  for (const name of namesIn(below)) {
    if (excluded.some((one) => isBelow(name, one))) return `${words(name)} is excluded`;
    const ofItsType = permitted.filter(({ type }) => type === name.type);
    if (ofItsType.length > 0 && !ofItsType.some((one) => isBelow(name, one))) {
      return `${words(name)} is not below a permitted name`;
    }
  }
  return undefined;
}

function namesIn({ subject, extensions }: Named): readonly GeneralNameView[] {
  const others = find({ extensions }, "subject-alt-name")?.names ?? [];
  return subject.length === 0 ? others : [{ type: "directory", name: subject }, ...others];
}

/** Whether a name is what a constraint speaks of. A kind that nobody can compare is taken to be. */
function isBelow(name: GeneralNameView, constraint: GeneralNameView): boolean {
  if (name.type === "directory") {
    return constraint.type === "directory" && startsWith(name.name, constraint.name);
  }
  if (constraint.type !== name.type) return false;
  switch (name.type) {
    case "dns":
      return hostBelow(name.value, constraint.value);
    case "email":
      return mailBelow(name.value, constraint.value);
    case "uri":
      return dottedBelow(hostOf(name.value), constraint.value);
    case "ip":
      return ipBelow(name.value, constraint.value);
    case "other":
      return true;
  }
}

function startsWith(name: DistinguishedName, constraint: DistinguishedName): boolean {
  return (
    constraint.length <= name.length &&
    constraint.every((rdn, at) => isDeepStrictEqual(folded(rdn), folded(name[at] ?? [])))
  );
}

/** RFC 5280 §7.1: letters of either case, and however much space, make no other name. */
function folded(rdn: DistinguishedName[number]): readonly (readonly string[])[] {
  return rdn.map(({ type, form, value }) => [
    type,
    form === "other" ? value : value.trim().replace(/ +/g, " ").toLowerCase(),
  ]);
}

function hostBelow(host: string, domain: string): boolean {
  const [own, above] = [host.toLowerCase(), domain.toLowerCase()];
  return above === "" || own === above || own.endsWith(`.${above}`);
}

/** Of addresses of mail and of the web: a leading dot means all below, none means this host. */
function dottedBelow(host: string, domain: string): boolean {
  const [own, above] = [host.toLowerCase(), domain.toLowerCase()];
  return above.startsWith(".") ? own.endsWith(above) : own === above;
}

function mailBelow(address: string, constraint: string): boolean {
  const at = address.lastIndexOf("@");
  const host = address.slice(at + 1);
  if (!constraint.includes("@")) return dottedBelow(host, constraint);
  const place = constraint.lastIndexOf("@");
  return (
    address.slice(0, at) === constraint.slice(0, place) &&
    host.toLowerCase() === constraint.slice(place + 1).toLowerCase()
  );
}

function hostOf(uri: string): string {
  return /^[^:/?#]+:\/\/(?:[^/?#@]*@)?([^/?#:]*)/.exec(uri)?.[1] ?? "";
}

function ipBelow(address: string, range: string): boolean {
  const [own, above] = [fromHex(address) ?? [], fromHex(range) ?? []];
  if (own.length * 2 !== above.length) return false;
  return Array.from(own).every((octet, at) => {
    const mask = above[own.length + at] ?? 0;
    return (octet & mask) === ((above[at] ?? 0) & mask);
  });
}

function words(name: GeneralNameView): string {
  switch (name.type) {
    case "directory":
      return `the name ${visible(formatDn(name.name))}`;
    case "ip":
      return `the address ${ipInWords(name.value)}`;
    case "other":
      return "a name of a kind that is not known";
    case "dns":
    case "email":
    case "uri":
      return `the name ${visible(name.value)}`;
  }
}
