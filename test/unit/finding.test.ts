/** What people read about a ceremony that stopped: where it stands, what is in doubt, and what they may do. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { ACTIONS } from "../../src/actions/index.ts";
import { vocabularyOf, type Action } from "../../src/ceremony/action.ts";
import { newCeremony } from "../../src/ceremony/ceremony-record.ts";
import {
  endedEarly,
  findingLines,
  standsAt,
  wayOn,
  whoIsHere,
  whyNotResumable,
} from "../../src/ceremony/finding.ts";
import type { CeremonyRecord, StepInDoubt, StepTimes } from "../../src/ceremony/history.ts";
import { KeyriteError } from "../../src/lib/errors.ts";
import { Hand } from "../support/hand.ts";
import { CEREMONY, plainEntry, plainPlan, plainStep, timeAt } from "../support/plain-entry.ts";
import { CAST, script, STEP } from "../support/stage-scripts.ts";
import { stageTests } from "../support/stage-tests.ts";
import { StageConsole } from "../support/stage-console.ts";

const VOCABULARY = vocabularyOf(ACTIONS);
const PLAN = plainPlan([
  plainStep(1, "roll-call", "roll-call"),
  plainStep(2, "make", "generate-key"),
  plainStep(3, "close", "close"),
]);
const fork = await stageTests();

function record(changes: Partial<CeremonyRecord> = {}): CeremonyRecord {
  const data = { title: "A \u202etitle" };
  return { ...newCeremony(plainEntry("ceremony.opened", 4, { data }), PLAN), ...changes };
}

function doubt(id: string, action: string, changes: Partial<StepInDoubt> = {}): StepInDoubt {
  const n = PLAN.steps.find((step) => step.id === id)?.n ?? 0;
  return {
    ...{ n, id, action, begunSeq: 9, time: timeAt(9), groups: 0, intent: {}, group: null },
    ...{ done: new Set<string>(), ...changes },
  };
}

const unsettled = (...steps: readonly StepInDoubt[]): Map<string, StepInDoubt> =>
  new Map(steps.map((step) => [step.id, step]));

const times = (changes: Partial<StepTimes>): StepTimes => ({
  ...{ openedAt: null, begunAt: null, endedAt: null, code: null, message: null },
  ...changes,
});

const STANDS: Readonly<
  Record<string, readonly [Partial<CeremonyRecord>, n: number, id: string, since: number]>
> = {
  "nothing was opened": [{}, 1, "roll-call", 4],
  "a step is completed": [
    {
      steps: new Map([["roll-call", "completed"]]),
      progress: new Map([["roll-call", times({ endedAt: timeAt(7) })]]),
    },
    ...([2, "make", 7] as const),
  ],
  "a step failed": [
    {
      steps: new Map([
        ["roll-call", "completed"],
        ["make", "failed"],
      ]),
      progress: new Map([
        ["roll-call", times({ openedAt: timeAt(5), begunAt: timeAt(6), endedAt: timeAt(7) })],
        ["make", times({ openedAt: timeAt(8), begunAt: timeAt(9) })],
      ]),
    },
    ...([2, "make", 9] as const),
  ],
  "a completed step is not settled": [
    {
      steps: new Map([["roll-call", "completed"]]),
      unsettled: unsettled(doubt("roll-call", "roll-call")),
      progress: new Map([["roll-call", times({ openedAt: timeAt(5) })]]),
    },
    ...([1, "roll-call", 5] as const),
  ],
  "all is completed": [
    { steps: new Map(["roll-call", "make", "close"].map((id) => [id, "completed"])) },
    ...([3, "close", 4] as const),
  ],
  "the plan is missing": [{ plan: undefined }, 1, "?", 4],
};

for (const [what, [changes, n, id, since]] of Object.entries(STANDS)) {
  test(`where a ceremony stands when ${what}`, () => {
    assert.deepEqual(standsAt(record(changes)), { n, id, since: timeAt(since) });
  });
}

const HEAD = [`Ceremony ${CEREMONY}: A \\u{202e}title`, `Opened ${timeAt(4)} at entry 4.`];

test("a ceremony that was paused between two steps", () => {
  const steps = new Map([["roll-call", "completed"]] as const);
  assert.deepEqual(findingLines(record({ steps })), [
    ...HEAD,
    "  step roll-call: completed",
    "No step is in doubt.",
    `Paused at step 2 (make) since ${timeAt(4)}.`,
  ]);
});

test("a step that was interrupted while people agreed to it: nobody said no", () => {
  const steps = new Map([["make", "refused"]] as const);
  const said = (changes: Partial<StepTimes>): string | undefined =>
    findingLines(record({ steps, progress: new Map([["make", times(changes)]]) }))[2];
  const code = "interrupted.by-user";
  assert.equal(said({ code, message: "\u001b[2J" }), `  step make: refused (${code}: \\u{1b}[2J)`);
  assert.equal(said({ code }), `  step make: refused (${code})`);
  assert.equal(said({}), "  step make: refused");
});

test("a step that failed after it had begun, with what its batch came to", () => {
  const items = [{ item: "c", ckaId: "03" }];
  const made = doubt("make", "generate-key", {
    done: new Set(["a", "b"]),
    group: { seq: 12, items },
  });
  const steps = new Map([
    ["roll-call", "completed"],
    ["make", "failed"],
  ] as const);
  assert.deepEqual(findingLines(record({ steps, unsettled: unsettled(made) })), [
    ...HEAD,
    "  step roll-call: completed",
    "  step make: failed",
    "  step make: completed of its batch 2 items",
    "  step make: without outcome, of the group at entry 12, 1 item",
    "Step 2 (make) had begun: what it left is looked at before anything else.",
    `Stopped at step 2 (make) since ${timeAt(4)}.`,
  ]);
});

test("a step in doubt, with what people agreed to and where to look for what it left", () => {
  const intent = { key: "root\u202e", ckaId: "aa01", list: [1, 2] };
  const made = doubt("make", "generate-key", { intent });
  const lines = [
    `IN DOUBT: step 2 (make, generate-key) was begun at ${timeAt(9)} and has no outcome.`,
    "  What people agreed to, at entry 9:",
    "    key: root\\u{202e}",
    "    ckaId: aa01",
    "    list: [1,2]",
    "  look on the token for an object with CKA_ID aa01 before going on",
  ];
  const of = (step: StepInDoubt): readonly string[] =>
    findingLines(record({ unsettled: unsettled(step), doubt: step }));
  assert.deepEqual(of(made), [...HEAD, ...lines]);
  const other = { ...made, intent: { ckaId: 7 } };
  assert.deepEqual(of(other), [...HEAD, ...lines.slice(0, 2), "    ckaId: 7"]);
});

const STUBBORN = new Map<string, Action>(
  [...VOCABULARY].map(([name, action]) => [name, { ...action, settles: false }]),
);

test("a ceremony can be gone on with when each step that had begun can tell what became of it, or is called anew", () => {
  const roll = doubt("roll-call", "roll-call");
  const made = doubt("make", "generate-key");
  const why = (open: CeremonyRecord, vocabulary = VOCABULARY): string | undefined =>
    whyNotResumable(open, vocabulary);
  assert.equal(why(record()), undefined);
  assert.equal(why(record({ unsettled: unsettled(roll, made) })), undefined);
  assert.equal(why(record({ unsettled: unsettled(roll) }), STUBBORN), undefined);
  const stuck = "step 2 (make) had begun, and generate-key cannot tell what became of it";
  assert.equal(why(record({ unsettled: unsettled(roll, made) }), STUBBORN), stuck);
  assert.equal(why(record({ unsettled: unsettled(made) }), new Map()), stuck);
});

test("what two people can do about an open ceremony", () => {
  const go = ["two people go on with it, keyrite run --resume, or end it, keyrite run --abandon"];
  assert.deepEqual(wayOn(null, STUBBORN), go);
  assert.deepEqual(wayOn(record(), STUBBORN), go);
  const open = record({ unsettled: unsettled(doubt("make", "generate-key")) });
  assert.deepEqual(wayOn(open, VOCABULARY), go);
  assert.deepEqual(wayOn(open, STUBBORN), [
    "it cannot be resumed: step 2 (make) had begun, and generate-key cannot tell what became of it",
    "two people end it with keyrite run --abandon",
  ]);
});

for (const [purpose, doing] of [
  ["abandon", "abandoning"],
  ["resume", "resuming"],
] as const) {
  test(`who is here to ${purpose} a ceremony: asked with the roles they may decide in`, async (t) => {
    const stage = fork(t);
    const people = [...stage.history.custody.people.values()];
    const asking = (present: Readonly<Record<string, string>>): ReturnType<typeof whoIsHere> => {
      stage.console = new StageConsole({ present });
      return whoIsHere(stage.hall(), purpose, people);
    };
    const two = { ana: "ceremony-administrator", dan: "custodian" };
    assert.deepEqual(
      (await asking(two)).map(({ person, role, card }) => [person, role, card.person]),
      [
        ["ana", "ceremony-administrator", "ana"],
        ["dan", "custodian", "dan"],
      ],
    );
    // Who only looks on is not asked.
    assert.deepEqual(
      stage.console.asked,
      ["ana", "ben", "cleo", "dan", "eve"].map((person) => `${purpose} present ${person}`),
    );
    const asked: unknown[] = [];
    const { console } = stage;
    console.choose = (question) => Promise.resolve(asked.push(question) > 0 ? "absent" : "");
    const refusal = (count: string): object => ({
      code: "people.quorum-not-met",
      message: `${doing} needs two different people, ${count} present`,
      hints: [`call a second person of the roster, then keyrite run --${purpose} again`],
    });
    await assert.rejects(whoIsHere(stage.hall(), purpose, people), refusal("none is"));
    assert.deepEqual(asked[0], {
      step: purpose,
      id: "present",
      to: { person: "ana", name: stage.person("ana").card.name },
      text: `are you present to ${purpose} this ceremony, and in which role?`,
      choices: [
        { value: "ceremony-administrator", label: "ceremony-administrator" },
        { value: "absent", label: "not present" },
      ],
      preset: "absent",
    });
    await assert.rejects(asking({ ben: "custodian" }), refusal("one is"));
  });
}

test("what stopped before anything had begun ends the ceremony, and says how to start it again", (t) => {
  const again = "put right what stopped it, then start it again with keyrite run";
  for (const [code, hints] of [
    ["people.declined", [again]],
    ["ledger.forked", []],
  ] as const) {
    const stage = fork(t);
    const { ceremony } = new Hand(stage, script([STEP.clock]));
    const error = new KeyriteError(code, "it stopped", { hints: ["a hint"] });
    const said = endedEarly(stage.recorder(), VOCABULARY, ceremony, error);
    assert.ok(said instanceof KeyriteError);
    const over = `ceremony ${ceremony} is over, since nothing had begun in it`;
    assert.deepEqual([said.code, said.message, said.cause], [code, "it stopped", error]);
    assert.deepEqual(said.hints, ["a hint", over, ...hints]);
    assert.equal(stage.history.open, null);
    const { type, outcome, description, data } = stage.entries().at(-1) ?? assert.fail("no entry");
    assert.deepEqual([type, outcome], ["ceremony.abandoned", "refused"]);
    assert.equal(description, "The ceremony ended before anything was begun.");
    assert.deepEqual(data, { reason: "it stopped" });
  }
});

test("what is no error of ours is thrown on as it is, and ends what had not begun all the same", (t) => {
  const stage = fork(t);
  const hand = new Hand(stage, script([STEP.clock]));
  const error = new Error("x".repeat(1001));
  assert.equal(endedEarly(stage.recorder(), VOCABULARY, hand.ceremony, error), error);
  assert.deepEqual(stage.entries().at(-1)?.data, { reason: "x".repeat(1000) });
  assert.equal(stage.history.open, null);
});

test("a ceremony in which something had begun, another one, or one that cannot be written, stays open", (t) => {
  const stage = fork(t);
  const hand = new Hand(stage, script([STEP.clock]));
  const stopped = (
    code: "people.declined" | "halted.not-durable",
    ceremony = hand.ceremony,
  ): readonly string[] => {
    const { size } = stage.ledger;
    const said = endedEarly(stage.recorder(), VOCABULARY, ceremony, new KeyriteError(code, "no"));
    assert.ok(said instanceof KeyriteError);
    assert.equal(stage.ledger.size, size, "nothing is appended");
    assert.equal(stage.history.open?.id, hand.ceremony);
    return said.hints;
  };
  const stays = (ceremony: string): readonly string[] => [
    `ceremony ${ceremony} stays open, with everything on record: keyrite status shows it`,
    "two people go on with it, keyrite run --resume, or end it, keyrite run --abandon",
  ];
  assert.deepEqual(stopped("halted.not-durable"), stays(hand.ceremony));
  assert.deepEqual(stopped("people.declined", "20261123-other-abcd"), stays("20261123-other-abcd"));
  hand.perform("roll-call");
  assert.deepEqual(stopped("people.declined"), stays(hand.ceremony));
});

test("a step that was opened or refused, and no more, has not begun", async (t) => {
  const stage = fork(t);
  const agrees = ({ step }: { step: string }): boolean => step !== "roll-call";
  await assert.rejects(
    stage.run(script([STEP.clock]), { ...CAST, agrees, answers: { again: "stop" } }),
    { code: "people.declined", message: "ana declined step roll-call" },
  );
  assert.equal(stage.history.open, null);
  assert.equal(stage.history.ceremonies.at(-1)?.state, "abandoned");
});
