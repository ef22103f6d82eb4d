/** Steps whose agreements are missing, forged, replayed or stale: the fold gives them no authority, and no ceremony with one conforms. */

import { test, type TestContext } from "node:test";
import { sha256Hex } from "../../src/lib/encoding.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { performed, refused } from "../support/forged-ceremony.ts";
import { as, type Hand } from "../support/hand.ts";
import { HONEST } from "../support/hand-steps.ts";
import { stageTests } from "../support/stage-tests.ts";
import type { Stage } from "../support/stage.ts";

const fork = await stageTests();

/** Performs up to adopt, whose agreements `forge` makes instead. */
function adoptWith(
  t: TestContext,
  forge: (hand: Hand, data: JsonObject) => number,
): [Stage, number] {
  const stage = fork(t);
  const hand = performed(stage, ["roll-call", "clock", "attest"]);
  const seq = forge(hand, HONEST["adopt"]?.(stage).data ?? {});
  hand.perform("policy");
  hand.close();
  return [stage, seq];
}

function completeAdopt(hand: Hand, opening: ReturnType<Hand["open"]>): number {
  return hand.complete(opening, HONEST["adopt"]?.(hand.stage).facts ?? []);
}

const PEOPLE: Readonly<
  Record<string, (hand: Hand, opening: ReturnType<Hand["open"]>) => readonly string[]>
> = {
  nobody: () => [],
  "one person": (hand, opening) => [hand.sign(opening, "ana", "ceremony-administrator")],
  "one person twice": (hand, opening) => [
    hand.sign(opening, "ana", "ceremony-administrator"),
    hand.sign(opening, "ana", "internal-witness"),
  ],
  "a custodian in the witness's place": (hand, opening) =>
    as("ana", "ben").map(({ person, role }) => hand.sign(opening, person, role)),
  "somebody in a role they were not called in": (hand, opening) => [
    hand.sign(opening, "ana", "ceremony-administrator"),
    hand.sign(opening, "ben", "internal-witness"),
  ],
  "somebody's name that another signed": (hand, opening) => [
    hand.sign(opening, "ana", "ceremony-administrator"),
    hand.forge(opening, "eve", "internal-witness", "ana"),
  ],
};

for (const [who, notes] of Object.entries(PEOPLE)) {
  test(`Q08: a step with the agreement of ${who}`, (t) => {
    const [stage, seq] = adoptWith(t, (hand, data) => {
      const opening = hand.open("adopt", { data });
      hand.begin(opening, notes(hand, opening));
      return completeAdopt(hand, opening);
    });
    refused(stage, `authority adopt 4 ${seq}`);
  });
}

const REPLAYS: Readonly<Record<string, Parameters<Hand["sign"]>[3]>> = {
  "to another step": { step: { n: 3, digest: "0".repeat(64) } },
  "to another plan": { plan: sha256Hex("another plan") },
  "to what was not shown": { subject: sha256Hex("another subject") },
  "under another policy": { policy: sha256Hex("another policy") },
  "at another head": { opened: { size: 3, root: "0".repeat(64) } },
  "with another nonce": { nonce: "0".repeat(32) },
  "in another ceremony": { ceremony: "20261123-staged-aaaa" },
  "on another build": { software: sha256Hex("another build") },
  "to undo it": { decision: "undo" },
};

for (const [what, changes] of Object.entries(REPLAYS)) {
  test(`Q11: an agreement ${what} does not begin this step`, (t) => {
    const [stage, seq] = adoptWith(t, (hand, data) => {
      const opening = hand.open("adopt", { data });
      const notes = as("ana", "eve").map(({ person, role }) =>
        hand.sign(opening, person, role, changes),
      );
      hand.begin(opening, notes);
      return completeAdopt(hand, opening);
    });
    refused(stage, `authority adopt 4 ${seq - 1}`, `authority adopt 4 ${seq}`);
  });
}

test("Q11: agreements of one step, carried over to the next attempt at it", (t) => {
  const [stage, seq] = adoptWith(t, (hand, data) => {
    const first = hand.open("adopt", { data });
    const notes = as("ana", "eve").map(({ person, role }) => hand.sign(first, person, role));
    hand.append({ type: "step.refused", outcome: "refused", step: "adopt" });
    const second = hand.open("adopt", { data, nonce: "2".repeat(32) });
    hand.begin(second, notes);
    return completeAdopt(hand, second);
  });
  refused(stage, `authority adopt 4 ${seq}`);
});

test("Q11: agreements that had expired when the step began", (t) => {
  const [stage, seq] = adoptWith(t, (hand, data) => {
    const opening = hand.open("adopt", { data });
    const notes = as("ana", "eve").map(({ person, role }) => hand.sign(opening, person, role));
    hand.stage.clock.time += 600_001;
    hand.begin(opening, notes);
    return completeAdopt(hand, opening);
  });
  refused(stage, `authority adopt 4 ${seq - 1}`, `authority adopt 4 ${seq}`);
});

test("Q12: facts other than those that were agreed to", (t) => {
  const [stage, seq] = adoptWith(t, (hand, data) => {
    const opening = hand.open("adopt", { data });
    hand.begin(
      opening,
      as("ana", "eve").map(({ person, role }) => hand.sign(opening, person, role)),
    );
    const facts = HONEST["adopt"]?.(hand.stage).facts ?? [];
    return hand.complete(
      opening,
      facts.map((fact) => ({ ...fact, serial: "another" })),
    );
  });
  refused(stage, `authority adopt 4 ${seq}`);
});
