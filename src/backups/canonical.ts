/** Reads the JSON files of a backup: bounded, in the one form that has one digest, judged by a schema. */

import { equalBytes, fromUtf8, utf8 } from "../lib/encoding.ts";
import { canonicalJson, type Json } from "../lib/json.ts";
import type { z } from "../lib/schema.ts";
import { damaged } from "./refusal.ts";

/**
 * The value of canonical JSON bytes (RFC 8785) that fits a schema.
 * @param file its name, for messages.
 * @throws KeyriteError ledger.backup-damaged naming the first faults
 */
export function readCanonical<T>(
  bytes: Uint8Array,
  file: string,
  most: number,
  schema: z.Schema<T>,
): T {
  if (bytes.length > most) throw damaged(`${file} is longer than ${most} bytes`);
  const value = parse(bytes, file);
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    const [first] = parsed.error.issues;
    const at = first === undefined || first.path.length === 0 ? "" : `${first.path.join(".")}: `;
    throw damaged(`${file} is not valid: ${at}${first?.message.split("\n")[0] ?? ""}`);
  }
  // Also catches repeated members, which JSON.parse takes silently: two readers would see two files.
  if (!equalBytes(canonicalBytes(value, file), bytes)) {
    throw damaged(`${file} is not canonical JSON (RFC 8785)`);
  }
  return parsed.data;
}

function parse(bytes: Uint8Array, file: string): Json {
  try {
    return JSON.parse(fromUtf8(bytes)) as Json;
  } catch (cause) {
    throw damaged(`${file} is not JSON`, cause);
  }
}

function canonicalBytes(value: Json, file: string): Uint8Array {
  try {
    return utf8(canonicalJson(value));
  } catch (cause) {
    throw damaged(`${file} holds text that is not Unicode`, cause);
  }
}
