/** RFC 8785 canonical JSON against its authors' input and output pairs. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { canonicalJson, type Json } from "../../src/lib/json.ts";

const { cases } = JSON.parse(readFileSync(new URL("jcs.json", import.meta.url), "utf8")) as {
  readonly cases: readonly {
    readonly name: string;
    readonly input: string;
    readonly output: string;
  }[];
};

test("there are the six published pairs", () => {
  assert.deepEqual(
    cases.map(({ name }) => name),
    ["arrays", "french", "structures", "unicode", "values", "weird"],
  );
});

for (const { name, input, output } of cases) {
  test(`canonical form of ${name}`, () => {
    const value = JSON.parse(input) as Json;
    assert.equal(canonicalJson(value), output);
    assert.equal(canonicalJson(JSON.parse(output) as Json), output);
  });
}

test("what JSON cannot say is refused, not written as something else", () => {
  const refused: readonly unknown[] = [NaN, Infinity, "\ud800", ["\udc00a"], { a: undefined }, 1n];
  for (const value of refused) assert.throws(() => canonicalJson(value as Json), TypeError);
});
