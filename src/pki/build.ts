/**
 * Builds what will be signed, under a profile: roots, subordinates, cross-certificates, responders, and
 * certificates that replace others. Names and keys that come from another certificate are taken over
 * byte for byte.
 */

import { type SignatureScheme, schemesFor } from "../lib/algorithms.ts";
import { equalBytes, fromHex } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import { encodeDer } from "./asn1.ts";
import { encodeTbs, type ToBeSigned } from "./certificate.ts";
import { readTwice } from "./check.ts";
import type { ExtensionView } from "./extensions.ts";
import { refuseUnder } from "./issuer-limits.ts";
import { keyAlgorithm, type KeyView, readSpki, schemeWith } from "./keys.ts";
import { encodeName } from "./name-codec.ts";
import type { DistinguishedName } from "./names.ts";
import { extensionsOf } from "./profile-extensions.ts";
import type { Profile } from "./profile-file.ts";
import {
  type Dates,
  datesFor,
  subjectProblem,
  type Urls,
  urlsProblem,
  type ValidityChoice,
} from "./build-problems.ts";
import { keyIdOf } from "./profile.ts";
import type { CertificateView } from "./view.ts";

export type { ToBeSigned } from "./certificate.ts";
export type { Urls, ValidityChoice } from "./build-problems.ts";

interface Common {
  readonly profile: Profile;
  /** Content bytes, as `serialFrom` makes them. */
  readonly serial: Uint8Array;
  readonly nowMs: number;
  readonly validity: ValidityChoice;
  readonly urls?: Urls;
}

export type BuildRequest = Common &
  (
    | { readonly kind: "root"; readonly spki: Uint8Array; readonly subject: DistinguishedName }
    | {
        /** Also an OCSP responder: the profile's kind decides. */
        readonly kind: "subordinate";
        readonly issuer: CertificateView;
        readonly spki: Uint8Array;
        readonly subject: DistinguishedName;
      }
    | {
        readonly kind: "cross";
        readonly issuer: CertificateView;
        /** Its subject, key and subject key id are taken over. */
        readonly existing: CertificateView;
      }
    | {
        readonly kind: "reissue";
        readonly issuer: CertificateView | "self";
        /** Everything but serial number and validity is taken over. */
        readonly old: CertificateView;
      }
  );

/**
 * The to-be-signed part of a certificate, read back by two decoders.
 * @throws KeyriteError script.refused for what the profile, the issuer or the rules do not allow,
 * hsm.not-supported for a key outside the profile, usage.bad-file for a malformed key, hsm.bad-output
 * when the decoders differ.
 */
export function buildCertificate(request: BuildRequest): ToBeSigned {
  const content = contentOf(request);
  const tbs = encodeTbs({ serial: request.serial, ...content });
  const view = readTwice(tbs);
  if (!equalBytes(nameDer(view.issuer), nameDer(content.issuer))) {
    throw new KeyriteError("internal.bug", "the issuer's name was not taken over byte for byte");
  }
  return { tbs, view, scheme: content.scheme };
}

interface Content {
  readonly scheme: SignatureScheme;
  readonly issuer: DistinguishedName;
  readonly validity: Dates;
  readonly subject: DistinguishedName;
  readonly spki: Uint8Array;
  readonly extensions: readonly ExtensionView[];
}

function contentOf(request: BuildRequest): Content {
  const { profile } = request;
  switch (request.kind) {
    case "root": {
      expectKind(profile, ["root"]);
      return ofSubject(request, request, undefined);
    }
    case "subordinate": {
      expectKind(profile, ["subordinate", "ocsp-responder"]);
      return ofSubject(request, request, request.issuer);
    }
    case "cross":
      return ofExisting(request, request.issuer, request.existing);
    case "reissue":
      return ofOld(request, request.old, request.issuer);
  }
}

function ofSubject(
  request: Common,
  { spki, subject }: { readonly spki: Uint8Array; readonly subject: DistinguishedName },
  issuer: CertificateView | undefined,
): Content {
  const { profile } = request;
  const problem = subjectProblem(profile, subject) ?? urlsProblem(profile, request.urls ?? {});
  if (problem !== undefined) refuse(problem);
  const key = readSpki(spki);
  expectAlgorithm(profile, key);
  const subjectKeyId = keyIdOf(spki, profile.subjectKeyId);
  const validity = datesFor(profile, request.validity, request.nowMs);
  expectNow(profile, validity, request.nowMs, undefined);
  if (issuer !== undefined) refuseUnder(issuer, { profile, subject, key, validity });
  return {
    scheme: schemeWith(issuer?.key ?? key, profile.rsaPadding),
    issuer: issuer?.subject ?? subject,
    validity,
    subject,
    spki,
    extensions: extensionsOf(profile, {
      subjectKeyId,
      issuerKeyId: issuer === undefined ? subjectKeyId : keyIdIn(issuer, "the issuer"),
      urls: request.urls ?? {},
    }),
  };
}

function ofExisting(request: Common, issuer: CertificateView, existing: CertificateView): Content {
  const { profile } = request;
  expectKind(profile, ["cross"]);
  const problem = urlsProblem(profile, request.urls ?? {});
  if (problem !== undefined) refuse(problem);
  const { subject, key } = existing;
  expectAlgorithm(profile, key);
  if (!isCa(existing)) refuse("the certificate to cross is not that of a CA");
  const validity = datesFor(profile, request.validity, request.nowMs);
  expectNow(profile, validity, request.nowMs, existing);
  refuseUnder(issuer, { profile, subject, key, validity });
  return {
    scheme: schemeWith(issuer.key, profile.rsaPadding),
    issuer: issuer.subject,
    validity,
    subject,
    spki: bytesOf(key.spki),
    extensions: extensionsOf(profile, {
      subjectKeyId: keyIdIn(existing, "the certificate to cross"),
      issuerKeyId: keyIdIn(issuer, "the issuer"),
      urls: request.urls ?? {},
    }),
  };
}

function ofOld(request: Common, old: CertificateView, by: CertificateView | "self"): Content {
  const { profile } = request;
  const selfIssued = equalBytes(nameDer(old.issuer), nameDer(old.subject));
  if (by === "self") expectKind(profile, ["root"]);
  else expectKind(profile, ["subordinate", "cross", "ocsp-responder"]);
  if (by === "self" && !selfIssued) refuse("the certificate to replace did not sign itself");
  if (request.urls !== undefined) refuse("a certificate that replaces another keeps its addresses");
  expectAlgorithm(profile, old.key);
  const issuer = by === "self" ? old : by;
  if (!equalBytes(nameDer(issuer.subject), nameDer(old.issuer))) {
    refuse("the certificate to replace names another issuer");
  }
  const authority = old.extensions.find((extension) => extension.kind === "authority-key-id");
  if (authority !== undefined && authority.keyId !== keyIdIn(issuer, "the issuer")) {
    refuse("the certificate to replace was issued under another key");
  }
  const validity = datesFor(profile, request.validity, request.nowMs);
  expectNow(profile, validity, request.nowMs, undefined);
  const { subject, key, extensions } = old;
  if (by !== "self") refuseUnder(by, { profile, subject, key, validity });
  return {
    scheme: keptScheme(old, issuer.key),
    issuer: issuer.subject,
    validity,
    subject,
    spki: bytesOf(key.spki),
    extensions,
  };
}

function keptScheme({ signature: { scheme } }: CertificateView, key: KeyView): SignatureScheme {
  const algorithm = keyAlgorithm(key);
  const fits = scheme !== null && algorithm !== null && schemesFor(algorithm).includes(scheme);
  if (fits) return scheme;
  return refuse(
    "the certificate to replace was signed with an algorithm that is not used any more",
    ["issue it under a profile instead: a re-issue changes serial number and validity only"],
  );
}

/** BR 7.1.2.1.1, 7.1.2.2.1, 7.1.2.8.1, 7.1.2.10.1; an end in the past is refused everywhere. */
function expectNow(
  { rules }: Profile,
  { notBefore, notAfter }: Dates,
  nowMs: number,
  existing: CertificateView | undefined,
): void {
  if (notAfter < nowMs) refuse("the validity ends before the certificate is signed");
  if (rules === "private") return;
  const section = existing === undefined ? "BR 7.1.2.10.1" : "BR 7.1.2.2.1";
  const dayBefore = nowMs - 86_400_000 - 1000;
  const least = Math.min(dayBefore, Date.parse(existing?.notBefore.time ?? "9999-12-31"));
  if (notBefore > nowMs) refuse(`${section}: the validity begins after the signing`);
  if (notBefore < least) refuse(`${section}: the validity begins more than a day ago`);
}

function expectKind({ name, kind }: Profile, kinds: readonly Profile["kind"][]): void {
  if (kinds.includes(kind)) return;
  refuse(`profile ${name} is for a ${kind} certificate, and a ${kinds.join(" or ")} is asked`);
}

function expectAlgorithm({ name, keys }: Profile, key: KeyView): void {
  const algorithm = keyAlgorithm(key);
  if (algorithm !== null && keys.includes(algorithm)) return;
  throw new KeyriteError("hsm.not-supported", `profile ${name} does not take a key of this kind`, {
    hints: [`it takes ${keys.join(", ")}`],
  });
}

function isCa({ extensions }: CertificateView): boolean {
  return extensions.some((extension) => extension.kind === "basic-constraints" && extension.ca);
}

function keyIdIn({ extensions }: CertificateView, who: string): string {
  const found = extensions.find((extension) => extension.kind === "subject-key-id");
  return found?.keyId ?? refuse(`${who} has no subject key id (RFC 5280 §4.2.1.2)`);
}

function nameDer(name: DistinguishedName): Uint8Array {
  return encodeDer(encodeName(name));
}

function bytesOf(digits: string): Uint8Array {
  return fromHex(digits) ?? new Uint8Array();
}

function refuse(message: string, hints: readonly string[] = []): never {
  throw new KeyriteError("script.refused", message, { hints });
}
