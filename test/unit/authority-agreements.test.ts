/** Agreements that were never given to this step, at this moment, by this person: none of them counts. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { timestamp } from "../../src/lib/clock.ts";
import { sha256Hex } from "../../src/lib/encoding.ts";
import type { Agreement } from "../../src/people/agreement.ts";
import { Hand, type Opening } from "../support/hand.ts";
import { HONEST } from "../support/hand-steps.ts";
import { script, STEP } from "../support/stage-scripts.ts";
import { assertFound, believed, stageTests } from "../support/stage-tests.ts";
import type { Stage } from "../support/stage.ts";

const ADMINISTRATOR = "ceremony-administrator";
const YAML = script([STEP.clock, STEP.adopt]);
const fork = await stageTests();

/** What was honestly agreed to before the step that the attack is about. */
interface Past {
  readonly otherStep: string;
  readonly otherCeremony: string;
  readonly earlierOpening: string;
  readonly declined: string;
}

interface Scene {
  readonly stage: Stage;
  readonly hand: Hand;
  readonly opening: Opening;
  readonly past: Past;
}

function adoptionOf(stage: Stage): { readonly data: Opening["data"] } {
  return { data: HONEST["adopt"]?.(stage).data ?? {} };
}

/** A ceremony in which the adoption of a token has just been opened, once more. */
function scene(stage: Stage): Scene {
  const before = Hand.upTo(stage, YAML, "clock");
  const otherCeremony = before.sign(before.open("adopt", adoptionOf(stage)), "ana", ADMINISTRATOR);
  before.append({ type: "step.refused", outcome: "refused", step: "adopt" });
  before.close();
  stage.clock.time += 60_000;
  const hand = new Hand(stage, YAML);
  hand.perform("roll-call");
  const clock = hand.open("clock", { data: { source: "s", offsetSeconds: 0, machine: "m" } });
  const otherStep = hand.sign(clock, "ana", ADMINISTRATOR);
  hand.append({ type: "step.refused", outcome: "refused", step: "clock" });
  const first = hand.open("adopt", adoptionOf(stage));
  const earlierOpening = hand.sign(first, "ana", ADMINISTRATOR);
  hand.append({ type: "step.refused", outcome: "refused", step: "adopt" });
  const opening = hand.open("adopt", adoptionOf(stage));
  const declined = hand.sign(opening, "ana", ADMINISTRATOR, { decision: "decline" });
  return { stage, hand, opening, past: { otherStep, otherCeremony, earlierOpening, declined } };
}

type Attack = readonly [note: (scene: Scene) => string, problem: RegExp];

const replays: Readonly<Record<string, Attack>> = {
  "of another step of the same ceremony": [({ past }) => past.otherStep, /for another step/],
  "of another ceremony": [({ past }) => past.otherCeremony, /for another ceremony/],
  "of an earlier opening of the same step": [
    ({ past }) => past.earlierOpening,
    /for another head of the ledger/,
  ],
  "that declines": [({ past }) => past.declined, /for another decision/],
  "that somebody else signed": [
    ({ hand, opening }) => hand.forge(opening, "ana", ADMINISTRATOR, "mallory"),
    /agreement is refused/,
  ],
  "of somebody who is not on the roster": [
    ({ hand, opening }) => hand.sign(opening, "mallory", ADMINISTRATOR),
    /mallory is not on the roster/,
  ],
  "that is no note": [() => "I agree", /the note has no blank line/],
};

/** One member differs from what it must say. */
const changes: Readonly<
  Record<string, readonly [(agreement: Agreement, stage: Stage) => Partial<Agreement>, RegExp]>
> = {
  "to another subject": [() => ({ subject: sha256Hex("other") }), /for another subject/],
  "to no subject": [() => ({ subject: null }), /for another subject/],
  "under another policy": [() => ({ policy: sha256Hex("other") }), /for another policy/],
  "to another plan": [() => ({ plan: sha256Hex("other") }), /for another plan/],
  "with another build": [() => ({ software: sha256Hex("other") }), /another build of the software/],
  "for another site": [() => ({ origin: "example.org/dc2/test" }), /for another origin/],
  "with another nonce": [() => ({ nonce: "0".repeat(32) }), /for another nonce/],
  "to this step with another number": [
    ({ step }) => ({ step: { ...step, n: step.n + 1 } }),
    /for another step/,
  ],
  "to another step with this number": [
    ({ step }) => ({ step: { ...step, digest: sha256Hex("other") } }),
    /for another step/,
  ],
  "on another head of this size": [
    ({ opened }) => ({ opened: { ...opened, root: sha256Hex("other") } }),
    /for another head of the ledger/,
  ],
  "on an older head": [
    ({ opened }) => ({ opened: { ...opened, size: opened.size - 1 } }),
    /for another head of the ledger/,
  ],
  "to finish what is in doubt": [() => ({ decision: "finish" }), /for another decision/],
  "to abandon the ceremony": [() => ({ decision: "abandon" }), /for another decision/],
  "to adopt a tail": [() => ({ decision: "adopt 1" }), /for another decision/],
  "that has expired": [(_, { clock }) => ({ expires: timestamp(clock.time - 1) }), /had expired/],
  "with too long a life": [
    (_, { clock }) => ({ expires: timestamp(clock.time + 600_001) }),
    /lives longer than the policy allows/,
  ],
  "from the future": [
    (_, { clock }) => ({ expires: timestamp(clock.time + 366 * 86_400_000) }),
    /lives longer than the policy allows/,
  ],
};

for (const [what, [change, problem]] of Object.entries(changes)) {
  attack(what, [
    ({ hand, opening, stage }) => {
      const honest = { ...opening.expected, person: "ana", role: ADMINISTRATOR, expires: "" };
      return hand.sign(opening, "ana", ADMINISTRATOR, change(honest, stage));
    },
    problem,
  ]);
}
for (const [what, one] of Object.entries(replays)) attack(what, one);

function attack(what: string, [note, problem]: Attack): void {
  test(`Q11: an agreement ${what} does not count`, (t) => {
    const stage = fork(t);
    const staged = scene(stage);
    const { hand, opening } = staged;
    const before = believed(stage);
    const other = hand.sign(opening, "eve", "internal-witness");
    const begun = hand.begin(opening, [note(staged), other]);
    const completed = hand.complete(opening, HONEST["adopt"]?.(stage).facts ?? []);
    assert.equal(believed(stage), before);
    assertFound(stage, begun, problem);
    assertFound(stage, completed, /no authority: 1 of 2 different people agreed/);
    assert.equal(believed(stage), before);
  });
}

test("the same step with both agreements as they must be is believed", (t) => {
  const stage = fork(t);
  const { hand, opening } = scene(stage);
  const people = [
    ["ana", ADMINISTRATOR],
    ["eve", "internal-witness"],
  ] as const;
  hand.begin(
    opening,
    people.map(([person, role]) => hand.sign(opening, person, role)),
  );
  hand.complete(opening, HONEST["adopt"]?.(stage).facts ?? []);
  assert.equal(stage.history.custody.tokens.get("beta")?.serial, "serial of beta");
  stage.judge();
  assert.deepEqual(stage.findings, []);
  assert.equal(stage.history.custody.tokens.get("beta")?.serial, "serial of beta");
});

test("Q11: an agreement works once: a second beginning with it is a finding", (t) => {
  const stage = fork(t);
  const { hand, opening } = scene(stage);
  const notes = [
    hand.sign(opening, "ana", ADMINISTRATOR),
    hand.sign(opening, "eve", "internal-witness"),
  ];
  hand.begin(opening, notes);
  const again = hand.begin(opening, notes);
  assertFound(stage, again, /begins a step that is not open/);
});

test("Q11: a nonce opens one step, ever", (t) => {
  const stage = fork(t);
  const { hand, opening } = scene(stage);
  hand.append({ type: "step.refused", outcome: "refused", step: "adopt" });
  const nonce = opening.expected.nonce;
  const again = hand.open("adopt", { ...adoptionOf(stage), nonce });
  const before = believed(stage);
  const notes = [
    hand.sign(again, "ana", ADMINISTRATOR),
    hand.sign(again, "eve", "internal-witness"),
  ];
  const begun = hand.begin(again, notes);
  const completed = hand.complete(again, HONEST["adopt"]?.(stage).facts ?? []);
  assert.equal(believed(stage), before);
  assertFound(stage, again.seq, /opens no step of the plan/);
  assertFound(stage, begun, /begins a step that is not open/);
  assertFound(stage, completed, /completes a step that was not begun/);
});
