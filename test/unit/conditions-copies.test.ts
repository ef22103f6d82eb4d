/** The conditions about copies, each as it is met and in every way that it is not. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Condition } from "../../src/ceremony/conditions.ts";
import { keyIsOn, keyLabelIsFree } from "../../src/ceremony/conditions.ts";
import * as that from "../../src/ceremony/conditions-copies.ts";
import type { Fact } from "../../src/ceremony/facts.ts";
import { keysNamed } from "../../src/ceremony/key-choice.ts";
import { readPolicy } from "../../src/ceremony/policy.ts";
import { utf8 } from "../../src/lib/encoding.ts";
import { BACKED_UP, CopiesDesk, FACT, id } from "../support/copies-desk.ts";
import { POLICY } from "../support/stage-site.ts";

const policy = readPolicy(utf8(POLICY), "policy.yaml");

const SUB = FACT.generated("sub-1", { algorithm: "ed25519", backup: "never" });
const SITE = [...BACKED_UP, SUB, FACT.cloned("root-g1", "gamma")];

const MET: readonly Condition[] = [
  that.transportIsOn("alpha"),
  that.transportIsFree("delta"),
  that.kekIsNew("other"),
  that.kekExists("vault"),
  that.kekIsOn("beta", "vault"),
  that.keysAreOn("alpha", ["root-g1", "sub-1"]),
  that.keysAreOn("gamma", "all-ca-keys"),
  that.keysAreExtractable("alpha", "root-g1"),
  that.keysAreExtractable("alpha", "all-ca-keys"),
  that.keyIsWrappable("alpha", "p-256"),
  that.keysAreWrappable("alpha", "root-g1"),
  that.tokenOwesNothing("alpha"),
  that.nothingIsExtractable("gamma"),
  keyIsOn("gamma", "root-g1"),
  keyLabelIsFree("beta", "root-g1"),
];

const UNMET: Readonly<
  Record<string, readonly [condition: Condition, says: RegExp, more?: readonly Fact[]]>
> = {
  "no transport key": [that.transportIsOn("delta"), /^token delta has no transport key by then$/],
  "a transport key": [that.transportIsFree("alpha"), /^token alpha has a transport key already$/],
  "a KEK of that name": [that.kekIsNew("vault"), /^there is a KEK vault already$/],
  "no KEK of that name": [that.kekExists("valut"), /^there is no KEK valut by then$/],
  "no KEK to be on a token": [that.kekIsOn("beta", "valut"), /^there is no KEK valut by then$/],
  "a KEK that is elsewhere": [
    that.kekIsOn("gamma", "vault"),
    /^KEK vault\.g1 is not on token gamma by then; load it in an earlier step$/,
  ],
  "H18: a KEK of which only an older generation is there": [
    that.kekIsOn("beta", "vault"),
    /^KEK vault\.g2 is not on token beta by then/,
    [FACT.kek("vault", { generation: 2 })],
  ],
  "a label that no key on the token bears": [
    that.keysAreOn("gamma", "sub-1"),
    /^token gamma holds no key labelled sub-1 by then$/,
  ],
  "a misspelt label": [
    that.keysAreOn("alpha", ["root-g1", "sbu-1"]),
    /^token alpha holds no key labelled sbu-1 by then; did you mean sub-1\?$/,
  ],
  "a label twice": [that.keysAreOn("alpha", ["sub-1", "sub-1"]), /^it names a key twice$/],
  "no label": [that.keysAreOn("alpha", []), /^it names no key$/],
  "all keys in a list": [
    that.keysAreOn("alpha", ["all-ca-keys"]),
    /^all-ca-keys stands alone, not in a list$/,
  ],
  "all keys of a token without any": [
    that.keysAreOn("beta", "all-ca-keys"),
    /^token beta holds no CA key by then$/,
  ],
  "a label that two keys bear": [
    that.keysAreOn("alpha", "root-g1"),
    /^token alpha holds several keys labelled root-g1$/,
    [FACT.generated("twin", { label: "root-g1" })],
  ],
  "a name that JavaScript knows": [
    that.keysAreOn("alpha", "constructor"),
    /^token alpha holds no key labelled constructor by then$/,
  ],
  "a key that was never to leave": [
    that.keysAreExtractable("alpha", ["root-g1", "sub-1"]),
    /^key sub-1 on token alpha cannot leave it by then: only a key generated with backup: wrap/,
  ],
  "a locked key": [
    that.keysAreExtractable("alpha", "root-g1"),
    /^key root-g1 on token alpha cannot leave it by then/,
    [FACT.locked("root-g1")],
  ],
  "only locked keys": [
    that.keysAreExtractable("gamma", "all-ca-keys"),
    /^token gamma holds no key that can leave it by then$/,
  ],
  "a policy without escrow": [
    that.policyAllowsEscrow(),
    /^the policy forbids an escrowed KEK; make it hsm-to-hsm, or change the policy$/,
  ],
  "an algorithm that the token cannot wrap": [
    that.keyIsWrappable("alpha", "ed25519"),
    /^a softhsm token makes ed25519 keys but cannot wrap them; generate it with backup: native/,
  ],
  "a key that the token cannot wrap": [
    that.keysAreWrappable("alpha", "sub-1"),
    /^key sub-1: a softhsm token makes ed25519 keys but cannot wrap them; copy it with the vendor's/,
  ],
  "an extractable key": [
    that.nothingIsExtractable("alpha"),
    /^key root-g1 on token alpha is still extractable by then: lock it with lock-key, or record/,
  ],
  "a deviation from another rule": [
    that.nothingIsExtractable("alpha"),
    /^key root-g1 on token alpha is still extractable by then/,
    [FACT.deviation("extractable-keys")],
  ],
  "no copy of a key on the token": [
    keyIsOn("beta", "root-g1"),
    /^key root-g1 is not on token beta by then$/,
  ],
  "a copy under that label": [
    keyLabelIsFree("gamma", "root-g1"),
    /^token gamma already holds a key labelled root-g1$/,
  ],
};

describe("conditions about copies", () => {
  test("are met", () => {
    const { custody } = new CopiesDesk([...SITE, FACT.bound("delta")]);
    MET.forEach((condition, i) => {
      assert.equal(condition.unmet({ custody, policy }), undefined, `condition ${i}`);
    });
  });

  for (const [what, [condition, says, more = []]] of Object.entries(UNMET)) {
    test(`are unmet by ${what}`, () => {
      const { custody } = new CopiesDesk([...SITE, FACT.bound("delta"), ...more]);
      assert.match(condition.unmet({ custody, policy }) ?? "it is met", says);
    });
  }
});

test("a token without a known profile is judged once the ledger binds it", () => {
  const { custody } = new CopiesDesk([FACT.bound("alpha", { profile: "planned" })]);
  for (const token of ["alpha", "blank"]) {
    const condition = that.keyIsWrappable(token, "ed25519");
    assert.equal(condition.unmet({ custody, policy }), undefined);
  }
});

test("an escrowed KEK is allowed by a policy that says so", () => {
  const allowing = readPolicy(
    utf8(`${POLICY}kek: { escrow: allowed, cps: "CPS:6.2.4" }\n`),
    "policy.yaml",
  );
  const { custody } = new CopiesDesk();
  assert.equal(that.policyAllowsEscrow().unmet({ custody, policy: allowing }), undefined);
});

describe("a token that an earlier ceremony left with an extractable key", () => {
  test("owes, until a ceremony begins in which nothing is extractable", () => {
    const desk = new CopiesDesk(SITE).nextCeremony();
    const owes = (token: string): string | undefined =>
      that.tokenOwesNothing(token).unmet({ custody: desk.custody, policy });
    assert.match(owes("alpha") ?? "", /^token alpha was left with an extractable key/);
    assert.equal(owes("gamma"), undefined);
    desk.take(FACT.locked("root-g1"));
    assert.match(owes("alpha") ?? "", /^token alpha was left with an extractable key/);
    desk.nextCeremony();
    assert.equal(owes("alpha"), undefined);
  });

  test("is to be paid by whoever touches the token, and by nobody else", () => {
    const desk = new CopiesDesk(SITE);
    const owed = (): readonly string[] =>
      that.owedBeforeClose(desk.custody).map(({ token }) => token);
    assert.deepEqual(owed(), ["alpha"]);
    desk.nextCeremony();
    assert.deepEqual(owed(), []);
    desk.take(FACT.activated("alpha"));
    assert.deepEqual(owed(), ["alpha"]);
    desk.take({ kind: "token.deactivated", token: "alpha" });
    assert.deepEqual(owed(), ["alpha"]);
    desk.take(FACT.deviation("extractable-key"));
    assert.deepEqual(owed(), []);
    desk.nextCeremony().take(FACT.activated("alpha"));
    assert.deepEqual(owed(), ["alpha"]);
  });
});

test("a choice of keys keeps its order and names each by token", () => {
  const { custody } = new CopiesDesk(SITE);
  const chosen = keysNamed(custody, "alpha", ["sub-1", "root-g1"]);
  assert.ok(chosen.ok);
  assert.deepEqual(
    chosen.keys.map(({ label, ckaId, algorithm }) => [label, ckaId, algorithm]),
    [
      ["sub-1", id("sub-1-alpha"), "ed25519"],
      ["root-g1", id("root-g1-alpha"), "p-256"],
    ],
  );
});
