/** A token that lies or fails in the middle of a ceremony: the step fails, and no certificate is written. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { AttributeName } from "../../src/hsm/constants.ts";
import { KeyriteError } from "../../src/lib/errors.ts";
import type { Question } from "../../src/console/console.ts";
import { CAST, INITIALIZE, ROOT } from "../support/stage-scripts.ts";
import { stageTests } from "../support/stage-tests.ts";
import type { Stage } from "../support/stage.ts";

const TWO = { ana: "ceremony-administrator", eve: "internal-witness" };
const fork = await stageTests();

/** A fork whose token alpha is initialized. */
async function equipped(t: Parameters<typeof fork>[0]): Promise<Stage> {
  const stage = fork(t);
  await stage.run(INITIALIZE, CAST);
  return stage;
}

/** Conducts the root ceremony with `fault` laid over the token from one step on; it has to fail there. */
async function failing(
  stage: Stage,
  step: string,
  fault: () => void,
  yaml = ROOT,
): Promise<KeyriteError> {
  const { size } = stage.history;
  const agrees = (question: Question): boolean => {
    if (question.step === step) fault();
    return true;
  };
  let thrown: unknown;
  await assert.rejects(stage.run(yaml, { ...CAST, agrees }), (error) => {
    thrown = error;
    return true;
  });
  const outcome = stage.entries().at(-1);
  assert.deepEqual([outcome?.type, outcome?.step], ["step.failed", step]);
  assert.deepEqual(stage.issued(), []);
  assert.equal(stage.history.custody.certificates.size, 0);
  assert.equal(stage.history.open?.steps.get(step), "failed");
  assert.ok(
    stage
      .entries()
      .slice(size)
      .every(({ facts }) => facts.every((f) => f.kind !== "certificate.issued")),
  );
  stage.judge();
  assert.deepEqual(stage.findings, []);
  assert.ok(thrown instanceof KeyriteError);
  return thrown;
}

const FLAGS: readonly AttributeName[] = [
  "TOKEN",
  "PRIVATE",
  "SENSITIVE",
  "EXTRACTABLE",
  "SIGN",
  "DECRYPT",
  "UNWRAP",
  "DERIVE",
  "MODIFIABLE",
  "COPYABLE",
  "DESTROYABLE",
  "LOCAL",
  "ALWAYS_SENSITIVE",
  "NEVER_EXTRACTABLE",
];

test("H06: a key of which one attribute reads back otherwise is no key of ours", async (t) => {
  const stage = await equipped(t);
  const { faults } = stage.rig;
  for (const name of FLAGS) {
    // What a lie leaves on the token keeps its label, so every try takes another one.
    const yaml = ROOT.replaceAll("root-g1", `key-${name.toLowerCase()}`);
    const lie = (): void => {
      const answer = (value: Uint8Array): Uint8Array => value.map((byte) => byte ^ 1);
      faults.attribute = { half: "private", name, answer };
    };
    const error = await failing(stage, "generate", lie, yaml);
    assert.equal(error.code, "hsm.attribute-differs", name);
    assert.match([error.message, ...error.hints].join(), new RegExp(`CKA_${name}`));
    assert.equal(stage.history.custody.keys.size, 0);
    faults.attribute = undefined;
    await stage.abandon({ present: TWO });
  }
});

const FORGERIES: Readonly<Record<string, (signature: Uint8Array) => Uint8Array>> = {
  "with one bit flipped": (signature) => signature.map((byte, i) => (i === 20 ? byte ^ 1 : byte)),
  "of zeroes": (signature) => new Uint8Array(signature.length),
  "that is cut short": (signature) => signature.subarray(0, -1),
  "that is empty": () => new Uint8Array(),
  "with its halves swapped": (signature) =>
    new Uint8Array([...signature.subarray(32), ...signature.subarray(0, 32)]),
};

for (const [what, signature] of Object.entries(FORGERIES)) {
  test(`H06: a signature ${what} makes no certificate`, async (t) => {
    const stage = await equipped(t);
    const error = await failing(stage, "certify", () => {
      stage.rig.faults.signature = signature;
    });
    assert.match(error.code, /^hsm\./);
    assert.equal(stage.history.custody.keys.size, 1);
  });
}

test("H06: an honest token, in the same ceremony, makes one", async (t) => {
  const stage = await equipped(t);
  await stage.run(ROOT, CAST);
  assert.deepEqual(
    stage
      .issued()
      .map((file) => file.split("/").at(-1))
      .sort(),
    ["root-ca.der", "root-ca.p7b", "root-ca.pem"],
  );
  assert.equal(stage.history.custody.certificates.size, 1);
});

const STRANGERS: Readonly<Record<string, readonly [Record<string, unknown>, string]>> = {
  "with another serial": [{ serial: "FAKE0002" }, "hsm."],
  "with another label": [{ label: "gamma" }, "hsm."],
  "of a maker that is not on the policy's list": [{ manufacturer: "Nobody" }, "hsm.not-allowed"],
};

for (const [what, [change, code]] of Object.entries(STRANGERS)) {
  test(`H03: a token ${what} is never logged in to`, async (t) => {
    const stage = await equipped(t);
    const { logins } = stage.rig.hsm.counters;
    stage.rig.faults.tokenInfo = (info) => ({ ...info, ...change });
    await assert.rejects(stage.run(ROOT, CAST), (error) => {
      assert.ok(error instanceof KeyriteError && error.code.startsWith(code), String(error));
      return true;
    });
    assert.equal(stage.rig.hsm.counters.logins, logins);
    assert.deepEqual(stage.entries().at(-1)?.type, "step.refused");
  });
}

for (const [what, flag] of [
  ["has one try left", 0x2_0000],
  ["is locked", 0x4_0000],
] as const) {
  test(`H08: a token whose PIN ${what} is never logged in to`, async (t) => {
    const stage = await equipped(t);
    const { logins } = stage.rig.hsm.counters;
    stage.rig.faults.tokenInfo = (info) => ({ ...info, flags: info.flags | flag });
    await assert.rejects(stage.run(ROOT, CAST), { code: "hsm.pin-locked" });
    assert.equal(stage.rig.hsm.counters.logins, logins);
  });
}
