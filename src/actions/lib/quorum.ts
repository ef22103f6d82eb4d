/** The share set that opens a token, and whether the people of a step can open it. */

import type { Participant } from "../../ceremony/action.ts";
import { condition, type Condition } from "../../ceremony/conditions.ts";
import { shareSetName, type Custody, type ShareSetCustody } from "../../ceremony/custody.ts";
import { KeyriteError } from "../../lib/errors.ts";

export type PinPurpose = "activation" | "security-officer";

const SAID: Readonly<Record<PinPurpose, string>> = {
  activation: "activation share set",
  "security-officer": "security-officer share set",
};

/** The token's current set for a purpose. @throws KeyriteError script.refused */
export function currentSet(custody: Custody, token: string, purpose: PinPurpose): ShareSetCustody {
  const ref = custody.tokens.get(token)?.sets[purpose];
  const set = ref === undefined ? undefined : custody.shareSets.get(shareSetName(ref));
  if (set !== undefined) return set;
  throw new KeyriteError("script.refused", `token ${token} has no ${SAID[purpose]}`);
}

export function tokenHasSet(token: string, purpose: PinPurpose): Condition {
  return condition(
    "token",
    ({ custody }) =>
      custody.tokens.get(token)?.sets[purpose] === undefined &&
      `token ${token} has no ${SAID[purpose]}`,
  );
}

/**
 * Who of the performers brings shares; all of them have to hold one, and be enough.
 * @throws KeyriteError people.quorum-not-met, people.share-rejected
 */
export function quorumOf(
  { set, threshold, holders }: ShareSetCustody,
  performers: readonly Participant[],
): readonly string[] {
  const people = performers.map(({ person }) => person);
  const stranger = people.find((person) => !holders.includes(person));
  if (stranger === undefined && people.length >= threshold) return people;
  throw new KeyriteError(
    stranger === undefined ? "people.quorum-not-met" : "people.share-rejected",
    stranger === undefined
      ? `set ${set} needs ${threshold} holders, the step calls for ${people.length}`
      : `${stranger} holds no share of set ${set}`,
    { hints: [`holders: ${holders.join(", ")}`] },
  );
}

/** What the room reads of a set and of who brings its shares. */
export function quorumLine(custody: ShareSetCustody, people: readonly string[]): string {
  const { threshold, holders } = custody;
  const brought = `${people.join(" and ")} bring theirs`;
  return `Share set ${shareSetName(custody)}: any ${threshold} of ${holders.length} open it; ${brought}.`;
}
