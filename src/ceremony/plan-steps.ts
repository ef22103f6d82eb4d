/** Steps of a plan as a script and its parameters make them: the same when planned and when taken up again. */

import { digestOf } from "../lib/encoding.ts";
import type { Json, JsonObject } from "../lib/json.ts";
import type { PlanStep } from "./plan.ts";
import type { ScriptStep } from "./script.ts";

/** Place in a script. */
export type Path = readonly (string | number)[];

/**
 * Replaces every scalar that is exactly `$name` by that parameter's value: no concatenation, no
 * expressions. `unknown` hears of names without a value.
 */
export function substitute(
  values: Readonly<Record<string, Json>>,
  params: Readonly<Record<string, Json>>,
  path: Path,
  unknown: (name: string, at: Path) => void,
): JsonObject {
  const replace = (value: Json, at: Path): Json => {
    if (typeof value === "string" && value.startsWith("$")) {
      const name = value.slice(1);
      if (Object.hasOwn(params, name)) return params[name] ?? null;
      unknown(name, at);
      return value;
    }
    if (Array.isArray(value)) {
      return (value as readonly Json[]).map((v, i) => replace(v, [...at, i]));
    }
    if (typeof value === "object" && value !== null) {
      return Object.fromEntries(
        Object.entries(value).map(([key, v]) => [key, replace(v, [...at, key])]),
      );
    }
    return value;
  };
  return Object.fromEntries(
    Object.entries(values).map(([key, v]) => [key, replace(v, [...path, key])]),
  );
}

/** The reserved last step. */
export function closingStep(step: ScriptStep, n: number): PlanStep {
  const instruction = "Close the ceremony: everybody cosigns the ledger's head.";
  return finishStep({ n, ...nameOf(step), instruction, control: "everyone" }, step, {});
}

/** What every step takes from its script as it is. */
export function nameOf({
  id,
  action,
  by,
  always,
}: ScriptStep): Pick<PlanStep, "id" | "action" | "by" | "always"> {
  return { id, action, by, always };
}

/** Completes a step with its digest. */
export function finishStep(
  step: Omit<PlanStep, "sha256" | "policyRefs" | "values">,
  source: ScriptStep,
  values: JsonObject,
): PlanStep {
  const whole = { ...step, policyRefs: source.policyRefs, values };
  return { ...whole, sha256: digestOf(stepDocument(whole)) };
}

/** A step as the plan's document states it; `always` only where it is so. */
export function stepDocument(step: Omit<PlanStep, "sha256">): JsonObject {
  return {
    n: step.n,
    id: step.id,
    action: step.action,
    control: step.control,
    by: step.by === "everyone" ? "everyone" : [...step.by],
    with: step.values,
    instruction: step.instruction,
    policyRefs: [...step.policyRefs],
    ...(step.always ? { always: true } : {}),
  };
}
