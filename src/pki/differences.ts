/** What a certificate does otherwise than its profile, or than the certificate it replaces, in plain words. */

import { isDeepStrictEqual } from "node:util";
import { visible } from "../lib/encoding.ts";
import { extensionLines } from "./explain-extensions.ts";
import { algorithmInWords, keyInWords, timeInWords } from "./explain-parts.ts";
import { type ExtensionView, oidOfExtension } from "./extensions.ts";
import { keyAlgorithm } from "./keys.ts";
import { formatDn } from "./names.ts";
import { subjectProblem, validityProblem } from "./build-problems.ts";
import { extensionsOf } from "./profile-extensions.ts";
import type { Profile } from "./profile-file.ts";
import type { CertificateView } from "./view.ts";

/**
 * Fields that are not as the profile has them; empty when all are. What a profile leaves open (key
 * ids, addresses that are asked for) is taken as it stands.
 */
export function differencesFromProfile(view: CertificateView, profile: Profile): readonly string[] {
  const algorithm = keyAlgorithm(view.key);
  const fits = algorithm !== null && profile.keys.includes(algorithm);
  const subject = profile.kind === "cross" ? undefined : subjectProblem(profile, view.subject);
  const dates = { notBefore: view.notBefore.time, notAfter: view.notAfter.time };
  const validity = validityProblem(profile, dates);
  return [
    ...(subject === undefined ? [] : [`subject: ${visible(subject)}`]),
    ...(validity === undefined ? [] : [`validity: ${validity}`]),
    ...(fits ? [] : [`public key: ${keyInWords(view.key)}, and not ${profile.keys.join(", ")}`]),
    ...paddingDifference(view, profile),
    ...extensionDifferences(wantedFor(view, profile), view.extensions, "the profile has"),
  ];
}

function paddingDifference(
  { signature }: CertificateView,
  { rsaPadding }: Profile,
): readonly string[] {
  const { scheme } = signature;
  const wrong = scheme === null || (scheme.startsWith("rsa") && !scheme.includes(rsaPadding));
  return wrong ? [`signature: ${algorithmInWords(signature)}, and not ${rsaPadding}`] : [];
}

/** The extensions of the profile with what it leaves open taken from the certificate. */
function wantedFor({ extensions }: CertificateView, profile: Profile): readonly ExtensionView[] {
  const find = <K extends ExtensionView["kind"]>(kind: K) =>
    extensions.find((found): found is Extract<ExtensionView, { kind: K }> => found.kind === kind);
  const access = find("authority-info-access")?.access ?? [];
  const uris = (method: "ocsp" | "caIssuers"): readonly string[] =>
    access.filter((one) => one.method === method).map(({ uri }) => uri);
  return extensionsOf(profile, {
    subjectKeyId: find("subject-key-id")?.keyId ?? "",
    issuerKeyId: find("authority-key-id")?.keyId ?? "",
    urls: {
      crl: find("crl-distribution-points")?.points[0] ?? [],
      caIssuers: uris("caIssuers"),
      ocsp: uris("ocsp"),
    },
  });
}

/** Fields that are not as in another certificate, each with both values; empty when all are alike. */
export function differencesFromCertificate(
  view: CertificateView,
  old: CertificateView,
): readonly string[] {
  const fields: readonly (readonly [string, (from: CertificateView) => string])[] = [
    ["format", ({ version }) => `version ${version}`],
    ["serial number", ({ serial }) => serial],
    ["issuer", ({ issuer }) => visible(formatDn(issuer))],
    ["valid from", ({ notBefore }) => timeInWords(notBefore)],
    ["valid to", ({ notAfter }) => timeInWords(notAfter)],
    ["subject", ({ subject }) => visible(formatDn(subject))],
    ["public key", ({ key }) => `${keyInWords(key)}, SHA-256 ${key.spkiSha256}`],
    ["signature", ({ signature }) => algorithmInWords(signature)],
  ];
  const plain = fields.flatMap(([label, words]) => {
    const [now, before] = [words(view), words(old)];
    return now === before ? [] : [`${label}: ${now}; before: ${before}`];
  });
  const { issuer, subject } = view;
  // Two encodings of one name read the same and are not the same name (RFC 5280 §7.1).
  const encoding = [
    ["issuer", issuer, old.issuer],
    ["subject", subject, old.subject],
  ] as const;
  const encoded = encoding.flatMap(([label, now, before]) =>
    !isDeepStrictEqual(now, before) && formatDn(now) === formatDn(before)
      ? [`${label}: the same text in another encoding`]
      : [],
  );
  return [...plain, ...encoded, ...extensionDifferences(old.extensions, view.extensions, "before")];
}

function extensionDifferences(
  wanted: readonly ExtensionView[],
  found: readonly ExtensionView[],
  otherwise: string,
): readonly string[] {
  const names = [...new Set([...wanted, ...found].map(oidOfExtension))];
  const differing = names.flatMap((name) => {
    const [was, is] = [wanted, found].map((list) => list.filter((e) => oidOfExtension(e) === name));
    if (isDeepStrictEqual(was, is)) return [];
    return [`${words(is ?? [])}; ${otherwise}: ${words(was ?? [])}`];
  });
  if (differing.length > 0) return differing;
  const order = [wanted, found].map((list) => list.map(oidOfExtension).join());
  return order[0] === order[1]
    ? []
    : [`extensions: in another order; ${otherwise}: ${order[0] ?? ""}`];
}

/** An extension on one line, its label first. */
function words(extensions: readonly ExtensionView[]): string {
  if (extensions.length === 0) return "absent";
  const lines = extensions.flatMap((extension) => extensionLines(extension));
  return lines.map((line) => line.trim().replace(/ {2,}/g, ": ")).join(", ");
}
