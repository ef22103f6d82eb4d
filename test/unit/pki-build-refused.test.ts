import assert from "node:assert/strict";
import { test } from "node:test";
import { KeyriteError } from "../../src/lib/errors.ts";
import { buildCertificate, type BuildRequest } from "../../src/pki/build.ts";
import type { ExtensionView } from "../../src/pki/extensions.ts";
import { parseDn } from "../../src/pki/names.ts";
import type { CertificateView } from "../../src/pki/view.ts";
import { NOT_BEFORE, softKey } from "../support/pki.ts";
import {
  issueRoot,
  issueSub,
  profileNamed,
  ROOT_NAME,
  serialOf,
  subRequest,
  URLS,
} from "../support/pki-issue.ts";

const ROOT = issueRoot("p-256");
const SUBORDINATE = subRequest(ROOT);
const SUB = issueSub(ROOT);
const limited = (changes: Partial<CertificateView>): BuildRequest => ({
  ...SUBORDINATE,
  issuer: { ...ROOT.view, ...changes },
});
const constrained = (pathLength: number): BuildRequest =>
  limited({
    extensions: ROOT.view.extensions.map((found) =>
      found.kind === "basic-constraints" ? { ...found, pathLength } : found,
    ),
  });
const crossing = (existing: CertificateView): BuildRequest => ({
  ...{ kind: "cross", profile: profileNamed("cross-certificate"), serial: serialOf("x") },
  ...{ nowMs: NOT_BEFORE + 120_000, validity: {}, urls: URLS, issuer: ROOT.view, existing },
});
const replacing = (old: CertificateView, changes: object = {}): BuildRequest => ({
  ...{ kind: "reissue", profile: profileNamed("tls-subordinate"), serial: serialOf("x") },
  ...{ nowMs: NOT_BEFORE + 120_000, validity: {}, issuer: ROOT.view, old },
  ...changes,
});
const without = (view: CertificateView, kind: ExtensionView["kind"]): CertificateView => ({
  ...view,
  extensions: view.extensions.filter((found) => found.kind !== kind),
});

const REFUSED: readonly (readonly [what: string, request: BuildRequest, why: RegExp])[] = [
  ["a subject without O", { ...SUBORDINATE, subject: parseDn("CN=A,C=DE") }, /no O/],
  ["a subject out of order", { ...SUBORDINATE, subject: parseDn("C=DE,O=A,CN=A") }, /in the order/],
  [
    "OU in a subject",
    { ...SUBORDINATE, subject: parseDn("CN=A,OU=B,O=A,C=DE") },
    /no place for OU/,
  ],
  ["no address where one is asked", { ...SUBORDINATE, urls: {} }, /asks for crl/],
  [
    "an OCSP address that nobody asked",
    { ...SUBORDINATE, urls: { ...URLS, ocsp: ["http://o.example"] } },
    /does not ask/,
  ],
  [
    "an https address in public trust",
    { ...SUBORDINATE, urls: { ...URLS, crl: ["https://o.example"] } },
    /no http address/,
  ],
  ["too many days", { ...SUBORDINATE, validity: { days: 3654 } }, /1 to 3653 days/],
  ["part of a day", { ...SUBORDINATE, validity: { days: 1.5 } }, /not 1.5/],
  [
    "dates that are none",
    { ...SUBORDINATE, validity: { notBefore: "x", notAfter: "y" } },
    /no two dates/,
  ],
  [
    "a beginning in the future",
    {
      ...SUBORDINATE,
      validity: { notBefore: "2027-01-01T00:00:00Z", notAfter: "2028-01-01T00:00:00Z" },
    },
    /after the signing/,
  ],
  [
    "a beginning days ago",
    {
      ...SUBORDINATE,
      validity: { notBefore: "2026-11-21T00:00:00Z", notAfter: "2028-01-01T00:00:00Z" },
    },
    /more than a day ago/,
  ],
  [
    "an end in the past",
    {
      ...SUBORDINATE,
      nowMs: NOT_BEFORE + 4e11,
      validity: { notBefore: "2026-11-24T00:00:00Z", notAfter: "2028-01-01T00:00:00Z" },
    },
    /ends before/,
  ],
  [
    "an issuer that ends earlier",
    limited({ notAfter: { time: "2027-01-01T00:00:00Z", form: "utc" } }),
    /ends after the issuer's/,
  ],
  [
    "an issuer that begins later",
    limited({ notBefore: { time: "2026-11-23T09:32:00Z", form: "utc" } }),
    /begins before the issuer's/,
  ],
  [
    "an issuer that is no CA",
    { ...SUBORDINATE, issuer: without(ROOT.view, "basic-constraints") },
    /not a CA/,
  ],
  ["an issuer of path length 0", constrained(0), /allows no CA below/],
  [
    "an issuer without key id",
    { ...SUBORDINATE, issuer: without(ROOT.view, "subject-key-id") },
    /no subject key id/,
  ],
  [
    "a name outside the issuer's constraints",
    limited({
      extensions: [
        ...ROOT.view.extensions,
        {
          ...{ kind: "name-constraints", critical: true, excluded: [] },
          permitted: [{ type: "directory", name: parseDn("O=Other,C=DE") }],
        },
      ],
    }),
    /under its name constraints the name .* is not below a permitted name \(RFC 5280 §6\.1\.3\)/,
  ],
  ["the issuer's own name", { ...SUBORDINATE, subject: parseDn(ROOT_NAME) }, /issuer's own name/],
  ["the issuer's own key", { ...SUBORDINATE, spki: ROOT.key.spki }, /key is the issuer's own/],
  [
    "a root's profile",
    { ...SUBORDINATE, profile: profileNamed("tls-root") },
    /for a root certificate/,
  ],
  [
    "crossing what is no CA",
    crossing(issueSub(ROOT, profileNamed("ocsp-responder")).view),
    /not that of a CA/,
  ],
  ["crossing without key id", crossing(without(SUB.view, "subject-key-id")), /no subject key id/],
  [
    "replacing another issuer's",
    replacing(SUB.view, { issuer: { ...ROOT.view, subject: parseDn("CN=X") } }),
    /names another issuer/,
  ],
  [
    "replacing under another key",
    replacing(SUB.view, { issuer: issueRoot("p-256").view }),
    /under another key/,
  ],
  [
    "replacing as self-signed",
    replacing(SUB.view, { issuer: "self", profile: profileNamed("tls-root") }),
    /did not sign itself/,
  ],
  ["replacing with new addresses", replacing(SUB.view, { urls: URLS }), /keeps its addresses/],
  [
    "replacing what SHA-1 signed",
    replacing({
      ...SUB.view,
      signature: { oid: "1.2.840.113549.1.1.5", parameters: "0500", scheme: null },
    }),
    /not used any more/,
  ],
];
for (const [what, request, why] of REFUSED) {
  test(`${what} is refused`, () => {
    assert.throws(
      () => buildCertificate(request),
      (error) => {
        assert.ok(error instanceof KeyriteError && error.code === "script.refused", String(error));
        assert.match([error.message, ...error.hints].join("\n"), why);
        return true;
      },
    );
  });
}

test("a key outside the profile is refused as not supported", () => {
  const { spki } = softKey("ed25519");
  assert.throws(
    () => buildCertificate({ ...SUBORDINATE, spki }),
    (error) => error instanceof KeyriteError && error.code === "hsm.not-supported",
  );
});
