/**
 * Two vendors in one site: what SoftHSM backs up NSS restores, and the other way round, in whole ceremonies.
 * What NSS lacks is waived by its profile and stands in the record.
 */

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { publicKeysFromNewProcess } from "../../src/cli/new-process.ts";
import { createHsm } from "../../src/hsm/hsm.ts";
import type { Hall } from "../../src/ceremony/hall.ts";
import { kekStep, withTokens } from "../support/kek-stage.ts";
import { installedModule, systemRandom, temporaryFolder } from "../support/rig.ts";
import { CAST, ESTABLISH, script } from "../support/stage-scripts.ts";
import { FOUNDERS, POLICY } from "../support/stage-site.ts";
import { Stage } from "../support/stage.ts";

const ALGORITHMS = ["rsa-3072", "p-256", "p-384"] as const;
const VENDORS = ["softhsm", "nss"] as const;

const BINDINGS = [
  "keyrite: site/v1",
  "modules:",
  ...VENDORS.map(
    (name) =>
      `  ${name}: { profile: ${name}, path: ${installedModule(name)}, tokenDir: ${temporaryFolder()} }`,
  ),
  "tokens:",
  ...VENDORS.map((name) => `  ${name}-1: { module: ${name}, serial: blank, activation: sealed }`),
  "",
].join("\n");

const hsm = createHsm({
  setEnvironment: (name, value) => {
    process.env[name] = value;
  },
  random: systemRandom,
  monotonic: () => performance.now(),
});
const hall: Partial<Hall> = {
  hsm,
  publicKeysFromNewProcess: publicKeysFromNewProcess((words) => assert.fail(words)),
};
const policy = POLICY.replace("[p-256, p-384]", `[${ALGORITHMS.join(", ")}]`).replace(
  '{ manufacturer: "Keyrite tests" }',
  '{ manufacturer: "SoftHSM project" }, { manufacturer: "Mozilla Foundation" }',
);
const stage = await Stage.create(FOUNDERS, policy, BINDINGS);
after(async () => {
  await hsm.close();
  stage.remove();
});

async function run(yaml: string): Promise<void> {
  await stage.run(yaml, CAST, { hall });
  assert.deepEqual(stage.findings, []);
}

test("both tokens are initialized, get transport keys, and each makes a KEK for both", async () => {
  await run(ESTABLISH);
  const officers = "holders: custodian, officers: custodian";
  await run(
    script(
      VENDORS.map((name) =>
        kekStep("initialize-token", `token: ${name}-1, ${officers}`, `-${name}`),
      ),
    ),
  );
  const both = VENDORS.map((name) => `${name}-1`);
  await run(
    withTokens(
      both,
      VENDORS.map((name) => kekStep("make-transport-key", `token: ${name}-1`, `-${name}`)),
    ),
  );
  for (const [from, to] of [
    ["softhsm", "nss"],
    ["nss", "softhsm"],
  ] as const) {
    const establish = `kek: from-${from}, token: ${from}-1, for: [${both.join(", ")}]`;
    const load = `kek: from-${from}, token: ${to}-1`;
    await run(withTokens(both, [kekStep("establish-kek", establish), kekStep("load-kek", load)]));
  }
});

for (const [from, to] of [
  ["softhsm", "nss"],
  ["nss", "softhsm"],
] as const) {
  test(`H17: ${ALGORITHMS.join(", ")} are backed up on ${from} and restored on ${to}`, async () => {
    const keys = ALGORITHMS.map((algorithm) => `${from}-${algorithm}`);
    const list = `[${keys.join(", ")}]`;
    const generate = ALGORITHMS.map((algorithm, at) =>
      kekStep(
        "generate-key",
        `token: ${from}-1, key: ${keys[at] ?? ""}, algorithm: ${algorithm}, purpose: ca-signing, backup: wrap`,
        `-${algorithm}`,
      ),
    );
    const backUp = `token: ${from}-1, keys: ${list}, under: from-${from}, to: [onsite, offsite], proveOn: ${to}-1`;
    const lock = `token: ${from}-1, keys: ${list}`;
    await run(
      withTokens(
        [`${from}-1`, `${to}-1`],
        [...generate, kekStep("back-up-key", backUp), kekStep("lock-key", lock)],
      ),
    );
    const restore = `token: ${to}-1, keys: ${list}, under: from-${from}, backup: newest, from: offsite`;
    await run(withTokens([`${to}-1`], [kekStep("restore-key", restore)]));
    const { copies } = stage.history.custody;
    const restored = [...copies.values()].filter(
      ({ tokens }) => tokens.get(`${to}-1`)?.origin === "restored",
    );
    assert.equal(restored.length, ALGORITHMS.length);
    const completed = stage
      .entries()
      .findLast(({ step, type }) => step === "restore-key" && type === "step.completed");
    const evidence = JSON.stringify(completed?.data);
    assert.match(evidence, /"foundByNewProcess":3/);
    assert.equal(evidence.includes("NSS softoken gives an unwrapped key uses"), to === "nss");
    const certify = `token: ${to}-1, key: ${from}-p-384, profile: tls-root, subject: "CN=Root of ${from},O=Example,C=DE", days: 3650, file: root-${from}`;
    await run(withTokens([`${to}-1`], [kekStep("issue-certificate", certify)]));
  });
}

test("H17: that locking guards nothing on NSS is said and stands in the record", () => {
  const locked = stage
    .entries()
    .filter(({ step, type }) => step === "lock-key" && type === "step.completed")
    .map(({ data }) => JSON.stringify(data));
  assert.ok(locked.some((text) => text.includes("locking it guards nothing there")));
});
