/** Who performs a step: one person for each role it calls for. */

import { EVERYONE } from "../console/console.ts";
import { KeyriteError } from "../lib/errors.ts";
import type { Participant } from "./action.ts";
import type { Hall } from "./hall.ts";
import type { PlanStep } from "./plan.ts";
import type { Role } from "./words.ts";

/** One person for each role of `by`; where more attend than are needed, the room chooses. */
export async function performersOf(
  hall: Hall,
  step: PlanStep,
  attending: readonly Participant[],
): Promise<readonly Participant[]> {
  if (step.by === "everyone") return attending;
  const chosen: Participant[] = [];
  for (const role of step.by) {
    const free = attending.filter((a) => a.role === role && !chosen.includes(a));
    const needed = step.by.filter((r) => r === role).length;
    const already = chosen.filter((c) => c.role === role).length;
    const [first] = free;
    if (first === undefined) {
      throw new KeyriteError("people.quorum-not-met", `nobody attends as ${role}`);
    }
    const choose = free.length > needed - already;
    chosen.push(choose ? await chooseOne(hall, step, role, free) : first);
  }
  return chosen;
}

async function chooseOne(
  hall: Hall,
  step: PlanStep,
  role: Role,
  free: readonly Participant[],
): Promise<Participant> {
  const answer = await hall.console.choose({
    step: step.id,
    id: "who",
    to: EVERYONE,
    text: `who acts as ${role} in step ${step.n}?`,
    choices: free.map(({ person, card }) => ({
      value: person,
      label: `${card.name} (${person})`,
    })),
    preset: free[0]?.person ?? "",
  });
  const found = free.find((p) => p.person === answer);
  if (found === undefined) throw new Error("a choice outside the list was returned");
  return found;
}
