/**
 * Planning: a script, the bindings, the policy and custody are folded into a plan, or into every
 * objection at once with its place in the file. A plan has a digest; people agree to that digest.
 */

import { digestOf } from "../lib/encoding.ts";
import type { Json, JsonObject } from "../lib/json.ts";
import { check, type Objection } from "../lib/schema.ts";
import { didYouMean } from "../lib/suggest.ts";
import type { Action, BoundStep, Vocabulary } from "./action.ts";
import type { Bindings } from "./bindings.ts";
import type { Situation } from "./conditions.ts";
import { leftExtractable, owedBeforeClose } from "./conditions-copies.ts";
import { CustodyFold, type Custody, type FactContext } from "./custody.ts";
import { PlanInputs, type InputSource } from "./inputs.ts";
import { byBlames, roleBlames, tokenBlames, type Blame } from "./plan-blames.ts";
import { planDocument } from "./plan-document.ts";
import { paramValues, type ParamValues } from "./plan-params.ts";
import { closingStep, finishStep, nameOf, substitute, type Path } from "./plan-steps.ts";
import type { Machine } from "./amendment.ts";
import type { Policy } from "./policy.ts";
import type { Attached } from "./recorder.ts";
import { CLOSE, type Script, type ScriptStep } from "./script.ts";
import type { Role } from "./words.ts";

/** The build that plans and runs: part of what people agree to. */
export interface Software {
  readonly name: string;
  readonly version: string;
  /** SHA-256 over the build's files. */
  readonly sha256: string;
}

export interface PlanStep {
  /** 1-based number, as printed and agreed to. */
  readonly n: number;
  readonly id: string;
  readonly action: string;
  readonly by: "everyone" | readonly Role[];
  readonly instruction: string;
  readonly policyRefs: readonly string[];
  /** Performed even after another step of a drill has failed. */
  readonly always: boolean;
  /** Parameters with every `$name` replaced by its value. */
  readonly values: JsonObject;
  /** Digest of this step's canonical JSON in the plan document. */
  readonly sha256: string;
  /** Absent for the reserved close. */
  readonly bound?: BoundStep;
  readonly control: Action["control"];
}

export interface Plan {
  readonly script: Script;
  readonly steps: readonly PlanStep[];
  /** Documents that are attached when the ceremony opens: profiles and files given as parameters. */
  readonly inputs: readonly Attached[];
  readonly modules: Readonly<Record<string, string>>;
  /** Canonical JSON document of the plan; its digest is `sha256`. */
  readonly document: JsonObject;
  readonly sha256: string;
  /** What of the machine is another than in the document: people agreed to go on with it. */
  readonly amended?: Machine;
}

export interface PlanInput {
  readonly script: Script;
  /** Parameter values by name, as typed. */
  readonly set: Readonly<Record<string, string>>;
  readonly bindings: Bindings;
  readonly policy: Policy;
  readonly custody: Custody;
  readonly vocabulary: Vocabulary;
  readonly software: Software;
  /** SHA-256 of each bound module's file, by module name. */
  readonly modules: Readonly<Record<string, string>>;
  /** Vaults whose folders are known for this run, by site.yaml or otherwise. */
  readonly vaults: ReadonlySet<string>;
  /** Where profiles, files and attachments are found; without one there are none. */
  readonly inputs?: InputSource;
  /** When it is planned: what has expired is objected to. Nothing of the plan itself depends on it. */
  readonly nowMs?: number;
}

export type Planning =
  | { readonly ok: true; readonly plan: Plan }
  | { readonly ok: false; readonly objections: readonly Objection[] };

/** Where facts stand that are only foreseen. */
const PLANNED: FactContext = {
  ceremony: "planned",
  at: "planned",
  foreseen: true,
  card: () => undefined,
};

/**
 * Folds a script over custody: touches nothing but the documents it is lent, and returns all objections.
 */
export function planScript(input: PlanInput): Planning {
  return new Planner(input).plan();
}

/** As `planScript`, and every step looks into the documents it is about. */
export async function planWithDocuments(input: PlanInput): Promise<Planning> {
  const planner = new Planner(input);
  const planning = planner.plan();
  return planning.ok ? planner.examined(planning) : planning;
}

class Planner {
  readonly #input: PlanInput;
  readonly #objections: Objection[] = [];
  readonly #fold: CustodyFold;
  readonly #documents: PlanInputs;
  /** Each step's look into its documents, with custody as foreseen right before it. */
  readonly #looks: (() => Promise<void>)[] = [];
  /** Tokens whose binding was checked already: one objection a token. */
  readonly #tokens = new Set<string>();
  #rollCalled = false;

  constructor(input: PlanInput) {
    this.#input = input;
    this.#fold = new CustodyFold(input.custody);
    this.#documents = new PlanInputs(input.inputs);
    this.#fold.beginCeremony();
  }

  plan(): Planning {
    const { script } = this.#input;
    const params = this.#params();
    this.#blame([], roleBlames(this.#input));
    const steps = script.steps.map((step, index) => this.#step(step, index, params));
    if (this.#objections.length > 0) return { ok: false, objections: this.#objections };
    const { profiles, taken: inputs } = this.#documents;
    const document = planDocument(this.#input, params, steps, profiles);
    const { modules } = this.#input;
    const sha256 = digestOf(document);
    return { ok: true, plan: { script, steps, inputs, modules, document, sha256 } };
  }

  async examined(planning: Planning): Promise<Planning> {
    for (const look of this.#looks) await look();
    if (this.#objections.length === 0) return planning;
    return { ok: false, objections: this.#objections };
  }

  #object(path: readonly (string | number)[], text: string, hint?: string): void {
    const { document } = this.#input.script;
    const { line, col } = document.locate(path);
    const at = `${document.file}:${line}:${col}`;
    // Several conditions find the same thing wrong: it is put right once.
    if (this.#objections.some((known) => known.at === at && known.text === text)) return;
    this.#objections.push(hint === undefined ? { at, text } : { at, text, hint });
  }

  #blame(path: readonly (string | number)[], blames: readonly Blame[]): void {
    for (const { at, text, hint } of blames) this.#object([...path, ...at], text, hint);
  }

  #checkToken(path: readonly (string | number)[], token: string): void {
    if (this.#tokens.has(token)) return;
    this.#tokens.add(token);
    this.#blame(path, tokenBlames(this.#input, token));
  }

  #params(): ParamValues {
    const { script, set } = this.#input;
    const { values, blames } = paramValues(script, set, this.#documents);
    this.#blame(["params"], blames);
    for (const [name, { type, default: preset }] of Object.entries(script.params)) {
      const given = set[name] ?? preset;
      if (type === "token" && given !== undefined)
        this.#checkToken(["params", name], String(given));
    }
    return values;
  }

  #takeProfile(name: string, path: Path): void {
    if (this.#documents.takeProfile(name)) return;
    const known = this.#documents.known();
    const near = didYouMean(name, known);
    const hint = near === undefined ? `there are: ${known.join(", ")}` : `did you mean "${near}"?`;
    this.#object(path, `there is no profile "${name}"`, hint);
  }

  #step(step: ScriptStep, index: number, params: Readonly<Record<string, Json>>): PlanStep {
    const path = ["steps", index];
    const base = { n: index + 1, ...nameOf(step) };
    if (step.action === CLOSE) {
      if (step.by !== "everyone") this.#object([...path, "by"], `"${CLOSE}" is by everyone`);
      for (const token of this.#fold.custody.active) {
        const text = `step ${step.id}: token ${token} is still active by then`;
        this.#object([...path, "action"], text, "deactivate it in a step before this one");
      }
      for (const copy of owedBeforeClose(this.#fold.custody)) {
        this.#object([...path, "action"], `step ${step.id}: ${leftExtractable(copy)}`);
      }
      return closingStep(step, index + 1);
    }
    const action = this.#input.vocabulary.get(step.action);
    if (action === undefined) {
      const near = didYouMean(step.action, [...this.#input.vocabulary.keys(), CLOSE]);
      const hint = near === undefined ? undefined : `did you mean "${near}"?`;
      this.#object([...path, "action"], `there is no action "${step.action}"`, hint);
      return finishStep({ ...base, instruction: "", control: "none" }, step, {});
    }
    this.#blame(path, byBlames(step, action));
    if (action.control === "everyone") this.#rollCalled = true;
    else if (!this.#rollCalled) {
      this.#object([...path, "action"], `step ${step.id} comes before the roll is called`);
      this.#rollCalled = true;
    }
    const values = this.#substitute(step.with, params, [...path, "with"]);
    const { token, profile } = values;
    if (typeof profile === "string" && !profile.startsWith("$")) {
      this.#takeProfile(profile, [...path, "with", "profile"]);
    }
    if (typeof token === "string" && !token.startsWith("$")) {
      this.#checkToken([...path, "with", "token"], token);
    }
    const bound = this.#bind(action, values, [...path, "with"]);
    if (bound === undefined) {
      return finishStep({ ...base, instruction: "", control: action.control }, step, values);
    }
    this.#simulate(step, bound, path);
    const instruction = bound.instruction;
    return finishStep({ ...base, instruction, control: action.control, bound }, step, values);
  }

  #substitute(
    values: Readonly<Record<string, Json>>,
    params: Readonly<Record<string, Json>>,
    path: Path,
  ): JsonObject {
    const declared = this.#input.script.params;
    return substitute(values, params, path, (name, at) => {
      // A parameter without a value was already objected to.
      if (Object.hasOwn(declared, name)) return;
      const near = didYouMean(name, Object.keys(declared));
      const hint = near === undefined ? undefined : `did you mean "$${near}"?`;
      this.#object(at, `the script has no parameter "${name}"`, hint);
    });
  }

  #bind(
    action: Action,
    values: JsonObject,
    path: readonly (string | number)[],
  ): BoundStep | undefined {
    const { document } = this.#input.script;
    const locate = (at: readonly (string | number)[]): { line: number; col: number } =>
      document.locate([...path, ...at]);
    const result = check(action.params, { value: values, locate, file: document.file });
    if (result.ok) return action.bind(values);
    // A parameter without a value was already objected to; its placeholder need not be again.
    const known = this.#objections.length > 0 && JSON.stringify(values).includes('"$');
    if (!known) this.#objections.push(...result.objections);
    return undefined;
  }

  #simulate(step: ScriptStep, bound: BoundStep, path: readonly (string | number)[]): void {
    const { policy, vaults, nowMs } = this.#input;
    const situation = { custody: this.#fold.custody, policy, vaults, nowMs };
    for (const condition of bound.requires) {
      const problem = condition.unmet(situation);
      if (problem === undefined) continue;
      this.#object([...path, "with", condition.param], `step ${step.id}: ${problem}`);
    }
    if (bound.examines) this.#look(step, bound, path, situation);
    for (const fact of bound.forecast(this.#fold.custody)) {
      this.#fold.apply(fact, PLANNED);
    }
  }

  #look(step: ScriptStep, bound: BoundStep, path: Path, situation: Situation): void {
    const { custody } = new CustodyFold(situation.custody);
    this.#looks.push(async () => {
      const flaws = await bound.examine({ ...situation, custody }, this.#documents);
      for (const { param, text } of flaws) {
        this.#object([...path, "with", param], `step ${step.id}: ${text}`);
      }
    });
  }
}
