/** Revocation lists and requests put together by hand, and examples that break one rule each. */

import type { CrlContext } from "../../src/pki/lint-crl.ts";
import type { CertificateContext } from "../../src/pki/lint-rule.ts";
import { readTbs } from "../../src/pki/view.ts";
import { GOOD, ISSUERS, KEYS } from "./broken-cases.ts";
import {
  authorityKeyId,
  ext,
  keyId,
  named,
  rdn,
  serialFor,
  signBytes,
  signed,
  type Signer,
  tbsOf,
} from "./broken-certificate.ts";
import {
  bits,
  type Bytes,
  bool,
  ctx,
  enumerated,
  hexBytes,
  int,
  oid,
  seq,
  set,
  time,
  utf8String,
} from "./der.ts";

export interface CrlParts {
  readonly version: Bytes;
  readonly algorithm: Bytes;
  readonly issuer: Bytes;
  readonly thisUpdate: Bytes;
  readonly nextUpdate: Bytes;
  readonly entries: readonly Bytes[];
  readonly extensions: readonly Bytes[];
}

const number = (hex: string, critical = false): Bytes => ext("2.5.29.20", critical, int(hex));
const authority = authorityKeyId(keyId(KEYS.root.spki));
export const reason = (code: number, critical = false): Bytes =>
  seq(ext("2.5.29.21", critical, enumerated(code)));
export const entry = (serial: Bytes, at: string, ...extensions: readonly Bytes[]): Bytes =>
  seq(serial, time(at), ...extensions);

const first = entry(serialFor("a"), "2026-11-20T10:00:00Z", reason(4));
const second = entry(serialFor("b"), "2026-11-21T10:00:00Z", reason(1));

export const GOOD_CRL: CrlParts = {
  version: int("01"),
  algorithm: KEYS.root.algorithm,
  issuer: GOOD.root.subject,
  thisUpdate: time("2026-11-24T08:00:00Z"),
  nextUpdate: time("2027-11-23T08:00:00Z"),
  entries: [first, second],
  extensions: [authority, number("07")],
};

export function crlTbs(parts: CrlParts): Bytes {
  return seq(
    parts.version,
    parts.algorithm,
    parts.issuer,
    parts.thisUpdate,
    parts.nextUpdate,
    ...(parts.entries.length === 0 ? [] : [seq(...parts.entries)]),
    ctx(0, seq(...parts.extensions)),
  );
}

export const CRL_CONTEXT: CrlContext = {
  issuer: readTbs(tbsOf(GOOD.root)),
  trust: "tls",
  previousNumber: 6n,
  nowMs: Date.parse("2026-11-24T09:00:00Z"),
};

export interface BrokenCrl {
  readonly rule: string;
  readonly why: RegExp;
  readonly change: Partial<CrlParts>;
  readonly context?: Partial<CrlContext>;
  readonly file?: (tbs: Bytes, by: Signer) => Bytes;
}

const crl = (
  rule: string,
  why: RegExp,
  change: Partial<CrlParts>,
  more: Pick<BrokenCrl, "context" | "file"> = {},
): BrokenCrl => ({ rule, why, change, ...more });
const entries = (...all: readonly Bytes[]): Partial<CrlParts> => ({ entries: all });
const extensions = (...all: readonly Bytes[]): Partial<CrlParts> => ({ extensions: all });
const OLD = "2026-11-20T10:00:00Z";

export const BROKEN_CRLS: readonly BrokenCrl[] = [
  crl(
    "crl-signature-same",
    /outside the signed part/,
    {},
    { file: (tbs, by) => seq(tbs, KEYS.issuing.algorithm, bits(signBytes(by, tbs))) },
  ),
  crl(
    "crl-signature-algorithm",
    /p-384 key signs with/,
    { algorithm: KEYS.issuing.algorithm },
    { file: (tbs, by) => signed(tbs, by, KEYS.issuing.algorithm) },
  ),
  crl("crl-issuer-name", /byte for byte/, { issuer: named("Root G2") }),
  crl("crl-issuer-usage", /not for signing/, {}, { context: { issuer: ISSUERS.noListSigner } }),
  crl("crl-time-encoding", /not utc/, { thisUpdate: time("2026-11-24T08:00:00Z", "generalized") }),
  crl("crl-next-update", /due before/, { nextUpdate: time("2026-11-24T08:00:00Z") }),
  crl("crl-longest", /not 12 months/, { nextUpdate: time("2027-11-26T08:00:00Z") }),
  crl("crl-future", /after it is signed/, { thisUpdate: time("2026-11-24T09:00:01Z") }),
  crl("crl-issuer-valid", /not valid/, { thisUpdate: time("2026-11-23T08:00:00Z") }),
  crl("crl-extension-missing", /no crl number/, extensions(authority)),
  crl("crl-extension-missing", /no authority key id/, extensions(number("07"))),
  crl(
    "crl-extension-unknown",
    /2\.5\.29\.27 is not for/,
    extensions(authority, number("07"), ext("2.5.29.27", true, int("01"))),
  ),
  crl("crl-extension-once", /stands twice/, extensions(authority, number("07"), number("07"))),
  crl(
    "crl-extension-critical",
    /crl number is critical/,
    extensions(authority, number("07", true)),
  ),
  crl(
    "crl-authority-key-id",
    /not the subject key id/,
    extensions(authorityKeyId(Buffer.alloc(20, 7)), number("07")),
  ),
  crl("crl-number-size", /21 octets/, extensions(authority, number(`00${"f1".repeat(20)}`))),
  crl("crl-number-increases", /7 is not above 7/, {}, { context: { previousNumber: 7n } }),
  crl("crl-entry-serial", /not a positive number/, entries(entry(int("f2"), OLD, reason(4)))),
  crl("crl-entry-serial", /shortest form/, entries(entry(int("0012"), OLD, reason(4)))),
  crl("crl-entry-once", /stands twice/, entries(first, first)),
  crl("crl-entry-reason", /has no reason/, entries(entry(serialFor("a"), OLD))),
  crl("crl-entry-reason", /certificateHold is not/, entries(entry(serialFor("a"), OLD, reason(6)))),
  crl(
    "crl-entry-time",
    /revoked after/,
    entries(entry(serialFor("a"), "2026-11-24T08:00:01Z", reason(4))),
  ),
  crl(
    "crl-entry-extension",
    /2\.5\.29\.24/,
    entries(
      entry(
        serialFor("a"),
        OLD,
        seq(
          ext("2.5.29.21", false, enumerated(4)),
          ext("2.5.29.24", false, time(OLD, "generalized")),
        ),
      ),
    ),
  ),
  crl(
    "crl-entry-order",
    /in no order/,
    entries(
      ...(serialFor("a").compare(serialFor("b")) < 0
        ? [second, first]
        : [second, first, entry(serialFor("c"), "2026-11-19T10:00:00Z", reason(4))]),
      entry(int("01"), "2026-11-22T10:00:00Z", reason(4)),
    ),
  ),
];

/** What is no list in DER. */
export const CRL_NOT_DER: Readonly<Record<string, Uint8Array>> = {
  "version 1": signed(crlTbs({ ...GOOD_CRL, version: hexBytes("") }), KEYS.root),
  "an empty list that is written": signed(
    crlTbs({ ...GOOD_CRL, entries: [Buffer.alloc(0)] }),
    KEYS.root,
  ),
  "no next update": signed(crlTbs({ ...GOOD_CRL, nextUpdate: hexBytes("") }), KEYS.root),
  "a reason that is none": signed(
    crlTbs({ ...GOOD_CRL, ...entries(entry(serialFor("a"), OLD, reason(7))) }),
    KEYS.root,
  ),
  "a critical reason": signed(
    crlTbs({ ...GOOD_CRL, ...entries(entry(serialFor("a"), OLD, reason(4, true))) }),
    KEYS.root,
  ),
  "a negative number": signed(
    crlTbs({ ...GOOD_CRL, ...extensions(authority, number("f1")) }),
    KEYS.root,
  ),
  "bytes after it": Buffer.concat([signed(crlTbs(GOOD_CRL), KEYS.root), Buffer.of(5, 0)]),
};

const REQUESTED = "1.2.840.113549.1.9.14";
const requested = (...wanted: readonly Bytes[]): Bytes => seq(oid(REQUESTED), set(seq(...wanted)));
const challenge = seq(oid("1.2.840.113549.1.9.7"), set(utf8String("secret")));
const isCa = ext("2.5.29.19", true, seq(bool(true)));

export interface CsrParts {
  readonly version: Bytes;
  readonly subject: Bytes;
  readonly spki: Bytes;
  readonly attributes: readonly Bytes[];
}
export const GOOD_CSR: CsrParts = {
  version: int("00"),
  subject: named("Outside CA"),
  spki: KEYS.issuing.spki,
  attributes: [requested(isCa)],
};
export function csrTbs({ version, subject, spki, attributes }: CsrParts): Bytes {
  return seq(version, subject, spki, ctx(0, ...attributes));
}

export interface BrokenCsr {
  readonly rule: string;
  readonly why: RegExp;
  readonly change: Partial<CsrParts>;
  readonly by?: Signer;
  readonly context?: Partial<CertificateContext>;
}
const csr = (
  rule: string,
  why: RegExp,
  change: Partial<CsrParts>,
  more: Pick<BrokenCsr, "by" | "context"> = {},
): BrokenCsr => ({ rule, why, change, ...more });
const subject = (...rdns: readonly Bytes[]): Partial<CsrParts> => ({ subject: seq(...rdns) });

/** Examples for the rules that only requests have, and for those that hold for names and keys alike. */
export const BROKEN_CSRS: readonly BrokenCsr[] = [
  csr("request-attribute", /which nothing here reads/, {
    attributes: [challenge, requested(isCa)],
  }),
  csr("request-extension", /1\.2\.3\.4, which we do not issue/, {
    attributes: [requested(isCa, ext("1.2.3.4", false, hexBytes("0500")))],
  }),
  csr("request-ca", /asks to be no CA/, { attributes: [requested(ext("2.5.29.19", true, seq()))] }),
  csr("subject-empty", /is empty/, { subject: seq() }),
  csr(
    "subject-structure",
    /stands twice/,
    subject(rdn("C", "DE"), rdn("O", "Example"), rdn("CN", "A"), rdn("CN", "A")),
  ),
  csr("subject-values", /two in a row/, { subject: named("a  b") }),
  csr(
    "subject-order",
    /not in the order/,
    subject(rdn("O", "Example"), rdn("C", "DE"), rdn("CN", "A")),
  ),
  csr("subject-attributes", /has no C, O/, subject(rdn("CN", "A"))),
  csr(
    "subject-unusual",
    /holds serialNumber/,
    subject(rdn("C", "DE"), rdn("O", "Example"), rdn("CN", "A"), rdn("serialNumber", "7")),
  ),
  csr("key-public-trust", /not accepted/, { spki: KEYS.ed25519.spki }, { by: KEYS.ed25519 }),
  csr(
    "key-foreign",
    /known as another's/,
    {},
    { context: { custodyKeys: new Set([readTbs(tbsOf(GOOD.subordinate)).key.spkiSha256]) } },
  ),
];
