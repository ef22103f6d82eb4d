/** The plan as a document: what its digest covers, and so what every agreement is bound to. */

import { digestOf, fromUtf8, sha256Hex } from "../lib/encoding.ts";
import { canonicalJson, type JsonObject } from "../lib/json.ts";
import { z } from "../lib/schema.ts";
import type { Enrolled } from "./custody.ts";
import { custodyDigest } from "./custody-json.ts";
import type { Plan, PlanInput, PlanStep } from "./plan.ts";
import { stepDocument } from "./plan-steps.ts";
import { digest, role, type Role } from "./words.ts";

/** The document of a plan. It names roles, never people: the roll call fixes who fills them. */
export function planDocument(
  input: PlanInput,
  params: Readonly<Record<string, string | number>>,
  steps: readonly PlanStep[],
  profiles: Readonly<Record<string, string>>,
): JsonObject {
  const { script, custody, bindings, policy, software, modules } = input;
  return {
    keyrite: "plan/v1",
    origin: custody.origin,
    assurance: custody.assurance,
    script: { name: script.name, version: script.version, sha256: script.sha256 },
    params,
    roles: script.roles,
    bindings: bindings.sha256,
    policy: policy.sha256,
    custody: custodyDigest(custody),
    software: { ...software },
    modules,
    ...(Object.keys(profiles).length > 0 ? { profiles } : {}),
    ...(script.drill ? { drill: true } : {}),
    steps: steps.map(stepDocument),
  };
}

const recordedStep = z.object({
  n: z.int(),
  id: z.string(),
  action: z.string(),
  by: z.union([z.literal("everyone"), z.array(role)]),
  with: z.record(z.string(), z.json()),
  instruction: z.string(),
});
const planSchema = z.object({
  keyrite: z.literal("plan/v1"),
  origin: z.string(),
  script: z.object({ name: z.string(), version: z.string(), sha256: z.string() }),
  software: z.object({ name: z.string(), version: z.string(), sha256: z.string() }),
  bindings: z.string(),
  modules: z.record(z.string(), z.string()).default({}),
  profiles: z.record(z.string(), digest).default({}),
  steps: z.array(recordedStep),
});

/** A plan as the ledger holds it: what the verifier needs to judge agreements. */
export interface RecordedPlan {
  readonly sha256: string;
  readonly script: { readonly name: string; readonly version: string; readonly sha256: string };
  readonly software: string;
  readonly bindings: string;
  /** SHA-256 of each PKCS#11 module's file, by its name in site.yaml. */
  readonly modules: Readonly<Record<string, string>>;
  /** SHA-256 of each profile that its steps name. */
  readonly profiles: Readonly<Record<string, string>>;
  readonly steps: readonly RecordedStep[];
}

export interface RecordedStep {
  readonly n: number;
  readonly id: string;
  readonly action: string;
  readonly by: "everyone" | readonly Role[];
  readonly with: JsonObject;
  readonly instruction: string;
  /** Recomputed from the recorded step, never read from it. */
  readonly sha256: string;
}

/** A plan of ours in the shape that the ledger will give back. */
export function recordedPlan(plan: Plan): RecordedPlan {
  const read = readPlanDocument(canonicalJson(plan.document));
  if (read === undefined) throw new Error("a plan of our own does not read back");
  return { ...read, ...plan.amended };
}

/** Reads an attached plan document, or undefined when it is none of ours or not canonical. */
export function readPlanDocument(text: string): RecordedPlan | undefined {
  let raw: JsonObject;
  try {
    raw = JSON.parse(text) as JsonObject;
  } catch {
    return undefined;
  }
  const parsed = planSchema.safeParse(raw);
  if (!parsed.success) return undefined;
  const rawSteps = raw["steps"] as readonly JsonObject[];
  return {
    sha256: digestOf(raw),
    script: parsed.data.script,
    software: parsed.data.software.sha256,
    bindings: parsed.data.bindings,
    modules: parsed.data.modules,
    profiles: parsed.data.profiles,
    steps: parsed.data.steps.map((step, i) => ({ ...step, sha256: digestOf(rawSteps[i] ?? null) })),
  };
}

/** Reads a plan that the ledger holds; undefined unless its bytes are exactly the canonical ones. */
export function readAttachedPlan(bytes: Uint8Array): RecordedPlan | undefined {
  const plan = readPlanDocument(fromUtf8(bytes));
  return plan?.sha256 === sha256Hex(bytes) ? plan : undefined;
}

/** Whether different people can fill all roles: bipartite matching, for people hold several roles. */
export function rosterFills(
  roles: Readonly<Partial<Record<Role, number>>>,
  people: readonly Enrolled[],
): boolean {
  const places = Object.entries(roles).flatMap(([name, count]) =>
    new Array<Role>(count).fill(name as Role),
  );
  const placeOf = new Map<string, number>();
  const seat = (index: number, tried: Set<string>): boolean => {
    const wanted = places[index];
    if (wanted === undefined) return true;
    for (const { person, roles: held } of people) {
      if (!held.includes(wanted) || tried.has(person)) continue;
      tried.add(person);
      const taken = placeOf.get(person);
      if (taken === undefined || seat(taken, tried)) {
        placeOf.set(person, index);
        return true;
      }
    }
    return false;
  };
  return places.every((_, index) => seat(index, new Set()));
}
