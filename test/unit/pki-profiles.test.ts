import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { KeyriteError } from "../../src/lib/errors.ts";
import { utf8 } from "../../src/lib/encoding.ts";
import { jsonSchemaOf } from "../../src/lib/schema.ts";
import { profileSchema, readProfile, requireProfile } from "../../src/pki/profile-file.ts";
import { changed, profileText } from "../support/pki-issue.ts";

const FOLDER = join(import.meta.dirname, "../../ceremonies/profiles");
const SHIPPED = readdirSync(FOLDER).map((file) => file.replace(/\.yaml$/, ""));

test("every shipped profile is read, named as its file, and says what it rests on", () => {
  assert.ok(SHIPPED.length >= 8);
  for (const name of SHIPPED) {
    const profile = requireProfile(utf8(profileText(name)), `${name}.yaml`);
    assert.equal(profile.name, name);
    assert.ok(profile.policyRefs.length > 0);
    assert.match(profile.sha256, /^[0-9a-f]{64}$/);
  }
});

/** Objections of a shipped profile with some of its lines changed. */
function objections(name: string, changes: Readonly<Record<string, string>>): readonly string[] {
  const reading = readProfile(utf8(changed(profileText(name), changes)), "p.yaml");
  return reading.ok ? [] : reading.objections.map(({ at, text }) => `${at} ${text}`);
}

const WITHOUT_EKU = { extKeyUsage: "" };
const FORBIDDEN: readonly (readonly [
  name: string,
  changes: Readonly<Record<string, string>>,
  source: string,
])[] = [
  ["tls-root", { keys: "[p-256, ed25519]" }, "BR 6.1.5"],
  ["tls-root", { subject: "{ order: [C, CN], required: [C, CN] }" }, "BR 7.1.2.10.2"],
  ["tls-root", { subject: "{ order: [C, O, OU, CN], required: [C, O, CN] }" }, "BR 7.1.2.10.2"],
  ["tls-root", { subject: "{ order: [CN, O, C], required: [C, O, CN] }" }, "BR 7.1.4.2"],
  ["tls-root", { validity: "{ days: { least: 1, most: 9132, usual: 1 } }" }, "BR 7.1.2.1.1"],
  ["tls-root", { validity: "{ days: { least: 2922, most: 9133, usual: 2922 } }" }, "BR 7.1.2.1.1"],
  [
    "tls-root",
    { validity: '{ notBefore: "2026-12-01T00:00:00Z", notAfter: "2030-11-30T23:59:59Z" }' },
    "BR 7.1.2.1.1",
  ],
  [
    "tls-root",
    { validity: "{ days: { least: 2922, most: 9132, usual: 7305 }, backdate: 1441 }" },
    "BR 7.1.2.1.1",
  ],
  ["tls-root", { extKeyUsage: "[serverAuth]" }, "BR 7.1.2.1.2"],
  ["tls-root", { certificatePolicies: '[{ oid: "1.2.3.4" }]' }, "BR 7.1.2.10.5"],
  ["tls-root", { keyUsage: "[keyCertSign]" }, "BR 7.1.2.10.7"],
  ["tls-root", { keyUsage: "[keyCertSign, cRLSign, keyAgreement]" }, "BR 7.1.2.10.7"],
  ["tls-root", { crlDistributionPoints: '["https://a.example/x"]' }, "BR 7.1.2.11.2"],
  ["tls-subordinate", { authorityInfoAccess: '{ ocsp: ["https://a.example"] }' }, "BR 7.1.2.10.3"],
  ["tls-subordinate", { crlDistributionPoints: "" }, "BR 7.1.2.6.1"],
  ["tls-subordinate", WITHOUT_EKU, "BR 7.1.2.10.6"],
  ["tls-subordinate", { extKeyUsage: "[serverAuth, OCSPSigning]" }, "BR 7.1.2.10.6"],
  ["tls-subordinate", { extKeyUsage: "[serverAuth, anyExtendedKeyUsage]" }, "BR 7.1.2.10.6"],
  ["tls-subordinate", { extKeyUsage: '[serverAuth, "1.3.6.1.4.1.11129.2.4.4"]' }, "BR 7.1.2.10.6"],
  ["tls-subordinate", { certificatePolicies: "" }, "BR 7.1.2.10.5"],
  [
    "tls-subordinate",
    { certificatePolicies: '[{ oid: "2.23.140.1.2.1" }, { oid: "2.23.140.1.2.2" }]' },
    "BR 7.1.2.10.5",
  ],
  [
    "tls-subordinate",
    { certificatePolicies: '[{ oid: "2.5.29.32.0" }, { oid: "2.23.140.1.2.1" }]' },
    "BR 7.1.2.10.5",
  ],
  ["tls-subordinate", { nameConstraints: '{ excluded: [{ dns: "a.example" }] }' }, "BR 7.1.2.10.8"],
  [
    "tls-subordinate",
    { validity: "{ days: { least: 1, most: 9, usual: 9 }, backdate: 2000 }" },
    "BR 7.1.2.10.1",
  ],
  ["tls-subordinate", { authorityKeyId: "false" }, "BR 7.1.2.11.1"],
  ["cross-certificate", { crlDistributionPoints: "" }, "BR 7.1.2.2.3"],
  ["cross-certificate", { extKeyUsage: "[anyExtendedKeyUsage, clientAuth]" }, "BR 7.1.2.2.4"],
  ["cross-certificate", { extKeyUsage: "[serverAuth, codeSigning]" }, "BR 7.1.2.2.5"],
  ["cross-certificate", { certificatePolicies: '[{ oid: "1.2.3" }]' }, "BR 7.1.2.2.6"],
  ["ocsp-responder", { crlDistributionPoints: "asked" }, "BR 7.1.2.8.2"],
  ["ocsp-responder", { authorityInfoAccess: "{ caIssuers: asked }" }, "BR 7.1.2.8.3"],
  ["ocsp-responder", { extKeyUsage: "[OCSPSigning, clientAuth]" }, "BR 7.1.2.8.5"],
  ["ocsp-responder", { ocspNoCheck: "false" }, "BR 7.1.2.8.6"],
  ["ocsp-responder", { keyUsage: "[digitalSignature, nonRepudiation]" }, "BR 7.1.2.8.7"],
  ["smime-subordinate", { extKeyUsage: "[clientAuth]" }, "SBR 7.1.2.2 g"],
  ["smime-subordinate", { extKeyUsage: "[emailProtection, serverAuth]" }, "BR 7.1.2.3.3"],
  ["smime-subordinate", { certificatePolicies: "" }, "SBR 7.1.2.2 a"],
  ["smime-subordinate", { certificatePolicies: '[{ oid: "2.23.140.1.2.1" }]' }, "BR 7.1.2.3.2"],
  ["smime-subordinate", { crlDistributionPoints: "" }, "SBR 7.1.2.2 b"],
  ["code-signing-subordinate", { extKeyUsage: "[codeSigning, timeStamping]" }, "CSBR 7.1.2.2 g"],
  ["code-signing-subordinate", { authorityInfoAccess: "" }, "CSBR 7.1.2.2 c"],
  ["code-signing-subordinate", { keys: "[rsa-3072]" }, "CSBR 6.1.5.1"],
  ["private-root", { basicConstraints: "{ ca: false }" }, "RFC 5280 §4.2.1.9"],
  ["private-root", { keyUsage: "[cRLSign]" }, "RFC 5280 §4.2.1.3"],
  ["private-root", { keyUsage: "[keyCertSign, keyCertSign]" }, "RFC 5280 §4.2.1.3"],
  ["private-root", { ocspNoCheck: "true" }, "RFC 6960 §4.2.2.2.1"],
  ["private-root", { nameConstraints: "{ critical: true }" }, "RFC 5280 §4.2.1.10"],
  ["private-root", { subject: "" }, "RFC 5280 §4.1.2.6"],
  ["private-root", { subject: "{ order: [CN], required: [O] }" }, "RFC 5280 §4.1.2.6"],
  ["private-root", { validity: "{ days: { least: 9, most: 8, usual: 8 } }" }, "RFC 5280 §4.1.2.5"],
  ["private-subordinate", { authorityKeyId: "false" }, "RFC 5280 §4.2.1.1"],
  ["private-subordinate", { extKeyUsage: "[serverAuth, serverAuth]" }, "RFC 5280 §4.2.1.12"],
  ["ocsp-responder", { rules: "private", extKeyUsage: "[clientAuth]" }, "RFC 6960 §4.2.2.2"],
  ["ocsp-responder", { basicConstraints: "{ ca: false, pathLength: 0 }" }, "RFC 5280 §4.2.1.9"],
  ["cross-certificate", { subject: "{ order: [CN], required: [CN] }" }, "RFC 5280 §4.1.2.6"],
  ["cross-certificate", { subjectKeyId: "sha256" }, "profile format"],
];
for (const [name, changes, source] of FORBIDDEN) {
  test(`${name} with ${JSON.stringify(changes)} is refused by ${source}`, () => {
    const found = objections(name, changes);
    const [, ...more] = found.filter((text) => text.includes(` ${source}: `));
    assert.equal(
      found.some((text) => text.includes(` ${source}: `)),
      true,
      found.join("\n"),
    );
    assert.deepEqual(more, []);
    assert.match(found[0] ?? "", /^p\.yaml:\d+:\d+ /);
  });
}

test("an objection stands at its line and column", () => {
  const text = profileText("tls-root").replace("usual: 7305", "usual: 9999");
  const reading = readProfile(utf8(text), "x.yaml");
  const row = text.split("\n").findIndex((line) => line.startsWith("validity:")) + 1;
  assert.ok(!reading.ok);
  assert.equal(reading.objections[0]?.at, `x.yaml:${row}:11`);
});

const MALFORMED: readonly (readonly [Readonly<Record<string, string>>, RegExp])[] = [
  [{ keyusage: "[cRLSign]" }, /unknown key "keyusage"/],
  [{ policyRefs: "" }, /missing key "policyRefs"/],
  [{ policyRefs: "[]" }, /at least 1/],
  [{ keyUsage: "[certSign]" }, /certSign/],
  [{ extKeyUsage: "[serverauth]" }, /one of serverAuth, /],
  [{ keys: "[rsa-2048]" }, /rsa-2048/],
  [{ rsaPadding: "v15" }, /v15/],
  [{ kind: "leaf" }, /leaf/],
  [{ rules: "none" }, /none/],
  [{ certificatePolicies: '[{ oid: "1.2.03" }]' }, /dotted numbers/],
  [{ crlDistributionPoints: '["ldap://a.example/x"]' }, /http or https/],
  [{ crlDistributionPoints: '["http://a.example/\\u202e"]' }, /does not show|http or https/],
  [
    { validity: '{ notBefore: "2026-02-30T00:00:00Z", notAfter: "2027-01-01T00:00:00Z" }' },
    /exist/,
  ],
  [{ nameConstraints: '{ permitted: [{ ip: "192.0.2.1/24" }] }' }, /address range/],
  [{ nameConstraints: '{ permitted: [{ dns: ".example" }] }' }, /without a leading dot/],
  [{ nameConstraints: '{ permitted: [{ dns: a.example, ip: "192.0.2.0/24" }] }' }, /exactly one/],
  [{ nameConstraints: '{ permitted: [{ directory: "cn=x" }] }' }, /RFC 4514/],
];
for (const [changes, why] of MALFORMED) {
  test(`${JSON.stringify(changes)} is refused`, () => {
    const bytes = (): Uint8Array => utf8(changed(profileText("private-root"), changes));
    let found: string;
    try {
      const reading = readProfile(bytes(), "p.yaml");
      found = reading.ok ? "" : reading.objections.map(({ text }) => text).join("\n");
    } catch (error) {
      assert.ok(error instanceof KeyriteError && error.code === "script.unreadable");
      found = error.message;
    }
    assert.match(found, why);
  });
}

test("all domains and all addresses may be excluded, as BR 7.1.2.5.2 wants it", () => {
  const nameConstraints =
    '{ excluded: [{ dns: "" }, { ip: "0.0.0.0/0" }, { ip: "0:0:0:0:0:0:0:0/0" }] }';
  assert.deepEqual(objections("tls-subordinate", { nameConstraints }), []);
});

test("the schema is exported for editors", () => {
  const schema = jsonSchemaOf(profileSchema);
  assert.equal(schema["additionalProperties"], false);
  const required = schema["required"];
  assert.ok(Array.isArray(required) && required.includes("policyRefs"));
});

const page = readFileSync(join(import.meta.dirname, "../../docs/formats/profile.md"), "utf8");

test("docs/formats/profile.md has a row for every key and every shipped profile, and no other", () => {
  const keys = [...page.matchAll(/^\| `([A-Za-z]+)` \| /gm)].map(([, key]) => key);
  const described = Object.keys(profileSchema.shape);
  // Kinds and rules have tables of their own.
  for (const key of described) assert.ok(keys.includes(key), `no row for ${key}`);
  for (const name of SHIPPED) assert.ok(page.includes(`\`${name}\``), `${name} is not named`);
});

test("docs/formats/profile.md names every section that refuses something", () => {
  const sections = FORBIDDEN.map(([, , source]) => source).filter(
    (source) => source !== "profile format",
  );
  for (const source of sections) {
    const number = source.replace(/^(RFC \d+|S?BR|CSBR) /, "").replace(/ [a-z]$/, "");
    assert.ok(page.includes(number), `${source} is not named`);
  }
});
