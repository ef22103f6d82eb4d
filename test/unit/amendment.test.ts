/** The machine a ceremony goes on with: what an entry says of it, and what people read when it is another. */

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  amendedPlan,
  machineChanges,
  machineJson,
  machineLines,
  type Machine,
} from "../../src/ceremony/amendment.ts";
import { sha256Hex, utf8 } from "../../src/lib/encoding.ts";
import type { Json } from "../../src/lib/json.ts";
import { plainPlan } from "../support/plain-entry.ts";

const SOFTWARE = sha256Hex("build");
const BINDINGS = sha256Hex("bindings");
const MODULE = sha256Hex("module");
const MACHINE: Machine = { software: SOFTWARE, bindings: BINDINGS, modules: { soft: MODULE } };
const PLAN = { ...plainPlan([]), modules: { old: sha256Hex("old") } };

test("what an entry says of a machine reads back to it", () => {
  const data = machineJson(MACHINE);
  assert.deepEqual(data, {
    software: SOFTWARE,
    bindings: BINDINGS,
    modules: [{ module: "soft", sha256: MODULE }],
  });
  assert.deepEqual(amendedPlan(PLAN, { data }), { ...PLAN, ...MACHINE });
  assert.equal(amendedPlan(undefined, { data }), undefined);
});

test("an entry of an older build names no modules: the plan's own stay", () => {
  const data = { software: SOFTWARE, bindings: BINDINGS };
  assert.deepEqual(amendedPlan(PLAN, { data })?.modules, PLAN.modules);
});

const NONE: readonly (readonly [member: string, value: Json])[] = [
  ["software", 7],
  ["software", SOFTWARE.slice(1)],
  ["software", `${SOFTWARE}0`],
  ["software", SOFTWARE.toUpperCase()],
  ["bindings", null],
  ["bindings", ` ${BINDINGS.slice(1)}`],
  ["modules", "soft"],
  ["modules", {}],
  ["modules", ["soft"]],
  ["modules", [{ module: "soft" }]],
  ["modules", [{ sha256: MODULE }]],
  ["modules", [{ module: 7, sha256: MODULE }]],
  ["modules", [{ module: "soft", sha256: "none" }]],
  ["modules", [{ module: "soft", sha256: MODULE }, null]],
];

for (const [member, value] of NONE) {
  test(`an entry whose ${member} is ${JSON.stringify(value).slice(0, 40)} names no machine`, () => {
    assert.equal(
      amendedPlan(PLAN, { data: { ...machineJson(MACHINE), [member]: value } }),
      undefined,
    );
  });
}

test("what of a machine is another: build, bindings, and each module that differs, came or went", () => {
  assert.deepEqual(machineChanges(MACHINE, { ...MACHINE, modules: { soft: MODULE } }), []);
  const before = { ...MACHINE, modules: { same: "s", gone: "g", "b\u202e": "1" } };
  const now = { software: "S", bindings: "B", modules: { same: "s", new: "n", "b\u202e": "2" } };
  assert.deepEqual(machineChanges(before, now), [
    `another build of keyrite (${SOFTWARE}, now S)`,
    `another site.yaml (${BINDINGS}, now B)`,
    "another PKCS#11 module b\\u{202e} (1, now 2)",
    "another PKCS#11 module gone (g, now none)",
    "another PKCS#11 module new (none, now n)",
  ]);
});

test("the room reads what differs, of site.yaml the lines, as far as they are known", () => {
  const texts = new Map([
    [BINDINGS, "same\nold\u202e\n"],
    ["B", "same\nnew\n"],
  ]);
  const known = (sha256: string): Uint8Array | undefined => {
    const text = texts.get(sha256);
    return text === undefined ? undefined : utf8(text);
  };
  assert.deepEqual(machineLines(MACHINE, MACHINE, known), []);
  const now = { ...MACHINE, software: "S", bindings: "B" };
  const heading = "NOT THE MACHINE IT WAS BEGUN WITH. From here on it is:";
  const changes = [
    `  another build of keyrite (${SOFTWARE}, now S)`,
    `  another site.yaml (${BINDINGS}, now B)`,
  ];
  const lines = [heading, ...changes];
  assert.deepEqual(machineLines(MACHINE, now, known), [
    ...lines,
    "    + new",
    "    - old\\u{202e}",
  ]);
  texts.delete(BINDINGS);
  assert.deepEqual(machineLines(MACHINE, now, known), [...lines, "    + same", "    + new"]);
  texts.delete("B");
  assert.deepEqual(machineLines(MACHINE, now, known), lines);
});
