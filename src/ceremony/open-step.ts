/** The entry that opens a step: what agreements bind comes from here, for steps and decisions alike. */

import type { Random } from "../lib/clock.ts";
import { hex } from "../lib/encoding.ts";
import type { RecordedStep } from "./plan-document.ts";
import type { Recorder } from "./recorder.ts";
import type { OpenedStep, StepPurpose } from "./step-authority.ts";

const NONCE_BYTES = 16;

export interface Opening {
  readonly ceremony: string;
  readonly step: RecordedStep;
  readonly purpose: StepPurpose;
  readonly description: string;
  readonly policyRefs?: readonly string[];
  /** `subjectDigest` of what run time added to the plan, or null when it added nothing. */
  readonly subject: string | null;
  /** The lines that the room reads. */
  readonly shown: readonly string[];
}

/**
 * Appends `step.opened` with a nonce of its own and returns the step as the fold will see it.
 * @throws KeyriteError halted.not-durable, site.clock
 */
export function openStep(recorder: Recorder, random: Random, opening: Opening): OpenedStep {
  const { ceremony, step, purpose, description, policyRefs = [], subject, shown } = opening;
  const nonce = hex(random.bytes(NONCE_BYTES));
  const seq = recorder.append({
    type: "step.opened",
    outcome: "pending",
    ceremony,
    step: step.id,
    description,
    policyRefs,
    data: { purpose, n: step.n, step: step.sha256, nonce, subject, shown: [...shown] },
  });
  return { seq, ...recorder.head(), nonce, step, purpose, subject, shown, begun: null };
}
