/** A close that was interrupted is finished: what the room reads, who cosigns, and who carries the head then. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Participant } from "../../src/ceremony/action.ts";
import { finishClose } from "../../src/ceremony/finish-close.ts";
import { digestLines } from "../../src/ceremony/spoken.ts";
import type { Hand } from "../support/hand.ts";
import { StageConsole, type Cast } from "../support/stage-console.ts";
import { CAST, script, STEP } from "../support/stage-scripts.ts";
import { stageTests } from "../support/stage-tests.ts";
import type { Stage } from "../support/stage.ts";
import { ALL, ended, endIn, participants } from "../support/unfinished-close.ts";

const fork = await stageTests();

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
