/**
 * Judges read data against a schema and says what is wrong in plain words, with the place in the
 * file and, for a misspelt word, the word that was probably meant.
 */

import type { JsonObject } from "./json.ts";
import type { Objection } from "./objection.ts";
import { place } from "./plain-text.ts";
import type { Fault, Path, Schema } from "./shape.ts";
import type { YamlDocument } from "./yaml.ts";

export * as z from "./shapes.ts";
export type { Objection, Path };

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
export function check<T>(schema: Schema<T>, source: Located, root: Path = []): Checked<T> {
  const parsed = schema.safeParse(source.value);
  if (parsed.success) return { ok: true, value: parsed.data };
  return { ok: false, objections: parsed.error.issues.map((one) => objection(one, source, root)) };
}

function objection({ path, part, message }: Fault, source: Located, root: Path): Objection {
  const at = `${source.file}:${place(source.locate([...root, ...path], part))}`;
  const [text = "", hint] = message.split("\n");
  return hint === undefined ? { at, text } : { at, text, hint };
}

/** JSON Schema (draft 2020-12) of what a schema reads, for editors. */
export function jsonSchemaOf(schema: Schema): JsonObject {
  return { $schema: "https://json-schema.org/draft/2020-12/schema", ...schema.describe() };
}
