/** A ceremony that ended before everybody had cosigned its head. */

import assert from "node:assert/strict";
import type { Participant } from "../../src/ceremony/action.ts";
import { custodyDigest } from "../../src/ceremony/custody-json.ts";
import { endOf } from "../../src/ceremony/finish-close.ts";
import { as, Hand } from "./hand.ts";
import { ROLL, script, STEP } from "./stage-scripts.ts";
import type { Stage } from "./stage.ts";

export const ALL = Object.keys(ROLL);

/** A ceremony that ended in an entry that names these people, and whose head those others cosigned. */
export function ended(stage: Stage, cosigned: readonly string[], named = as(...ALL)): Hand {
  const hand = new Hand(stage, script([STEP.clock]));
  hand.perform("roll-call");
  hand.perform("clock");
  const actors = named.map((one) => ({ ...one, part: "recorded" as const }));
  const data = { custody: custodyDigest(stage.history.custody) };
  hand.append({ type: "ceremony.closed", step: "close", actors, data });
  hand.cosign(cosigned);
  return hand;
}

export const endIn = (stage: Stage): NonNullable<ReturnType<typeof endOf>> =>
  endOf(stage.history, stage.ledger) ?? assert.fail("nothing has ended");

export const participants = (stage: Stage, ...people: readonly string[]): readonly Participant[] =>
  as(...people).map((one) => ({ ...one, card: stage.person(one.person).card }));
