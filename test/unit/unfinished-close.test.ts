/** Which close was interrupted: whose head, who has cosigned it, and who has still to do so. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { endOf, notYetCosigned } from "../../src/ceremony/finish-close.ts";
import { as, Hand } from "../support/hand.ts";
import { script, STEP } from "../support/stage-scripts.ts";
import { stageTests } from "../support/stage-tests.ts";
import type { Stage } from "../support/stage.ts";
import { ALL, ended, endIn, participants } from "../support/unfinished-close.ts";

const fork = await stageTests();

test("the end of the newest ceremony says of what head, whose cosignatures it has and whose it lacks", (t) => {
  const stage = fork(t);
  const hand = ended(stage, ["ben", "eve"]);
  const { size, root } = stage.recorder().head();
  const end = endIn(stage);
  assert.deepEqual(end, {
    ceremony: hand.ceremony,
    state: "closed",
    size,
    root,
    people: participants(stage, ...ALL),
    cosigned: new Set(["ben", "eve"]),
  });
  assert.deepEqual(notYetCosigned(end), participants(stage, "ana", "cleo", "dan"));
});

test("an abandonment is an end too", async (t) => {
  const stage = fork(t);
  const hand = new Hand(stage, script([STEP.clock]));
  hand.perform("roll-call");
  await stage.abandon({ present: { ana: "ceremony-administrator", eve: "internal-witness" } });
  const { state, size, people, cosigned } = endIn(stage);
  assert.deepEqual([state, size], ["abandoned", stage.ledger.size]);
  assert.deepEqual(people, participants(stage, "ana", "eve"));
  assert.deepEqual([...cosigned], ["ana", "eve"]);
});

test("who is not on the roster, or not in that role, is not asked for a cosignature", (t) => {
  const stage = fork(t);
  ended(stage, [], [...as("ana", "mallory"), { person: "ben", role: "auditor" }, ...as("eve")]);
  assert.deepEqual(endIn(stage).people, participants(stage, "ana", "eve"));
});

test("a mistyped passphrase behind the end does not hide it", (t) => {
  const stage = fork(t);
  const hand = ended(stage, ["ana"]);
  const { size } = stage.ledger;
  const noise = { type: "auth.failed", outcome: "failure", description: "Mistyped." } as const;
  stage.append(noise);
  stage.append({ ...noise, ceremony: hand.ceremony });
  assert.deepEqual([endIn(stage).size, stage.ledger.size], [size, size + 2]);
  assert.deepEqual([...endIn(stage).cosigned], ["ana"]);
});

const NO_END: Readonly<Record<string, (stage: Stage) => unknown>> = {
  "a ceremony is open": (stage) => new Hand(stage, script([STEP.clock])),
  "something else was recorded since": (stage) => {
    ended(stage, []);
    stage.append({ type: "step.refused", outcome: "refused", description: "Noise." });
  },
  "it ended before anything had begun": (stage) => {
    const hand = new Hand(stage, script([STEP.clock]));
    hand.append({ type: "ceremony.abandoned", outcome: "refused" });
    assert.equal(stage.history.open, null);
  },
  "the newest end is of a ceremony that was never opened": (stage) => {
    ended(stage, []);
    const description = "Closed.";
    stage.append({ type: "ceremony.closed", ceremony: "20261123-none-aaaa", description });
  },
  "the newest end is said of a ceremony that was over": (stage) => {
    const hand = ended(stage, []);
    stage.clock.time += 1000;
    hand.append({ type: "ceremony.closed", step: "close" });
  },
  "the newest end is said a second time, at the same time, behind what nobody read": (stage) => {
    const hand = ended(stage, ["ana"]);
    stage.append({ type: "step.refused", outcome: "refused", description: "Noise." });
    const actors = as("ana", "eve").map((one) => ({ ...one, part: "recorded" as const }));
    hand.append({ type: "ceremony.closed", step: "close", actors });
  },
  "a ceremony is closed that nobody opened, while another is open": (stage) => {
    const hand = new Hand(stage, script([STEP.clock]));
    const description = "Closed.";
    stage.append({ type: "ceremony.closed", ceremony: "20261123-none-aaaa", description });
    assert.equal(stage.history.open?.id, hand.ceremony);
  },
};

for (const [what, happens] of Object.entries(NO_END)) {
  test(`there is no close to be finished when ${what}`, (t) => {
    const stage = fork(t);
    happens(stage);
    assert.equal(endOf(stage.history, stage.ledger), undefined);
  });
}

test("an end without its checkpoint, in an empty ledger or without a ceremony is none", (t) => {
  const stage = fork(t);
  ended(stage, []);
  const { history, ledger } = stage;
  const source = {
    size: ledger.size,
    entry: (seq: number) => ledger.entry(seq),
    checkpoint: (size?: number) => ledger.checkpoint(size),
    cosignatures: (size?: number) => ledger.cosignatures(size),
  };
  assert.ok(endOf(history, source));
  assert.equal(endOf(history, { ...source, checkpoint: () => undefined }), undefined);
  assert.equal(endOf(history, { ...source, entry: () => undefined }), undefined);
  assert.equal(endOf(history, { ...source, size: 0 }), undefined);
  const { open, custody } = history;
  assert.equal(endOf({ open, custody, ceremonies: [] }, source), undefined);
});
