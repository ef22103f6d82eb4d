/** Facts about certificates that stand for what they say; members that a test is about are given. */

import { SELF } from "../../src/ceremony/facts-certificates.ts";
import type { CertificateFact, Fact, FactOf } from "../../src/ceremony/facts.ts";
import { sha } from "./copies-desk.ts";

type Given<K extends CertificateFact["kind"]> = Partial<Omit<FactOf<K>, "kind">>;

const DATES = { notBefore: "2026-01-01T00:00:00Z", notAfter: "2036-01-01T00:00:00Z" };

const out = (file: string): { file: string; files: { file: string; sha256: string }[] } => ({
  file,
  files: [{ file: `${file}.der`, sha256: sha(file) }],
});

/** Serial number of a certificate by its name. */
export const serialOf = (name: string): string => sha(`serial ${name}`).slice(0, 40);

export const CERT = {
  root: (name = "root-ca", key = "root-g1", more: Given<"certificate.issued"> = {}): Fact => ({
    kind: "certificate.issued",
    ...{ sha256: sha(name), tbs: sha(`tbs ${name}`), spki: sha(key), issuer: SELF },
    ...{ issuerSpki: sha(key), profile: "tls-root", profileSha256: sha("profile") },
    ...{ subject: `CN=${name}`, serial: serialOf(name), ca: true, ...DATES, ...out(name) },
    ...more,
  }),
  below: (name: string, more: Given<"certificate.issued"> = {}): Fact => ({
    kind: "certificate.issued",
    ...{ sha256: sha(name), tbs: sha(`tbs ${name}`), spki: sha(`key ${name}`) },
    ...{ issuer: sha("root-ca"), issuerSpki: sha("root-g1"), profile: "tls-subordinate" },
    ...{ profileSha256: sha("profile"), subject: `CN=${name}`, serial: serialOf(name) },
    ...{ ca: true, ...DATES, ...out(name) },
    ...more,
  }),
  imported: (name: string, more: Given<"certificate.imported"> = {}): Fact => ({
    kind: "certificate.imported",
    ...{ sha256: sha(name), spki: sha("root-g1"), issuerName: "CN=Outside", verified: true },
    ...{ subject: `CN=${name}`, serial: serialOf(name), ca: true, ...DATES, ...out(name) },
    ...more,
  }),
  request: (name: string, more: Given<"csr.made"> = {}): Fact => ({
    kind: "csr.made",
    ...{ sha256: sha(name), spki: sha("root-g1"), subject: `CN=${name}`, ...out(name) },
    ...more,
  }),
  revoked: (name: string, more: Given<"certificate.revoked"> = {}): Fact => ({
    kind: "certificate.revoked",
    ...{ sha256: sha(name), issuerSpki: sha("root-g1"), serial: serialOf(name) },
    ...{ reason: "superseded", date: "2026-02-01T00:00:00Z" },
    ...more,
  }),
  crl: (number: number, entries = 0, more: Given<"crl.issued"> = {}): Fact => ({
    kind: "crl.issued",
    ...{ sha256: sha(`crl ${number}`), tbs: sha(`tbs ${number}`), issuer: sha("root-ca") },
    ...{ issuerSpki: sha("root-g1"), number, thisUpdate: "2026-03-01T00:00:00Z" },
    ...{ nextUpdate: "2027-02-28T00:00:00Z", entries, ...out(`crl-${number}`) },
    ...more,
  }),
};
