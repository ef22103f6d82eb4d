/** What a step is opened, agreed to and begun for: to be performed, or to end an earlier attempt at it. */

import type { JsonObject } from "../lib/json.ts";
import type { Participant, Settlement, Subject } from "./action.ts";
import type { Attending } from "./custody.ts";
import type { StepInDoubt } from "./history.ts";
import type { PlanStep } from "./plan.ts";
import { settlingData, subjectDigest, type Settling } from "./step-authority.ts";

export interface Aim {
  readonly purpose: "step" | Settling;
  readonly question: string;
  /** The lines that the room reads before agreeing. */
  readonly shown: readonly string[];
  /** Digest of what run time added, or null. */
  readonly subject: string | null;
  /** What `step.begun` says beside the step's number. */
  readonly begun: JsonObject;
  readonly intent: JsonObject;
  /** The earlier attempt, and what `settle` found of it; null in an ordinary step. */
  readonly doubt: StepInDoubt | null;
  readonly settled: JsonObject | null;
  readonly attending: readonly Attending[] | undefined;
  readonly candidate: Participant | undefined;
}

/** What the room decided about an earlier attempt. */
export interface Decided {
  readonly choice: Settling;
  readonly doubt: StepInDoubt;
  readonly found: Settlement;
}

/** To perform the step with what run time added to it. */
export function stepAim(step: PlanStep, subject: Subject<JsonObject> | undefined): Aim {
  const { data = {}, shown = [], attending, candidate } = subject ?? {};
  return {
    purpose: "step",
    question: `do you agree to step ${step.n}?`,
    shown,
    subject: subject === undefined ? null : subjectDigest(data, shown),
    begun: { intent: data },
    intent: data,
    doubt: null,
    settled: null,
    attending,
    candidate,
  };
}

/** To finish or undo an earlier attempt, as it was found. */
export function settlingAim(
  step: PlanStep,
  { choice: purpose, doubt, found: { shown, data } }: Decided,
): Aim {
  const about = settlingData(doubt, data);
  return {
    purpose,
    question: `do you agree to ${purpose} step ${step.n} as it was found?`,
    shown,
    subject: subjectDigest(about, shown),
    begun: { ...about, decision: purpose },
    intent: doubt.intent,
    doubt,
    settled: data,
    attending: undefined,
    candidate: undefined,
  };
}
