/**
 * The plan of an open ceremony, from what the ledger holds: script, parameters and document. What people
 * agreed to is what goes on, so the same digest must come out, on the same build, bindings and modules.
 */

import { digestOf, fromUtf8 } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "../lib/json.ts";
import type { Vocabulary } from "./action.ts";
import type { Hall } from "./hall.ts";
import type { CeremonyRecord } from "./history.ts";
import type { Plan, PlanStep } from "./plan.ts";
import { closingStep, finishStep, nameOf, stepDocument, substitute } from "./plan-steps.ts";
import type { Recorder } from "./recorder.ts";
import { CLOSE, requireScript, type Script, type ScriptStep } from "./script.ts";

const ABANDON = "two people end the ceremony with keyrite run --abandon";

/**
 * Rebuilds the plan and proves that this site is still what it says.
 * @throws KeyriteError ledger.damaged when the ledger does not hold it whole; usage.refused,
 * site.bindings, hsm.module-differs for what changed since
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
  requireSameSite(hall, open.plan);
  requireSameModules(digestsIn(document["modules"] ?? null), modules);
  const script = requireScript(bytes, "script.yaml");
  const plan = rebuildPlan(script, document, hall.vocabulary);
  if (plan?.sha256 === open.plan.sha256) return plan;
  throw new KeyriteError(
    "ledger.damaged",
    `another plan than the recorded one comes out of the script of ceremony ${open.id}`,
    { hints: [ABANDON] },
  );
}

/** The plan that a script and a recorded document make; undefined when they do not fit. */
export function rebuildPlan(
  script: Script,
  document: JsonObject,
  vocabulary: Vocabulary,
): Plan | undefined {
  const { params, modules } = document;
  if (!isJsonObject(params) || !isJsonObject(modules)) return undefined;
  const steps = script.steps.map((step, index) => rebuildStep(step, index, params, vocabulary));
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

function rebuildStep(
  step: ScriptStep,
  index: number,
  params: Readonly<Record<string, Json>>,
  vocabulary: Vocabulary,
): PlanStep | undefined {
  if (step.action === CLOSE) return closingStep(step, index + 1);
  const action = vocabulary.get(step.action);
  const values = substitute(step.with, params, [], () => undefined);
  if (action?.params.safeParse(values).success !== true) return undefined;
  const bound = action.bind(values);
  const { instruction } = bound;
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

// The policy needs no look: the site is opened under the one that its ledger adopted, and while a
// ceremony is open only a step of its own can have changed it.
function requireSameSite(
  hall: Hall,
  plan: { readonly software: string; readonly bindings: string },
): void {
  if (hall.software.sha256 !== plan.software) {
    throw new KeyriteError(
      "usage.refused",
      "the ceremony was begun with another build of keyrite",
      {
        hints: [
          `begun with ${plan.software}`,
          `this is    ${hall.software.sha256}`,
          `go on with the build it was begun with, or ${ABANDON}`,
        ],
      },
    );
  }
  if (hall.bindings.sha256 !== plan.bindings) {
    throw new KeyriteError(
      "site.bindings",
      "site.yaml is not the one the ceremony was begun with",
      {
        hints: [`put it back as it was, or ${ABANDON}`],
      },
    );
  }
}

function requireSameModules(
  modules: Readonly<Record<string, string>>,
  present: Readonly<Record<string, string>>,
): void {
  for (const [name, digest] of Object.entries(modules)) {
    if (present[name] === digest) continue;
    throw new KeyriteError(
      "hsm.module-differs",
      `PKCS#11 module ${name} is not the file the ceremony was begun with`,
      {
        hints: [
          `begun with SHA-256 ${digest}`,
          `found           ${present[name] ?? "no file"}`,
          `put the module back as it was, or ${ABANDON}`,
        ],
      },
    );
  }
}
