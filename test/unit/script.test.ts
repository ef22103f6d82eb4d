/** Reading a script: what its shape must be, where it is blamed, and which texts its parameters take. */

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  parseParam,
  readScript,
  requireScript,
  scriptRefused,
  type ParamSpec,
} from "../../src/ceremony/script.ts";
import { ROLES } from "../../src/ceremony/words.ts";
import { sha256Hex, utf8 } from "../../src/lib/encoding.ts";
import { script, STEP } from "../support/stage-scripts.ts";

/** `line:col text – hint` of every objection to a script. */
function objections(yaml: string): readonly string[] {
  const reading = readScript(utf8(yaml), "s.yaml");
  if (reading.ok) return [];
  return reading.objections.map(({ at, text, hint }) => {
    assert.match(at, /^s\.yaml:\d+:\d+$/);
    return `${at.replace("s.yaml:", "")} ${text}${hint === undefined ? "" : ` – ${hint}`}`;
  });
}

test("a script is what it says, with defaults for what it leaves out, and its exact bytes", () => {
  const yaml = script([STEP.attest]);
  const bytes = utf8(yaml);
  const { document, ...read } = requireScript(bytes, "s.yaml");
  assert.equal(document.file, "s.yaml");
  const step = { policyRefs: [], always: false } as const;
  assert.deepEqual(read, {
    ...{ keyrite: "script/v1", name: "staged", version: "1.0.0", title: "A staged ceremony" },
    ...{ founding: false, drill: false, caClass: "none", policyRefs: [], params: {} },
    roles: { "ceremony-administrator": 1, custodian: 3, "internal-witness": 1 },
    steps: [
      { ...step, id: "roll-call", action: "roll-call", by: "everyone", with: {} },
      {
        ...step,
        id: "attest",
        action: "attest",
        by: ["internal-witness"],
        with: { statement: "It is so" },
      },
      { ...step, id: "close", action: "close", by: "everyone", with: {} },
    ],
    bytes,
    sha256: sha256Hex(yaml),
  });
});

const ALWAYS =
  'step "clock" says always, but the script is no drill – add drill: true, or leave always out: elsewhere a failed step stops the ceremony';

/** Lines of steps between the roll call and the close, and what is objected to. */
const SHAPES: readonly (readonly [
  what: string,
  steps: readonly string[],
  said: readonly string[],
])[] = [
  ["nothing", [STEP.clock], []],
  [
    "a step id that is used twice",
    [STEP.clock, STEP.clock],
    ['10:11 step id "clock" is used twice'],
  ],
  [
    "a close before the last step",
    [`id: early, action: close, by: everyone`],
    ['9:26 "close" must be the last step'],
  ],
  ["always outside a drill", [`${STEP.clock}, always: true`], [`9:96 ${ALWAYS}`]],
  [
    "more people of a role than are called, once for a role",
    [
      "id: many, action: attest, by: [custodian, custodian, auditor, custodian, custodian, auditor]",
    ],
    [
      '9:37 step "many" needs 4 × custodian, the roll call asks for 3 – raise custodian under roles',
      '9:37 step "many" needs 2 × auditor, the roll call asks for 0 – raise auditor under roles',
    ],
  ],
  [
    "as many people as are called",
    [`id: all, action: attest, by: [custodian, custodian, custodian]`],
    [],
  ],
];

for (const [what, steps, said] of SHAPES) {
  test(`a script is objected to for ${what}`, () => {
    assert.deepEqual(objections(script(steps)), said);
  });
}

test("a drill may say always, and a script has to end in its close", () => {
  assert.deepEqual(objections(script([`${STEP.clock}, always: true`], ["drill: true"])), []);
  const open = script([STEP.clock]).replace("id: close, action: close", "id: end, action: attest");
  assert.deepEqual(objections(open), ['10:24 the last step must be "close"']);
});

/** Specifications of a parameter, and what is objected to; undefined where it is taken. */
const PARAMS: readonly (readonly [spec: string, said?: string])[] = [
  ["type: enum, of: [a, b]"],
  ["type: enum", 'needs "of", the list of values'],
  ["type: text, of: [a]", 'has "of" but is no enum'],
  ["type: integer, min: 1, max: 2"],
  ["type: text, min: 1", "has min or max but is no integer"],
  ["type: text, max: 1", "has min or max but is no integer"],
  ["type: file"],
  [
    "type: file, default: a.txt",
    "is a file and cannot have a default: whoever runs it names the file",
  ],
  ["type: integer, default: 4"],
  ["type: integer, min: 2, default: 1", "has a default that is below 2"],
  ["type: enum, of: [a, b], default: c", "has a default that is none of a, b"],
  ["type: role, default: auditor"],
];

for (const [spec, said] of PARAMS) {
  test(`a parameter of ${spec} is ${said === undefined ? "taken" : "objected to"}`, () => {
    const found = objections(script([STEP.clock], [`params: { pp: { ${spec}, about: x } }`]));
    assert.deepEqual(found, said === undefined ? [] : [`6:15 parameter "pp" ${said}`]);
  });
}

test("what is wrong is said all at once", () => {
  const params = "params: { pp: { type: enum, about: x }, qq: { type: text, about: x, max: 3 } }";
  assert.deepEqual(objections(script([STEP.clock, STEP.clock], [params])), [
    '11:11 step id "clock" is used twice',
    '6:15 parameter "pp" needs "of", the list of values',
    '6:45 parameter "qq" has min or max but is no integer',
  ]);
});

const LABEL = parseParam({ type: "label", about: "x" }, " ");
const PERSON = parseParam({ type: "person", about: "x" }, "X");
const LINE = parseParam({ type: "text", about: "x" }, "a\nb");

test("what a label, a person and a line must be", () => {
  const said = [LABEL, PERSON, LINE].map((one) => (one.ok ? "" : one.problem));
  assert.deepEqual(said, [
    "must be 1 to 32 letters, digits, dots, dashes or underscores and begin with a letter or digit",
    "must be 2 to 31 lower-case letters, digits or dashes and begin with a letter",
    "must be one line without control characters",
  ]);
});

const INTEGER = { type: "integer", about: "x", min: -2, max: 12 } as const;
const NO_NUMBER = "is not a whole number";

/** The value that a text is read as, or the problem that is said of it. */
const TEXTS: readonly (readonly [
  spec: ParamSpec | ParamSpec["type"],
  text: string,
  read: unknown,
])[] = [
  [INTEGER, "-2", -2],
  [INTEGER, "-3", { problem: "is below -2" }],
  [INTEGER, "12", 12],
  [INTEGER, "13", { problem: "is above 12" }],
  [INTEGER, "0", 0],
  ["integer", "999999999999999", 999_999_999_999_999],
  ["integer", "-99", -99],
  ["integer", "1000000000000000", { problem: NO_NUMBER }],
  ["integer", "00", { problem: NO_NUMBER }],
  ["integer", "-0", { problem: NO_NUMBER }],
  ["integer", "+1", { problem: NO_NUMBER }],
  ["integer", "1 ", { problem: NO_NUMBER }],
  ["integer", " 1", { problem: NO_NUMBER }],
  ["integer", "", { problem: NO_NUMBER }],
  [{ type: "enum", about: "x", of: ["a", "b"] }, "b", "b"],
  [{ type: "enum", about: "x", of: ["a", "b"] }, "c", { problem: "is none of a, b" }],
  ["enum", "c", { problem: "is none of " }],
  ["token", "alpha", "alpha"],
  ["token", " ", LABEL],
  ["label", "root-g1", "root-g1"],
  ["person", "ana", "ana"],
  ["person", "X", PERSON],
  ["role", "auditor", "auditor"],
  ["role", "boss", { problem: `is none of ${ROLES.join(", ")}` }],
  ["dn", "CN=Root", "CN=Root"],
  ["dn", "a\nb", LINE],
  ["text", "any text", "any text"],
  ["file", "a/b.txt", "a/b.txt"],
  ["file", "a\nb", LINE],
];

for (const [given, text, read] of TEXTS) {
  const spec: ParamSpec = typeof given === "string" ? { type: given, about: "x" } : given;
  test(`${JSON.stringify(text)} as a ${spec.type}`, () => {
    const expected = typeof read === "object" ? { ok: false, ...read } : { ok: true, value: read };
    assert.deepEqual(parseParam(spec, text), expected);
  });
}

test("one error carries every objection, each with its place and hint", () => {
  const one = { at: "s.yaml:1:2", text: "is wrong" };
  const other = { at: "s.yaml:3:4", text: "is wrong too", hint: "put it right" };
  const said = (list: readonly (typeof one)[]): readonly unknown[] => {
    const { code, message, hints } = scriptRefused("s.yaml", list);
    return [code, message, hints];
  };
  assert.deepEqual(said([one]), [
    "script.refused",
    "s.yaml cannot be performed: one objection",
    ["s.yaml:1:2: is wrong"],
  ]);
  assert.deepEqual(said([one, other]), [
    "script.refused",
    "s.yaml cannot be performed: 2 objections",
    ["s.yaml:1:2: is wrong", "s.yaml:3:4: is wrong too – put it right"],
  ]);
  assert.throws(() => requireScript(utf8(script([STEP.clock, STEP.clock])), "s.yaml"), {
    code: "script.refused",
    message: "s.yaml cannot be performed: one objection",
    hints: ['s.yaml:10:11: step id "clock" is used twice'],
  });
});

/** What replaces what in a script that is otherwise taken, and whether it still is. */
const HEADS: readonly (readonly [from: string, to: string, taken: boolean])[] = [
  ["version: 1.0.0", 'version: "10.20.30"', true],
  ["version: 1.0.0", 'version: "1.0"', false],
  ["version: 1.0.0", 'version: "1.0.0-rc1"', false],
  ["version: 1.0.0", 'version: "v1.0.0"', false],
  ["custodian: 3", "custodian: 20", true],
  ["custodian: 3", "custodian: 21", false],
  ["custodian: 3", "custodian: 0", false],
  ["script/v1", "script/v2", false],
  ["caClass: none", "caClass: root", true],
  ["caClass: none", "caClass: external-sub", true],
  ["caClass: none", "caClass: affiliate-sub", true],
  ["caClass: none", "caClass: other", false],
];

for (const [from, to, taken] of HEADS) {
  test(`a script with ${to} is ${taken ? "taken" : "not taken"}`, () => {
    const yaml = script([STEP.attest]).replace(from, to);
    assert.equal(readScript(utf8(yaml), "s.yaml").ok, taken);
  });
}

test("a script has 2 to 200 steps", () => {
  const steps = (count: number): string =>
    script(
      Array.from({ length: count - 2 }, (_, i) => `id: step-${i}, action: attest, by: [custodian]`),
    );
  assert.deepEqual(
    [2, 200, 201].map((count) => readScript(utf8(steps(count)), "s.yaml").ok),
    [true, true, false],
  );
  const single = steps(2).replace(/ {2}- \{ id: roll-call.*\n/, "");
  assert.equal(readScript(utf8(single), "s.yaml").ok, false);
});
