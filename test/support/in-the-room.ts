/** Lets a test look into the room of a real step, at the moment when the action makes its subject. */

import assert from "node:assert/strict";
import type { Action, BoundStep, Room } from "../../src/ceremony/action.ts";
import { ACTIONS } from "../../src/actions/index.ts";
import { planRestore } from "../../src/actions/lib/plan-restore.ts";
import { KeyriteError } from "../../src/lib/errors.ts";
import { backUp, generate, lock } from "./backup-stage.ts";
import { withTokens } from "./kek-stage.ts";
import { CAST } from "./stage-scripts.ts";
import type { Cast, Stage } from "./stage.ts";

/** Backups that `backedUpSixTimes` makes, oldest first. */
export const GENERATIONS = [1, 2, 3, 4, 5, 6];
const KEYS = ["root-g1", "sub-a"];

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

/** Two keys, backed up six times. */
export async function backedUpSixTimes(stage: Stage): Promise<void> {
  const list = `[${KEYS.join(", ")}]`;
  const backups = GENERATIONS.map((n) => backUp(list, ", proveOn: beta", `-${n}`));
  await stage.run(
    withTokens(["alpha", "beta"], [...KEYS.map((key) => generate(key)), ...backups, lock(list)]),
    CAST,
  );
}

interface Asked {
  readonly backup: string;
  readonly older: boolean;
}

/** What comes of asking for a restore in a room: its backup's name, or the code of the refusal. */
export async function askingToRestore(room: Room, { backup, older }: Asked): Promise<string> {
  const keys = "all-ca-keys" as const;
  const under = "backup-kek";
  try {
    const p = { token: "beta", keys, under, backup, from: "onsite", older };
    const { data } = await planRestore(p, room);
    return data.backup;
  } catch (error) {
    assert.ok(error instanceof KeyriteError, String(error));
    return error.code;
  }
}

/** Counts what the tokens are asked to unwrap. */
export function unwraps({ rig }: Stage): () => number {
  let count = 0;
  rig.faults.before = (call) => {
    if (call === "unwrapKey" || call === "unwrapKeyNow") count += 1;
  };
  return () => count;
}
