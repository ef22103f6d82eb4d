/** What a script's `$name` becomes in a step, and what of a step people agree to. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { digestOf } from "../../src/lib/encoding.ts";
import type { Json, JsonObject } from "../../src/lib/json.ts";
import { finishStep, stepDocument, substitute, type Path } from "../../src/ceremony/plan-steps.ts";
import type { ScriptStep } from "../../src/ceremony/script.ts";

function substituted(values: JsonObject, params: JsonObject) {
  const unknown: (readonly [name: string, at: Path])[] = [];
  const result = substitute(values, params, ["steps", 2, "with"], (name, at) => {
    unknown.push([name, at]);
  });
  return { result, unknown };
}

test("a parameter stands in the place of its name, whatever its kind and however deep", () => {
  const params: JsonObject = { one: 1, no: null, list: ["a"], text: "$one", off: false };
  const cases: readonly (readonly [Json, Json])[] = [
    ["$one", 1],
    ["$no", null],
    ["$off", false],
    ["$list", ["a"]],
    [
      ["x", "$one", ["$one"]],
      ["x", 1, [1]],
    ],
    [
      { a: { b: "$one" }, c: "$list" },
      { a: { b: 1 }, c: ["a"] },
    ],
    ["one", "one"],
    ["x$one", "x$one"],
    ["", ""],
    [7, 7],
    [true, true],
    [null, null],
    [[], []],
    [{}, {}],
  ];
  for (const [value, becomes] of cases) {
    assert.deepEqual(substituted({ value }, params), { result: { value: becomes }, unknown: [] });
  }
});

test("a value is not substituted again: text that somebody enters names no other parameter", () => {
  assert.deepEqual(substituted({ v: "$text" }, { text: "$one", one: 1 }).result, { v: "$one" });
});

test("a name without a value is told with its place and left as it stands", () => {
  const values = { a: "$none", list: ["x", { deep: "$none either" }] };
  const { result, unknown } = substituted(values, { other: 1 });
  assert.deepEqual(result, values);
  assert.deepEqual(unknown, [
    ["none", ["steps", 2, "with", "a"]],
    ["none either", ["steps", 2, "with", "list", 1, "deep"]],
  ]);
});

test("a name that every object has is no parameter", () => {
  for (const name of ["toString", "constructor", "__proto__"]) {
    const { result, unknown } = substituted({ v: `$${name}` }, {});
    assert.deepEqual(result, { v: `$${name}` });
    assert.equal(unknown[0]?.[0], name);
  }
});

const SOURCE: Pick<ScriptStep, "policyRefs"> = { policyRefs: ["BR 6.2.2"] };
const STEP = {
  n: 2,
  id: "clock",
  action: "attest-clock",
  by: ["custodian"],
  instruction: "Look at the clock.",
  control: "single",
  always: false,
} as const;

test("people agree to a step as its document states it; always only where it is so", () => {
  const step = finishStep(STEP, SOURCE as ScriptStep, { token: "alpha" });
  const { always, ...said } = STEP;
  assert.equal(always, false);
  const document = { ...said, by: ["custodian"], with: { token: "alpha" } };
  assert.deepEqual(stepDocument(step), { ...document, policyRefs: ["BR 6.2.2"] });
  assert.equal(step.sha256, digestOf(stepDocument(step)));
  const whenever = { ...step, always: true };
  assert.deepEqual(stepDocument(whenever), { ...stepDocument(step), always: true });
  assert.equal(stepDocument({ ...step, by: "everyone" })["by"], "everyone");
});
