/** A drill that loses its power at its report: finished with the very bytes that people agreed to, or not at all. */

import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test, type TestContext } from "node:test";
import { concerns } from "../../src/ceremony/concerns.ts";
import { sha256Hex } from "../../src/lib/encoding.ts";
import { backedUp, backupStage } from "../support/backup-stage.ts";
import { kekStep } from "../support/kek-stage.ts";
import { PowerCut, PowerLine } from "../support/power-line.ts";
import { CAST, script } from "../support/stage-scripts.ts";
import type { Stage } from "../support/stage.ts";
import { TWO } from "../support/wrong-shares.ts";

const REPORT = "drill-report.json";
const CONCLUDE = script(
  [kekStep("conclude-drill", "token: beta, backup: newest, from: onsite, keys: all-ca-keys")],
  ["drill: true"],
);
const FINISH = { ...CAST, answers: { settle: "finish" } };
const STOP = { ...CAST, answers: { settle: "stop" } };

const prepared = await backupStage();
await prepared.run(backedUp(["root-g1"]), CAST);
assert.deepEqual(prepared.findings, []);

/** Runs the drill, and takes the power away right before this act. */
async function run(act?: number) {
  const stage = prepared.fork();
  const line = new PowerLine();
  line.feed(stage);
  line.cutAt(act);
  const running = stage.run(CONCLUDE, CAST, { hall: line.over(stage.hall()) });
  if (act !== undefined) await assert.rejects(running, PowerCut);
  await running.catch(() => undefined);
  const acts = [...line.acts];
  line.cutAt();
  return { stage, acts };
}

const whole = await run();
const BEFORE_REPORT = whole.acts.indexOf(`writeOnce ${REPORT}`) + 1;
whole.stage.remove();

/** A stage that lost its power before the report was written; `left` of its bytes are there all the same. */
async function unconcluded(
  t: TestContext,
  left?: (agreed: Uint8Array) => Uint8Array,
): Promise<Stage> {
  const { stage } = await run(BEFORE_REPORT);
  t.after(() => {
    stage.remove();
  });
  const begun = stage.entries().findLast(({ type }) => type === "step.begun");
  const { report } = begun?.data["intent"] as { readonly report: string };
  const agreed = stage.ledger.attachment(report)?.bytes ?? assert.fail("it is attached");
  if (left !== undefined) {
    mkdirSync(dirname(place(stage)), { recursive: true });
    writeFileSync(place(stage), left(agreed));
  }
  return stage;
}

function place(stage: Stage): string {
  const id = stage.history.ceremonies.at(-1)?.id ?? assert.fail("there is a ceremony");
  return join(stage.folder, "outbox", id, REPORT);
}

/** Asserts that the drill is on record once, and that its report is the one the record names. */
function assertConcluded(stage: Stage): void {
  assert.deepEqual(stage.findings, []);
  const facts = stage.entries().flatMap((entry) => entry.facts);
  const [fact, ...more] = facts.filter(({ kind }) => kind === "drill.concluded");
  assert.deepEqual(more, []);
  assert.equal(fact?.["report"], sha256Hex(readFileSync(place(stage))));
}

test("C03: a report that was not written is written when people finish the step", async (t) => {
  const stage = await unconcluded(t);
  await stage.resume(FINISH);
  assertConcluded(stage);
});

test("C03: a report that is there whole is kept", async (t) => {
  const stage = await unconcluded(t, (agreed) => agreed);
  await stage.resume(FINISH);
  assertConcluded(stage);
  assert.match(
    stage.console.shown.join("\n"),
    /drill-report\.json is whole and is what was agreed/,
  );
});

for (const length of [0, 1, 20]) {
  test(`C03: a report torn after ${length} bytes is said to be, removed, and written anew`, async (t) => {
    const stage = await unconcluded(t, (agreed) => agreed.subarray(0, length));
    await stage.resume(FINISH);
    assertConcluded(stage);
    assert.match(
      stage.console.shown.join("\n"),
      /drill-report\.json was not written to its end; finishing removes it/,
    );
  });
}

test("C03: a whole report that nobody agreed to is neither kept nor removed", async (t) => {
  const theirs = new TextEncoder().encode('{"verdict":"pass"}');
  const stage = await unconcluded(t, () => theirs);
  await assert.rejects(stage.resume(FINISH), /"finish" is not a choice/);
  await assert.rejects(stage.resume(STOP), /stays as it was found/);
  assert.deepEqual(new Uint8Array(readFileSync(place(stage))), theirs);
  assert.match(
    stage.console.shown.join("\n"),
    /drill-report\.json is whole and not what was agreed to/,
  );
});

test("C03: a drill that people give up before its verdict leaves a red line in status", async (t) => {
  const stage = await unconcluded(t);
  await stage.abandon({ present: TWO });
  const { id } = stage.history.ceremonies.at(-1) ?? assert.fail("there is a ceremony");
  const told = concerns(stage.history, []).filter((text) => text.includes("judged the restore"));
  assert.equal(told.length, 1);
  assert.ok(told[0]?.startsWith(`RED: ceremony ${id} `), told[0]);
});
