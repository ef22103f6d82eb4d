/** What an action may record of its batch: the engine stops what no auditor would believe. */

import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { ACTIONS } from "../../src/actions/index.ts";
import { defineAction, type Batch } from "../../src/ceremony/action.ts";
import { z } from "../../src/lib/schema.ts";
import { CAST, script } from "../support/stage-scripts.ts";
import { stageTests } from "../support/stage-tests.ts";
import type { Stage } from "../support/stage.ts";

const COUNT = "id: count, action: count, by: [ceremony-administrator, internal-witness]";
const fork = await stageTests();
const items = (from: number, to: number): readonly { item: string; ckaId: string }[] =>
  Array.from({ length: to - from }, (_, i) => ({ item: `item-${from + i}`, ckaId: "00" }));

/** A stage with a step whose batch goes like this. */
function counting(t: TestContext, act: (batch: Batch) => void): Stage {
  const stage = fork(t);
  const count = defineAction({
    name: "count",
    control: "dual",
    params: () => z.strictObject({}),
    facts: [],
    instruction: () => "Count.",
    forecast: () => ({}),
    run(_, __, { batch: own }) {
      act(own);
      return Promise.resolve({});
    },
  });
  stage.actions = [...ACTIONS, count];
  stage.judge();
  return stage;
}

function done(item: string): { item: string; evidence: Record<string, never>; facts: [] } {
  return { item, evidence: {}, facts: [] };
}

test("intents stand before their group, outcomes after it in one transaction", async (t) => {
  const stage = counting(t, (own) => {
    own.intend(items(0, 100));
    own.record(items(0, 100).map(({ item }) => done(item)));
    own.intend(items(100, 101));
    own.record([done("item-100")]);
    own.record([]);
  });
  await stage.run(script([COUNT]), CAST);
  const entries = stage.entries().filter(({ data }) => data["group"] !== undefined);
  assert.deepEqual(
    [0, 1, 100, 101, 102].map((at) => [entries[at]?.type, entries[at]?.data["group"]]),
    [
      ["step.begun", 1],
      ["step.completed", 1],
      ["step.completed", 1],
      ["step.begun", 2],
      ["step.completed", 2],
    ],
  );
  const sizes = [...stage.ledger.checkpoints()].map(({ size }) => size);
  const first = (entries[1]?.seq ?? 0) + 1;
  assert.deepEqual(
    sizes.filter((size) => size >= first && size <= first + 99),
    [first + 99],
  );
  assert.deepEqual(stage.findings, []);
});

for (const [what, act, text] of [
  [
    "a group of 101",
    (own) => {
      own.intend(items(0, 101));
    },
    /a group of 101 items/,
  ],
  [
    "an empty group",
    (own) => {
      own.intend([]);
    },
    /a group of 0 items/,
  ],
  [
    "an outcome without intent",
    (own) => {
      own.record([done("item-0")]);
    },
    /in vain.*not intended/,
  ],
  [
    "a group that makes it more than 100 under way",
    (own) => {
      own.intend(items(0, 60));
      own.record([done("item-0")]);
      own.intend(items(60, 102));
    },
    /in vain.*59 items of earlier groups have no outcome/,
  ],
  [
    "one item twice",
    (own) => {
      own.intend(items(0, 2));
      own.record([done("item-0"), done("item-0")]);
    },
    /in vain.*not intended/,
  ],
] as const satisfies readonly (readonly [string, (own: Batch) => void, RegExp])[]) {
  test(`${what} stops the step, which stays unsettled`, async (t) => {
    const stage = counting(t, act);
    await assert.rejects(stage.run(script([COUNT]), CAST), text);
    assert.equal(stage.judge().open?.unsettled.has("count"), true);
  });
}

test("a step is opened in an entry of its own", (t) => {
  const stage = fork(t);
  const entry = { type: "auth.failed", outcome: "failure", description: "Noise." } as const;
  const { size } = stage.ledger;
  assert.throws(
    () => stage.recorder().appendAll([entry, { ...entry, type: "step.opened" }]),
    /an entry of its own/,
  );
  assert.equal(stage.ledger.size, size);
});
