import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  CERTIFICATE_LINTS,
  CRL_LINTS,
  CSR_LINTS,
  DER_LINT,
  lintCrlFile,
  lintCsrFile,
} from "../../src/pki/lint.ts";
import { HIERARCHY_RULES } from "../../src/pki/hierarchy-rules.ts";
import { REQUEST_READ_LINT } from "../../src/pki/lint-csr.ts";
import { KEYS } from "../support/broken-cases.ts";
import { signed } from "../support/broken-certificate.ts";
import {
  BROKEN_CRLS,
  BROKEN_CSRS,
  CRL_CONTEXT,
  CRL_NOT_DER,
  crlTbs,
  csrTbs,
  GOOD_CRL,
  GOOD_CSR,
} from "../support/broken-lists.ts";

const goodCrl = signed(crlTbs(GOOD_CRL), KEYS.root);
const goodCsr = signed(csrTbs(GOOD_CSR), KEYS.issuing);

test("a list and a request that are right have nothing against them", () => {
  assert.deepEqual(lintCrlFile(goodCrl, CRL_CONTEXT), []);
  assert.deepEqual(
    lintCrlFile(signed(crlTbs({ ...GOOD_CRL, entries: [] }), KEYS.root), CRL_CONTEXT),
    [],
  );
  assert.deepEqual(lintCsrFile(goodCsr, { trust: "tls" }), []);
});

for (const { rule, why, change, context, file = signed } of BROKEN_CRLS) {
  test(`H07: ${rule}, and no other rule: ${why.source}`, () => {
    const der = file(crlTbs({ ...GOOD_CRL, ...change }), KEYS.root);
    const found = lintCrlFile(der, { ...CRL_CONTEXT, ...context });
    assert.deepEqual(
      found.map((finding) => finding.rule),
      [rule],
      JSON.stringify(found),
    );
    assert.match(found[0]?.message ?? "", why);
  });
}

for (const [what, der] of Object.entries(CRL_NOT_DER)) {
  test(`H07: der-canonical in a list, and no other rule: ${what}`, () => {
    assert.deepEqual(
      lintCrlFile(der, CRL_CONTEXT).map(({ rule }) => rule),
      [DER_LINT.rule],
    );
  });
}

for (const { rule, why, change, by = KEYS.issuing, context } of BROKEN_CSRS) {
  test(`H07: ${rule} in a request, and no other rule: ${why.source}`, () => {
    const der = signed(csrTbs({ ...GOOD_CSR, ...change }), by);
    const found = lintCsrFile(der, { trust: "tls", ...context });
    assert.deepEqual(
      found.map((finding) => finding.rule),
      [rule],
      JSON.stringify(found),
    );
    assert.match(found[0]?.message ?? "", why);
  });
}

test("H07: request-readable, and no other rule: another's signature", () => {
  const found = lintCsrFile(signed(csrTbs(GOOD_CSR), KEYS.other), { trust: "tls" });
  assert.deepEqual(
    found.map(({ rule }) => rule),
    [REQUEST_READ_LINT.rule],
  );
  assert.match(found[0]?.message ?? "", /does not verify under its own key/);
});

test("every rule for lists and requests has an example that breaks it", () => {
  const rules = CRL_LINTS.map(({ rule }) => rule);
  assert.equal(new Set(rules).size, rules.length);
  assert.deepEqual(new Set(BROKEN_CRLS.map(({ rule }) => rule)), new Set(rules));
  // Weak keys never come so far: request-readable refuses them, and certificates have their examples.
  const shared = new Set(CERTIFICATE_LINTS.map(({ rule }) => rule));
  const own = CSR_LINTS.map(({ rule }) => rule).filter((rule) => !shared.has(rule));
  const shown = new Set(BROKEN_CSRS.map(({ rule }) => rule));
  assert.deepEqual(
    own.filter((rule) => !shown.has(rule)),
    [],
  );
});

/** The rows of the page's tables by heading, and the rules that they must be. */
const own = CSR_LINTS.filter(({ rule }) => !CERTIFICATE_LINTS.some((other) => other.rule === rule));
const TABLES: Readonly<Record<string, readonly Row[]>> = {
  "Rules for certificates": [DER_LINT, ...CERTIFICATE_LINTS],
  "Rules for requests": [REQUEST_READ_LINT, ...own],
  "Rules for revocation lists": CRL_LINTS,
  "Rules between files": HIERARCHY_RULES,
};
interface Row {
  readonly rule: string;
  readonly severity: string;
  readonly source: string;
}

for (const [heading, lints] of Object.entries(TABLES)) {
  test(`the manual's table of ${heading.toLowerCase()} is that of the sources`, () => {
    const page = join(import.meta.dirname, "..", "..", "docs", "certificates.md");
    const text = readFileSync(page, "utf8").split(`### ${heading}\n`)[1]?.split(/^##/m)[0] ?? "";
    const rows = Array.from(text.matchAll(/^\| `([a-z0-9-]+)` \| (\w+) \| ([^|]+) \|/gm), (row) =>
      row.slice(1, 4),
    );
    assert.deepEqual(
      rows,
      lints.map(({ rule, severity, source }) => [rule, severity, source]),
    );
  });
}
