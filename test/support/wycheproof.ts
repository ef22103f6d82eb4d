/** Project Wycheproof's vectors as they lie in test/vectors/wycheproof, where a README says what is in them. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fromHex } from "../../src/lib/encoding.ts";
import { ROOT } from "./rehearsed-site.ts";

export type Result = "valid" | "invalid" | "acceptable";

export interface Vector {
  /** Within its file. */
  readonly id: number;
  readonly result: Result;
  /** What the tests of one group share: a public key in hex, or sizes in bits. */
  readonly group: unknown;
  readonly parts: readonly Uint8Array[];
}

export const bytesOf = (text: string): Uint8Array =>
  fromHex(text) ?? assert.fail(`${text} is no hex`);

export function vectorFile(name: string): string {
  return join(ROOT, "test", "vectors", "wycheproof", `${name}.jsonl`);
}

/** Every vector of a file. @param count how many there have to be: none may be passed over */
export function vectors(name: string, count: number): readonly Vector[] {
  const found: Vector[] = [];
  let group: unknown;
  for (const line of readFileSync(vectorFile(name), "utf8").trimEnd().split("\n")) {
    const value = JSON.parse(line) as { readonly group: unknown } | [number, Result, ...string[]];
    if (Array.isArray(value)) {
      const [id, result, ...parts] = value;
      found.push({ id, result, group, parts: parts.map(bytesOf) });
    } else group = value.group;
  }
  assert.equal(found.length, count, `${name} is not whole`);
  return found;
}

/** Asserts that what was accepted is what is valid; an acceptable one may be either. */
export function assertJudged(all: readonly Vector[], accepted: (vector: Vector) => boolean): void {
  const wrong = all.filter((one) => {
    const said = accepted(one);
    return one.result !== "acceptable" && said !== (one.result === "valid");
  });
  assert.deepEqual(
    wrong.map(({ id, result }) => `${id} is ${result}`),
    [],
  );
}
