/** New share sets: planned from the roll and the policy, shown, made, and proved by every holder. */

import type { Participant, Room } from "../../ceremony/action.ts";
import type { Role } from "../../ceremony/words.ts";
import { KeyriteError } from "../../lib/errors.ts";
import type { JsonObject } from "../../lib/json.ts";
import type { Secret } from "../../lib/secret.ts";
import { newShareSetId, type MadeShareSet } from "../../shares/make-share-set.ts";
import type { SharePurpose } from "../../shares/share-set.ts";
import { issueShareSet, proveShareSet } from "./share-sets.ts";

/** A share set as people agree to it, before it is made. */
export interface SetIntent extends JsonObject {
  readonly set: string;
  readonly threshold: number;
  readonly holders: readonly string[];
}

/**
 * Chooses the holders among those who attend in a role, in roll order.
 * @throws KeyriteError people.quorum-not-met when the policy wants more of them
 */
export function planSet(
  room: Room,
  holderRole: Role,
  rule: { readonly threshold: number; readonly holders: number },
): SetIntent {
  const able = room.people.attending.filter((a) => a.role === holderRole);
  if (able.length < rule.holders) {
    throw new KeyriteError(
      "people.quorum-not-met",
      `the policy wants ${rule.holders} holders, ${able.length} people attend as ${holderRole}`,
      { hints: ["call more holders to the roll, or change the policy in a ceremony"] },
    );
  }
  return {
    set: newShareSetId(room.random),
    threshold: rule.threshold,
    holders: able.slice(0, rule.holders).map(({ person }) => person),
  };
}

export function setLines(name: string, set: SetIntent): readonly string[] {
  return [
    `${name} set ${set.set}: any ${set.threshold} of ${set.holders.length} open it; holders ${set.holders.join(", ")}`,
  ];
}

/** Seals a secret as agreed; returns when every holder has proved their share. */
export async function splitAndProve(
  room: Room,
  intent: SetIntent & {
    readonly purpose: SharePurpose;
    /** Label of the token, or name of the KEK, that stands inside the sealed file. */
    readonly label: string;
  },
  secret: Secret,
): Promise<MadeShareSet> {
  const holders = intent.holders.flatMap((person): Participant[] => {
    const found = room.people.attending.find((a) => a.person === person);
    return found === undefined ? [] : [found];
  });
  const { set: id, threshold, purpose, label } = intent;
  const made = await issueShareSet(room, { id, purpose, threshold, token: label, holders }, secret);
  await proveShareSet(room, made, label, holders, secret);
  room.attach("application/json", made.json);
  return made;
}
