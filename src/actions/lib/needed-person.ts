/** Whom a site cannot do without: two people who may act, and one in each role that the policy wants as a witness. */

import type { Situation } from "../../ceremony/conditions.ts";
import type { Custody, Enrolled } from "../../ceremony/custody.ts";
import { canActTogether } from "../../ceremony/custody-people.ts";
import { ableAt, whyRunOut } from "../../ceremony/people-dates.ts";
import { datesRequired, type PolicyRules } from "../../ceremony/policy.ts";
import { KeyriteError } from "../../lib/errors.ts";
import type { Role } from "../../ceremony/words.ts";
import { timestamp } from "../../lib/clock.ts";

/**
 * What the rules could not be met in without somebody, or undefined.
 * @param nowMs milliseconds since 1970; without it nobody's dates are looked at
 */
export function whyNeeded(
  { custody, policy }: Pick<Situation, "custody" | "policy">,
  person: string,
  nowMs: number | undefined,
): string | undefined {
  const leaver = custody.people.get(person);
  if (leaver === undefined) return undefined;
  const able =
    nowMs === undefined ? [...custody.people.values()] : ableAt(custody, timestamp(nowMs));
  const others = able.filter((one) => one !== leaver);
  if (!canActTogether(others)) {
    return `without ${person} no two people could perform a step under dual control; enrol somebody first`;
  }
  const missing = rolesWanting(policy, others);
  const last = leaver.roles.find((role) => missing.includes(role));
  if (last === undefined) return undefined;
  return `${person} is the last ${last}, whom the policy wants at ceremonies; enrol another first`;
}

/** Roles that the policy wants as witnesses and that none of these people holds. */
export function rolesWanting(
  { witnesses }: Pick<PolicyRules, "witnesses">,
  people: readonly Enrolled[],
): readonly Role[] {
  const wanted = Object.values(witnesses).flat();
  return wanted.filter((role) => !people.some(({ roles }) => roles.includes(role)));
}

/**
 * Refuses a policy that requires dates of people, too few of whom have them: nobody could renew them any more.
 * @throws KeyriteError script.refused, with what each of them lacks
 */
export function refuseLockingOut(
  policy: Pick<PolicyRules, "people" | "witnesses">,
  { people }: Pick<Custody, "people">,
  nowMs: number,
): void {
  const requiredDates = datesRequired(policy);
  if (requiredDates.length === 0) return;
  const at = timestamp(nowMs);
  const able = ableAt({ people, requiredDates }, at);
  const [role] = rolesWanting(policy, able);
  if (canActTogether(able) && role === undefined) return;
  const who = canActTogether(able) ? `no ${role ?? ""}` : "no two people";
  throw new KeyriteError("script.refused", `under the new policy ${who} could act`, {
    hints: [...people.values()].flatMap((one) => whyRunOut(one, at, requiredDates) ?? []),
  });
}
