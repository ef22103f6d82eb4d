/**
 * The table of actions for the operators' manual, out of the vocabulary itself. Run as a program it
 * writes the table into CEREMONY.md: `node --import tsx test/support/actions-table.ts`.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ACTIONS } from "../../src/actions/index.ts";
import type { Action } from "../../src/ceremony/action.ts";
import type { Json, JsonObject } from "../../src/lib/json.ts";
import { jsonSchemaOf } from "../../src/lib/schema.ts";

const MANUAL = join(import.meta.dirname, "..", "..", "CEREMONY.md");

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly enum?: readonly Json[];
  readonly const?: Json;
  readonly type?: string;
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
  readonly anyOf?: readonly Schema[];
  readonly pattern?: string;
  readonly maximum?: number;
}

/** What stands for a value in an instruction. */
const EXAMPLES: JsonObject = {
  person: "person",
  roles: ["custodian"],
  holders: "custodian",
  officers: "custodian",
  algorithm: "p-384",
  days: 7305,
  vettedUntil: "2027-11-30",
  trainedUntil: "2027-05-31",
  escrow: false,
  reader: "none",
  fields: {},
  origin: "pki.example.org/dc2",
};

const DIGEST_FORM = "^[0-9a-f]{64}$";
const DIGEST = "0".repeat(64);

/** Parameters that exclude what the example shows. */
const INSTEAD: Readonly<Record<string, readonly string[]>> = {
  "issue-certificate": ["request", "certificate", "replaces"],
  "sign-ocsp-responder": ["subjectKey", "subjectToken"],
};

function example(name: string, schema: Schema): Json {
  const known = EXAMPLES[name];
  const fits =
    schema.enum === undefined || (typeof known === "string" && schema.enum.includes(known));
  if (typeof known === "number" && schema.maximum !== undefined) {
    return Math.min(known, schema.maximum);
  }
  if (known !== undefined && fits) {
    return schema.type === "array" && !Array.isArray(known) ? [known] : known;
  }
  if (schema.const !== undefined) return schema.const;
  const last = schema.enum?.at(-1);
  if (last !== undefined) return last;
  if (schema.type === "array") return [example(name, schema.items ?? {})];
  if (schema.type === "boolean") return true;
  if (schema.type === "integer") return 1;
  if (schema.type === "object") return members(schema);
  const [first] = (schema.anyOf ?? []).filter(({ pattern }) => pattern !== DIGEST_FORM);
  if (first !== undefined) return example(name, first);
  if (schema.pattern === DIGEST_FORM) return DIGEST;
  // Slugs are written small.
  if (schema.pattern?.startsWith("^[a-z]") === true) return name.toLowerCase();
  return name.toUpperCase();
}

function members({ properties = {} }: Schema): Json {
  return Object.fromEntries(
    Object.entries(properties).map(([name, schema]) => [name, example(name, schema)]),
  );
}

function parameters(action: Action): Readonly<Record<string, Schema>> {
  return (jsonSchemaOf(action.params) as Schema).properties ?? {};
}

function parameter(name: string, schema: Schema): string {
  const values = schema.enum ?? (schema.const === undefined ? [] : [schema.const]);
  return values.length === 0 || values.length > 5
    ? name
    : `${name} (${values.map(String).join(", ")})`;
}

function row(action: Action): string {
  const all = Object.entries(parameters(action));
  const shown = all.filter(([name]) => INSTEAD[action.name]?.includes(name) !== true);
  const given = Object.fromEntries(shown.map(([name, schema]) => [name, example(name, schema)]));
  const cells = [
    `\`${action.name}\``,
    action.control,
    all.map(([name, schema]) => parameter(name, schema)).join(", ") || "–",
    action.facts.map((fact) => `\`${fact}\``).join(", ") || "–",
    action.bind(given).instruction.replaceAll(DIGEST, "DIGEST"),
  ];
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

export function actionsTable(): string {
  return [
    "| action | control | parameters | facts | says (values in capitals stand for parameters) |",
    "|---|---|---|---|---|",
    ...ACTIONS.map(row),
  ].join("\n");
}

if (process.argv[1] === import.meta.filename) {
  const text = readFileSync(MANUAL, "utf8");
  const place = /(?<=<!-- generated: actions -->\n)[\s\S]*?(?=<!-- end -->)/;
  writeFileSync(
    MANUAL,
    text.replace(place, () => `${actionsTable()}\n`),
  );
}
