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
import { leftExtractable, owedBeforeClose } from "./conditions-copies.ts";
import { CustodyFold, type Custody, type FactContext } from "./custody.ts";
import { byBlames, roleBlames, tokenBlames, type Blame } from "./plan-blames.ts";
import { planDocument } from "./plan-document.ts";
import { closingStep, finishStep, nameOf, substitute, type Path } from "./plan-steps.ts";
import type { Policy } from "./policy.ts";
import { CLOSE, parseParam, type Script, type ScriptStep } from "./script.ts";
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
  readonly modules: Readonly<Record<string, string>>;
  /** Canonical JSON document of the plan; its digest is `sha256`. */
  readonly document: JsonObject;
  readonly sha256: string;
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

/** Folds a script over custody. Pure: it touches nothing and returns all objections. */
export function planScript(input: PlanInput): Planning {
  return new Planner(input).plan();
}

class Planner {
  readonly #input: PlanInput;
  readonly #objections: Objection[] = [];
  readonly #fold: CustodyFold;
  /** Tokens whose binding was checked already: one objection a token. */
  readonly #tokens = new Set<string>();
  #rollCalled = false;

  constructor(input: PlanInput) {
    this.#input = input;
    this.#fold = new CustodyFold(input.custody);
    this.#fold.beginCeremony();
  }

  plan(): Planning {
    const { script } = this.#input;
    const params = this.#params();
    this.#blame([], roleBlames(this.#input));
    const steps = script.steps.map((step, index) => this.#step(step, index, params));
    if (this.#objections.length > 0) return { ok: false, objections: this.#objections };
    const document = planDocument(this.#input, params, steps);
    const { modules } = this.#input;
    const sha256 = digestOf(document);
    return { ok: true, plan: { script, steps, modules, document, sha256 } };
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

  #params(): Readonly<Record<string, string | number>> {
    const { script, set } = this.#input;
    const values: Record<string, string | number> = {};
    for (const name of Object.keys(set)) {
      if (Object.hasOwn(script.params, name)) continue;
      const near = didYouMean(name, Object.keys(script.params));
      this.#object(
        ["params"],
        `the script has no parameter "${name}"`,
        near === undefined ? undefined : `did you mean "${near}"?`,
      );
    }
    for (const [name, spec] of Object.entries(script.params)) {
      const text = set[name] ?? spec.default;
      if (text === undefined) {
        this.#object(["params", name], `parameter "${name}" has no value`, `add --set ${name}=…`);
        continue;
      }
      const parsed = parseParam(spec, String(text));
      if (parsed.ok) values[name] = parsed.value;
      else
        this.#object(
          ["params", name],
          `parameter "${name}": the value "${text}" ${parsed.problem}`,
        );
      if (spec.type === "token") this.#checkToken(["params", name], String(text));
    }
    return values;
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
    const { token } = values;
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
    const situation = { custody: this.#fold.custody, policy: this.#input.policy };
    for (const condition of bound.requires) {
      const problem = condition.unmet(situation);
      if (problem === undefined) continue;
      this.#object([...path, "with", condition.param], `step ${step.id}: ${problem}`);
    }
    for (const fact of bound.forecast(this.#fold.custody)) {
      this.#fold.apply(fact, PLANNED);
    }
  }
}
