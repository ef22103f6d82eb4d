/** Every fact about certificates, requests, revocations and CRLs that contradicts custody is not taken. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { REVOCATION_REASONS } from "../../src/ceremony/facts-certificates.ts";
import { certificatesStatus } from "../../src/ceremony/certificate-status.ts";
import { CustodyFold, type Custody } from "../../src/ceremony/custody.ts";
import { custodyJson } from "../../src/ceremony/custody-json.ts";
import { parseFact, type Fact, type FactKind } from "../../src/ceremony/facts.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { REVOCATION_REASONS as WRITTEN } from "../../src/pki/crl.ts";
import { CERT, serialOf } from "../support/certificate-facts.ts";
import { BACKED_UP, CopiesDesk, FACT, sha } from "../support/copies-desk.ts";
import { refused, type Contradiction } from "../support/copies-refused.ts";

const ROOT = CERT.root();
const GONE = [
  FACT.gone("root-g1", "token", "alpha"),
  FACT.gone("root-g1", "backup", "backup-1"),
  FACT.keyGone("root-g1"),
];
const OTHER_KEY = FACT.generated("sub-a");

const KINDS: readonly FactKind[] = [
  "certificate.issued",
  "certificate.imported",
  "csr.made",
  "certificate.revoked",
  "crl.issued",
];

const CONTRADICTIONS: Readonly<Record<string, Contradiction>> = {
  "a certificate of an issuer whose key is not in custody": {
    fact: CERT.root("x", "unknown-key"),
    says: /the issuer's key is not in custody/,
  },
  "a certificate under a key that is destroyed": {
    after: [ROOT, ...GONE],
    fact: CERT.below("sub-a"),
    says: /the issuer's key is recorded as destroyed/,
  },
  "a self-signed certificate about another key": {
    fact: CERT.root("x", "root-g1", { spki: sha("another") }),
    says: /its own issuer has one key/,
  },
  "a certificate under an issuer nobody knows": {
    fact: CERT.below("sub-a"),
    says: /the issuer's certificate [0-9a-f]{64} is not in custody/,
  },
  "a certificate under an issuer's certificate of another key": {
    after: [ROOT, OTHER_KEY],
    fact: CERT.below("x", { issuerSpki: sha("sub-a") }),
    says: /the issuer's certificate is about another key/,
  },
  "a certificate under one that is no CA's": {
    after: [ROOT, CERT.below("resp", { spki: sha("root-g1"), ca: false })],
    fact: CERT.below("x", { issuer: sha("resp") }),
    says: /is no CA certificate/,
  },
  "a certificate under one that is revoked": {
    after: [ROOT, CERT.revoked("root-ca")],
    fact: CERT.below("x"),
    says: /the issuer's certificate is revoked/,
  },
  "the same certificate twice": { after: [ROOT], fact: ROOT, says: /is in custody already/ },
  "a serial number that the key has used": {
    after: [ROOT, CERT.below("sub-a")],
    fact: CERT.below("sub-b", { serial: serialOf("sub-a") }),
    says: /has used the serial number/,
  },
  "a serial number that the key has used for its own certificate": {
    after: [ROOT],
    fact: CERT.below("sub-b", { serial: serialOf("root-ca") }),
    says: /has used the serial number/,
  },
  "a serial number of a certificate that is revoked": {
    after: [ROOT, CERT.below("sub-a"), CERT.revoked("sub-a")],
    fact: CERT.below("sub-b", { serial: serialOf("sub-a") }),
    says: /has used the serial number/,
  },
  "a certificate from outside about no key of ours": {
    fact: CERT.imported("x", { spki: sha("unknown-key") }),
    says: /the certificate's key is not in custody/,
  },
  "a certificate from outside that is ours already": {
    after: [ROOT],
    fact: CERT.imported("x", { sha256: sha("root-ca") }),
    says: /is in custody already/,
  },
  "a request of a key that is not ours": {
    fact: CERT.request("x", { spki: sha("unknown-key") }),
    says: /the request's key is not in custody/,
  },
  "the same request twice": {
    after: [CERT.request("x")],
    fact: CERT.request("x"),
    says: /the request is in custody already/,
  },
  "a revocation of what was never issued here": {
    after: [ROOT],
    fact: CERT.revoked("sub-a"),
    says: /no certificate [0-9a-f]{64} was issued here/,
  },
  "a revocation of what another CA has issued": {
    after: [CERT.imported("outside")],
    fact: CERT.revoked("outside"),
    says: /no certificate [0-9a-f]{64} was issued here/,
  },
  "a revocation under another serial number": {
    after: [ROOT, CERT.below("sub-a")],
    fact: CERT.revoked("sub-a", { serial: serialOf("sub-b") }),
    says: /another issuer or serial number/,
  },
  "a revocation by another issuer": {
    after: [ROOT, CERT.below("sub-a"), OTHER_KEY],
    fact: CERT.revoked("sub-a", { issuerSpki: sha("sub-a") }),
    says: /another issuer or serial number/,
  },
  "a second revocation, with another reason": {
    after: [ROOT, CERT.below("sub-a"), CERT.revoked("sub-a")],
    fact: CERT.revoked("sub-a", { reason: "keyCompromise" }),
    says: /is revoked already/,
  },
  "a CRL of a key that is not ours": {
    after: [ROOT],
    fact: CERT.crl(1, 0, { issuerSpki: sha("unknown-key") }),
    says: /the issuer's key is not in custody/,
  },
  "a CRL under a certificate of another key": {
    after: [ROOT, OTHER_KEY],
    fact: CERT.crl(1, 0, { issuerSpki: sha("sub-a") }),
    says: /the issuer's certificate is not in custody, or is about another key/,
  },
  "a CRL that leaves a revoked certificate out": {
    after: [ROOT, CERT.below("sub-a"), CERT.revoked("sub-a")],
    fact: CERT.crl(1, 0),
    says: /it has 0 entries; 1 are revoked/,
  },
  "a CRL that has more than was revoked": {
    after: [ROOT],
    fact: CERT.crl(1, 1),
    says: /it has 1 entries; 0 are revoked/,
  },
  "a CRL number that was used": {
    after: [ROOT, CERT.crl(7)],
    fact: CERT.crl(7, 0, { sha256: sha("another") }),
    says: /CRL number 7 is not above 7/,
  },
  "a CRL number that goes back": {
    after: [ROOT, CERT.crl(7)],
    fact: CERT.crl(6),
    says: /CRL number 6 is not above 7/,
  },
  "a CRL dated before the last one": {
    after: [ROOT, CERT.crl(7)],
    fact: CERT.crl(8, 0, { thisUpdate: "2026-02-01T00:00:00Z" }),
    says: /dated before the last one/,
  },
  "a CRL whose next update is no later": {
    after: [ROOT],
    fact: CERT.crl(1, 0, { nextUpdate: "2026-03-01T00:00:00Z" }),
    says: /its next update is not after its own date/,
  },
};
refused(CONTRADICTIONS, KINDS);

test("two keys may use the same serial number, and number their CRLs each for itself", () => {
  const desk = new CopiesDesk([...BACKED_UP, ROOT, CERT.crl(7), OTHER_KEY]);
  desk.take(CERT.root("other-root", "sub-a", { serial: serialOf("root-ca") }));
  desk.take(CERT.crl(3, 0, { issuer: sha("other-root"), issuerSpki: sha("sub-a") }));
  assert.deepEqual(
    [...desk.custody.crls.values()].map(({ number }) => number),
    [7, 3],
  );
});

test("what was used up stays so in a fold that begins from custody", () => {
  const { custody } = new CopiesDesk([
    ...BACKED_UP,
    ROOT,
    CERT.below("sub-a"),
    CERT.revoked("sub-a"),
  ]);
  const fold = new CustodyFold(custody);
  const refusal = (fact: Fact): string | undefined =>
    fold.apply(fact, { ceremony: "later", at: "2026-05-01T00:00:00.000Z", card: () => undefined });
  assert.match(
    refusal(CERT.below("x", { serial: serialOf("sub-a") })) ?? "",
    /has used the serial/,
  );
  assert.match(refusal(CERT.crl(1, 0)) ?? "", /1 are revoked/);
  assert.equal(refusal(CERT.crl(1, 1)), undefined);
});

test("custody says of each certificate where it comes from and whether it is revoked", () => {
  const { custody } = new CopiesDesk([
    ...[...BACKED_UP, ROOT, CERT.below("sub-a"), CERT.revoked("sub-a"), CERT.imported("outside")],
    ...[CERT.request("request"), CERT.crl(5, 1)],
  ]);
  const json = custodyJson(custody) as Record<string, Record<string, JsonObject>>;
  const about = Object.values(json["certificates"] ?? {});
  assert.deepEqual(
    about.map(({ file, source, revoked }) => [file, source, revoked ?? null]),
    [
      ["root-ca", "issued", null],
      [
        "sub-a",
        "issued",
        { reason: "superseded", date: "2026-02-01T00:00:00Z", ceremony: "ceremony-1" },
      ],
      ["outside", "imported", null],
    ],
  );
  assert.deepEqual(Object.keys(json["requests"] ?? {}), [sha("request")]);
  assert.equal(json["crls"]?.[sha("root-g1")]?.["number"], 5);
});

test("the reasons on record are those that a CRL can give", () => {
  assert.deepEqual(REVOCATION_REASONS, WRITTEN);
  for (const reason of ["unspecified", "certificateHold", "removeFromCRL", "aACompromise"]) {
    const raw = { ...CERT.revoked("sub-a"), reason } as unknown as JsonObject;
    const parsed = parseFact(raw);
    assert.ok(typeof parsed === "string" && parsed.startsWith("reason: "), reason);
  }
});

function concernsOn(day: string, ...facts: readonly Fact[]): readonly string[] {
  const { custody }: { custody: Custody } = new CopiesDesk([...BACKED_UP, ...facts]);
  return certificatesStatus(custody, Date.parse(day)).concerns;
}

test("a revocation that no CRL says is red, until one does", () => {
  const facts = [ROOT, CERT.below("sub-a"), CERT.revoked("sub-a")];
  assert.deepEqual(concernsOn("2026-03-02T00:00:00Z", ...facts), [
    "RED: 1 certificate of root-ca is revoked and in no CRL yet; sign one with sign-crl",
  ]);
  assert.deepEqual(concernsOn("2026-03-02T00:00:00Z", ...facts, CERT.crl(1, 1)), []);
});

test("the next CRL is due before the last one runs out, and red afterwards", () => {
  const facts = [ROOT, CERT.crl(1)];
  assert.deepEqual(concernsOn("2027-02-10T00:00:00Z", ...facts), []);
  const due = "the next CRL of root-ca is due in 13 days, by 2027-02-28T00:00:00Z";
  assert.deepEqual(concernsOn("2027-02-15T00:00:00Z", ...facts), [due]);
  const [out = ""] = concernsOn("2027-02-28T00:00:01Z", ...facts);
  assert.match(out, /^RED: the CRL of root-ca has run out, 2027-02-28T00:00:00Z/);
});

test("a certificate that runs out is named half a year before, unless another took its place", () => {
  const soon = "2035-12-01T00:00:00Z";
  assert.deepEqual(concernsOn("2035-01-01T00:00:00Z", ROOT), []);
  assert.deepEqual(concernsOn(soon, ROOT), [
    "certificate root-ca expires in 31 days, on 2036-01-01T00:00:00Z",
  ]);
  const renewed = CERT.root("root-ca-2", "root-g1", { notAfter: "2046-01-01T00:00:00Z" });
  assert.deepEqual(concernsOn(soon, ROOT, renewed), []);
});

test("a CA certificate that has expired is red, until another takes its place or its key is destroyed", () => {
  const later = "2036-01-01T00:00:01Z";
  const told =
    "RED: certificate root-ca has expired, on 2036-01-01T00:00:00Z, and its key is still there; renew it, or destroy the key";
  assert.deepEqual(concernsOn(later, ROOT), [told]);
  const renewed = CERT.root("root-ca-2", "root-g1", { notAfter: "2046-01-01T00:00:00Z" });
  assert.deepEqual(concernsOn(later, ROOT, renewed), []);
  const { custody }: { custody: Custody } = new CopiesDesk([...BACKED_UP, ROOT]);
  const copies = new Map(
    [...custody.copies].map(([spki, one]) => [spki, { ...one, destroyed: true }]),
  );
  assert.deepEqual(certificatesStatus({ ...custody, copies }, Date.parse(later)).concerns, []);
});
