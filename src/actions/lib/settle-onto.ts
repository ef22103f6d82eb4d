/**
 * Keys that were on their way onto a token when the step was interrupted: one listing says which of the
 * group in doubt are there. They are destroyed and done anew, because nobody saw them proved.
 */

import type { Doubt, Room, Settlement } from "../../ceremony/action.ts";
import type { JsonObject } from "../../lib/json.ts";
import { agreedKeys } from "./key-lists.ts";
import { destroyPresent } from "./unwrap-onto.ts";

interface Batched extends JsonObject {
  readonly keyList: string;
}

/** Looks at the token; changes nothing. */
export async function settleOnto(
  room: Room,
  token: string,
  { intent, group, done }: Doubt<Batched>,
): Promise<Settlement> {
  const inventory = await room.tokens.session(token).inventory();
  const ids = new Set(inventory.map(({ ckaId }) => ckaId));
  const proved = new Set(inventory.map(({ spkiSha256, ckaId }) => `${spkiSha256 ?? ""} ${ckaId}`));
  const keys = agreedKeys(room, intent.keyList);
  const lost = keys.filter(({ spki, ckaId }) => done.has(spki) && !proved.has(`${spki} ${ckaId}`));
  const present = inDoubt(group, done).filter((ckaId) => ids.has(ckaId));
  const shown = [
    `Token ${token}: ${done.size} of ${keys.length} keys are on it, proved and on record; they stay.`,
    group === null
      ? "No group of keys is in doubt."
      : `In doubt are ${inDoubt(group, done).length} keys of one group; ${present.length} of them have objects on the token.`,
    ...present.slice(0, 5).map((ckaId) => `  CKA_ID ${ckaId}`),
  ];
  const data = { present };
  if (lost.length === 0) {
    const finish = "Finish destroys what is in doubt and goes on";
    // A key on record is on the token for good: a step that has brought some cannot be performed anew.
    return done.size === 0
      ? {
          shown: [...shown, `${finish}; undo only destroys it.`],
          data,
          choices: ["finish", "undo"],
        }
      : { shown: [...shown, `${finish}.`], data, choices: ["finish"] };
  }
  const first = lost[0]?.label ?? "";
  return {
    shown: [...shown, `LOST: ${lost.length} keys on record are not on it, the first is ${first}.`],
    data,
    choices: ["undo"],
  };
}

/** Destroys what the finding named: objects of the group in doubt, and nothing else. */
export async function clearDoubt(room: Room, token: string, settled: JsonObject): Promise<void> {
  const { present } = settled;
  const ids = Array.isArray(present) ? present.map((ckaId) => ({ ckaId: String(ckaId) })) : [];
  if (ids.length === 0) return;
  const count = await destroyPresent(room.tokens.session(token), ids);
  room.console.tell(`${count} keys in doubt were destroyed on token ${token}, and looked for.`);
}

function inDoubt(group: Doubt<Batched>["group"], done: ReadonlySet<string>): readonly string[] {
  return (group?.items ?? []).filter(({ item }) => !done.has(item)).map(({ ckaId }) => ckaId);
}
