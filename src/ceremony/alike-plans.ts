/** Plans in memory: a site performs the same scripts for decades, so steps that are alike are kept once. */

import type { RecordedPlan, RecordedStep } from "./plan-document.ts";

export class AlikePlans {
  /** Steps of all plans so far, by their digest. */
  readonly #steps = new Map<string, RecordedStep>();

  /** The same plan, made of steps that are shared with those before. */
  shared(plan: RecordedPlan | undefined): RecordedPlan | undefined {
    if (plan === undefined) return undefined;
    const steps = plan.steps.map((step) => {
      const known = this.#steps.get(step.sha256) ?? step;
      this.#steps.set(step.sha256, known);
      return known;
    });
    return { ...plan, steps };
  }
}
