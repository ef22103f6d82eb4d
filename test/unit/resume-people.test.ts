/** Who may go on with a ceremony: two different people that it called, neither of whom only looks on. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { stringOf } from "../../src/ceremony/record.ts";
import { CAST, DEVIATION } from "../support/stage-scripts.ts";
import { stageTests } from "../support/stage-tests.ts";
import type { Stage } from "../support/stage.ts";

const fork = await stageTests();

/** Stops behind the roll call, or right after the opening, when nobody was called yet. */
async function paused(stage: Stage, when: "before" | "after"): Promise<void> {
  let left = 2;
  const interrupted = (): boolean => (left -= 1) < 0;
  await assert.rejects(stage.run(DEVIATION, CAST, { hall: { interrupted } }), /between two steps/);
  const entries = stage.entries();
  const opening = entries.findLastIndex(({ type }) => type === "ceremony.opened");
  if (when === "before") stage.rewrite(entries.slice(0, opening + 1));
  assert.equal(stage.judge().open?.attending.length, when === "before" ? 0 : 5);
}

const TWO = /^resuming needs two different people of the roll call who do not only look on$/;
const EVE = /^eve was not called to this ceremony as custodian$/;
const OLGA = /^olga was not called to this ceremony as auditor$/;

/** Who is there, and why they may not go on behind the roll call and before it. */
const NOT_ENOUGH: Readonly<
  Record<string, readonly [Readonly<Record<string, string>>, behind: RegExp, before: RegExp]>
> = {
  "one alone": [{ ana: "ceremony-administrator" }, TWO, TWO],
  nobody: [{}, TWO, TWO],
  "somebody in a role that is not theirs": [
    { ana: "ceremony-administrator", eve: "custodian" },
    EVE,
    EVE,
  ],
  "one with an auditor, who only looks on": [
    { ana: "ceremony-administrator", olga: "auditor" },
    OLGA,
    TWO,
  ],
};

for (const [who, [present, behind, before]] of Object.entries(NOT_ENOUGH)) {
  const refusal = (message: RegExp) => ({ code: "people.quorum-not-met", message });

  test(`${who} cannot go on with a ceremony, and nothing is recorded`, async (t) => {
    const stage = fork(t);
    await paused(stage, "after");
    const { size } = stage.ledger;
    await assert.rejects(stage.resume({ ...CAST, present }), refusal(behind));
    assert.equal(stage.ledger.size, size);
    await stage.resume(CAST);
    assert.deepEqual(stage.judge().findings, []);
    assert.equal(stage.history.ceremonies.at(-1)?.state, "closed");
  });

  // Whoever is on the roster may have the roll called; nothing was begun, so that nothing is left to go on with.
  test(`${who} cannot go on before the roll is called: the ceremony has ended`, async (t) => {
    const stage = fork(t);
    await paused(stage, "before");
    await assert.rejects(stage.resume({ ...CAST, present }), refusal(before));
    assert.deepEqual(stage.judge().findings, []);
    assert.equal(stage.history.ceremonies.at(-1)?.state, "abandoned");
    assert.match(stringOf(stage.entries().at(-1)?.data ?? {}, "reason") ?? "", before);
  });
}
