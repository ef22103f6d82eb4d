/** What planning finds wrong with tokens, roles and `by` lists, each with the part of the script to blame. */

import { timestamp } from "../lib/clock.ts";
import { didYouMean } from "../lib/suggest.ts";
import type { Action } from "./action.ts";
import type { PlanInput } from "./plan.ts";
import { ableAt, whyRunOut } from "./people-dates.ts";
import { rosterFills } from "./plan-document.ts";
import type { ScriptStep } from "./script.ts";
import { ONLOOKERS, type Role } from "./words.ts";

export interface Blame {
  /** Path to the blamed part, relative to what was judged. */
  readonly at: readonly (string | number)[];
  readonly text: string;
  readonly hint?: string;
}

/** A token by its binding: bound in site.yaml, to the serial and module that the ledger knows. */
export function tokenBlames(input: PlanInput, token: string): readonly Blame[] {
  const { bindings, custody, modules } = input;
  const binding = bindings.tokens.get(token);
  if (binding === undefined) {
    const known = [...bindings.tokens.keys()];
    const near = didYouMean(token, known);
    const hint =
      near === undefined ? `bound there: ${known.join(", ")}` : `did you mean "${near}"?`;
    return [{ at: [], text: `token "${token}" has no binding in site.yaml`, hint }];
  }
  const blames: Blame[] = [];
  const bound = custody.tokens.get(token);
  if (bound !== undefined && binding.serial !== "blank" && binding.serial !== bound.serial) {
    blames.push({
      at: [],
      text: `site.yaml gives token ${token} the serial "${binding.serial}", the ledger binds it to "${bound.serial}"`,
      hint: "the ledger wins: correct site.yaml",
    });
  }
  const module = modules[binding.module.name];
  if (bound !== undefined && module !== undefined && module !== bound.module) {
    blames.push({
      at: [],
      text: `the module file of token ${token} is not the one it was bound with`,
      hint: `expected SHA-256 ${bound.module}, found ${module}`,
    });
  }
  return blames;
}

/** The roles of a script by policy and roster. */
export function roleBlames({ script, custody, policy, nowMs }: PlanInput): readonly Blame[] {
  const roster = [...custody.people.values()];
  const ready = nowMs === undefined ? roster : ableAt(custody, timestamp(nowMs));
  const blames: Blame[] = [];
  const witnesses = script.caClass === "none" ? [] : (policy.witnesses[script.caClass] ?? []);
  for (const needed of witnesses) {
    if (script.roles[needed] === undefined) {
      const text = `the policy wants a ${needed} at a ${script.caClass} ceremony`;
      blames.push({ at: ["roles"], text });
    }
  }
  for (const [name, count] of Object.entries(script.roles) as [Role, number][]) {
    const able = ready.filter((p) => p.roles.includes(name));
    if (able.length < count) {
      const late = roster.filter((p) => p.roles.includes(name) && !able.includes(p));
      const why = late.map((p) => whyRunOut(p, timestamp(nowMs ?? 0), custody.requiredDates));
      blames.push({
        at: ["roles", name],
        text: `the script needs ${count} × ${name}, the roster has ${able.length}`,
        hint: why.join("; ") || "enrol more people with the role, or correct the script",
      });
    }
  }
  if (!rosterFills(script.roles, ready)) {
    blames.push({ at: ["roles"], text: "the roster cannot fill all roles with different people" });
  }
  return blames;
}

/** Who may do a step: enough different people, and nobody who only looks on. */
export function byBlames(step: ScriptStep, action: Action): readonly Blame[] {
  const at = ["by"];
  if ((action.control === "everyone") !== (step.by === "everyone")) {
    const text =
      action.control === "everyone"
        ? `${action.name} is by everyone`
        : `${action.name} needs a list of roles, not everyone`;
    return [{ at, text }];
  }
  if (step.by === "everyone" || action.control !== "dual") return [];
  const { by } = step;
  const few = by.length < 2;
  return [
    ...(few
      ? [{ at, text: `${action.name} is under dual control: name at least two people's roles` }]
      : []),
    ...ONLOOKERS.filter((role) => by.includes(role)).map((role) => ({
      at,
      text: `${role} looks on and cannot authorise ${action.name}`,
    })),
  ];
}
