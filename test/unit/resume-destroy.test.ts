/** Destruction that was cut off: one listing says what is gone, and only what is left is destroyed. */

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { ckrError } from "../../src/hsm/ckr.ts";
import type { Hsm, ModuleBinding } from "../../src/hsm/token.ts";
import type { CallName } from "../support/faulty-module.ts";
import { backedUp, backupStage, restore, vaultFile } from "../support/backup-stage.ts";
import { kekStep, withTokens } from "../support/kek-stage.ts";
import { CAST, script } from "../support/stage-scripts.ts";

const FINISH = { ...CAST, answers: { settle: "finish" } };
const stage = await backupStage();
await stage.run(backedUp(["a", "b", "c", "d"]), CAST);
await stage.run(restore("beta", "all-ca-keys"), CAST);

const spkiOf = (label: string): string =>
  [...stage.history.custody.keys.values()].find((key) => key.label === label)?.spki ??
  assert.fail(`no key ${label}`);

/** Conducts a script in which the token fails at the n-th call of a kind; its step fails with it. */
async function cutOff(yaml: string, call: CallName, n: number): Promise<void> {
  let calls = 0;
  stage.rig.faults.before = (name) => {
    if (name !== call) return;
    calls += 1;
    if (calls === n) throw ckrError("C_DestroyObject", 0x30);
  };
  try {
    await assert.rejects(stage.run(yaml, CAST), /CKR_DEVICE_ERROR/);
  } finally {
    stage.rig.faults.before = undefined;
  }
}

/** How many entries say that a copy in this place is destroyed. */
function outcomes(label: string, name: string): number {
  return stage
    .entries()
    .flatMap(({ facts }) => facts)
    .filter(
      (fact) =>
        fact.kind === "copy.destroyed" && fact["spki"] === spkiOf(label) && fact["name"] === name,
    ).length;
}

test("one gone, one by half, one untouched: all are gone afterwards, each with one outcome", async () => {
  // Each key has two objects, the private one first: the fourth is the public half of the second.
  const yaml = withTokens(["beta"], [kekStep("destroy-key", "token: beta, keys: [a, b, c]")]);
  await cutOff(yaml, "destroyObject", 4);
  await stage.resume(FINISH);
  assert.deepEqual(stage.findings, []);
  assert.ok(
    stage.console.shown.some((line) =>
      line.includes("of 3 copies in doubt 1 are gone and 2 are there, 1 of them by half"),
    ),
    stage.console.shown.join("\n"),
  );
  for (const label of ["a", "b", "c"]) {
    assert.equal(outcomes(label, "beta"), 1);
    assert.equal(stage.history.custody.copies.get(spkiOf(label))?.tokens.has("beta"), false);
  }
  assert.equal(stage.history.custody.copies.get(spkiOf("d"))?.tokens.has("beta"), true);
});

test("a key that was destroyed in one place only is destroyed in the others when it is finished", async () => {
  const spki = spkiOf("d");
  const yaml = withTokens(
    ["alpha", "beta"],
    [kekStep("destroy-key", "key: d, everywhere: true, reason: old")],
  );
  await cutOff(yaml, "destroyObject", 4);
  assert.equal(stage.history.custody.copies.get(spki)?.tokens.has("alpha"), false);
  assert.equal(stage.history.custody.copies.get(spki)?.destroyed, false);
  await stage.resume(FINISH);
  assert.deepEqual(stage.findings, []);
  const copies = stage.history.custody.copies.get(spki);
  assert.deepEqual([copies?.tokens.size, copies?.backups.size, copies?.destroyed], [0, 0, true]);
  assert.deepEqual([outcomes("d", "alpha"), outcomes("d", "beta")], [1, 1]);
  assert.equal(existsSync(vaultFile(stage, `keys/${spki}.p8wrap`)), false);
});

function retire(token: string): string {
  const values = `token: ${token}, reason: old`;
  return script([kekStep("retire-token", values, "", "[custodian, custodian]")]);
}

test("a token that was not wiped cannot be called retired: it is retired anew", async () => {
  await cutOff(retire("beta"), "initToken", 1);
  // H03: nor when another device of its name is in the slot.
  const { hsm } = stage.rig;
  const exchanged: Hsm = Object.assign(Object.create(hsm) as Hsm, {
    find: (module: ModuleBinding, _: string, label: string) => hsm.find(module, "0815", label),
    journal: () => hsm.journal(),
  });
  await assert.rejects(stage.resume(FINISH, { hall: { hsm: exchanged } }), {
    code: "hsm.wrong-token",
    message: /the token labelled beta has the serial/,
  });
  // There is nothing that could be finished.
  await assert.rejects(stage.resume(FINISH), /is not a choice/);
  assert.ok(stage.history.custody.tokens.has("beta"));
  await stage.resume({ ...CAST, answers: { settle: "undo" } });
  assert.deepEqual(stage.findings, []);
  assert.equal(stage.history.custody.tokens.has("beta"), false);
});

test("a token that was wiped before the record was made is retired when it is finished", async () => {
  await cutOff(retire("gamma"), "setPin", 1);
  assert.ok(stage.history.custody.tokens.has("gamma"));
  await stage.resume(FINISH);
  assert.deepEqual(stage.findings, []);
  assert.equal(stage.history.custody.tokens.has("gamma"), false);
  assert.ok(
    stage.console.shown.some((line) => line.includes("officer's old PIN may still be set")),
  );
});
