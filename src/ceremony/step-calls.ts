/** The PKCS#11 call journal in the outcome of a step: written by the engine, read by the fold. */

import type { JournalRow } from "../hsm/journal.ts";
import type { Hsm } from "../hsm/token.ts";
import type { Json, JsonObject } from "../lib/json.ts";

/**
 * Member `calls` of an outcome: every call since the outcome before it, or nothing when there was none.
 * Between steps the engine looks at tokens too; those calls are the next step's.
 */
export function callsMember(hsm: Pick<Hsm, "journal">): JsonObject {
  const rows = hsm.journal();
  return rows.length === 0 ? {} : { calls: rows.map((row) => [...row]) };
}

/** The rows of an outcome's data; what is none is left out. */
export function callsOf(data: JsonObject): readonly JournalRow[] {
  const { calls } = data;
  return Array.isArray(calls) ? calls.flatMap(rowOf) : [];
}

function rowOf(value: Json): readonly JournalRow[] {
  if (!Array.isArray(value) || value.length !== 5) return [];
  const [token, call, mechanism, ckr, count] = value as readonly Json[];
  if (typeof token !== "string" || typeof call !== "string") return [];
  if (typeof mechanism !== "string" || typeof ckr !== "string") return [];
  if (typeof count !== "number" || count < 1) return [];
  return [[token, call, mechanism, ckr, count]];
}
