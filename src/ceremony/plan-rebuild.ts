/**
 * The plan of an open ceremony, from what the ledger holds: script, parameters and document. What people
 * agreed to is what goes on, so the same digest must come out; the machine may be another, which people read.
 */

import { digestOf, fromUtf8 } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "../lib/json.ts";
import type { Vocabulary } from "./action.ts";
import { machineChanges, type Machine } from "./amendment.ts";
import type { Hall } from "./hall.ts";
import type { CeremonyRecord } from "./history.ts";
import type { Plan, PlanStep } from "./plan.ts";
import { closingStep, finishStep, nameOf, stepDocument, substitute } from "./plan-steps.ts";
import { stringOf } from "./record.ts";
import type { Recorder } from "./recorder.ts";
import { CLOSE, requireScript, type Script, type ScriptStep } from "./script.ts";

const ABANDON = "two people end the ceremony with keyrite run --abandon";

/**
 * Rebuilds the plan, with the machine that it would go on with where that is another.
 * @param modules SHA-256 of each bound module's file that is there
 * @throws KeyriteError ledger.damaged when the ledger does not hold it whole, usage.refused for a build that
 * makes another plan of the script
 */
export function planOfOpen(
  hall: Hall,
  recorder: Recorder,
  open: CeremonyRecord,
  modules: Readonly<Record<string, string>>,
): Plan {
  const { ledger } = recorder;
  const planned = ledger.attachment(open.plan?.sha256 ?? "");
  const bytes = ledger.attachment(open.plan?.script.sha256 ?? "")?.bytes;
  if (open.plan === undefined || planned === undefined || bytes === undefined) {
    throw new KeyriteError("ledger.damaged", `the plan of ceremony ${open.id} is missing`);
  }
  const document = JSON.parse(fromUtf8(planned.bytes)) as JsonObject;
  const now = { software: hall.software.sha256, bindings: hall.bindings.sha256, modules };
  const script = requireScript(bytes, "script.yaml");
  const wording = now.software === open.plan.software ? "own" : "recorded";
  const plan = rebuildPlan(script, document, hall.vocabulary, wording);
  if (plan?.sha256 === open.plan.sha256) return { ...plan, modules, ...amendment(document, now) };
  throw wording === "own" ? notWhole(open) : otherPlan(open);
}

// Against the document, which `recordedPlan` starts from, and not against an amendment of before.
function amendment(document: JsonObject, now: Machine): Pick<Plan, "amended"> {
  const { software, modules } = document;
  const before = {
    software: (isJsonObject(software) ? stringOf(software, "sha256") : undefined) ?? "",
    bindings: stringOf(document, "bindings") ?? "",
    modules: digestsIn(modules ?? null),
  };
  return machineChanges(before, now).length === 0 ? {} : { amended: now };
}

function notWhole({ id }: CeremonyRecord): KeyriteError {
  return new KeyriteError(
    "ledger.damaged",
    `another plan than the recorded one comes out of the script of ceremony ${id}`,
    { hints: [ABANDON] },
  );
}

function otherPlan({ id }: CeremonyRecord): KeyriteError {
  return new KeyriteError(
    "usage.refused",
    `this build of keyrite makes another plan of the script of ceremony ${id}`,
    { hints: [`go on with the build it was begun with, or ${ABANDON}`] },
  );
}

/**
 * The plan that a script and a recorded document make; undefined when they do not fit.
 * @param wording `recorded` takes the sentences that people heard, where another build has other ones
 */
export function rebuildPlan(
  script: Script,
  document: JsonObject,
  vocabulary: Vocabulary,
  wording: "own" | "recorded" = "own",
): Plan | undefined {
  const { params, modules } = document;
  if (!isJsonObject(params) || !isJsonObject(modules)) return undefined;
  const recorded = wording === "recorded" ? (document["steps"] ?? null) : null;
  const steps = script.steps.map((step, index) =>
    rebuildStep(step, index, params, vocabulary, sentenceIn(recorded, index)),
  );
  if (!steps.every((step) => step !== undefined)) return undefined;
  const whole = { ...document, steps: steps.map(stepDocument) };
  return {
    script,
    steps,
    // Attached when the ceremony was opened.
    inputs: [],
    modules: digestsIn(modules),
    document: whole,
    sha256: digestOf(whole),
  };
}

function sentenceIn(steps: Json, index: number): string | undefined {
  const step = Array.isArray(steps) ? (steps as readonly Json[])[index] : undefined;
  const sentence = isJsonObject(step) ? step["instruction"] : undefined;
  return typeof sentence === "string" ? sentence : undefined;
}

function rebuildStep(
  step: ScriptStep,
  index: number,
  params: Readonly<Record<string, Json>>,
  vocabulary: Vocabulary,
  sentence: string | undefined,
): PlanStep | undefined {
  if (step.action === CLOSE) return closingStep(step, index + 1);
  const action = vocabulary.get(step.action);
  const values = substitute(step.with, params, [], () => undefined);
  if (action?.params.safeParse(values).success !== true) return undefined;
  const bound = action.bind(values);
  const instruction = sentence ?? bound.instruction;
  const base = { n: index + 1, ...nameOf(step), instruction, control: action.control, bound };
  return finishStep(base, step, values);
}

function digestsIn(modules: Json): Readonly<Record<string, string>> {
  if (!isJsonObject(modules)) return {};
  return Object.fromEntries(
    Object.entries(modules).map(([name, digest]) => [
      name,
      typeof digest === "string" ? digest : "",
    ]),
  );
}
