/** What a verdict states of a ceremony, member by member, and how it calls what was out of the plain course. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { custodyDigest } from "../../src/ceremony/custody-json.ts";
import { sha256Hex } from "../../src/lib/encoding.ts";
import { conformed, newest } from "../support/conformed.ts";
import { as, Hand } from "../support/hand.ts";
import { ROLL, script, STEP } from "../support/stage-scripts.ts";
import { stageTests } from "../support/stage-tests.ts";

const ALL = Object.keys(ROLL);
const YAML = script([STEP.clock]);
const fork = await stageTests();

test("a closed ceremony is stated whole: script, plan, roll, steps, custody and head", (t) => {
  const stage = fork(t);
  const openedSeq = stage.ledger.size;
  const hand = new Hand(stage, YAML);
  const performed = ["roll-call", "clock"].map((id) => hand.perform(id));
  const closed = hand.close();
  const { steps, verdict, head, custody, ...stated } = newest(conformed(stage));
  const [opening, end] = [openedSeq, closed].map((seq) => stage.entries()[seq]?.time);
  assert.deepEqual(stated, {
    ...{ id: hand.ceremony, title: "A staged ceremony", caClass: "none", state: "closed" },
    ...{ openedSeq, openedAt: opening, endedSeq: closed, endedAt: end },
    script: { name: "staged", version: "1.0.0", sha256: sha256Hex(YAML), asWritten: true },
    ...{ plan: hand.recorded.sha256, drill: false, attending: as(...ALL) },
    roles: [
      { role: "ceremony-administrator", needed: 1, present: 1 },
      { role: "custodian", needed: 3, present: 3 },
      { role: "internal-witness", needed: 1, present: 1 },
    ],
    ...{ violations: [], exceptions: [], missing: [] },
  });
  assert.equal(verdict, "CONFORMS");
  const digest = custodyDigest(stage.history.custody);
  assert.deepEqual(custody, { claimed: digest, derived: digest, agrees: true });
  const time = Math.floor(stage.clock.time / 1000);
  assert.deepEqual(head, { size: closed + 1, cosigners: ALL.map((person) => ({ person, time })) });
  assert.deepEqual(
    steps.map(({ n, id, control, outcome, attempts, begunSeq, endedSeq }) => ({
      ...{ n, id, control, outcome, attempts, begunSeq, endedSeq },
    })),
    [
      ...["roll-call", "clock"].map((id, index) => ({
        ...{ n: index + 1, id, control: id === "clock" ? "dual" : "everyone" },
        ...{ outcome: "completed", attempts: 1 },
        ...{ begunSeq: performed[index]?.begun, endedSeq: performed[index]?.completed },
      })),
      {
        ...{ n: 3, id: "close", control: "everyone", outcome: "closed", attempts: 0 },
        ...{ begunSeq: null, endedSeq: closed },
      },
    ],
  );
  assert.deepEqual(
    steps.at(-1)?.people,
    as(...ALL).map((one) => ({ ...one, expires: null })),
  );
});

test("what the engine writes of a deviation, a mistyped passphrase and a refusal is told in its words", (t) => {
  const stage = fork(t);
  const hand = new Hand(stage, YAML);
  hand.perform("roll-call");
  const locked = { person: "eve", attempt: 2, code: "people.authentication-failed" };
  hand.append({ type: "auth.failed", outcome: "failure", step: "clock", data: locked });
  hand.append({ type: "auth.failed", outcome: "failure", step: "clock" });
  hand.append({
    type: "step.refused",
    outcome: "refused",
    step: "clock",
    data: { code: "people.declined", message: "eve declined" },
  });
  hand.append({
    ...{ type: "deviation.recorded", step: "close" },
    actors: as("dan", "ben").map((one) => ({ ...one, part: "recorded" as const })),
    data: { rule: "everybody cosigns the head", reason: "they left" },
  });
  const { exceptions, violations } = newest(conformed(stage));
  assert.deepEqual(violations, []);
  assert.deepEqual(
    exceptions.map(({ kind, deviates, step, n, text, people }) => [
      kind,
      deviates,
      step,
      n,
      text,
      people,
    ]),
    [
      [
        ...["authentication", false, "clock", 2],
        "eve could not open their identity (attempt 2, people.authentication-failed)",
        [],
      ],
      [
        ...["authentication", false, "clock", 2],
        "somebody could not open their identity (attempt 0, no code)",
        [],
      ],
      ["refusal", true, "clock", 2, "step 2 was refused: people.declined: eve declined", []],
      [
        ...["not-cosigned", true, "close", 3],
        "dan (custodian), ben (custodian): everybody cosigns the head: they left",
        as("dan", "ben"),
      ],
    ],
  );
});

test("an open ceremony says at which step, and one that ended needs two who cosigned its head", (t) => {
  const stage = fork(t);
  const openedSeq = stage.ledger.size;
  const hand = new Hand(stage, YAML);
  hand.perform("roll-call");
  const { missing, endedSeq, head, custody, state } = newest(conformed(stage));
  assert.deepEqual([state, endedSeq, head, custody], ["open", null, null, null]);
  assert.deepEqual(missing, [
    {
      ...{ code: "open", seq: openedSeq },
      text: `ceremony ${hand.ceremony} is open at step 2 (clock)`,
      remedy: "the site goes on with it, or abandons it; judge the ledger again then",
    },
  ]);
  hand.perform("clock");
  const closed = hand.close(["ana"]);
  const { size } = stage.ledger;
  const report = conformed(stage);
  assert.deepEqual(newest(report).missing, [
    {
      ...{ code: "cosignature", seq: closed },
      text: `the head of ceremony ${hand.ceremony}, size ${size}, bears 1 of at least 2 cosignatures`,
      remedy: "the next roll call at the site reads and adopts what nobody cosigned",
    },
  ]);
  const { explained } = stage.history;
  assert.deepEqual(report.missing, [
    {
      ...{ code: "cosignature", seq: explained },
      text: `entries ${explained} to ${size - 1} are vouched for by nobody: whoever owns the host may have written them`,
      remedy: "the next roll call at the site reads and adopts them",
    },
  ]);
  assert.deepEqual([report.cosigned, report.size, report.anchored], [explained, size, true]);
});
