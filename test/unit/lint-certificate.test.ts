import assert from "node:assert/strict";
import { test } from "node:test";
import { CERTIFICATE_LINTS, DER_LINT, lintCertificateFile } from "../../src/pki/lint.ts";
import type { CertificateRole } from "../../src/pki/lint-rule.ts";
import { brokenFile, changed, contextOf, GOOD, KEYS } from "../support/broken-cases.ts";
import { type CertificateParts, ext, rdn, signed, tbsOf } from "../support/broken-certificate.ts";
import { BROKEN_EXTENSIONS } from "../support/broken-extensions.ts";
import { BROKEN_FIELDS } from "../support/broken-fields.ts";
import { bits, bool, int, octets, oid, seq, set, tlv } from "../support/der.ts";

/** A certificate whose common name is these bytes. */
function named(commonName: Uint8Array): CertificateParts {
  const name = seq(
    rdn("C", "DE"),
    rdn("O", "Example"),
    set(seq(oid("2.5.4.3"), tlv(0x0c, commonName))),
  );
  return { ...GOOD.root, subject: name, issuer: name };
}
const EXPLICIT_FALSE = seq(oid("1.2.3.4"), bool(false), octets(Buffer.of(5, 0)));
const STRAY_BITS = ext("2.5.29.15", true, bits(Buffer.of(0x07), 1));

const BROKEN = [...BROKEN_FIELDS, ...BROKEN_EXTENSIONS];

for (const role of Object.keys(GOOD) as CertificateRole[]) {
  test(`a ${role} certificate that is right has nothing against it, under every rule`, () => {
    const file = signed(tbsOf(GOOD[role]), KEYS.root);
    assert.deepEqual(lintCertificateFile(file, contextOf(role)), []);
    assert.deepEqual(lintCertificateFile(file, { ...contextOf(role), trust: "private" }), []);
  });
}

for (const broken of BROKEN) {
  const { rule, role, why, context } = broken;
  test(`H07: ${rule} in a ${role} certificate, and no other rule: ${why.source}`, () => {
    const found = lintCertificateFile(brokenFile(broken), { ...contextOf(role), ...context });
    assert.deepEqual(
      found.map((finding) => finding.rule),
      [rule],
      JSON.stringify(found),
    );
    assert.match(found[0]?.message ?? "", why);
    assert.match(found[0]?.source ?? "", /^(RFC \d+|BR \d)/);
  });
}

test("every rule for certificates has an example that breaks it, and a name of its own", () => {
  const rules = CERTIFICATE_LINTS.map(({ rule }) => rule);
  assert.equal(new Set(rules).size, rules.length);
  assert.deepEqual(new Set(BROKEN.map(({ rule }) => rule)), new Set(rules));
});

const GOOD_ROOT = signed(tbsOf(GOOD.root), KEYS.root);

/** Bytes that are not DER, or not a certificate, each in its own way. */
const NOT_DER: Readonly<Record<string, Uint8Array>> = {
  "bytes after it": Buffer.concat([GOOD_ROOT, Buffer.of(0)]),
  "cut off": GOOD_ROOT.subarray(0, -1),
  "a length in long form": Buffer.concat([Buffer.of(0x30, 0x83, 0), GOOD_ROOT.subarray(2)]),
  "an indefinite length": Buffer.concat([
    Buffer.of(0x30, 0x80),
    GOOD_ROOT.subarray(4),
    Buffer.of(0, 0),
  ]),
  "a padded serial number": signed(
    tbsOf({ ...GOOD.root, serial: int("0011223344556677889900") }),
    KEYS.root,
  ),
  "an explicit default": signed(
    tbsOf(changed(GOOD.root, { ext: { odd: EXPLICIT_FALSE } })),
    KEYS.root,
  ),
  "stray bits in a key usage": signed(
    tbsOf(changed(GOOD.root, { ext: { usage: STRAY_BITS } })),
    KEYS.root,
  ),
  "broken UTF-8": signed(tbsOf(named(Buffer.of(0xc3, 0x28))), KEYS.root),
  "an empty file": Buffer.alloc(0),
};

for (const [what, file] of Object.entries(NOT_DER)) {
  test(`H07: der-canonical, and no other rule: ${what}`, () => {
    const found = lintCertificateFile(file, contextOf("root"));
    assert.deepEqual(
      found.map(({ rule }) => rule),
      [DER_LINT.rule],
    );
  });
}
