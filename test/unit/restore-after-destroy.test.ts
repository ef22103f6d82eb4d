/** Backups of which some keys are destroyed: the others still come back, and the destroyed ones never. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { backedUp, backupStage, restore } from "../support/backup-stage.ts";
import { kekStep, withTokens } from "../support/kek-stage.ts";
import { CAST } from "../support/stage-scripts.ts";
import { objections } from "../support/stage-tests.ts";

const stage = await backupStage();
await stage.run(backedUp(["root-g1", "gone", "bagged"]), CAST);
const { backup } = [...stage.history.custody.backups.values()][0] ?? assert.fail("no backup");

function destroy(values: string): string {
  return withTokens(
    ["alpha"],
    [kekStep("destroy-key", `everywhere: true, reason: old, ${values}`)],
  );
}

await stage.run(destroy("key: gone"), CAST);
const retain = `{ place: backup, name: ${backup}, reason: in a sealed bag }`;
await stage.run(destroy(`key: bagged, retain: [${retain}]`), CAST);

test("H18: a destroyed key is not brought back out of a backup that was retained", () => {
  const [first = "no objection"] = objections(stage, restore("beta", "bagged"));
  assert.match(first, /key bagged is on record as destroyed/);
});

test("H20: all other keys of the backup still come back, and the room hears which do not", async () => {
  await stage.run(restore("beta", "all-ca-keys"), CAST);
  stage.judge();
  assert.deepEqual(stage.findings, []);
  const back = [...stage.history.custody.copies].filter(([, { tokens }]) => tokens.has("beta"));
  const labels = back.map(([spki]) => stage.history.custody.keys.get(spki)?.label);
  assert.deepEqual(labels, ["root-g1"]);
  assert.ok(
    stage.console.shown.some((line) =>
      /^Not restored.* destroyed: (bagged, gone|gone, bagged)\.$/.test(line),
    ),
    stage.console.shown.join("\n"),
  );
});
