import assert from "node:assert/strict";
import { test } from "node:test";
import { KeyriteError } from "../../src/lib/errors.ts";
import { encodeDer } from "../../src/pki/asn1.ts";
import { encodeName } from "../../src/pki/name-codec.ts";
import { dnProblem, formatDn, parseDn } from "../../src/pki/names.ts";

const der = (text: string): string =>
  Buffer.from(encodeDer(encodeName(parseDn(text)))).toString("hex");

test("a name is encoded from the country inwards, in the string types of RFC 5280", () => {
  // SEQUENCE { SET { C PrintableString }, SET { O UTF8String }, SET { CN UTF8String } }
  const expected = [
    "3025",
    "310b3009060355040613024445",
    "310a300806035504" + "0a0c0145",
    "310a300806035504" + "030c0152",
  ].join("");
  assert.equal(der("CN=R,O=E,C=DE"), expected);
});

test("domain components are IA5String, serial numbers PrintableString", () => {
  assert.equal(der("DC=x"), "30133111300f060a0992268993f22c6401191601" + "78");
  assert.equal(der("serialNumber=7"), "300c310a300806035504" + "05130137");
  assert.equal(der("organizationIdentifier=7"), "300c310a300806035504" + "610c0137");
});

const GOOD = [
  "CN=Demo Root G1,O=Example,C=DE",
  "CN=Straße 日本,C=DE",
  'CN=a\\, b \\+ c \\; \\<d\\> \\"e\\" \\\\f',
  "CN=\\#1",
  "CN=a#b = c",
  "CN=x,DC=example,DC=com",
  `CN=${"n".repeat(64)},ST=${"s".repeat(128)}`,
  `CN=${"𝕏".repeat(64)}`,
  "organizationIdentifier=VATDE-123456789,serialNumber=HRB 1,OU=Trust,L=Bonn,ST=NRW,C=DE",
];
for (const text of GOOD) {
  test(`a name comes back as written: ${text.slice(0, 50)}`, () => {
    assert.equal(formatDn(parseDn(text)), text);
    assert.equal(dnProblem(text), undefined);
  });
}

test("escapes are undone in the value", () => {
  assert.deepEqual(parseDn("O=a\\,b,C=DE"), [
    [{ type: "C", form: "printable", value: "DE" }],
    [{ type: "O", form: "utf8", value: "a,b" }],
  ]);
});

const REFUSED: readonly (readonly [text: string, why: RegExp])[] = [
  ["", /is empty/],
  ["CN", /character 1: an attribute has no "="/],
  ["CN=", /attribute CN is empty/],
  ["=x", /unknown attribute type ""/],
  ["CN=a,", /character 6: an attribute has no "="/],
  [",CN=a", /unknown attribute type/],
  ["CN=a,,C=DE", /unknown attribute type ",C"/],
  ["cn=a", /unknown attribute type "cn"/],
  ["CN=a, C=DE", /character 6: unknown attribute type " C"/],
  ["CN =a", /unknown attribute type "CN "/],
  ["emailAddress=a@example.org", /unknown attribute type/],
  ["2.5.4.3=a", /unknown attribute type/],
  ["constructor=a", /unknown attribute type/],
  ["CN=#0c0141", /values in hex/],
  ["CN=a+O=b", /"\+" joins/],
  ['CN="a"', /must be escaped/],
  ["CN=a;O=b", /must be escaped/],
  ["CN=<a>", /must be escaped/],
  ["CN=a\\", /escapes one of/],
  ["CN=a\\41", /escapes one of/],
  ["CN=a\\b", /escapes one of/],
  ["CN=a\\=b", /needless escape/],
  ["CN=a\\#b", /needless escape/],
  ["CN=a\\ b", /needless escape/],
  ["CN= a", /begins or ends with a space/],
  ["CN=a\\ ", /begins or ends with a space/],
  ["CN=a  b", /two in a row/],
  ["CN=a\u00a0b", /not the plain one/],
  ["CN=a\u3000b", /not the plain one/],
  ["CN=a\nb", /invisible or control/],
  ["CN=a\u0000", /invisible or control/],
  ["CN=a\u001b[31m", /invisible or control/],
  ["CN=a\u009bb", /invisible or control/],
  ["CN=\u202egro.elpmaxe", /invisible or control/],
  ["CN=a\u200bb", /invisible or control/],
  ["CN=a\u2028b", /invisible or control/],
  ["CN=\ud800", /invisible or control/],
  ["CN=a\ufffd", /invisible or control/],
  ["CN=u\u0308", /NFC/],
  ["CN=a,CN=b", /CN stands twice/],
  ["C=DE,C=FR", /C stands twice/],
  ["C=de", /two upper-case letters/],
  ["C=D", /two upper-case letters/],
  ["C=DEU", /has 3 characters, at most 2/],
  ["C=D1", /two upper-case letters/],
  [`CN=${"n".repeat(65)}`, /has 65 characters, at most 64/],
  [`O=${"n".repeat(65)}`, /at most 64/],
  [`L=${"n".repeat(129)}`, /at most 128/],
  [`serialNumber=${"1".repeat(65)}`, /at most 64/],
  ["serialNumber=a_b", /must be letters, digits/],
  ["serialNumber=é", /must be letters, digits/],
  ["DC=example.com", /one DNS label/],
  ["DC=-a", /one DNS label/],
  ["DC=ä", /one DNS label/],
  [`CN=${"\\,".repeat(600)}`, /longer than 1024/],
];
for (const [text, why] of REFUSED) {
  test(`I04: a name is refused: ${JSON.stringify(text).slice(0, 50)}`, () => {
    assert.throws(
      () => parseDn(text),
      (error: unknown) => {
        assert.ok(error instanceof KeyriteError);
        assert.equal(error.code, "script.refused");
        assert.match(error.message, why);
        // The refusal itself is shown: it may not carry what it refuses.
        assert.doesNotMatch(error.message, /[\p{Cc}\p{Cf}\p{Zl}\p{Cs}]/u);
        return true;
      },
    );
    assert.match(dnProblem(text) ?? "", why);
  });
}

test("a refused spelling names the one to write", () => {
  const hintOf = (text: string): string => {
    try {
      parseDn(text);
    } catch (error) {
      if (error instanceof KeyriteError) return error.hints.join();
    }
    return "";
  };
  assert.equal(hintOf("cn=a"), "write CN without space");
  assert.equal(hintOf("CN=a\\=b"), "write CN=a=b");
  assert.match(hintOf("email=a"), /allowed are DC, C/);
});
