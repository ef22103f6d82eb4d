/**
 * Drills: a step that fails does not stop them, for what cleans up and judges must still be performed. The
 * first failure is what the ceremony ends with, although it is closed.
 */

import { KeyriteError } from "../lib/errors.ts";
import type { Custody } from "./custody.ts";
import type { CeremonyRecord, StepInDoubt } from "./history.ts";
import type { Plan, PlanStep } from "./plan.ts";
import { mayRecord, type Recorder } from "./recorder.ts";
import { takingBack } from "./resume.ts";
import type { Decided } from "./step-aim.ts";
import { StepRun, type StepRunParts } from "./step-run.ts";

/** Whether a drill goes on after this: not after a bug, an interruption, or when nothing can be recorded. */
export function isDrillFailure(plan: Plan, error: unknown): error is KeyriteError {
  return (
    plan.script.drill &&
    error instanceof KeyriteError &&
    mayRecord(error) &&
    !["internal.", "interrupted.", "halted.interrupted", "halted.in-doubt"].some((code) =>
      error.code.startsWith(code),
    )
  );
}

/** Whether a step of a drill ended without success: it is not performed again. */
export function hasFailed(open: Pick<CeremonyRecord, "steps" | "progress">, step: string): boolean {
  const outcome = open.steps.get(step);
  const undone = open.progress.get(step)?.code === "halted.undone";
  return outcome === "refused" || (outcome === "failed" && !undone);
}

/** The first failure on record, for a drill that is gone on with after an interruption. */
export function recordedFailure(
  open: Pick<CeremonyRecord, "steps" | "progress">,
  plan: Pick<Plan, "script" | "steps">,
): KeyriteError | undefined {
  if (!plan.script.drill) return undefined;
  const failed = plan.steps.find(({ id }) => hasFailed(open, id));
  if (failed === undefined) return undefined;
  const why = open.progress.get(failed.id)?.message ?? "it failed";
  return new KeyriteError("hsm.drill-failed", `step ${failed.n} (${failed.id}) failed: ${why}`);
}

/**
 * Settles what a failed step of a drill may have left, before the drill goes on: no later step knows of it, and a
 * drill must not close over a key that nobody recorded.
 * @throws KeyriteError when the token does not even answer: the drill stops and stays open
 */
export async function settleFailed(parts: StepRunParts, left: StepInDoubt): Promise<void> {
  let decided: Decided | undefined;
  try {
    await new StepRun(parts).settle(async () => {
      decided = await takingBack(parts, left);
      return decided;
    });
  } catch (error) {
    // What cleans up adds nothing: what the token keeps is on record as being there.
    if (decided?.choice !== "finish" || !isDrillFailure(parts.plan, error)) throw error;
  }
}

/** Records that a step is left out because another one of the drill has failed. */
export function skipStep(recorder: Recorder, ceremony: string, step: PlanStep): void {
  recorder.append({
    type: "step.refused",
    outcome: "refused",
    ceremony,
    step: step.id,
    description: `Step ${step.n} (${step.id}) was left out: the drill had failed before it.`,
    data: {
      n: step.n,
      code: "halted.step-skipped",
      message: "an earlier step of the drill has failed",
    },
  });
}

/** The failure of a drill that went through all its steps and was judged to have failed, or undefined. */
export function verdictFailure(
  { drills }: Pick<Custody, "drills">,
  ceremony: string,
): KeyriteError | undefined {
  const drill = drills.findLast((one) => one.ceremony === ceremony);
  if (drill?.verdict !== "fail") return undefined;
  const [first = "no reason is given"] = drill.reasons;
  return new KeyriteError("hsm.drill-failed", `the drill has failed: ${first}`, {
    hints: drill.reasons.slice(1),
  });
}
