/** The extensions that a profile asks for, in the order they are written. */

import type { ExtensionView, GeneralNameView } from "./extensions.ts";
import { ipRange } from "./ip-range.ts";
import { parseDn } from "./names.ts";
import type { Profile } from "./profile-file.ts";
import type { Urls } from "./build-problems.ts";
import type { NameConstraint } from "./profile-schema.ts";
import { KEY_USAGES } from "./extension-names.ts";

/** What a profile cannot know. Key ids in hex. */
export interface ExtensionFacts {
  readonly subjectKeyId: string;
  readonly issuerKeyId: string;
  readonly urls: Urls;
}

export function extensionsOf(profile: Profile, facts: ExtensionFacts): readonly ExtensionView[] {
  const { ca, pathLength } = profile.basicConstraints;
  const present = <T extends ExtensionView>(wanted: boolean, view: T): readonly T[] =>
    wanted ? [view] : [];
  const { extKeyUsage: purposes, certificatePolicies: policies } = profile;
  return [
    { kind: "basic-constraints", critical: true, ca, pathLength: pathLength ?? null },
    { kind: "key-usage", critical: true, usages: KEY_USAGES.filter(isIn(profile.keyUsage)) },
    ...present(purposes.length > 0, { kind: "ext-key-usage", critical: false, purposes }),
    ...present(policies.length > 0, { kind: "certificate-policies", critical: false, policies }),
    ...constraintsOf(profile),
    { kind: "subject-key-id", critical: false, keyId: facts.subjectKeyId },
    ...present(profile.authorityKeyId, {
      kind: "authority-key-id",
      critical: false,
      keyId: facts.issuerKeyId,
    }),
    ...accessOf(profile, facts.urls),
    ...pointsOf(profile, facts.urls),
    ...present(profile.ocspNoCheck, { kind: "ocsp-no-check", critical: false }),
  ];
}

/** What a request can ask of another CA: what the key is for. Ids, addresses and policies are the issuer's. */
const ASKED = ["basic-constraints", "key-usage", "ext-key-usage"];

export function requestedExtensions(profile: Profile): readonly ExtensionView[] {
  const facts = { subjectKeyId: "", issuerKeyId: "", urls: {} };
  return extensionsOf(profile, facts).filter(({ kind }) => ASKED.includes(kind));
}

function isIn<T>(list: readonly T[]): (value: T) => boolean {
  return (value) => list.includes(value);
}

function constraintsOf({ nameConstraints }: Profile): readonly ExtensionView[] {
  if (nameConstraints === undefined) return [];
  const { critical, permitted, excluded } = nameConstraints;
  const names = {
    permitted: permitted.map(constraintName),
    excluded: excluded.map(constraintName),
  };
  return [{ kind: "name-constraints", critical, ...names }];
}

function constraintName({ dns, email, ip, directory }: NameConstraint): GeneralNameView {
  if (dns !== undefined) return { type: "dns", value: dns };
  if (email !== undefined) return { type: "email", value: email };
  if (ip !== undefined) return { type: "ip", value: ipRange(ip) ?? "" };
  return { type: "directory", name: parseDn(directory ?? "") };
}

function resolved(
  field: "asked" | readonly string[] | undefined,
  given: readonly string[] | undefined,
): readonly string[] {
  return (field === "asked" ? given : field) ?? [];
}

function accessOf({ authorityInfoAccess }: Profile, urls: Urls): readonly ExtensionView[] {
  const access = (["ocsp", "caIssuers"] as const).flatMap((method) =>
    resolved(authorityInfoAccess[method], urls[method]).map((uri) => ({ method, uri })),
  );
  return access.length === 0 ? [] : [{ kind: "authority-info-access", critical: false, access }];
}

function pointsOf({ crlDistributionPoints }: Profile, urls: Urls): readonly ExtensionView[] {
  const uris = resolved(crlDistributionPoints, urls.crl);
  // One point with all addresses: they lead to one list (BR 7.1.2.11.2).
  return uris.length === 0
    ? []
    : [{ kind: "crl-distribution-points", critical: false, points: [uris] }];
}
