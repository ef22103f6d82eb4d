/** Keys that a restore brought back, and that nobody read back before it was given up, prove nothing. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { keyStatuses } from "../../src/ceremony/key-status.ts";
import { Recorder } from "../../src/ceremony/recorder.ts";
import { backedUp, backupStage, restore } from "../support/backup-stage.ts";
import { PowerCut } from "../support/power-line.ts";
import { CAST } from "../support/stage-scripts.ts";
import type { Stage } from "../support/stage.ts";

const TWO = { ana: "ceremony-administrator", eve: "internal-witness" };

const stage = await backupStage();
await stage.run(backedUp(["first", "second"]), CAST);

/** The power goes when every key is recorded as restored, before the step is. */
async function stopped(key: string): Promise<void> {
  let dead = false;
  stage.makeRecorder = (ledger, fold) =>
    new (class extends Recorder {
      override appendAll(...given: Parameters<Recorder["appendAll"]>): number {
        const ends = given[0].some(
          ({ type, step, data }) =>
            type === "step.completed" && step === "restore-key" && data?.["group"] === undefined,
        );
        if (ends) dead = true;
        if (dead) throw new PowerCut();
        return super.appendAll(...given);
      }
    })(ledger, fold);
  await assert.rejects(stage.run(restore("beta", `[${key}]`), CAST), PowerCut);
  stage.makeRecorder = (ledger, fold) => new Recorder(ledger, fold);
  assert.equal(stage.judge().open?.doubt?.done.size, 1);
}

function proofs({ history: { custody, policy }, clock }: Stage) {
  return keyStatuses(custody, policy, clock.now()).map(({ label, tokens, backups, ...key }) => ({
    label,
    beta: tokens.find(({ token }) => token === "beta")?.proved,
    backup: backups[0]?.proved,
    restored: key.restored?.at ?? null,
    lastProof: key.lastProof,
    onOne: key.missing.some((text) => text.startsWith("it is on 1 token")),
  }));
}

test("gone on with, the key is proved, and so is its backup", async () => {
  await stopped("first");
  await stage.resume({ ...CAST, answers: { settle: "finish" } });
  const [first] = proofs(stage);
  assert.ok(first?.beta !== undefined && first.beta !== "");
  assert.deepEqual([first.backup, first.restored, first.onOne], [first.beta, first.beta, false]);
});

test("given up, the copy is on record as never read back, and its backup as proved as before", async () => {
  const before = proofs(stage)[1];
  await stopped("second");
  assert.notEqual(proofs(stage)[1]?.backup, before?.backup);
  await stage.abandon({ present: TWO });
  assert.deepEqual(proofs(stage)[1], { ...before, beta: "" });
  assert.deepEqual(stage.judge().findings, []);
  assert.deepEqual(proofs(stage)[1], { ...before, beta: "" }, "also when it is judged anew");
});
