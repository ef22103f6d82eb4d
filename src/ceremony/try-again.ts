/** What the room decides about a step that was refused before it had begun. */

import { EVERYONE } from "../console/console.ts";
import type { Hall } from "./hall.ts";
import type { PlanStep } from "./plan.ts";

/** Whether it is tried again from its beginning; else the ceremony stops here. */
export async function tryAgain({ console }: Hall, step: PlanStep): Promise<boolean> {
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
