import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { utf8 } from "../../src/lib/encoding.ts";
import { KeyriteError } from "../../src/lib/errors.ts";
import { assembleCrl, buildCrl, type CrlEntry, type CrlRequest } from "../../src/pki/crl.ts";
import { readCrl } from "../../src/pki/crl-read.ts";
import { REVOCATION_REASONS } from "../../src/pki/crl-names.ts";
import { explainCrl } from "../../src/pki/explain-crl.ts";
import { pem } from "../../src/pki/pem.ts";
import { verifySignature } from "../../src/pki/signature.ts";
import { NOT_BEFORE } from "../support/pki.ts";
import { issueRoot, issueSub, profileNamed, serialOf, signBytes } from "../support/pki-issue.ts";

const folder = mkdtempSync(join(tmpdir(), "keyrite-crl-"));
after(() => {
  rmSync(folder, { recursive: true });
});

const ROOT = issueRoot("p-384");
const DAY_MS = 86_400_000;

function entry(name: string, changes: Partial<CrlEntry> = {}): CrlEntry {
  const serial = Buffer.from(serialOf(name)).toString("hex");
  return { serial, revokedAt: "2026-11-24T08:00:00Z", reason: "superseded", ...changes };
}

function request(changes: Partial<CrlRequest> = {}): CrlRequest {
  return {
    issuer: ROOT.view,
    number: 7n,
    thisUpdateMs: NOT_BEFORE,
    nextUpdateMs: NOT_BEFORE + 180 * DAY_MS,
    entries: [],
    ...changes,
  };
}

function signed(changes: Partial<CrlRequest> = {}): Uint8Array {
  const { tbs, scheme } = buildCrl(request(changes));
  return assembleCrl(tbs, scheme, signBytes(ROOT.key, scheme, tbs));
}

function openssl(der: Uint8Array): string {
  const paths = { ca: join(folder, "ca.pem"), crl: join(folder, "x.crl") };
  writeFileSync(paths.ca, pem(ROOT.der, "CERTIFICATE"));
  writeFileSync(paths.crl, pem(der, "X509 CRL"));
  const command = `openssl crl -in ${paths.crl} -CAfile ${paths.ca} -verify -noout -text 2>&1`;
  return execFileSync("sh", ["-c", command], { encoding: "utf8", maxBuffer: 1 << 26 });
}

test("openssl verifies a list and reads every reason, serial number and time", () => {
  const entries = REVOCATION_REASONS.map((reason) => entry(reason, { reason }));
  const text = openssl(signed({ entries }));
  assert.match(text, /verify OK/);
  assert.match(text, /Version 2 \(0x1\)/);
  assert.match(text, /X509v3 CRL Number: \n\s+7\n/);
  assert.match(text, /Last Update: Nov 23 09:30:00 2026 GMT/);
  assert.match(text, /Next Update: May 22 09:30:00 2027 GMT/);
  for (const { serial } of entries) assert.ok(text.includes(serial.toUpperCase()));
  const reasons = ["Key Compromise", "CA Compromise", "Affiliation Changed", "Superseded"];
  for (const words of [...reasons, "Cessation Of Operation", "Privilege Withdrawn"]) {
    assert.ok(text.includes(words), words);
  }
});

test("an empty list leaves its entries out", () => {
  const der = signed();
  assert.match(openssl(der), /No Revoked Certificates/);
  assert.equal(readCrl(der).count, 0);
  assert.deepEqual([...readCrl(der).entries()], []);
});

test("what was built is what is read, entry by entry, over several sizes of length", () => {
  for (const count of [1, 2, 5, 1000, 1300]) {
    const entries = Array.from({ length: count }, (_, at) => entry(`${at}`));
    // A generator: nobody can ask it how many there are.
    const lazily = (function* () {
      yield* entries;
    })();
    const der = signed({ entries: lazily });
    assert.deepEqual(
      Buffer.from(buildCrl(request({ entries })).tbs),
      Buffer.from(readCrl(der).tbs),
    );
    const { signature, tbs, header, count: found } = readCrl(utf8(pem(der, "X509 CRL")));
    assert.equal(found, count);
    assert.ok(verifySignature("ecdsa-sha384", ROOT.key.spki, tbs, signature));
    assert.deepEqual(header.issuer, ROOT.view.subject);
    assert.deepEqual(
      [...readCrl(der).entries()].map(({ serial, reason, revokedAt }) => [
        serial,
        reason,
        revokedAt.time,
      ]),
      entries.map(({ serial, reason, revokedAt }) => [serial, reason, revokedAt]),
    );
  }
});

test("times from 2050 on are GeneralizedTime, short and padded serial numbers stand as they are", () => {
  const entries = [
    entry("a", { serial: "01", revokedAt: "2049-12-31T23:59:59Z" }),
    entry("b", { serial: "0080", revokedAt: "2050-01-01T00:00:00Z" }),
    entry("c", { serial: "7f", revokedAt: "2024-02-29T00:00:00Z" }),
  ];
  const read = [...readCrl(signed({ entries })).entries()];
  assert.deepEqual(
    read.map(({ serial, revokedAt }) => [serial, revokedAt.time, revokedAt.form]),
    [
      ["01", "2049-12-31T23:59:59Z", "utc"],
      ["0080", "2050-01-01T00:00:00Z", "generalized"],
      ["7f", "2024-02-29T00:00:00Z", "utc"],
    ],
  );
  assert.match(openssl(signed({ entries })), /verify OK/);
});

test("many serial numbers that share their first and last octets are told apart, and one twice is found", () => {
  const serial = (at: number): string => `4b${at.toString(16).padStart(8, "0")}4b`;
  const entries = Array.from({ length: 20_000 }, (_, at) => entry("", { serial: serial(at) }));
  const lazily = function* (): Generator<CrlEntry> {
    yield* entries;
  };
  assert.equal(buildCrl(request({ entries })).count, 20_000);
  assert.equal(buildCrl(request({ entries: lazily() })).count, 20_000);
  const twice = entries.with(19_999, entry("", { serial: serial(17) }));
  assert.throws(() => buildCrl(request({ entries: twice })), /4b000000114b stands twice/);
});

const SIGNS_NO_LISTS = {
  ...ROOT.view,
  extensions: ROOT.view.extensions.map((found) =>
    found.kind === "key-usage" ? { ...found, usages: ["keyCertSign"] as const } : found,
  ),
};
const NO_KEY_ID = {
  ...ROOT.view,
  extensions: ROOT.view.extensions.filter(({ kind }) => kind !== "subject-key-id"),
};
const one = (changes: object): Partial<CrlRequest> => ({
  entries: [{ ...entry("x"), ...changes }],
});

const REFUSED: readonly (readonly [what: string, Partial<CrlRequest>, why: RegExp])[] = [
  ["a serial number twice", { entries: [entry("a"), entry("b"), entry("a")] }, /stands twice/],
  ["a negative serial number", one({ serial: "80" }), /cannot stand/],
  ["a needless zero", one({ serial: "0001" }), /cannot stand/],
  ["zero with another zero", one({ serial: "0000" }), /cannot stand/],
  ["no serial number", one({ serial: "" }), /cannot stand/],
  ["half an octet", one({ serial: "123" }), /cannot stand/],
  ["21 octets", one({ serial: "11".repeat(21) }), /cannot stand/],
  ["upper-case hex", one({ serial: "AB12" }), /cannot stand/],
  ["what is no hex", one({ serial: "zz" }), /cannot stand/],
  ["a character far out", one({ serial: "\u{ff11}1" }), /cannot stand/],
  ["a day that does not exist", one({ revokedAt: "2026-02-29T00:00:00Z" }), /is none/],
  ["a 60th second", one({ revokedAt: "2026-02-01T00:00:60Z" }), /is none/],
  ["an hour 24", one({ revokedAt: "2026-02-01T24:00:00Z" }), /is none/],
  ["month 0", one({ revokedAt: "2026-00-01T00:00:00Z" }), /is none/],
  ["a time with fractions", one({ revokedAt: "2026-02-01T00:00:00.5Z" }), /is none/],
  ["a time with an offset", one({ revokedAt: "2026-02-01T00:00:00+" }), /is none/],
  ["letters in a time", one({ revokedAt: "2026-02-0aT00:00:00Z" }), /is none/],
  ["the reason unspecified", one({ reason: "unspecified" }), /reason unspecified is none/],
  ["certificateHold", one({ reason: "certificateHold" }), /is none/],
  ["a reason of the prototype", one({ reason: "constructor" }), /is none/],
  ["a negative number", { number: -1n }, /from 0 to 2\^159/],
  ["a number of 160 bits", { number: 1n << 159n }, /from 0 to 2\^159/],
  ["a next list before this one", { nextUpdateMs: NOT_BEFORE }, /before this one/],
  ["a next list after more than a year", { nextUpdateMs: NOT_BEFORE + 367 * DAY_MS }, /BR 4\.9\.7/],
  ["an issuer that signs no lists", { issuer: SIGNS_NO_LISTS }, /may not sign/],
  ["an issuer without key id", { issuer: NO_KEY_ID }, /no subject key id/],
];
for (const [what, changes, why] of REFUSED) {
  test(`${what} is refused`, () => {
    assert.throws(
      () => buildCrl(request(changes)),
      (error) => {
        assert.ok(error instanceof KeyriteError && error.code === "script.refused", String(error));
        assert.match(error.message, why);
        return true;
      },
    );
  });
}

test("a scheme of another key is refused", () => {
  assert.throws(
    () => buildCrl(request({ scheme: "rsa-pss-sha256" })),
    (error) => error instanceof KeyriteError && error.code === "hsm.not-supported",
  );
});

test("PSS is chosen by its name", () => {
  const root = issueRoot("rsa-3072", profileNamed("private-root-pss"));
  const { tbs, scheme } = buildCrl(request({ issuer: root.view, scheme: "rsa-pss-sha256" }));
  const { signature, algorithm } = readCrl(
    assembleCrl(tbs, scheme, signBytes(root.key, scheme, tbs)),
  );
  assert.equal(algorithm.scheme, "rsa-pss-sha256");
  assert.ok(verifySignature("rsa-pss-sha256", root.key.spki, tbs, signature));
});

const LIST = signed({ entries: [entry("a"), entry("b")] });
test("a changed byte of a list is refused, or read as something that does not verify", () => {
  for (let at = 0; at < LIST.length; at++) {
    const mutant = Uint8Array.from(LIST);
    mutant[at] = (mutant[at] ?? 0) ^ 1;
    try {
      const { tbs, signature, algorithm, entries } = readCrl(mutant);
      assert.ok([...entries()].length <= 2);
      const { scheme } = algorithm;
      const verified = scheme !== null && verifySignature(scheme, ROOT.key.spki, tbs, signature);
      assert.equal(verified, false, `byte ${at}`);
    } catch (error) {
      assert.ok(error instanceof KeyriteError && error.code === "usage.bad-file", String(error));
    }
  }
});

for (const [what, bytes] of [
  ["a certificate", ROOT.der],
  ["bytes behind a list", Uint8Array.of(...LIST, 0)],
  ["half a list", LIST.subarray(0, 200)],
  ["a subordinate in PEM", utf8(pem(issueSub(ROOT).der, "CERTIFICATE"))],
] as const) {
  test(`${what} is not read as a list`, () => {
    assert.throws(
      () => readCrl(bytes),
      (error) => error instanceof KeyriteError && error.code === "usage.bad-file",
    );
  });
}

test("a list is told in plain words, entry by entry up to fifty", () => {
  const entries = Array.from({ length: 60 }, (_, at) =>
    entry(`${at}`, { reason: "keyCompromise" }),
  );
  const { header, count, entries: read } = readCrl(signed({ entries }));
  const lines = explainCrl(header, count, read());
  const text = lines.join("\n");
  assert.match(text, /^issuer +common name +Example Root G1$/m);
  assert.match(text, /^next one due +22 May 2027, 09:30:00 UTC$/m);
  assert.match(text, /^list number +7 \(not critical\)$/m);
  assert.match(text, /^revoked +60 certificates$/m);
  assert.match(text, /its key is compromised \(keyCompromise\)/);
  assert.match(text, /and 10 more, which are not shown$/);
  assert.ok(lines.every((line) => line.length <= 96));
});
