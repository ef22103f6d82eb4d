/** A hierarchy that is right – root, two issuing CAs, a responder, lists, a request – and ways to break it. */

import { GOOD, KEYS } from "./broken-cases.ts";
import {
  authorityKeyId,
  type CertificateParts,
  ext,
  keyId,
  lists,
  named,
  permittedOrganisation,
  rootParts,
  serialFor,
  signed,
  type Signer,
  signer,
  subjectKeyId,
  subordinateParts,
  tbsOf,
} from "./broken-certificate.ts";
import {
  type CrlParts,
  crlTbs,
  csrTbs,
  entry,
  GOOD_CRL,
  GOOD_CSR,
  reason,
} from "./broken-lists.ts";
import { type Bytes, int, time } from "./der.ts";

const second = signer("p-256");
const E2: CertificateParts = {
  ...subordinateParts(second, KEYS.root),
  subject: named("Issuing E2"),
  serial: serialFor("e2"),
};
const number = (hex: string): Bytes => ext("2.5.29.20", false, int(hex));
const revoked = (...serials: readonly string[]): readonly Bytes[] =>
  serials.map((name) => entry(serialFor(name), "2026-11-24T07:00:00Z", reason(4)));
const crl = (change: Partial<CrlParts>): Bytes =>
  signed(crlTbs({ ...GOOD_CRL, entries: [], ...change }), KEYS.root);
const authority = authorityKeyId(keyId(KEYS.root.spki));

/** Files by name. */
export type Files = Readonly<Record<string, Uint8Array>>;

export const RIGHT: Files = {
  "root.cer": signed(tbsOf(GOOD.root), KEYS.root),
  "e1.cer": signed(tbsOf(GOOD.subordinate), KEYS.root),
  "e2.cer": signed(tbsOf(E2), KEYS.root),
  "ocsp.cer": signed(tbsOf(GOOD["ocsp-responder"]), KEYS.root),
  "root.crl": crl({ entries: revoked("e2") }),
  "e1.csr": signed(csrTbs({ ...GOOD_CSR, subject: named("Issuing E1") }), KEYS.issuing),
};

const by = (parts: CertificateParts, change: Partial<CertificateParts>): Bytes =>
  signed(tbsOf({ ...parts, ...change }), KEYS.root);
const rsaRoot = { ...rootParts(KEYS.rsa), subject: named("Old Root"), issuer: named("Old Root") };
const older = { thisUpdate: time("2026-11-24T07:30:00Z"), entries: revoked("e2") };

/** What is added, replaced or (null) left out, so that one rule is broken, and the file that it is said of. */
export const WRONG: Readonly<
  Record<
    string,
    readonly [changes: Readonly<Record<string, Uint8Array | null>>, file: string, why: RegExp]
  >
> = {
  readable: [
    { "e2.cer": by(E2, { serial: int("0011223344556677") }) },
    "e2.cer",
    /it is no certificate/,
  ],
  "issuer-absent": [
    {
      "old.cer": signed(tbsOf({ ...rsaRoot, issuer: named("Nobody") }), signer("p-256")),
    },
    "old.cer",
    /its issuer, CN=Nobody,O=Example,C=DE, is not/,
  ],
  "issuer-signature": [
    { "e2.cer": signed(tbsOf(E2), signer("p-384")) },
    "e2.cer",
    /does not verify/,
  ],
  "serial-twice": [
    { "e2.cer": by(E2, { serial: serialFor("issuing") }) },
    "e1.cer",
    /same serial number/,
  ],
  "key-two-names": [
    {
      "e3.cer": by(E2, {
        spki: KEYS.issuing.spki,
        serial: serialFor("e3"),
        extensions: { ...E2.extensions, subject: subjectKeyId(keyId(KEYS.issuing.spki)) },
      }),
      "e2.cer": null,
    },
    "e1.cer",
    /two subjects share one key/,
  ],
  "name-two-keys": [
    { "e2.cer": by(E2, { subject: named("Issuing E1") }) },
    "e1.cer",
    /share one name/,
  ],
  "key-id-twice": [
    {
      "e2.cer": by(E2, {
        extensions: { ...E2.extensions, subject: subjectKeyId(keyId(KEYS.issuing.spki)) },
      }),
    },
    "e1.cer",
    /share one subject key id/,
  ],
  "key-id-differs": [
    {
      "e1b.cer": by(GOOD.subordinate, {
        serial: serialFor("e1b"),
        extensions: { ...GOOD.subordinate.extensions, subject: subjectKeyId(Buffer.alloc(20, 7)) },
      }),
    },
    "e1.cer",
    /two subject key ids/,
  ],
  "key-strength": [
    {
      "e2.cer": by(
        {
          ...subordinateParts(signerOf("p-521"), KEYS.root),
          subject: named("E2"),
          serial: serialFor("e2"),
        },
        {},
      ),
    },
    "e2.cer",
    /p-521 key is stronger than the p-384/,
  ],
  "validity-now": [
    { "e2.cer": by(E2, { notBefore: time("2026-11-25T00:00:00Z") }) },
    "e2.cer",
    /not valid before/,
  ],
  "addresses-differ": [
    {
      "e2.cer": by(E2, {
        extensions: { ...E2.extensions, lists: lists("http://other.example.org/a.crl") },
      }),
    },
    "e1.cer",
    /in two places/,
  ],
  "crl-missing": [{ "root.crl": null }, "root.cer", /none of the files is its revocation list/],
  "crl-due": [
    { "root.crl": crl({ entries: revoked("e2"), nextUpdate: time("2026-11-24T08:30:00Z") }) },
    "root.crl",
    /was due at/,
  ],
  "crl-numbers": [
    { "old.crl": crl({ ...older, extensions: [authority, number("09")] }) },
    "root.crl",
    /newer list has number 7, the older 9/,
  ],
  "crl-dropped": [
    {
      "old.crl": crl({
        ...older,
        extensions: [authority, number("05")],
        entries: revoked("e2", "gone"),
      }),
    },
    "root.crl",
    /is not in the newer/,
  ],
  "issuer-revoked": [below(second, "E2", named("OCSP E2")), "leaf.cer", /a CA above it is revoked/],
  "constraints-above": [
    {
      "root.cer": signed(
        tbsOf({
          ...GOOD.root,
          extensions: { ...GOOD.root.extensions, names: permittedOrganisation("Example") },
        }),
        KEYS.root,
      ),
      ...below(KEYS.issuing, "E1", named("OCSP", "Other")),
    },
    "leaf.cer",
    /further above the name CN=OCSP,O=Other,C=DE is not below a permitted name/,
  ],
  "request-name": [
    { "e1.csr": signed(csrTbs({ ...GOOD_CSR, subject: named("Issuing E9") }), KEYS.issuing) },
    "e1.csr",
    /different subjects/,
  ],
};

function signerOf(kind: "p-521") {
  return signer(kind);
}

/** A responder of an issuing CA, and that CA's own list. */
function below(by: Signer, name: string, subject: Bytes): Readonly<Record<string, Uint8Array>> {
  const responder = signer("p-256");
  const parts: CertificateParts = {
    ...GOOD["ocsp-responder"],
    algorithm: by.algorithm,
    issuer: named(`Issuing ${name}`),
    subject,
    spki: responder.spki,
    extensions: {
      ...GOOD["ocsp-responder"].extensions,
      authority: authorityKeyId(keyId(by.spki)),
    },
  };
  const list = crlTbs({
    ...GOOD_CRL,
    ...{ algorithm: by.algorithm, issuer: named(`Issuing ${name}`), entries: [] },
    extensions: [authorityKeyId(keyId(by.spki)), number("01")],
  });
  return { "leaf.cer": signed(tbsOf(parts), by), "own.crl": signed(list, by) };
}

/** The right files with one thing wrong. */
export function wrong(changes: Readonly<Record<string, Uint8Array | null>>): Files {
  return Object.fromEntries(
    Object.entries({ ...RIGHT, ...changes }).filter(
      (file): file is [string, Uint8Array] => file[1] !== null,
    ),
  );
}
