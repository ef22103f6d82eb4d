/**
 * Q10: a clock sweep around the end of a date, of vetting and of training, of the first and of the second of two people:
 * an agreement, a roll call, a vouch and a cosignature count up to the last millisecond of the day, and none after.
 */

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { cardDigest, formatCard } from "../../src/people/card.ts";
import { figure } from "../support/fault-run.ts";
import { as, Hand } from "../support/hand.ts";
import { CAST, foundedStage, script, STEP } from "../support/stage-scripts.ts";
import type { Stage } from "../support/stage.ts";

const LAST = "2026-11-25";
const BEFORE = `${LAST}T23:50:00.000Z`;
const MOMENTS: Readonly<Record<string, boolean>> = {
  [`${LAST}T23:59:59.000Z`]: true,
  [`${LAST}T23:59:59.999Z`]: true,
  "2026-11-26T00:00:00.000Z": false,
  "2026-11-26T00:00:00.001Z": false,
  "2026-11-26T00:00:01.000Z": false,
};
const PAIR = as("ana", "eve");

const stage = await foundedStage();
after(() => {
  stage.remove();
});

/** Each does something of the two at a time, in a ceremony that began before, and says whether it counted. */
const ACTS: Readonly<Record<string, (at: Stage, time: number, dated: string) => boolean>> = {
  agreement: (at, time) => {
    const hand = new Hand(at, script([STEP.adopt]));
    hand.callRoll(as("ana", "ben", "eve"));
    at.clock.time = time;
    hand.perform("adopt");
    return at.history.custody.tokens.has("beta");
  },
  "roll call": (at, time) => {
    const hand = new Hand(at, script([STEP.adopt]));
    at.clock.time = time;
    hand.callRoll(as("ana", "ben", "eve"));
    return at.history.custody.attending.length === 3;
  },
  vouch: (at, time) => {
    const hand = new Hand(at, script([STEP.enroll.replace("fay", "mallory")]));
    hand.callRoll(as("ana", "ben", "eve"));
    at.clock.time = time;
    const { card } = at.person("mallory");
    const candidate = { person: "mallory", card: cardDigest(card) };
    const data = { candidate, roles: ["custodian"], reference: "file 4711" };
    const { roles, reference } = data;
    hand.perform("enroll", {
      who: [...PAIR, ...as("mallory")],
      data,
      facts: [{ kind: "person.enrolled", ...candidate, roles, reference }],
      attached: [{ mediaType: "application/json", bytes: formatCard(card) }],
    });
    return at.history.custody.people.has("mallory");
  },
  cosignature: (at, time, dated) => {
    const hand = new Hand(at, script([STEP.adopt]));
    hand.callRoll(as("ana", "ben", "cleo", "eve").filter(({ person }) => person !== dated));
    at.clock.time = time;
    hand.close(["ana", "eve"]);
    return at.judge().cosigned === at.ledger.size;
  },
};

for (const date of ["vettedUntil", "trainedUntil"] as const) {
  for (const [place, person] of [
    ["first", "ana"],
    ["second", "eve"],
  ] as const) {
    test(`Q10: of ${date} of the ${place} of two people nothing counts from midnight on`, async () => {
      const dated = stage.fork();
      const renew = STEP.renew.replace(
        "ben, vettedUntil: 2027-11-30",
        `${person}, ${date}: ${LAST}`,
      );
      await dated.run(script([STEP.clock, renew]), CAST);
      const counts = { acts: 0, counted: 0, refused: 0, wrong: 0 };
      for (const [what, act] of Object.entries(ACTS)) {
        for (const [moment, good] of Object.entries(MOMENTS)) {
          const at = dated.fork();
          at.clock.time = Date.parse(BEFORE);
          const counted = act(at, Date.parse(moment), person);
          counts.acts += 1;
          counts[counted ? "counted" : "refused"] += 1;
          if (counted !== good) {
            counts.wrong += 1;
            process.stdout.write(`wrong: ${what} at ${moment}\n`);
          }
          at.remove();
        }
      }
      dated.remove();
      figure("Q10", `acts around the end of ${date} of the ${place} person`, counts);
      assert.deepEqual(counts, { acts: 20, counted: 8, refused: 12, wrong: 0 });
    });
  }
}
