/** What a request asks for: the key use that a profile of subordinate CAs says, and nothing without one. */

import type { Flaw } from "../../ceremony/action.ts";
import type { Situation } from "../../ceremony/conditions.ts";
import type { Documents } from "../../ceremony/inputs.ts";
import { parseDn } from "../../pki/names.ts";
import type { CsrRequest } from "../../pki/csr.ts";
import type { Trust } from "../../pki/lint-rule.ts";
import { keyLabelledOn } from "./certificate-refs.ts";
import { attempt } from "./issuing-examine.ts";
import { requireProfileOf } from "./issuing-build.ts";

export interface RequestParams {
  readonly token: string;
  readonly key: string;
  readonly subject: string;
  readonly profile?: string | undefined;
  readonly rsaPadding?: "pkcs1" | "pss" | undefined;
}

export interface Requested {
  /** Digest of the profile, or null. */
  readonly sha256: string | null;
  readonly trust: Trust;
  readonly parts: (spki: Uint8Array) => Pick<CsrRequest, "extensions" | "scheme">;
}

/** @throws KeyriteError ledger.damaged, script.unreadable, script.refused */
export async function requestedUnder(p: RequestParams, documents: Documents): Promise<Requested> {
  const { readSpki, schemeWith } = await import("../../pki/keys.ts");
  const { requestedExtensions } = await import("../../pki/profile-extensions.ts");
  const { profile: name, rsaPadding } = p;
  const profile = name === undefined ? null : await requireProfileOf(documents, { profile: name });
  const padding = rsaPadding ?? profile?.rsaPadding ?? "pkcs1";
  return {
    sha256: profile?.sha256 ?? null,
    trust: profile?.rules ?? "private",
    parts: (spki) => ({
      scheme: schemeWith(readSpki(spki), padding),
      ...(profile === null ? {} : { extensions: requestedExtensions(profile) }),
    }),
  };
}

/** What is wrong with the profile, or with key and name under it. */
export async function examineRequest(
  p: RequestParams,
  { custody }: Situation,
  documents: Documents,
): Promise<readonly Flaw[]> {
  const { profile: name } = p;
  // That there is no such profile was objected to already.
  if (name === undefined || documents.profile(name) === undefined) return [];
  const read = await attempt("profile", () => requireProfileOf(documents, { profile: name }));
  if ("flaws" in read) return read.flaws;
  const { subjectProblem } = await import("../../pki/build-problems.ts");
  const profile = read.value;
  const { kind, keys } = profile;
  if (kind !== "subordinate") {
    return [{ param: "profile", text: `profile ${name} is for ${kind} certificates` }];
  }
  const algorithm = keyLabelledOn(custody, p.token, p.key)?.algorithm;
  const problem = subjectProblem(profile, parseDn(p.subject));
  return [
    ...(problem === undefined ? [] : [{ param: "subject", text: problem }]),
    ...(algorithm === undefined || keys.includes(algorithm)
      ? []
      : [{ param: "key", text: `profile ${name} does not take a ${algorithm} key` }]),
  ];
}
