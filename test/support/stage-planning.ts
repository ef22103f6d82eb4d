/** What a stage plans a script with, and the objections of a planning that looks into documents. */

import { foundedCustody } from "../../src/cli/planning.ts";
import { planWithDocuments, type PlanInput } from "../../src/ceremony/plan.ts";
import { requireScript, type Script } from "../../src/ceremony/script.ts";
import { utf8 } from "../../src/lib/encoding.ts";
import { stageInputs } from "./profiles.ts";
import { moduleDigests } from "./stage-site.ts";
import type { Stage } from "./stage.ts";

export function planInputOf(
  stage: Stage,
  script: Script,
  set: Readonly<Record<string, string>>,
): PlanInput {
  const { custody, policy, size } = stage.history;
  const hall = stage.hall();
  return {
    script,
    set,
    bindings: hall.bindings,
    policy: policy ?? hall.policy,
    custody: size === 0 ? foundedCustody(custody, stage.site.genesis) : custody,
    vocabulary: hall.vocabulary,
    software: stage.software,
    modules: moduleDigests(hall.bindings),
    inputs: stageInputs(stage.lent, stage.ledger),
    vaults: new Set(stage.vaults.keys()),
    nowMs: stage.clock.now(),
  };
}

/** The texts of all objections, also to what the documents say; none when the script can be performed. */
export async function examined(
  stage: Stage,
  yaml: string,
  set: Readonly<Record<string, string>> = {},
): Promise<readonly string[]> {
  const script = requireScript(utf8(yaml), "script.yaml");
  const planning = await planWithDocuments(planInputOf(stage, script, set));
  return planning.ok ? [] : planning.objections.map(({ text }) => text);
}
