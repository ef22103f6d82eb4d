/**
 * Whether the plan that people agreed to is what comes out of the attached script: the script's bytes are
 * read anew, the plan is made anew, and the two are compared member by member.
 */

import { fromUtf8 } from "../lib/encoding.ts";
import { messageOf } from "../lib/errors.ts";
import { canonicalJson, isJsonObject, type Json, type JsonObject } from "../lib/json.ts";
import type { Vocabulary } from "./action.ts";
import type { Attachments } from "./attached.ts";
import { rebuildPlan } from "./plan-rebuild.ts";
import { stepDocument } from "./plan-steps.ts";
import { CLOSE, parseParam, requireScript, type ParamSpec, type Script } from "./script.ts";

export interface ScriptCheck {
  /** Null when it cannot be said. */
  readonly asWritten: boolean | null;
  /** What in the plan is not the script's, with the number of the step where it is of one. */
  readonly differences: readonly { readonly n: number | null; readonly text: string }[];
  /** Why the script itself is none, or cannot be performed. */
  readonly problem: string | null;
  /** Steps that another build worded otherwise: the same action with the same parameters. */
  readonly reworded: readonly number[];
  /** What would be needed to say more. */
  readonly missing: { readonly code: "attachment" | "vocabulary"; readonly text: string } | null;
}

/** Members of a plan that come from the script as they are. */
const FROM_SCRIPT = ["roles", "drill"] as const;

const NOTHING: ScriptCheck = {
  asWritten: null,
  differences: [],
  problem: null,
  reworded: [],
  missing: null,
};

/** Scripts and steps that were read before: a site performs the same few again and again. */
const MOST_KEPT = 64;

export class ScriptChecker {
  readonly #source: Attachments;
  readonly #vocabulary: Vocabulary;
  readonly #scripts = new Map<string, Script | string>();
  readonly #checks = new Map<string, ScriptCheck>();

  constructor(source: Attachments, vocabulary: Vocabulary) {
    this.#source = source;
    this.#vocabulary = vocabulary;
  }

  /** The script with this digest, or why there is none; undefined when it is not attached. */
  script(sha256: string): Script | string | undefined {
    const known = this.#scripts.get(sha256);
    if (known !== undefined) return known;
    const bytes = this.#source.attachment(sha256);
    if (bytes === undefined) return undefined;
    return keep(this.#scripts, sha256, readOnce(bytes));
  }

  /** Compares an attached plan document with its script. */
  check(document: JsonObject, scriptSha256: string): ScriptCheck {
    const script = this.script(scriptSha256);
    if (script === undefined) {
      const text = `the script ${scriptSha256} is not attached`;
      return { ...NOTHING, missing: { code: "attachment", text } };
    }
    if (typeof script === "string") return { ...NOTHING, asWritten: false, problem: script };
    const { params, profiles, steps, roles, drill, script: named } = document;
    const about = { params, profiles, steps, roles, drill, script: named };
    const key = `${scriptSha256} ${canonicalJson(JSON.parse(JSON.stringify(about)) as Json)}`;
    const known = this.#checks.get(key);
    return known ?? keep(this.#checks, key, this.#compare(script, document));
  }

  #compare(script: Script, document: JsonObject): ScriptCheck {
    const unknown = script.steps.find(
      ({ action }) => action !== CLOSE && !this.#vocabulary.has(action),
    );
    if (unknown !== undefined) {
      const text = `step ${unknown.id} has the action ${unknown.action}, which this build does not know`;
      return { ...NOTHING, missing: { code: "vocabulary", text } };
    }
    const rebuilt = rebuildPlan(script, document, this.#vocabulary);
    if (rebuilt === undefined) {
      const text = "the plan's parameters do not make a plan of its script";
      return { ...NOTHING, asWritten: false, differences: [{ n: null, text }] };
    }
    const planned = listOf(document["steps"]);
    const written = rebuilt.steps.map(stepDocument);
    const steps = written.map((step, index) => difference(step, planned[index], index + 1));
    const differences = [
      ...headDifferences(script, document),
      ...paramDifferences(script, document["params"] ?? null),
      ...steps.flatMap((one) => one?.texts.map((text) => ({ n: one.n, text })) ?? []),
      ...planned.slice(written.length).map((_, index) => {
        const n = written.length + index + 1;
        return { n, text: `the plan has a step ${n}, the script has ${written.length}` };
      }),
    ];
    const reworded = steps.filter((one) => one?.reworded === true).map((one) => one?.n ?? 0);
    return { ...NOTHING, asWritten: differences.length === 0, differences, reworded };
  }
}

function readOnce(bytes: Uint8Array): Script | string {
  try {
    return requireScript(bytes, "script.yaml");
  } catch (error) {
    return messageOf(error);
  }
}

function keep<T>(map: Map<string, T>, key: string, value: T): T {
  const [oldest] = map.keys();
  if (map.size >= MOST_KEPT && oldest !== undefined) map.delete(oldest);
  map.set(key, value);
  return value;
}

function headDifferences(script: Script, document: JsonObject): ScriptCheck["differences"] {
  const { name, version, sha256, roles, drill } = script;
  const named = canonicalJson({ name, version, sha256 });
  const texts: string[] = [];
  if (canonicalJson(document["script"] ?? null) !== named) {
    texts.push("the plan names the script by another name, version or digest");
  }
  const own: JsonObject = { roles, ...(drill ? { drill: true } : {}) };
  for (const member of FROM_SCRIPT) {
    if (canonicalJson(own[member] ?? null) === canonicalJson(document[member] ?? null)) continue;
    texts.push(`the plan's ${member} are not those of the script`);
  }
  return texts.map((text) => ({ n: null, text }));
}

/** Values that the script would not have taken: people agreed to a plan that nobody could have made of it. */
function paramDifferences(script: Script, params: Json): ScriptCheck["differences"] {
  const given = isJsonObject(params) ? params : {};
  const stray = Object.keys(given).find((name) => !Object.hasOwn(script.params, name));
  const texts = stray === undefined ? [] : [`the script has no parameter "${stray}"`];
  for (const [name, spec] of Object.entries(script.params)) {
    const problem = valueProblem(spec, given[name]);
    if (problem !== undefined) texts.push(`parameter "${name}" ${problem}`);
  }
  return texts.map((text) => ({ n: null, text }));
}

/** Types whose value in a plan reads like the text that was typed. */
const TYPED: readonly string[] = [
  "token",
  "label",
  "text",
  "enum",
  "integer",
  "dn",
  "person",
  "role",
];

function valueProblem(spec: ParamSpec, value: Json | undefined): string | undefined {
  if (value === undefined) return "has no value";
  if (spec.type === "file" && (typeof value !== "string" || !/^[0-9a-f]{64}$/.test(value)))
    return "is no digest of a file";
  if (!TYPED.includes(spec.type)) return undefined;
  if (typeof value !== "string" && typeof value !== "number") return "has a value of another type";
  const parsed = parseParam(spec, String(value));
  if (!parsed.ok) return `has a value that ${parsed.problem}`;
  return parsed.value === value ? undefined : "has a value of another type";
}

interface StepDifference {
  readonly n: number;
  readonly texts: readonly string[];
  readonly reworded: boolean;
}

function difference(
  written: JsonObject,
  planned: Json | undefined,
  n: number,
): StepDifference | undefined {
  if (!isJsonObject(planned)) {
    return { n, texts: [`step ${n} of the script is not in the plan`], reworded: false };
  }
  const members = new Set([...Object.keys(written), ...Object.keys(planned)]);
  const other = [...members].filter(
    (name) => canonicalJson(written[name] ?? null) !== canonicalJson(planned[name] ?? null),
  );
  if (other.length === 0) return undefined;
  // The wording is the build's, what is to be done stands in the other members.
  const texts = other
    .filter((name) => name !== "instruction")
    .map((name) => `step ${n}: its ${name} is not what the script says`);
  return { n, texts, reworded: other.includes("instruction") };
}

function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}

/** The attached plan document as it stands; undefined when it is missing. */
export function planDocumentOf(source: Attachments, sha256: string): JsonObject | undefined {
  const bytes = source.attachment(sha256);
  if (bytes === undefined) return undefined;
  try {
    const raw = JSON.parse(fromUtf8(bytes)) as Json;
    return isJsonObject(raw) ? raw : undefined;
  } catch {
    return undefined;
  }
}
