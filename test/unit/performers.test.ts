/** Who performs a step: one person for each role it names, chosen by the room only where more are there. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Participant } from "../../src/ceremony/action.ts";
import type { Hall } from "../../src/ceremony/hall.ts";
import { performersOf } from "../../src/ceremony/performers.ts";
import type { PlanStep } from "../../src/ceremony/plan.ts";
import { EVERYONE, type ChoiceQuestion } from "../../src/console/console.ts";
import { makePerson } from "../support/identities.ts";
import { StageConsole } from "../support/stage-console.ts";

const NAMES = ["ana", "ben", "cleo", "dan"];
const PEOPLE = await Promise.all(
  NAMES.map(async (person): Promise<Participant> => {
    const role = person === "ana" ? "ceremony-administrator" : "custodian";
    return { person, role, card: (await makePerson(person)).card };
  }),
);

/** Who performs a step of these roles when the room answers this, and what the room was asked. */
async function chosen(
  by: PlanStep["by"],
  answers: readonly string[] = [],
): Promise<{ people: readonly string[]; asked: readonly ChoiceQuestion[] }> {
  const console = new StageConsole({ present: {} });
  const asked: ChoiceQuestion[] = [];
  console.choose = (question) => {
    asked.push(question);
    return Promise.resolve(answers[asked.length - 1] ?? question.preset ?? "");
  };
  const step = { id: "activate", n: 3, by } as PlanStep;
  const people = await performersOf({ console } as Partial<Hall> as Hall, step, PEOPLE);
  return { people: people.map(({ person }) => person), asked };
}

test("a step by everyone is performed by everybody who attends, unasked", async () => {
  assert.deepEqual(await chosen("everyone"), { people: NAMES, asked: [] });
});

test("as many as are there are not chosen among, in the order of the roll", async () => {
  const all = ["custodian", "ceremony-administrator", "custodian", "custodian"] as const;
  assert.deepEqual(await chosen(all), { people: ["ben", "ana", "cleo", "dan"], asked: [] });
});

test("where more attend than are needed the room chooses, the first who is free unless it says otherwise", async () => {
  const { people, asked } = await chosen(["custodian", "custodian"], ["cleo"]);
  assert.deepEqual(people, ["cleo", "ben"]);
  const choices = (...names: readonly string[]): readonly object[] =>
    names.map((value) => {
      const name = PEOPLE.find(({ person }) => person === value)?.card.name ?? "";
      return { value, label: `${name} (${value})` };
    });
  const question = { step: "activate", id: "who", to: EVERYONE };
  const text = "who acts as custodian in step 3?";
  assert.deepEqual(asked, [
    { ...question, text, choices: choices("ben", "cleo", "dan"), preset: "ben" },
    { ...question, text, choices: choices("ben", "dan"), preset: "ben" },
  ]);
});

test("a role that nobody has left to fill stops the step before it is opened", async () => {
  for (const [by, role] of [
    [["auditor"], "auditor"],
    [["ceremony-administrator", "ceremony-administrator"], "ceremony-administrator"],
  ] as const) {
    await assert.rejects(chosen(by), {
      code: "people.quorum-not-met",
      message: `nobody attends as ${role}`,
    });
  }
});

test("an answer that was not offered is never a person", async () => {
  await assert.rejects(chosen(["custodian"], ["ana"]), {
    message: "a choice outside the list was returned",
  });
});
