/** Lets a test look into the room of a real step, at the moment when the action makes its subject. */

import type { Action, BoundStep, Room } from "../../src/ceremony/action.ts";
import { ACTIONS } from "../../src/actions/index.ts";
import type { Cast, Stage } from "./stage.ts";

/** Conducts a script; `look` is called in the room of the first step of this action, before its subject is made. */
export async function inTheRoom(
  stage: Stage,
  action: string,
  [yaml, cast]: readonly [string, Cast],
  look: (room: Room) => Promise<void>,
): Promise<void> {
  const seen: Room[] = [];
  const watched = ({ ...step }: BoundStep): BoundStep => ({
    ...step,
    subject: async (room) => {
      seen.push(room);
      if (seen.length === 1) await look(room);
      return step.subject(room);
    },
  });
  stage.actions = ACTIONS.map((one): Action => {
    if (one.name !== action) return one;
    return { ...one, params: one.params, bind: (values) => watched(one.bind(values)) };
  });
  try {
    await stage.run(yaml, cast);
  } finally {
    stage.actions = ACTIONS;
  }
  if (seen.length === 0) throw new Error(`no step of the script is ${action}`);
}
