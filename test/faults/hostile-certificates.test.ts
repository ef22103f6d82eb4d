/**
 * Mutants of requests, certificates and revocation lists: every one is taken for what it is or refused
 * with usage.bad-file, and none is accepted that should not be. 10,000 of each kind in the long form.
 */

import assert from "node:assert/strict";
import { createPublicKey } from "node:crypto";
import { test } from "node:test";
import { visible } from "../../src/lib/encoding.ts";
import { KeyriteError } from "../../src/lib/errors.ts";
import { readCrl } from "../../src/pki/crl-read.ts";
import { readCsr, type SignedCsr } from "../../src/pki/csr-read.ts";
import { explainCsr } from "../../src/pki/explain-csr.ts";
import { judgeHierarchy, readPkiFile } from "../../src/pki/hierarchy.ts";
import { lintCrlFile, lintCertificateFile, lintCsrFile } from "../../src/pki/lint.ts";
import { formatDn } from "../../src/pki/names.ts";
import { verifySignature } from "../../src/pki/signature.ts";
import { readCertificate } from "../../src/pki/view.ts";
import { hierarchyPage } from "../../src/report/hierarchy-page.ts";
import { hierarchyLines } from "../../src/report/hierarchy-text.ts";
import { contextOf, GOOD, KEYS } from "../support/broken-cases.ts";
import { named, signed, type Signer, tbsOf } from "../support/broken-certificate.ts";
import { CRL_CONTEXT, crlTbs, csrTbs, GOOD_CRL, GOOD_CSR } from "../support/broken-lists.ts";
import { parts } from "../support/der.ts";
import { figure, sized, SEED } from "../support/fault-run.ts";
import { Dice, mutant, wellFormedMutant } from "../support/mutate.ts";

const MUTANTS = sized(1000, 10_000);

const ORIGINALS: readonly (readonly [Signer, Buffer])[] = [
  [KEYS.issuing, csrTbs(GOOD_CSR)],
  [KEYS.rsa, csrTbs({ ...GOOD_CSR, spki: KEYS.rsa.spki, subject: named("Zürich CA") })],
  [KEYS.ed25519, csrTbs({ ...GOOD_CSR, spki: KEYS.ed25519.spki, attributes: [] })],
];

/** Runs `work`; what it throws must be a refusal of the file, in words fit for a screen. */
function refusal(work: () => void, number: number): KeyriteError | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    assert.ok(error instanceof KeyriteError, `mutant ${number}: ${String(error)}`);
    assert.equal(error.code, "usage.bad-file", `mutant ${number}: ${error.message}`);
    return error;
  }
}

/** Some changes put back what was there: that is no mutant. */
function changed(original: Buffer, dice: Dice): Buffer {
  const der = mutant(original, dice);
  return der.equals(original) ? changed(original, dice) : der;
}

test(`H07: of ${MUTANTS} mutants of signed requests, none is accepted`, () => {
  const dice = new Dice(`${SEED} signed`);
  const requests = ORIGINALS.map(([key, tbs]) => signed(tbs, key));
  for (let number = 0; number < MUTANTS; number++) {
    const der = changed(dice.pick(requests), dice);
    const error = refusal(() => readCsr(der), number);
    assert.ok(error !== undefined, `mutant ${number} was accepted: ${der.toString("hex")}`);
  }
  const counts = { mutants: MUTANTS, uncaught: 0, "wrongly accepted": 0 };
  figure("H07", `mutants of signed requests, seed ${SEED}`, counts);
});

test(`H07: of ${MUTANTS} mutants that their owner has signed, only sound ones are accepted`, () => {
  const dice = new Dice(`${SEED} owned`);
  let accepted = 0;
  for (let number = 0; number < MUTANTS; number++) {
    const [key, tbs] = dice.pick(ORIGINALS);
    const der = signed(wellFormedMutant(tbs, dice), key);
    refusal(() => {
      const read = readCsr(der);
      accepted += 1;
      assertSound(read, der, number);
    }, number);
  }
  assert.ok(accepted > MUTANTS * 0.01 && accepted < MUTANTS * 0.9, `${accepted} accepted`);
  const counts = { mutants: MUTANTS, accepted, uncaught: 0, "wrongly accepted": 0 };
  figure("H07", `mutants of requests that their owner has signed, seed ${SEED}`, counts);
});

/** What may stand in an accepted request, judged without the reader that accepted it. */
function assertSound(read: SignedCsr, der: Buffer, number: number): void {
  const say = `mutant ${number} was accepted: ${der.toString("hex")}`;
  const [info = der] = parts(der);
  const [, , spki = der] = parts(info);
  assert.ok(info.equals(read.tbs), say);
  const key = createPublicKey({ key: spki, format: "der", type: "spki" });
  const { modulusLength, publicExponent, namedCurve } = key.asymmetricKeyDetails ?? {};
  const kind = key.asymmetricKeyType ?? "";
  assert.ok(["rsa", "ec", "ed25519"].includes(kind), say);
  if (kind === "rsa") assert.ok(modulusLength !== undefined && modulusLength >= 3072, say);
  if (kind === "rsa") assert.ok(publicExponent !== undefined && publicExponent >= 65537n, say);
  if (kind === "ec") assert.match(namedCurve ?? "", /^(prime256v1|secp384r1|secp521r1)$/, say);
  const { scheme } = read.algorithm;
  assert.ok(scheme !== null && verifySignature(scheme, spki, info, read.signature), say);
  assert.equal(new Set(read.view.extensions.map(nameOf)).size, read.view.extensions.length, say);
  for (const { form, value } of read.view.subject.flat()) {
    if (form !== "other") assert.doesNotMatch(value, HIDDEN, say);
  }
  for (const line of explainCsr(read.view)) assert.doesNotMatch(line, HIDDEN, say);
  assert.doesNotMatch(visible(formatDn(read.view.subject)), HIDDEN, say);
}

const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

function nameOf(extension: SignedCsr["view"]["extensions"][number]): string {
  return extension.kind === "other" ? extension.oid : extension.kind;
}

test(`H07: ${MUTANTS} mutants of certificates and lists are read or refused, and shown escaped`, () => {
  const dice = new Dice(`${SEED} files`);
  const root = signed(tbsOf(GOOD.root), KEYS.root);
  const certificate = signed(tbsOf(GOOD.subordinate), KEYS.root);
  const list = signed(crlTbs(GOOD_CRL), KEYS.root);
  const files = [
    [() => mutant(certificate, dice), readCertificate],
    [() => signed(wellFormedMutant(tbsOf(GOOD.subordinate), dice), KEYS.root), readCertificate],
    [() => mutant(list, dice), readCrl],
    [() => signed(wellFormedMutant(crlTbs(GOOD_CRL), dice), KEYS.root), readCrl],
  ] as const;
  const context = { nowMs: Date.parse("2026-11-24T09:00:00Z"), trust: "tls" } as const;
  for (let number = 0; number < MUTANTS; number++) {
    const [make, read] = dice.pick(files);
    const der = make();
    refusal(() => read(der), number);
    // Lints find and do not throw, whatever they are given.
    lintCertificateFile(der, contextOf("subordinate"));
    lintCrlFile(der, CRL_CONTEXT);
    if (number % 10 !== 0) continue;
    lintCsrFile(der, { trust: "tls" });
    refusal(() => {
      const all = [...readPkiFile(root, "root.cer"), ...readPkiFile(der, "mutant")];
      const report = judgeHierarchy(all, context);
      for (const line of hierarchyLines(report)) assert.doesNotMatch(line, HIDDEN);
      assert.doesNotMatch(hierarchyPage(report), /[\p{Cf}\u0000]/u);
    }, number);
  }
  const counts = { mutants: MUTANTS, uncaught: 0, "shown raw": 0 };
  figure("H07", `mutants of certificates and lists, seed ${SEED}`, counts);
});
