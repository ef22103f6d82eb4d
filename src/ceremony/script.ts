/**
 * Scripts: reviewed YAML files that name steps, identified by the SHA-256 of their exact bytes. A
 * script names roles, parameters and tokens; it knows no person, serial, path or PIN.
 */

import { sha256Hex } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import type { Json } from "../lib/json.ts";
import { check, z, type Objection } from "../lib/schema.ts";
import { readYaml, type YamlDocument } from "../lib/yaml.ts";
import { label, line, policyRef, role, ROLES, slug, type Role } from "./words.ts";

const paramSchema = z.strictObject({
  type: z.enum(["token", "label", "text", "enum", "integer", "dn", "person", "role", "file"]),
  about: line,
  of: z.array(line).min(1).optional(),
  min: z.int().optional(),
  max: z.int().optional(),
  default: z.union([line, z.int()]).optional(),
});
export type ParamSpec = z.infer<typeof paramSchema>;

const stepSchema = z.strictObject({
  id: slug,
  action: slug,
  by: z.union([z.literal("everyone"), z.array(role).min(1)]),
  with: z.record(z.string(), z.json()).default({}),
  policyRefs: z.array(policyRef).default([]),
  always: z.boolean().default(false),
});

export const scriptSchema = z.strictObject({
  keyrite: z.literal("script/v1"),
  name: slug,
  version: z.string().regex(/^\d+\.\d+\.\d+$/, 'must look like "1.0.0"'),
  title: line,
  founding: z.boolean().default(false),
  drill: z.boolean().default(false),
  caClass: z.enum(["root", "external-sub", "affiliate-sub", "none"]),
  policyRefs: z.array(policyRef).default([]),
  params: z.record(slug, paramSchema).default({}),
  roles: z.partialRecord(role, z.int().min(1).max(20)),
  steps: z.array(stepSchema).min(2).max(200),
});

export interface ScriptStep {
  readonly id: string;
  readonly action: string;
  readonly by: "everyone" | readonly Role[];
  readonly with: Readonly<Record<string, Json>>;
  readonly policyRefs: readonly string[];
  /** In a drill: performed even after another step has failed. */
  readonly always: boolean;
}

export interface Script {
  readonly name: string;
  readonly version: string;
  readonly title: string;
  readonly founding: boolean;
  /** A failed step does not stop a drill: what cleans up and judges is still performed. */
  readonly drill: boolean;
  readonly caClass: "root" | "external-sub" | "affiliate-sub" | "none";
  readonly policyRefs: readonly string[];
  readonly params: Readonly<Record<string, ParamSpec>>;
  readonly roles: Readonly<Partial<Record<Role, number>>>;
  readonly steps: readonly ScriptStep[];
  /** The exact bytes that were read, once; and their SHA-256. */
  readonly bytes: Uint8Array;
  readonly sha256: string;
  readonly document: YamlDocument;
}

/** The last step of every script: the engine's own beat, not an action. */
export const CLOSE = "close";

export type ScriptReading =
  | { readonly ok: true; readonly script: Script }
  | { readonly ok: false; readonly objections: readonly Objection[] };

/**
 * Reads a script strictly and returns it, or every objection with its place in the file.
 * @throws KeyriteError script.unreadable for what is not acceptable YAML.
 */
export function readScript(bytes: Uint8Array, file: string): ScriptReading {
  const document = readYaml(bytes, file);
  const result = check(scriptSchema, document);
  if (!result.ok) return { ok: false, objections: result.objections };
  const script: Script = { ...result.value, bytes, sha256: sha256Hex(bytes), document };
  const objections = shapeObjections(script);
  return objections.length === 0 ? { ok: true, script } : { ok: false, objections };
}

/** What a schema cannot say: unique ids, the reserved close, roles that are declared. */
function shapeObjections(script: Script): readonly Objection[] {
  const objections: Objection[] = [];
  const object = (path: readonly (string | number)[], text: string, hint?: string): void => {
    const { line: row, col } = script.document.locate(path);
    const at = `${script.document.file}:${row}:${col}`;
    objections.push(hint === undefined ? { at, text } : { at, text, hint });
  };
  const ids = new Set<string>();
  script.steps.forEach((step, index) => {
    if (ids.has(step.id)) object(["steps", index, "id"], `step id "${step.id}" is used twice`);
    ids.add(step.id);
    const last = index === script.steps.length - 1;
    if ((step.action === CLOSE) !== last) {
      object(
        ["steps", index, "action"],
        last ? `the last step must be "${CLOSE}"` : `"${CLOSE}" must be the last step`,
      );
    }
    if (step.always && !script.drill) {
      object(
        ["steps", index, "always"],
        `step "${step.id}" says always, but the script is no drill`,
        "add drill: true, or leave always out: elsewhere a failed step stops the ceremony",
      );
    }
    if (step.by === "everyone") return;
    for (const name of new Set(step.by)) {
      const needed = step.by.filter((r) => r === name).length;
      if (needed > (script.roles[name] ?? 0)) {
        object(
          ["steps", index, "by"],
          `step "${step.id}" needs ${needed} × ${name}, the roll call asks for ${script.roles[name] ?? 0}`,
          `raise ${name} under roles`,
        );
      }
    }
  });
  for (const [name, spec] of Object.entries(script.params)) {
    const problem = paramObjection(spec);
    if (problem !== undefined) object(["params", name], `parameter "${name}" ${problem}`);
  }
  return objections;
}

function paramObjection(spec: ParamSpec): string | undefined {
  if ((spec.type === "enum") !== (spec.of !== undefined)) {
    return spec.type === "enum" ? 'needs "of", the list of values' : 'has "of" but is no enum';
  }
  if (spec.type !== "integer" && (spec.min !== undefined || spec.max !== undefined)) {
    return "has min or max but is no integer";
  }
  if (spec.default === undefined) return undefined;
  if (spec.type === "file")
    return "is a file and cannot have a default: whoever runs it names the file";
  const parsed = parseParam(spec, String(spec.default));
  return parsed.ok ? undefined : `has a default that ${parsed.problem}`;
}

export type ParamValue =
  | { readonly ok: true; readonly value: string | number }
  | { readonly ok: false; readonly problem: string };

/** Reads a parameter's text by its type; says what is wrong in words that follow "the value …". */
export function parseParam(spec: ParamSpec, text: string): ParamValue {
  const bad = (problem: string): ParamValue => ({ ok: false, problem });
  switch (spec.type) {
    case "integer": {
      if (!/^(0|-?[1-9][0-9]{0,14})$/.test(text)) return bad("is not a whole number");
      const value = Number(text);
      if (spec.min !== undefined && value < spec.min) return bad(`is below ${spec.min}`);
      if (spec.max !== undefined && value > spec.max) return bad(`is above ${spec.max}`);
      return { ok: true, value };
    }
    case "enum":
      return spec.of?.includes(text) === true
        ? { ok: true, value: text }
        : bad(`is none of ${(spec.of ?? []).join(", ")}`);
    case "token":
    case "label":
      return parsed(label, text);
    case "person":
      return parsed(slug, text);
    case "role":
      return (ROLES as readonly string[]).includes(text)
        ? { ok: true, value: text }
        : bad(`is none of ${ROLES.join(", ")}`);
    case "dn":
    case "text":
    // Its path: planning reads the file and puts its digest in this place.
    case "file":
      return parsed(line, text);
  }
}

function parsed(schema: z.Schema<string>, text: string): ParamValue {
  const result = schema.safeParse(text);
  if (result.success) return { ok: true, value: result.data };
  return { ok: false, problem: result.error.issues[0]?.message ?? "is not valid" };
}

/** Reads a script or throws one error that carries every objection. */
export function requireScript(bytes: Uint8Array, file: string): Script {
  const reading = readScript(bytes, file);
  if (reading.ok) return reading.script;
  throw scriptRefused(file, reading.objections);
}

export function scriptRefused(file: string, objections: readonly Objection[]): KeyriteError {
  const count = objections.length === 1 ? "one objection" : `${objections.length} objections`;
  return new KeyriteError("script.refused", `${file} cannot be performed: ${count}`, {
    hints: objections.map((o) => `${o.at}: ${o.text}${o.hint === undefined ? "" : ` – ${o.hint}`}`),
  });
}
