/** A close that was interrupted: who has still to cosign its head, and what the room reads while they do. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Participant } from "../../src/ceremony/action.ts";
import { custodyDigest } from "../../src/ceremony/custody-json.ts";
import { endOf, finishClose, notYetCosigned } from "../../src/ceremony/finish-close.ts";
import { digestLines } from "../../src/ceremony/spoken.ts";
import { as, Hand } from "../support/hand.ts";
import { StageConsole, type Cast } from "../support/stage-console.ts";
import { CAST, ROLL, script, STEP } from "../support/stage-scripts.ts";
import { stageTests } from "../support/stage-tests.ts";
import type { Stage } from "../support/stage.ts";

const ALL = Object.keys(ROLL);
const fork = await stageTests();

/** A ceremony that ended in an entry that names these people, and whose head those others cosigned. */
function ended(stage: Stage, cosigned: readonly string[], named = as(...ALL)): Hand {
  const hand = new Hand(stage, script([STEP.clock]));
  hand.perform("roll-call");
  hand.perform("clock");
  const actors = named.map((one) => ({ ...one, part: "recorded" as const }));
  const data = { custody: custodyDigest(stage.history.custody) };
  hand.append({ type: "ceremony.closed", step: "close", actors, data });
  hand.cosign(cosigned);
  return hand;
}

const endIn = (stage: Stage): NonNullable<ReturnType<typeof endOf>> =>
  endOf(stage.history, stage.ledger) ?? assert.fail("nothing has ended");

const participants = (stage: Stage, ...people: readonly string[]): readonly Participant[] =>
  as(...people).map((one) => ({ ...one, card: stage.person(one.person).card }));

/** What the room does with an unfinished close, and what it reads. */
async function finished(
  stage: Stage,
  cast: Partial<Cast> = {},
  behind: readonly Participant[] = [],
): Promise<{ closing: Awaited<ReturnType<typeof finishClose>>; shown: readonly string[] }> {
  stage.console = new StageConsole({ ...CAST, ...cast });
  const closing = await finishClose(stage.hall(), stage.recorder(), endIn(stage), behind);
  return { closing, shown: stage.console.shown };
}

/** The lines with which it begins. */
function beginning(stage: Stage, hand: Hand, size: number, root: string): readonly string[] {
  return [
    `Ceremony ${hand.ceremony} is closed; its head is cosigned now`,
    ...digestLines(`Head of ${stage.site.genesis.origin}, size ${size}`, root),
  ];
}

const carries = (hand: Hand, person: string): string =>
  `${person} carries the head of ceremony ${hand.ceremony} now.`;

const headOf = (stage: Stage, person: string): string | undefined =>
  stage.medium(person).readHead(stage.site.genesis.origin);

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

test("whoever is here cosigns that head and carries it; nothing is appended", async (t) => {
  const stage = fork(t);
  const hand = ended(stage, ["ben"]);
  const { size, root } = stage.recorder().head();
  const agrees: Cast["agrees"] = ({ to }) => to.person === "ana" || to.person === "eve";
  const began: string[] = [];
  const terminal = {
    begin: (ceremony: string): void => void began.push(ceremony),
    bytes: () => new Uint8Array(),
  };
  stage.console = new StageConsole({ ...CAST, agrees });
  const behind = participants(stage, "ben");
  const hall = { ...stage.hall(), terminal };
  const closing = await finishClose(hall, stage.recorder(), endIn(stage), behind);
  assert.deepEqual(stage.console.shown, [
    ...beginning(stage, hand, size, root),
    ...["ana", "eve", "ben"].map((person) => carries(hand, person)),
  ]);
  assert.deepEqual(stage.console.asked, [
    "resume agree ana",
    "resume passphrase ana",
    "resume agree cleo",
    "resume agree dan",
    "resume agree eve",
    "resume passphrase eve",
  ]);
  assert.deepEqual(began, [hand.ceremony]);
  const lines = stage.ledger.cosignatures(size).map(({ line }) => `${line}\n`);
  assert.equal(lines.length, 3);
  const head = `${stage.ledger.checkpoint(size) ?? ""}${lines.join("")}`;
  assert.deepEqual(closing, { size, root, head, cosigned: ["ana", "ben", "eve"] });
  assert.deepEqual(
    ["ana", "ben", "eve"].map((one) => headOf(stage, one)),
    Array(3).fill(head),
  );
  assert.notEqual(headOf(stage, "cleo"), head);
  assert.deepEqual([stage.ledger.size, stage.history.cosigned], [size, size]);
  assert.deepEqual([...endIn(stage).cosigned], ["ana", "ben", "eve"]);
  stage.judge();
  assert.deepEqual([stage.findings, stage.history.cosigned], [[], size]);
});

test("of several ceremonies it is the newest whose end is looked at, and two people are enough", async (t) => {
  const stage = fork(t);
  ended(stage, ALL);
  ended(stage, ALL);
  const hand = ended(stage, ["dan"]);
  const { ceremony, cosigned } = endIn(stage);
  assert.deepEqual([ceremony, ...cosigned], [hand.ceremony, "dan"]);
  const { closing } = await finished(stage, { agrees: ({ to }) => to.person === "eve" });
  assert.deepEqual(closing.cosigned, ["dan", "eve"]);
});

test("each person is asked whether they cosign, and told what no means", async (t) => {
  const stage = fork(t);
  ended(stage, ["ana", "ben", "cleo", "dan"]);
  const questions: unknown[] = [];
  const agrees: Cast["agrees"] = (question) => questions.push(question) > 0;
  await finished(stage, { agrees });
  assert.deepEqual(questions, [
    {
      step: "resume",
      id: "agree",
      to: { person: "eve", name: stage.person("eve").card.name },
      text: "do you cosign the head of this ledger? no, also for somebody who is not here",
    },
  ]);
});

for (const [what, cosigned, agree, total] of [
  ["nobody", [], [], 0],
  ["one person of those who had not", [], ["ana"], 1],
  ["nobody but who had cosigned", ["eve"], [], 1],
] as const) {
  test(`a head that ${what} would vouch for is not cosigned: no medium and no line is written`, async (t) => {
    const stage = fork(t);
    ended(stage, cosigned);
    const before = ALL.map((person) => headOf(stage, person));
    const agrees: Cast["agrees"] = ({ to }) => agree.some((one) => one === to.person);
    await assert.rejects(finished(stage, { agrees }), {
      code: "people.quorum-not-met",
      message: `${total} of at least 2 people can cosign the head`,
      hints: ["a head that one person vouches for protects nobody; call another of them"],
    });
    assert.deepEqual([...endIn(stage).cosigned], cosigned);
    assert.deepEqual(
      ALL.map((person) => headOf(stage, person)),
      before,
    );
  });
}

test("somebody who cannot open their identity is left out, and what they mistyped is on record behind the end", async (t) => {
  const stage = fork(t);
  const hand = ended(stage, ["ben", "cleo", "dan"]);
  const { size, root } = stage.recorder().head();
  const passphrase: Cast["passphrase"] = (person) => (person === "ana" ? "no" : `${person} drill`);
  const { closing, shown } = await finished(stage, { passphrase });
  const could = "ana could not open their identity in 5 attempts";
  assert.deepEqual(
    shown.filter((line) => !line.includes("left)")),
    [...beginning(stage, hand, size, root), `WARNING: ${could}`, carries(hand, "eve")],
  );
  assert.deepEqual(
    shown.flatMap((line) => /\(\d attempts? left\)$/.exec(line) ?? []),
    [
      "(4 attempts left)",
      "(3 attempts left)",
      "(2 attempts left)",
      "(1 attempt left)",
      "(0 attempts left)",
    ],
  );
  assert.deepEqual(closing.cosigned, ["ben", "cleo", "dan", "eve"]);
  assert.deepEqual([closing.size, stage.ledger.size], [size, size + 5]);
  assert.deepEqual(
    stage
      .entries()
      .slice(size)
      .map(({ type, ceremony, step, description, actors, data }) => [
        type,
        ceremony,
        step,
        description,
        actors,
        data,
      ]),
    [1, 2, 3, 4, 5].map((attempt) => [
      "auth.failed",
      hand.ceremony,
      "resume",
      "An attempt to open the identity of ana failed.",
      [{ person: "ana", role: "ceremony-administrator", part: "performed" }],
      { person: "ana", attempt, code: "people.authentication-failed" },
    ]),
  );
  assert.equal(endIn(stage).size, size);
});

test("who carries a longer head of this ledger stops it: the ledger was cut back", async (t) => {
  const stage = fork(t);
  ended(stage, []);
  const { size } = stage.ledger;
  const before = stage.entries();
  await stage.run(script([STEP.clock]), CAST);
  const longer = stage.ledger.size;
  stage.rewrite(before);
  await assert.rejects(finished(stage), {
    code: "ledger.shorter-than-head",
    message:
      `the ledger had ${size} entries when its head was to be cosigned, the head carried by ana has ${longer}: ` +
      `entry ${size} is the first missing one`,
  });
  assert.deepEqual(stage.ledger.cosignatures(size), []);
});
