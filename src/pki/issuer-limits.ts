/** What an issuer's own certificate allows it to issue. */

import { isDeepStrictEqual } from "node:util";
import { KeyriteError } from "../lib/errors.ts";
import { formatDn, type DistinguishedName } from "./names.ts";
import { visible } from "../lib/encoding.ts";
import type { KeyView } from "./keys.ts";
import type { Profile } from "./profile-file.ts";
import type { Dates } from "./build-problems.ts";
import { nameOutside } from "./name-constraints.ts";
import type { CertificateView } from "./view.ts";

export interface Wanted {
  readonly profile: Profile;
  readonly subject: DistinguishedName;
  readonly key: KeyView;
  readonly validity: Dates;
}

/** @throws KeyriteError script.refused, with every objection as a hint. */
export function refuseUnder(issuer: CertificateView, wanted: Wanted): void {
  const problems = problemsUnder(issuer, wanted);
  if (problems.length === 0) return;
  const name = visible(formatDn(issuer.subject));
  throw new KeyriteError("script.refused", `${name} cannot issue this certificate`, {
    hints: problems,
  });
}

function problemsUnder(issuer: CertificateView, wanted: Wanted): readonly string[] {
  const { profile, subject, key, validity } = wanted;
  const outside = nameOutside({ subject, issuer: issuer.subject, extensions: [] }, issuer);
  const checks: readonly (readonly [boolean, string])[] = [
    ...caChecks(issuer, profile),
    [
      isDeepStrictEqual(subject, issuer.subject) && profile.kind !== "cross",
      "the subject is the issuer's own name: a self-issued certificate would stand below it",
    ],
    [outside !== undefined, `under its name constraints ${outside ?? ""} (RFC 5280 §6.1.3)`],
    [key.spki === issuer.key.spki, "the key is the issuer's own"],
    [
      validity.notBefore < Date.parse(issuer.notBefore.time),
      `its validity begins before the issuer's, ${issuer.notBefore.time}`,
    ],
    [
      validity.notAfter > Date.parse(issuer.notAfter.time),
      `its validity ends after the issuer's, ${issuer.notAfter.time}`,
    ],
  ];
  return checks.flatMap(([wrong, text]) => (wrong ? [text] : []));
}

function caChecks(
  { extensions }: CertificateView,
  { basicConstraints: { ca, pathLength } }: Profile,
): readonly (readonly [boolean, string])[] {
  const constraints = extensions.find((found) => found.kind === "basic-constraints");
  const usage = extensions.find((found) => found.kind === "key-usage");
  const limit = constraints?.pathLength ?? null;
  const below = pathLength ?? Infinity;
  return [
    [constraints?.ca !== true, "it is not a CA (RFC 5280 §4.2.1.9)"],
    [
      usage !== undefined && !usage.usages.includes("keyCertSign"),
      "its key may not sign certificates (RFC 5280 §4.2.1.3)",
    ],
    [ca && limit === 0, "its path length of 0 allows no CA below it (RFC 5280 §4.2.1.9)"],
    [
      ca && limit !== null && limit > 0 && below >= limit,
      `its path length of ${limit} asks for a shorter one below it (RFC 5280 §4.2.1.9)`,
    ],
  ];
}
