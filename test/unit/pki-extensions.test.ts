import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { utf8 } from "../../src/lib/encoding.ts";
import { KeyriteError } from "../../src/lib/errors.ts";
import { decodeDer, encodeDer, Extension } from "../../src/pki/asn1.ts";
import { oid, readOid, readOne, walk } from "../../src/pki/der.ts";
import { encodeTime, isIsoTime, readTimeItem } from "../../src/pki/der-time.ts";
import { encodeExtension, type ExtensionView, readExtension } from "../../src/pki/extensions.ts";
import { ipInWords, ipRange } from "../../src/pki/ip-range.ts";
import { parseDn } from "../../src/pki/names.ts";
import { certsOnly, readCertsOnly } from "../../src/pki/pkcs7.ts";
import { fromPem, pem } from "../../src/pki/pem.ts";
import { issueRoot, issueSub } from "../support/pki-issue.ts";

const uri = (value: string) => ({ type: "uri", value }) as const;
/** Each with its value as RFC 5280 or openssl writes it. */
const VALUES: readonly (readonly [view: ExtensionView, value: string])[] = [
  [
    { kind: "ext-key-usage", critical: false, purposes: ["serverAuth", "1.3.6.1.4.1.11129.2.4.4"] },
    "301606082b06010505070301060a2b06010401d679020404",
  ],
  [
    {
      kind: "certificate-policies",
      critical: false,
      policies: [
        { oid: "2.5.29.32.0", cps: [] },
        { oid: "2.23.140.1.2.1", cps: ["http://a.example"] },
      ],
    },
    "3032" +
      "30060604551d20003028060667810c010201301e301c06082b06010505070201" +
      "1610687474703a2f2f612e6578616d706c65",
  ],
  [
    {
      kind: "name-constraints",
      critical: true,
      permitted: [{ type: "dns", value: "a.example" }],
      excluded: [{ type: "ip", value: "0000000000000000" }],
    },
    "301da00d300b8209612e6578616d706c65a10c300a" + "8708" + "0000000000000000",
  ],
  [
    {
      kind: "authority-info-access",
      critical: false,
      access: [{ method: "ocsp", uri: "http://o" }],
    },
    "3016301406082b060105050730018608" + "687474703a2f2f6f",
  ],
  [
    { kind: "crl-distribution-points", critical: false, points: [["http://c", "http://d"]] },
    "301a3018a016a0148608687474703a2f2f63" + "8608687474703a2f2f64",
  ],
  [
    { kind: "subject-alt-name", critical: false, names: [uri("http://u")] },
    "300a8608687474703a2f2f75",
  ],
  [{ kind: "ocsp-no-check", critical: false }, "0500"],
  [{ kind: "crl-number", critical: false, number: "0080" }, "02020080"],
];
for (const [view, value] of VALUES) {
  test(`${view.kind} is written as ${value.slice(0, 20)}… and read back`, () => {
    const extension = encodeExtension(view);
    assert.equal(Buffer.from(extension.extnValue.buffer).toString("hex"), value);
    const again = decodeDer(encodeDer(extension), Extension, "the extension");
    assert.deepEqual(readExtension(again), view);
  });
}

test("a directory name and every type of general name survive both ways", () => {
  const view: ExtensionView = {
    ...{ kind: "subject-alt-name", critical: true },
    names: [
      { type: "directory", name: parseDn("CN=Straße,C=DE") },
      { type: "email", value: "a@b.example" },
      { type: "ip", value: "20010db8000000000000000000000001" },
      { type: "other", value: "8803290102" },
    ],
  };
  assert.deepEqual(readExtension(encodeExtension(view)), view);
});

function extension(id: string, value: string): Extension {
  const bytes = Buffer.from(value, "hex");
  const whole = encodeExtension({ kind: "other", critical: false, oid: id, value });
  assert.equal(whole.extnValue.byteLength, bytes.length);
  return whole;
}

const AS_BYTES: readonly (readonly [what: string, id: string, value: string])[] = [
  ["a user notice", "2.5.29.32", "301830160604551d2000300e300c06082b060105050702023000"],
  ["a constraint with a minimum", "2.5.29.30", "300ea00c300a8205612e6578" + "61800101"],
  ["access by another method", "1.3.6.1.5.5.7.1.1", "3010300e06022a03" + "8608687474703a2f2f6f"],
  ["a point with reasons", "2.5.29.31", "3014" + "3012a00ca00a8608687474703a2f2f63" + "81020780"],
  ["a point by relative name", "2.5.29.31", "3006" + "3004a002a100"],
];
for (const [what, id, value] of AS_BYTES) {
  test(`${what} is carried as bytes`, () => {
    assert.deepEqual(readExtension(extension(id, value)), {
      ...{ kind: "other", critical: false },
      ...{ oid: id, value },
    });
  });
}

const MALFORMED: readonly (readonly [what: string, id: string, value: string])[] = [
  ["an empty list of purposes", "2.5.29.37", "3000"],
  ["a purpose cut off", "2.5.29.37", "3003060187"],
  ["a purpose with a needless octet", "2.5.29.37", "300406028001"],
  ["an empty list of policies", "2.5.29.32", "3000"],
  ["an address with a control character", "2.5.29.31", "3010300ea00ca00a8608687474703a2f2f0a"],
  ["an address with a space", "2.5.29.17", "300a860868747470" + "3a2f2f20"],
  ["an IP address of three octets", "2.5.29.17", "30058703c00002"],
  ["ocsp-nocheck that is not NULL", "1.3.6.1.5.5.7.48.1.5", "3000"],
  ["a negative number", "2.5.29.20", "020180"],
  ["a number with a needless zero", "2.5.29.20", "02020001"],
  ["bytes behind the value", "2.5.29.20", "02010100"],
  ["no constraint at all that is written", "2.5.29.30", "3002a000"],
  ["a list in BER", "2.5.29.37", "3080060355040300000"],
];
for (const [what, id, value] of MALFORMED) {
  test(`${what} is refused`, () => {
    assert.throws(
      () => readExtension(extension(id, value.length % 2 === 0 ? value : `${value}0`)),
      (error) => error instanceof KeyriteError && error.code === "usage.bad-file",
    );
  });
}

test("object identifiers: both ways, and nothing that is none", () => {
  for (const text of [
    "0.0",
    "1.39",
    "2.5.29.37",
    "2.999.1",
    "2.25.329800735698586629295641978511506172918",
  ]) {
    assert.equal(readOid(readOne(oid(text))), text);
  }
  for (const text of ["", "3.1", "1", "1.40", "1..2", "1.02", "1.-2", "a.b"]) {
    assert.throws(() => oid(text), Error, text);
  }
});

test("DER is walked to a bounded depth, and broken lengths are told", () => {
  walk(oid("2.5.29.37"));
  for (const bad of ["", "30", "3005", "308000", "30810100", "3003020101ff", "1f0100"]) {
    assert.throws(() => {
      walk(new Uint8Array(Buffer.from(bad, "hex")));
    }, Error);
  }
});

test("times are written and read to the second", () => {
  for (const time of [
    "1950-01-01T00:00:00Z",
    "2049-12-31T23:59:59Z",
    "2050-01-01T00:00:00Z",
    "1949-12-31T00:00:00Z",
  ]) {
    assert.equal(isIsoTime(time), true);
    assert.equal(readTimeItem(readOne(encodeTime(time))).time, time);
  }
  for (const time of ["1900-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-1-01T00:00:00Z", ""]) {
    assert.equal(isIsoTime(time), false, time);
  }
});

test("address ranges have one spelling", () => {
  assert.equal(ipRange("192.0.2.0/24"), "c0000200ffffff00");
  assert.equal(ipInWords("c0000200ffffff00"), "192.0.2.0/24");
  assert.equal(ipInWords("c0000201"), "192.0.2.1");
  assert.equal(ipInWords("c0000200ff00ff00"), "192.0.2.0/255.0.255.0");
  const six = "2001:db8:0:0:0:0:0:0/32";
  assert.equal(ipInWords(ipRange(six) ?? ""), six);
  for (const text of [
    "192.0.2.1/24",
    "192.0.2.0",
    "192.0.2.0/33",
    "192.0.02.0/24",
    "256.0.0.0/8",
    "::/0",
    "192.0.2/24",
  ]) {
    assert.equal(ipRange(text), undefined, text);
  }
});

const ROOT = issueRoot();
const SUB = issueSub(ROOT);

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

test("a bundle holds the chain in its order, for openssl and for us", () => {
  const bundle = certsOnly([SUB.der, ROOT.der]);
  assert.deepEqual(readCertsOnly(bundle).map(hexOf), [SUB.der, ROOT.der].map(hexOf));
  const input = pem(bundle, "PKCS7");
  const said = execFileSync("openssl", ["pkcs7", "-print_certs", "-noout"], { input }).toString();
  assert.deepEqual(said.match(/subject=.*/g), [
    "subject=C = DE, O = Example, CN = Example Issuing A1",
    "subject=C = DE, O = Example, CN = Example Root G1",
  ]);
});

for (const [what, bytes] of [
  ["a certificate", ROOT.der],
  ["a cut bundle", certsOnly([ROOT.der]).subarray(0, -1)],
  ["nothing", new Uint8Array()],
] as const) {
  test(`${what} is no bundle`, () => {
    assert.throws(
      () => readCertsOnly(bytes),
      (error) => error instanceof KeyriteError && error.code === "usage.bad-file",
    );
  });
}

test("PEM is one block of the label asked for, or bare DER", () => {
  const text = pem(ROOT.der, "CERTIFICATE");
  assert.deepEqual(Buffer.from(fromPem(utf8(text), "CERTIFICATE")), Buffer.from(ROOT.der));
  assert.deepEqual(
    Buffer.from(fromPem(utf8(text.replaceAll("\n", "\r\n")), "CERTIFICATE")),
    Buffer.from(ROOT.der),
  );
  assert.equal(fromPem(ROOT.der, "CERTIFICATE"), ROOT.der);
  for (const bad of [
    `x\n${text}`,
    `${text}x`,
    text + text,
    text.replace("BEGIN CERT", "BEGIN X509 CERT"),
  ]) {
    assert.throws(
      () => fromPem(utf8(bad), "CERTIFICATE"),
      (error) => error instanceof KeyriteError && error.code === "usage.bad-file",
    );
  }
});
