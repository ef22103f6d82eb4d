import assert from "node:assert/strict";
import { test } from "node:test";
import { KeyriteError } from "../../src/lib/errors.ts";
import { checkCertificate, checkCrl, checkCsr, type Expected } from "../../src/pki/check.ts";
import { readCrl } from "../../src/pki/crl-read.ts";
import { secondReadCrl } from "../../src/pki/second-crl.ts";
import { issueSet, softwareKey, VARIANTS } from "../support/issued-set.ts";
import { GOOD, KEYS } from "../support/broken-cases.ts";
import { signed, type Signer, signer, tbsOf } from "../support/broken-certificate.ts";
import { crlTbs, csrTbs, GOOD_CRL, GOOD_CSR } from "../support/broken-lists.ts";
import { type Bytes } from "../support/der.ts";

interface Form {
  readonly check: (der: Uint8Array, expected: Expected) => void;
  readonly tbs: Bytes;
  readonly by: Signer;
}
const FORMS: Readonly<Record<string, Form>> = {
  "subordinate certificate": {
    check: checkCertificate,
    tbs: tbsOf(GOOD.subordinate),
    by: KEYS.root,
  },
  "revocation list": { check: checkCrl, tbs: crlTbs(GOOD_CRL), by: KEYS.root },
  request: { check: checkCsr, tbs: csrTbs(GOOD_CSR), by: KEYS.issuing },
};

function refused({ check, tbs, by }: Form, der: Uint8Array, why = /./): void {
  assert.throws(
    () => {
      check(der, { tbs, spki: by.spki });
    },
    (error: unknown) => {
      assert.ok(error instanceof KeyriteError, String(error));
      assert.equal(error.code, "hsm.bad-output");
      assert.match(error.message, why);
      return true;
    },
  );
}

const flipped = (bytes: Uint8Array, at: number): Buffer =>
  Buffer.from(bytes.map((byte, index) => (index === at ? byte ^ 1 : byte)));

for (const [name, form] of Object.entries(FORMS)) {
  const { check, tbs, by } = form;
  const der = signed(tbs, by);
  const throwAway = by === KEYS.root ? signer("p-384") : KEYS.other;

  test(`H06: a ${name} as agreed passes, also under a throw-away key`, () => {
    check(der, { tbs, spki: by.spki });
    check(signed(tbs, throwAway), { tbs, spki: throwAway.spki });
  });

  test(`H06: every byte of a ${name} changed after the signature is refused`, () => {
    for (let at = 0; at < der.length; at++) refused(form, flipped(der, at));
  });

  test(`H06: a token that signs a ${name} with any byte changed is refused`, () => {
    for (let at = 0; at < tbs.length; at++) refused(form, signed(flipped(tbs, at), by));
  });

  test(`H06: a ${name} that is cut off, or signed by another key, is refused`, () => {
    for (let end = 0; end < der.length; end += 7) refused(form, der.subarray(0, end));
    refused(form, signed(tbs, KEYS.other), /does not verify|names two|not one we issue/);
    refused(form, Buffer.concat([der, Buffer.of(0)]));
  });
}

test("what differs from the agreed bytes is named", () => {
  const { check, tbs, by } = FORMS["subordinate certificate"] ?? assert.fail();
  const other = tbsOf({ ...GOOD.subordinate, serial: GOOD.root.serial });
  assert.throws(() => {
    check(signed(other, by), { tbs, spki: by.spki });
  }, /not the agreed one: serial$/);
});

for (const variant of VARIANTS) {
  // Issuing itself checks each file by both decoders; here the list's entries are compared one by one.
  test(`both decoders read everything that ${variant.name} signs the same`, async () => {
    const key = await softwareKey(variant.algorithm);
    const { crl } = await issueSet(variant, key, await softwareKey(variant.algorithm));
    const [first, second] = [readCrl(crl), secondReadCrl(crl)];
    assert.deepEqual(second.header, first.header);
    assert.deepEqual([...second.entries()], [...first.entries()]);
    assert.equal(first.header.signature.scheme?.includes("pss"), variant.pss);
  });
}
