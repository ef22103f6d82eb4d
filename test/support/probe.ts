/** Lends the room of a real step to a test: what an action sees there, the test sees too. */

import { ACTIONS } from "../../src/actions/index.ts";
import { defineAction, type Room } from "../../src/ceremony/action.ts";
import { z } from "../../src/lib/schema.ts";
import { kekStep, withTokens } from "./kek-stage.ts";
import { CAST } from "./stage-scripts.ts";
import type { Stage } from "./stage.ts";

export type Inside = (
  tokens: readonly string[],
  work: (room: Room) => Promise<unknown>,
) => Promise<void>;

/** Teaches the stage an action without facts; returns what runs work in its room, with tokens active. */
export function probing(stage: Stage): Inside {
  let inRoom: (room: Room) => Promise<unknown> = () => Promise.resolve();
  const probe = defineAction({
    name: "probe",
    control: "dual",
    params: () => z.strictObject({}),
    facts: [],
    instruction: () => "Look around.",
    forecast: () => ({}),
    async run(_, room) {
      await inRoom(room);
      return {};
    },
  });
  stage.actions = [...ACTIONS, probe];
  stage.judge();
  return async (tokens, work) => {
    inRoom = work;
    await stage.run(withTokens(tokens, [kekStep("probe", "")]), CAST);
  };
}
