/** What the room decides about a step that was refused before it had begun. */

import { EVERYONE } from "../console/console.ts";
import { visible } from "../lib/encoding.ts";
import { KeyriteError, messageOf } from "../lib/errors.ts";
import type { Hall } from "./hall.ts";
import type { CeremonyRecord } from "./history.ts";
import type { PlanStep } from "./plan.ts";

/** What the people in the room can put right: people, HSMs, and media that are missing, wrong or read-only. */
const FOR_THE_ROOM = /^(?:people\.|hsm\.|site\.missing$|site\.permissions$|usage\.bad-file$)/;

/**
 * Attempts a step as often as the room wants to, while nothing of it has begun: nothing that changes an HSM is
 * repeated blindly.
 * @param open the ceremony as it stands whenever it is asked for
 * @throws whatever the last attempt threw
 */
export async function patiently(
  hall: Hall,
  step: PlanStep,
  open: () => CeremonyRecord,
  attempt: () => Promise<void>,
): Promise<void> {
  for (;;) {
    const before = open().unsettled.get(step.id)?.begunSeq;
    try {
      await attempt();
      return;
    } catch (error) {
      const { unsettled, steps } = open();
      const begun = unsettled.get(step.id)?.begunSeq !== before;
      if (!(error instanceof KeyriteError) || !FOR_THE_ROOM.test(error.code)) throw error;
      if (begun || steps.get(step.id) === "completed") throw error;
      hall.console.warn(visible(messageOf(error)));
      for (const hint of error.hints) hall.console.tell(`  ${visible(hint)}`);
      if (!(await tryAgain(hall, step))) throw error;
    }
  }
}

/** Whether it is tried again from its beginning; else the ceremony stops here. */
async function tryAgain({ console }: Hall, step: PlanStep): Promise<boolean> {
  const answer = await console.choose({
    step: step.id,
    id: "again",
    to: EVERYONE,
    text: `step ${step.n} has not begun, and the refusal is recorded. What now?`,
    choices: [
      { value: "again", label: `try step ${step.n} again, from its beginning` },
      { value: "stop", label: "stop the ceremony here" },
    ],
    preset: "stop",
  });
  return answer === "again";
}
