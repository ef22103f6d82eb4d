/**
 * Judges read data against a schema and says what is wrong in plain words, with the place in the
 * file and, for a misspelt word, the word that was probably meant.
 */

import type { JsonObject } from "./json.ts";
import type { Objection } from "./objection.ts";
import { place } from "./plain-text.ts";
import { enumText, expectedWord, foundWord, issueText } from "./schema-text.ts";
import { didYouMean } from "./suggest.ts";
import type { YamlDocument } from "./yaml.ts";
import * as z from "./zod.ts";

// Zod would otherwise compile validators with the Function constructor.
z.config({ jitless: true });

export * as z from "./zod.ts";
export type { Objection };

export type Path = readonly (string | number)[];

/** Data to judge and the file it came from; a `YamlDocument` is one. */
export interface Located extends Pick<YamlDocument, "file" | "locate"> {
  readonly value: unknown;
}

export type Checked<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly objections: readonly Objection[] };

/**
 * Judges `source.value`, which stands at `root` in its file. A message that a schema gives itself
 * (`z.string().regex(…, "not a label\nuse a-z, 0-9 and dashes")`) is used as it is: its first line
 * is the text, its second the hint.
 */
export function check<S extends z.ZodType>(
  schema: S,
  source: Located,
  root: Path = [],
): Checked<z.output<S>> {
  const result = schema.safeParse(source.value, { error: explain, reportInput: true });
  if (result.success) return { ok: true, value: result.data };
  const objections = result.error.issues.flatMap((issue) => objectionsOf(issue, source, root));
  return { ok: false, objections };
}

/** JSON Schema (draft 2020-12) of what a schema reads, for editors. */
export function jsonSchemaOf(schema: z.ZodType): JsonObject {
  return z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as unknown as JsonObject;
}

type Issue = z.core.$ZodIssue;
/** An issue that has no words yet. */
export type RawIssue = z.core.$ZodRawIssue;

/** Words for what schemas leave unsaid; for an unknown key, the keys that are known. */
function explain(issue: RawIssue): string | undefined {
  if (issue.code === "unrecognized_keys") return knownKeys(issue.inst).join("\n");
  return issueText(issue);
}

function knownKeys(mapping: unknown): readonly string[] {
  if (mapping instanceof z.ZodObject) return Object.keys(mapping.shape);
  const key: unknown = mapping instanceof z.ZodRecord ? mapping.keyType : undefined;
  return key instanceof z.ZodEnum ? key.options.map(String) : [];
}

function objectionsOf(issue: Issue, source: Located, root: Path): Objection[] {
  const path = [...root, ...issue.path.map(stepOf)];
  if (issue.code === "unrecognized_keys") {
    const known = issue.message === "" ? [] : issue.message.split("\n");
    return issue.keys.map((key) => unknownKey(key, known, source, path));
  }
  if (issue.code === "invalid_union") return unionObjections(issue, source, path);
  const last = path.at(-1);
  if (issue.input === undefined && path.length > root.length && typeof last === "string") {
    return [objection(source, path, `missing key "${last}"`)];
  }
  if (issue.code === "invalid_key") {
    const text = issue.issues.map((inner) => inner.message).join("\n");
    return [objection(source, path, `key "${String(last)}": ${text}`, "key")];
  }
  return [objection(source, path, issue.message)];
}

function unknownKey(key: string, known: readonly string[], source: Located, path: Path): Objection {
  const meant = didYouMean(key, known);
  const hint = meant === undefined ? `known here: ${known.join(", ")}` : `did you mean "${meant}"?`;
  const text = `unknown key "${key}"`;
  const message = known.length === 0 ? text : `${text}\n${hint}`;
  return objection(source, [...path, key], message, "key");
}

/**
 * The objections of the alternative that was probably meant: one whose kind of value fits, with the
 * fewest faults. If none fits, one objection that lists what was possible.
 */
function unionObjections(
  issue: Extract<Issue, { code: "invalid_union" }>,
  source: Located,
  path: Path,
): Objection[] {
  const last = path.at(-1);
  if (issue.input === undefined && typeof last === "string") {
    return [objection(source, path, `missing key "${last}"`)];
  }
  if (issue.discriminator !== undefined && "options" in issue) {
    return discriminated(issue.discriminator, issue.options, issue.input, source, path);
  }
  const alternatives: readonly (readonly Issue[])[] = issue.errors;
  const near = alternatives
    .filter((issues) => issues.every((one) => one.path.length > 0 || !isMismatch(one)))
    .sort((a, b) => faults(a) - faults(b))[0];
  if (near !== undefined) return near.flatMap((inner) => objectionsOf(inner, source, path));
  const wanted = new Set(alternatives.flatMap((issues) => issues.flatMap(wantedBy)));
  const text = `expected ${[...wanted].join(" or ")}, found ${foundWord(issue.input)}`;
  return [objection(source, path, text)];
}

/** The value that says which alternative it is stands under `path`, or is missing there. */
function discriminated(
  name: string,
  options: readonly unknown[],
  input: unknown,
  source: Located,
  path: Path,
): Objection[] {
  const owner = path.at(-1) === name ? path.slice(0, -1) : path;
  const value = isRecord(input) ? input[name] : undefined;
  const at = [...owner, name];
  if (value === undefined) return [objection(source, at, `missing key "${name}"`)];
  return [objection(source, at, enumText(options, value))];
}

function faults(issues: readonly Issue[]): number {
  return issues.reduce((sum, one) => sum + ("keys" in one ? one.keys.length : 1), 0);
}

function isMismatch(issue: Issue): boolean {
  return issue.code === "invalid_type" || issue.code === "invalid_value";
}

function wantedBy(issue: Issue): string[] {
  if (issue.path.length > 0) return [];
  if (issue.code === "invalid_type") return [expectedWord(issue.expected)];
  return issue.code === "invalid_value" ? issue.values.map((value) => `"${String(value)}"`) : [];
}

function objection(
  source: Located,
  path: Path,
  message: string,
  part: "key" | "value" = "value",
): Objection {
  const at = `${source.file}:${place(source.locate(path, part))}`;
  const [text = "", hint] = message.split("\n");
  return hint === undefined ? { at, text } : { at, text, hint };
}

function stepOf(name: PropertyKey): string | number {
  return typeof name === "symbol" ? String(name) : name;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
