/** The values of a script's parameters: from `--set` or a default, each judged by its type. */

import { KeyriteError } from "../lib/errors.ts";
import { didYouMean } from "../lib/suggest.ts";
import type { PlanInputs } from "./inputs.ts";
import type { Blame } from "./plan-blames.ts";
import { parseParam, type ParamSpec, type ParamValue, type Script } from "./script.ts";

export type ParamValues = Readonly<Record<string, string | number>>;

/** Reads all values; files among them are taken in. What is wrong stands in `blames`, at `params`. */
export function paramValues(
  { params }: Pick<Script, "params">,
  set: Readonly<Record<string, string>>,
  documents: PlanInputs,
): { readonly values: ParamValues; readonly blames: readonly Blame[] } {
  const values: Record<string, string | number> = {};
  const blames: Blame[] = [];
  for (const name of Object.keys(set)) {
    if (Object.hasOwn(params, name)) continue;
    const near = didYouMean(name, Object.keys(params));
    const text = `the script has no parameter "${name}"`;
    blames.push({
      at: [],
      text,
      ...(near === undefined ? {} : { hint: `did you mean "${near}"?` }),
    });
  }
  for (const [name, spec] of Object.entries(params)) {
    const given = set[name] ?? spec.default;
    if (given === undefined) {
      const text = `parameter "${name}" has no value`;
      blames.push({ at: [name], text, hint: `add --set ${name}=…` });
      continue;
    }
    const parsed = read(spec, String(given), documents);
    if (parsed.ok) values[name] = parsed.value;
    else {
      const text = `parameter "${name}": the value "${given}" ${parsed.problem}`;
      blames.push({ at: [name], text });
    }
  }
  return { values, blames };
}

// The value of a file is its digest: its path is this machine's business.
function read(spec: ParamSpec, text: string, documents: PlanInputs): ParamValue {
  const parsed = parseParam(spec, text);
  if (!parsed.ok || spec.type !== "file") return parsed;
  try {
    return { ok: true, value: documents.takeFile(text) };
  } catch (error) {
    if (!(error instanceof KeyriteError)) throw error;
    return { ok: false, problem: `is no file that can be taken in: ${error.message}` };
  }
}
