/**
 * Locks keys for good: none of them can leave the token any more. Closes what `generate-key` with
 * `backup: wrap` has opened.
 */

import { defineAction, type Act, type Room } from "../ceremony/action.ts";
import { tokenIsActive } from "../ceremony/conditions.ts";
import type { KeyListItem } from "../ceremony/key-list.ts";
import { label } from "../ceremony/words.ts";
import type { LockedKey } from "../hsm/backup.ts";
import type { JsonObject } from "../lib/json.ts";
import { z } from "../lib/schema.ts";
import { attributeList } from "./lib/attributes.ts";
import {
  agreedKeys,
  attachKeys,
  inGroups,
  isListed,
  keyChoice,
  publicKeyOf,
  saidKeys,
} from "./lib/key-lists.ts";
import { countedProgress } from "./lib/counted-progress.ts";
import { canBeLocked, wrappableKeys } from "./lib/wrappable.ts";

const params = () => z.strictObject({ token: label, keys: keyChoice() });
type Params = z.infer<ReturnType<typeof params>>;

interface Listed extends JsonObject {
  readonly keyList: string;
  readonly keys: number;
}
interface Locked extends Listed {
  /** Keys foreseen when planning; the outcomes of the batch bear the facts of a real run. */
  readonly foreseen: readonly string[];
  readonly waivers: readonly string[];
}

export const lockKey = defineAction<Params, Listed, Locked>({
  name: "lock-key",
  control: "dual",
  params,
  facts: ["key.locked"],
  instruction: (p) =>
    `Lock ${saidKeys(p.keys)} on token ${p.token} for good: nothing can take a locked key out of it.`,
  requires: (p) => [tokenIsActive(p.token), ...canBeLocked(p.token, p.keys)],
  forecast: (p, custody) => ({
    keyList: "",
    keys: 0,
    foreseen: wrappableKeys(custody, p.token, p.keys).map(({ spki }) => spki),
    waivers: [],
  }),
  establishes: (p, { foreseen }) =>
    foreseen.map((spki) => ({ kind: "key.locked", spki, token: p.token })),
  admits: (p, { keyList }, fact, cited) =>
    fact.kind === "key.locked" && fact.token === p.token && isListed(cited, keyList, fact.spki),
  subject(p, room) {
    const items = wrappableKeys(room.custody, p.token, p.keys);
    const { keyList, shown } = attachKeys(room, items);
    return Promise.resolve({
      data: { keyList, keys: items.length },
      shown: [`To be locked for good on token ${p.token}:`, ...shown],
    });
  },
  async run(p, room, act) {
    const { keyList, keys } = act.subject;
    const items = agreedKeys(room, keyList);
    const waivers = await lockAll(p, room, act, items);
    for (const waiver of waivers) room.console.warn(waiver);
    room.console.tell(
      `${items.length} of ${items.length} ${items.length === 1 ? "key is" : "keys are"} locked and read back on token ${p.token}.`,
    );
    return { keyList, keys, foreseen: [], waivers };
  },
  // Locking what is locked changes nothing, so whatever is in doubt is simply locked and read back.
  settle: (p, _room, { done }) =>
    Promise.resolve({
      shown: [
        `${done.size} keys on token ${p.token} are locked and on record. Finish locks the others, and those in doubt once more.`,
      ],
      data: { locked: done.size },
      choices: ["finish"],
    }),
});

async function lockAll(
  p: Params,
  room: Room,
  act: Act<Listed>,
  items: readonly KeyListItem[],
): Promise<readonly string[]> {
  const session = room.tokens.session(p.token);
  const waivers = new Set<string>();
  const progress = countedProgress(room, `locking on ${p.token}`, items.length);
  try {
    const undone = items.filter(({ spki }) => !act.batch.done.has(spki));
    progress.done(items.length - undone.length);
    for (const group of inGroups(undone)) {
      act.batch.intend(group.map(({ spki, ckaId }) => ({ item: spki, ckaId })));
      const locked = await session.lockKeys(
        group.map(({ spki, ckaId }) => ({ ckaId, spki: publicKeyOf(room, spki) })),
      );
      act.batch.record(group.map((item, at) => outcome(p, item, locked[at])));
      for (const waiver of locked.flatMap((one) => one.waivers)) waivers.add(waiver);
      progress.done(group.length);
    }
  } finally {
    progress.end();
  }
  return [...waivers];
}

function outcome(p: Params, { spki, ckaId }: KeyListItem, locked: LockedKey | undefined) {
  if (locked?.ckaId !== ckaId) throw new Error("a locked key is missing from the token's answers");
  const { attributes, waivers } = locked;
  return {
    item: spki,
    evidence: { ckaId, attributes: attributeList(attributes), waivers: [...waivers] },
    facts: [{ kind: "key.locked", spki, token: p.token }] as const,
  };
}
