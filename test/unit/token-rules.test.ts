/** Which token may be touched: the one that the binding, custody, the plan's modules and the policy agree on. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { readPolicy, type Policy } from "../../src/ceremony/policy.ts";
import { BoundTokens, whyNotAllowed } from "../../src/ceremony/token-room.ts";
import type { TokenInfo } from "../../src/hsm/token.ts";
import { sha256Hex, utf8 } from "../../src/lib/encoding.ts";
import { secret } from "../support/rig.ts";
import { moduleDigests, POLICY } from "../support/stage-site.ts";
import { stageTests } from "../support/stage-tests.ts";
import type { Stage } from "../support/stage.ts";

const POLICY_OF_TESTS = readPolicy(utf8(POLICY), "policy.yaml");
const MODULE = sha256Hex("module");
const fork = await stageTests();

const info = (changes: Partial<TokenInfo> = {}): TokenInfo => ({
  ...{ moduleDigest: MODULE, profile: "generic", label: "alpha", serial: "1", hardware: "1" },
  ...{ manufacturer: "Maker", model: "Model", firmware: "7", initialized: true, userPinSet: true },
  ...{
    pinWarnings: [],
    pinLength: { min: 4, max: 32 },
    algorithms: [],
    mechanisms: [],
    waivers: [],
  },
  ...changes,
});

const listing = (...hsms: Policy["hsms"]): Policy => ({ ...POLICY_OF_TESTS, hsms });
const FULL = { manufacturer: "Maker", model: "Model", firmware: "7", moduleDigest: MODULE };
const NOT_LISTED = '"Maker", model "Model", is not on the policy\'s list';

type Rule = Policy["hsms"][number];

/** Rules of the policy, and whether they let the token be used on a test and on a production site. */
const RULES: readonly (readonly [
  what: string,
  rules: readonly Rule[],
  test: boolean,
  production: boolean,
])[] = [
  ["no rule", [], false, false],
  ["its maker", [{ manufacturer: "Maker" }], true, false],
  ["all of it", [FULL], true, true],
  ["its maker and module", [{ manufacturer: "Maker", moduleDigest: MODULE }], true, true],
  ["another maker", [{ ...FULL, manufacturer: "maker" }], false, false],
  ["another model", [{ ...FULL, model: "Model 2" }], false, false],
  ["another firmware", [{ ...FULL, firmware: "8" }], false, false],
  ["another module", [{ ...FULL, moduleDigest: sha256Hex("other") }], false, false],
  ["another model, and all of it", [{ ...FULL, model: "Model 2" }, FULL], true, true],
];

for (const [what, rules, onTest, onProduction] of RULES) {
  test(`a token when the policy lists ${what}`, () => {
    const said = (assurance: "test" | "production"): string | undefined =>
      whyNotAllowed(info(), listing(...rules), assurance);
    const expected = [onTest, onProduction].map((allowed) => (allowed ? undefined : NOT_LISTED));
    assert.deepEqual([said("test"), said("production")], expected);
  });
}

for (const software of [
  { profile: "softhsm" },
  { manufacturer: "SoftHSM project" },
  { model: "softhsm v2" },
  { model: "NSS 3" },
]) {
  test(`Q6: a software token, by ${JSON.stringify(software)}, is none of a production site`, () => {
    const token = info(software);
    const { manufacturer, model } = token;
    const policy = listing({ ...FULL, manufacturer, model });
    const said = `${model} is a software token and the site is a production site`;
    assert.equal(whyNotAllowed(token, policy, "production"), said);
    assert.equal(whyNotAllowed(token, policy, "test"), undefined);
  });
}

test("what a token says of itself is shown without what it could do to a terminal", () => {
  const token = info({ manufacturer: "M\u001b", model: "N\u202e" });
  assert.equal(
    whyNotAllowed(token, listing(), "test"),
    '"M\\u{1b}", model "N\\u{202e}", is not on the policy\'s list',
  );
});

/** The tokens of a stage, under the modules of a plan. */
function tokensOf(
  stage: Stage,
  changes: Partial<ConstructorParameters<typeof BoundTokens>[0]> = {},
): BoundTokens {
  const { hsm, bindings, genesis, publicKeysFromNewProcess } = stage.hall();
  return new BoundTokens({
    ...{ hsm, bindings, assurance: genesis.assurance, modules: moduleDigests(bindings) },
    ...{ custody: () => stage.history.custody, policy: () => POLICY_OF_TESTS },
    ...{ publicKeysFromNewProcess, ...changes },
  });
}

test("a token without a binding, or whose module the plan does not name or name so, is never looked at", async (t) => {
  const stage = fork(t);
  const { bindings } = stage.hall();
  const path = bindings.modules.get("soft")?.path ?? "";
  const found = moduleDigests(bindings)["soft"] ?? "";
  await assert.rejects(tokensOf(stage).inspect("gamma"), {
    code: "site.bindings",
    message: "token gamma has no binding in site.yaml",
  });
  for (const [modules, agreed] of [
    [{}, "none"],
    [{ soft: MODULE }, MODULE],
  ] as const) {
    await assert.rejects(tokensOf(stage, { modules }).inspect("alpha"), {
      code: "hsm.module-differs",
      message: `the module file ${path} changed after the plan was agreed to`,
      hints: [`agreed SHA-256: ${agreed}`, `found SHA-256:  ${found}`],
    });
  }
  const { serial, initialized, moduleDigest } = await tokensOf(stage).inspect("alpha");
  assert.deepEqual([serial, initialized, moduleDigest], ["", false, found]);
});

test("a token that the policy does not list is not initialized", async (t) => {
  const stage = fork(t);
  const tokens = tokensOf(stage, { policy: () => listing() });
  const { manufacturer, model } = await tokensOf(stage).inspect("alpha");
  await assert.rejects(
    tokens.initialize("alpha", "alpha", secret("so pin 1"), secret("user pin")),
    {
      code: "hsm.not-allowed",
      message: `token alpha may not be used here: "${manufacturer}", model "${model}", is not on the policy's list`,
      hints: ["bind a token on the policy's list, or change the policy in a ceremony"],
    },
  );
  assert.deepEqual(await tokensOf(stage).initialized("alpha"), []);
});

test("a session lasts from the activation to the deactivation, and no token is wiped meanwhile", async (t) => {
  const stage = fork(t);
  const inactive = { code: "hsm.call-failed", message: "token alpha is not active" };
  const tokens = tokensOf(stage);
  const made = await tokens.initialize("alpha", "alpha", secret("so pin 1"), secret("user pin"));
  assert.deepEqual(
    (await tokens.initialized("alpha")).map(({ serial }) => serial),
    [made.serial],
  );
  // As the ledger would bind it from now on.
  const { custody } = stage.history;
  const bound = { ...custody, tokens: new Map([["alpha", { ...made, token: "alpha" }]]) };
  const active = tokensOf(stage, { custody: () => bound as unknown as typeof custody });
  assert.throws(() => active.session("alpha"), inactive);
  await assert.rejects(active.deactivate("alpha"), inactive);
  await active.activate("alpha", secret("user pin"));
  assert.equal(active.session("alpha").info.serial, made.serial);
  assert.equal(active.logins(), stage.rig.hsm.counters.logins);
  assert.ok(active.logins() > 0);
  assert.equal(await active.publicKeysFromNewProcess("alpha"), undefined);
  await assert.rejects(active.wipe("alpha", secret("so pin 1")), {
    code: "hsm.call-failed",
    message: "token alpha is active and cannot be wiped",
    hints: ["deactivate it first"],
  });
  await active.deactivate("alpha");
  assert.throws(() => active.session("alpha"), inactive);
  await active.activate("alpha", secret("user pin"));
  await active.deactivateAll();
  assert.throws(() => active.session("alpha"), inactive);
  await active.wipe("alpha", secret("so pin 1"));
});
