/** Planning by roster, policy and bindings: who could perform a script, on what, and whether at all. */

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ACTIONS } from "../../src/actions/index.ts";
import { vocabularyOf } from "../../src/ceremony/action.ts";
import { planOnSite } from "../../src/cli/planning.ts";
import { utf8 } from "../../src/lib/encoding.ts";
import { Hand } from "../support/hand.ts";
import { CAST, ESTABLISH, script, STEP } from "../support/stage-scripts.ts";
import { foldLedger, FOUNDERS, MODULE_FILE } from "../support/stage-site.ts";
import { objections, stageTests } from "../support/stage-tests.ts";
import { Stage } from "../support/stage.ts";

const fork = await stageTests((stage) => {
  stage.clock.time += 60_000;
  Hand.upTo(stage, script([STEP.initialize]), "initialize").close();
});

/** Place of the n-th occurrence of a word in a script. */
function place(yaml: string, word: string, n = 1): string {
  let index = -1;
  for (let i = 0; i < n; i += 1) index = yaml.indexOf(word, index + 1);
  assert.ok(index >= 0, `${word} is not in the script`);
  const before = yaml.slice(0, index).split("\n");
  return `${before.length}:${(before.at(-1) ?? "").length + 1}`;
}

test("a script must call the roll before anything else", (t) => {
  const stage = fork(t);
  const yaml = script([STEP.clock, STEP.deviation]).replace(/.*roll-call.*\n/, "");
  assert.deepEqual(objections(stage, yaml), [
    `${place(yaml, "attest-clock")} step clock comes before the roll is called`,
  ]);
});

test("roles that the roster cannot fill are objected to, one by one and together", (t) => {
  const stage = fork(t);
  const yaml = script([STEP.clock]).replace("custodian: 3", "custodian: 4, recorder: 1");
  assert.deepEqual(objections(stage, yaml), [
    `${place(yaml, "4")} the script needs 4 × custodian, the roster has 3 – enrol more people with the role, or correct the script`,
    `${place(yaml, "1, internal")} the script needs 1 × recorder, the roster has 0 – enrol more people with the role, or correct the script`,
    `${place(yaml, "{ ceremony-administrator")} the roster cannot fill all roles with different people`,
  ]);
});

test("Q08: one person who holds two roles does not fill both", async (t) => {
  const founders = { ...FOUNDERS, dan: ["custodian", "recorder", "security-officer"] } as const;
  const stage = await Stage.create(founders);
  t.after(() => {
    stage.remove();
  });
  await stage.run(ESTABLISH, CAST);
  const roles = (more: string): string => script([STEP.clock]).replace("custodian: 3", more);
  const yaml = roles("custodian: 2, recorder: 1, security-officer: 1");
  assert.deepEqual(objections(stage, yaml), [
    `${place(yaml, "{ ceremony-administrator")} the roster cannot fill all roles with different people`,
  ]);
  assert.deepEqual(objections(stage, roles("custodian: 2, recorder: 1")), []);
});

test("a root ceremony wants the witnesses of the policy", (t) => {
  const stage = fork(t);
  const yaml = script([STEP.clock])
    .replace("caClass: none", "caClass: root")
    .replace(", internal-witness: 1", ", external-witness: 1")
    .replace(
      /clock.*/,
      "inspect, action: inspect-token, by: [custodian], with: { token: alpha } }",
    );
  assert.deepEqual(objections(stage, yaml), [
    `${place(yaml, "{ ceremony-administrator")} the policy wants a internal-witness at a root ceremony`,
  ]);
});

test("site.yaml and module file are held against what the ledger says of a token", (t) => {
  const stage = fork(t);
  const yaml = script([STEP.inspect]);
  const file = join(stage.folder, "site.yaml");
  const text = readFileSync(file, "utf8");
  writeFileSync(
    file,
    text.replace("alpha: { module: soft, serial: blank", 'alpha: { module: soft, serial: "0815"'),
  );
  const [serial = "", ...more] = objections(stage, yaml);
  assert.deepEqual(more, []);
  assert.match(
    serial,
    /gives token alpha the serial "0815", the ledger binds it to "serial of alpha"/,
  );
  writeFileSync(file, text);
  writeFileSync(join(stage.folder, MODULE_FILE), "another module\n");
  const [module = "", ...others] = objections(stage, yaml);
  assert.deepEqual(others, []);
  assert.match(module, /the module file of token alpha is not the one it was bound with/);
});

for (const [founded, yaml, text] of [
  [
    false,
    script([STEP.clock]),
    "the site is not founded yet; only a script marked founding: true may run",
  ],
  [true, ESTABLISH, "the site is already founded"],
] as const) {
  test(`a site that is ${founded ? "" : "not "}founded runs no script that is ${founded ? "" : "not "}for founding`, async (t) => {
    const stage = founded ? fork(t) : await Stage.create();
    if (!founded) {
      t.after(() => {
        stage.remove();
      });
    }
    const hall = stage.hall();
    const fold = foldLedger(stage.ledger, stage.site, hall.vocabulary);
    const site = { ...hall, folder: stage.folder, fold, history: fold.history };
    const planning = await planOnSite(site, { path: "script.yaml", bytes: utf8(yaml) }, {});
    assert.ok(!planning.ok);
    assert.deepEqual(
      planning.objections.map((objection) => objection.text),
      [text],
    );
    const at = yaml.includes("founding") ? place(yaml, "true") : "1:1";
    assert.deepEqual(
      planning.objections.map((objection) => objection.at),
      [`script.yaml:${at}`],
    );
  });
}

test("the vocabulary refuses one name twice", () => {
  assert.throws(
    () => vocabularyOf([...ACTIONS, ...ACTIONS.slice(0, 1)]),
    /roll-call is listed twice/,
  );
});
