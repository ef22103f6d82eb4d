import assert from "node:assert/strict";
import { test } from "node:test";
import { buildCsr } from "../../src/pki/csr.ts";
import { differencesFromCertificate, differencesFromProfile } from "../../src/pki/differences.ts";
import { explain } from "../../src/pki/explain.ts";
import { explainCsr } from "../../src/pki/explain-csr.ts";
import type { ExtensionView } from "../../src/pki/extensions.ts";
import { parseDn } from "../../src/pki/names.ts";
import type { CertificateView } from "../../src/pki/view.ts";
import { softKey } from "../support/pki.ts";
import { issueRoot, issueSub, profileNamed } from "../support/pki-issue.ts";

const PROFILE = profileNamed("tls-subordinate", {
  nameConstraints: '{ permitted: [{ dns: a.example }], excluded: [{ ip: "0.0.0.0/0" }] }',
});
const ROOT = issueRoot("p-256");
const { view: VIEW } = issueSub(ROOT, PROFILE);

test("every field of a subordinate is told, each line within 96 columns", () => {
  const lines = explain(VIEW);
  const text = lines.join("\n");
  for (const words of [
    /^is a CA +yes, with no CA below it \(critical\)$/m,
    /^is good for +TLS servers \(serverAuth\)$/m,
    /^policies +2\.23\.140\.1\.2\.1, TLS, domain validated \(not critical\)$/m,
    /^names below it +only domains in a\.example$/m,
    /^ +never IP 0\.0\.0\.0\/0 \(critical\)$/m,
    /^more about issuer +its certificate at http:\/\/ca\.example\.com\/root\.der/m,
    /^revocation list at +http:\/\/crl\.example\.com\/root\.crl/m,
    /^valid to .*\(1826 days, 5 years\)$/m,
  ]) {
    assert.match(text, words);
  }
  assert.ok(lines.every((line) => line.length <= 96));
});

test("a line is cut at a space, and nothing of it is lost", () => {
  const value = `${"word ".repeat(30)}end`;
  const name = [[{ type: "CN", form: "utf8", value }]] as const;
  const lines = explain({ ...VIEW, subject: name });
  const shown = lines.slice(0, 4).map((line) => line.slice(20));
  assert.ok(shown.join("").includes(value));
  assert.ok(lines.every((line) => !/^ +ord/.test(line)));
});

test("text out of a request is shown escaped, and its wishes as wishes", () => {
  const extensions: readonly ExtensionView[] = [
    { kind: "ocsp-no-check", critical: false },
    { kind: "subject-alt-name", critical: false, names: [{ type: "dns", value: "a.example" }] },
  ];
  const { view } = buildCsr({
    ...{ subject: parseDn("CN=Outside,C=DE"), spki: softKey("p-256").spki, extensions },
  });
  const hostile = [[{ type: "CN", form: "utf8", value: "a\u001b[2J\u202eb" }]] as const;
  const lines = explainCsr({ ...view, subject: hostile });
  assert.match(lines.join("\n"), /a\\u\{1b\}\[2J\\u\{202e\}b/);
  assert.match(lines.join("\n"), /^It asks for these extensions:$/m);
  assert.match(lines.join("\n"), /^own revocation +is not to be asked for/m);
  assert.match(explainCsr({ ...view, extensions: [] }).join("\n"), /^asks for +no extensions$/m);
  for (const line of lines) assert.doesNotMatch(line, /[\p{Cc}\p{Cf}]/u);
});

test("what was built under a profile differs from it in nothing", () => {
  assert.deepEqual(differencesFromProfile(VIEW, PROFILE), []);
  assert.deepEqual(differencesFromProfile(ROOT.view, profileNamed("tls-root")), []);
});

function withExtensions(
  change: (found: ExtensionView) => readonly ExtensionView[],
): CertificateView {
  return { ...VIEW, extensions: VIEW.extensions.flatMap(change) };
}
const without = (kind: ExtensionView["kind"]): CertificateView =>
  withExtensions((found) => (found.kind === kind ? [] : [found]));
const root384 = issueRoot("p-384").view;

const FROM_PROFILE: readonly (readonly [what: string, CertificateView, why: RegExp])[] = [
  [
    "another order of names",
    { ...VIEW, subject: [...VIEW.subject].reverse() },
    /^subject: .*order/,
  ],
  [
    "too long a validity",
    { ...VIEW, notAfter: { time: "2046-01-01T00:00:00Z", form: "utc" } },
    /^validity: /,
  ],
  [
    "an unknown algorithm",
    { ...VIEW, signature: { oid: "1.2", parameters: null, scheme: null } },
    /^signature: unknown algorithm 1\.2/,
  ],
  [
    "no constraints",
    without("name-constraints"),
    /^absent; the profile has: names below it: only domains in a\.example/,
  ],
  ["no key id", without("subject-key-id"), /^absent; the profile has: subject key id/],
  [
    "an extension more",
    withExtensions((found) =>
      found.kind === "key-usage" ? [found, { kind: "ocsp-no-check", critical: false }] : [found],
    ),
    /ocsp-nocheck.*the profile has: absent/,
  ],
  [
    "other usages",
    withExtensions((found) =>
      found.kind === "key-usage" ? [{ ...found, usages: ["keyCertSign"] }] : [found],
    ),
    /^key is used for: signing certificates; nothing else.*the profile has: key is used for/,
  ],
  [
    "what is not critical",
    withExtensions((found) =>
      found.kind === "basic-constraints" ? [{ ...found, critical: false }] : [found],
    ),
    /\(not critical\); the profile has: is a CA/,
  ],
  [
    "extensions in another order",
    { ...VIEW, extensions: [...VIEW.extensions].reverse() },
    /in another order/,
  ],
];
for (const [what, view, why] of FROM_PROFILE) {
  test(`${what} is told as different from the profile, and nothing else is`, () => {
    const differences = differencesFromProfile(view, PROFILE);
    assert.equal(differences.length, 1, differences.join("\n"));
    assert.match(differences[0] ?? "", why);
  });
}

test("a key and a padding that the profile does not take are told", () => {
  const pss = profileNamed("private-root-pss");
  const differences = differencesFromProfile(root384, pss);
  assert.match(
    differences.join("\n"),
    /^public key: elliptic curve P-384 .* and not rsa-3072, rsa-4096$/m,
  );
  const rsa = issueRoot("rsa-3072").view;
  assert.match(
    differencesFromProfile(rsa, pss).join("\n"),
    /^signature: RSA \(PKCS#1 v1\.5\).*not pss$/m,
  );
});

const FROM_OLD: readonly (readonly [what: string, CertificateView, why: RegExp])[] = [
  ["a serial number", { ...VIEW, serial: "4b01" }, /^serial number: 4b01; before: /],
  [
    "an end",
    { ...VIEW, notAfter: { time: "2046-01-01T00:00:00Z", form: "utc" } },
    /^valid to: 1 January 2046.*before: /,
  ],
  [
    "a subject",
    { ...VIEW, subject: parseDn("CN=Other") },
    /^subject: CN=Other; before: CN=Example Issuing/,
  ],
  ["a key", { ...VIEW, key: { ...root384.key } }, /^public key: elliptic curve P-384 .*SHA-256/],
  [
    "an address",
    withExtensions((found) =>
      found.kind === "crl-distribution-points"
        ? [{ ...found, points: [["http://other.example"]] }]
        : [found],
    ),
    /^revocation list at: http:\/\/other\.example.*before: revocation list at: http:\/\/crl/,
  ],
  [
    "another encoding of the same name",
    {
      ...VIEW,
      issuer: VIEW.issuer.map((rdn) => rdn.map((one) => ({ ...one, form: "printable" as const }))),
    },
    /^issuer: the same text in another encoding$/,
  ],
];
for (const [what, view, why] of FROM_OLD) {
  test(`${what} is told as different from the certificate before`, () => {
    assert.deepEqual(differencesFromCertificate(VIEW, VIEW), []);
    const differences = differencesFromCertificate(view, VIEW);
    assert.equal(differences.length, 1, differences.join("\n"));
    assert.match(differences[0] ?? "", why);
  });
}

test("text of another certificate is escaped in differences", () => {
  const hostile = [[{ type: "CN", form: "utf8", value: "a\u0007" }]] as const;
  const differences = differencesFromCertificate(VIEW, { ...VIEW, subject: hostile });
  assert.match(differences.join(), /before: CN=a\\u\{7\}/);
});
