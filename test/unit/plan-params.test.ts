/** Parameters of a script: a scalar that is exactly `$name` is that parameter's value, and nothing more. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { script } from "../support/stage-scripts.ts";
import { stageTests } from "../support/stage-tests.ts";

const fork = await stageTests();

const ENROLL =
  "id: enroll, action: enroll-person, by: [ceremony-administrator, internal-witness], with:";
const FIXED = "{ person: fay, roles: [custodian], reference: file 4711 }";

/** A script with one enrolment, its parameters as flow YAML. */
function enrolment(params: string, values: string): string {
  return script([`${ENROLL} ${values}`], [`params: { ${params} }`]);
}

function values(yaml: string, set: Record<string, string>, t: Parameters<typeof fork>[0]): unknown {
  return fork(t).plan(yaml, set).steps[1]?.values;
}

function texts(
  yaml: string,
  set: Record<string, string>,
  t: Parameters<typeof fork>[0],
): readonly string[] {
  const planning = fork(t).planning(yaml, set);
  assert.ok(!planning.ok, "the script was planned");
  return planning.objections.map(({ text, hint }) =>
    hint === undefined ? text : `${text} – ${hint}`,
  );
}

const WHO = "who: { type: person, about: who }";

test("$name stands for the parameter's value, also inside lists", (t) => {
  const params = `${WHO}, as: { type: role, about: as what }, ref: { type: text, about: document }`;
  const yaml = enrolment(params, "{ person: $who, roles: [$as], reference: $ref }");
  assert.deepEqual(values(yaml, { who: "fay", as: "custodian", ref: "file 1" }, t), {
    person: "fay",
    roles: ["custodian"],
    reference: "file 1",
  });
});

test("nothing is concatenated, nested, evaluated or replaced twice", (t) => {
  const params =
    "ref: { type: text, about: document }, other: { type: text, about: x, default: y }";
  const yaml = (reference: string): string =>
    enrolment(params, `{ person: fay, roles: [custodian], reference: "${reference}" }`);
  for (const literal of ["file $ref", " $ref", "a$ref", "${ref}x".replace("$", "a$")]) {
    const found = values(yaml(literal), { ref: "4711" }, t) as { reference: string };
    assert.equal(found.reference, literal);
  }
  const twice = values(yaml("$ref"), { ref: "$other" }, t) as { reference: string };
  assert.equal(twice.reference, "$other");
  for (const [wrong, name] of [
    ["$ref ", "ref "],
    ["$ref-1", "ref-1"],
    ["$ref$other", "ref$other"],
    ["${ref}", "{ref}"],
    ["$", ""],
    ["$$ref", "$ref"],
    ["$REF", "REF"],
  ] as const) {
    const [text = ""] = texts(yaml(wrong), { ref: "4711" }, t);
    assert.ok(text.startsWith(`the script has no parameter "${name}"`), text);
  }
});

test("a name that is nearly a parameter is guessed", (t) => {
  const yaml = enrolment(WHO, "{ person: $woh, roles: [custodian], reference: r }");
  assert.deepEqual(texts(yaml, { who: "fay" }, t), [
    'the script has no parameter "woh" – did you mean "$who"?',
  ]);
});

test("no name of every object is a parameter", (t) => {
  for (const name of ["constructor", "toString", "__proto__", "hasOwnProperty"]) {
    const yaml = enrolment(WHO, `{ person: $who, roles: [custodian], reference: $${name} }`);
    const [text = ""] = texts(yaml, { who: "fay" }, t);
    assert.ok(text.startsWith(`the script has no parameter "${name}"`), text);
    const [unknown = ""] = texts(enrolment(WHO, FIXED), { who: "fay", [name]: "x" }, t);
    assert.ok(name === "__proto__" || unknown.startsWith(`the script has no parameter "${name}"`));
  }
});

const VALUES: readonly (readonly [type: string, value: string, problem: RegExp])[] = [
  ["type: person", "Fay", /must be 2 to 31 lower-case/],
  ["type: person", "f", /must be 2 to 31 lower-case/],
  ["type: role", "boss", /is none of ceremony-administrator/],
  ["type: label", "a b", /must be 1 to 32/],
  ["type: label", "../x", /must be 1 to 32/],
  ["type: label", "ключ", /must be 1 to 32/],
  ["type: text", "", /Too small|at least|must/],
  ["type: text", "two\nlines", /one line without control characters/],
  ["type: text", "right \u202eleft", /control characters|characters that show/],
  ["type: text", "e\u0301", /normal form/],
  ["type: integer, min: 1, max: 9", "0", /is below 1/],
  ["type: integer, min: 1, max: 9", "10", /is above 9/],
  ["type: integer", "1.5", /is not a whole number/],
  ["type: integer", "010", /is not a whole number/],
  ["type: integer", "1e3", /is not a whole number/],
  ["type: integer", " 1", /is not a whole number/],
  ["type: integer", "-0", /is not a whole number/],
  ["type: enum, of: [red, green]", "Red", /is none of red, green/],
  ["type: token", "gamma", /has no binding in site.yaml/],
  ["type: token", "al pha", /must be 1 to 32|has no binding/],
];

for (const [type, value, problem] of VALUES) {
  test(`Q13: a parameter of ${type} is not ${JSON.stringify(value)}`, (t) => {
    const yaml = enrolment(`pp: { ${type}, about: x }`, FIXED);
    assert.match(texts(yaml, { pp: value }, t).join("\n"), problem);
  });
}

test("a parameter without a value, and a value without a parameter, are both objected to", (t) => {
  const yaml = enrolment(WHO, "{ person: $who, roles: [custodian], reference: r }");
  assert.deepEqual(texts(yaml, { whom: "fay" }, t), [
    'the script has no parameter "whom" – did you mean "who"?',
    'parameter "who" has no value – add --set who=…',
  ]);
});

const SPECS: readonly (readonly [spec: string, problem: RegExp])[] = [
  ["{ type: enum, about: x }", /needs "of"/],
  ["{ type: text, of: [a], about: x }", /has "of" but is no enum/],
  ["{ type: text, min: 1, about: x }", /has min or max but is no integer/],
  ["{ type: integer, min: 5, default: 1, about: x }", /has a default that is below 5/],
  ["{ type: enum, of: [a, b], default: c, about: x }", /has a default that is none of a, b/],
  ["{ type: number, about: x }", /"number" is not one of/],
  ["{ type: text }", /missing key "about"/],
  ["{ type: text, abuot: x }", /did you mean "about"/],
];

for (const [spec, problem] of SPECS) {
  test(`Q13: the parameter ${spec} is refused when the script is read`, (t) => {
    assert.match(texts(enrolment(`pp: ${spec}`, FIXED), {}, t).join("\n"), problem);
  });
}

const SHAPES: readonly (readonly [change: (yaml: string) => string, problem: RegExp])[] = [
  [(y) => y.replace("id: enroll", "id: roll-call"), /step id "roll-call" is used twice/],
  [(y) => y.replace("action: close", "action: closing"), /the last step must be "close"/],
  [(y) => y.replace("action: enroll-person", "action: close"), /"close" must be the last step/],
  [
    (y) => y.replace("action: close, by: everyone", "action: close, by: [custodian]"),
    /"close" is by everyone/,
  ],
  [
    (y) => y.replace("action: roll-call, by: everyone", "action: roll-call, by: [custodian]"),
    /roll-call is by everyone/,
  ],
  [(y) => y.replace("version: 1.0.0", 'version: "1.0"'), /must look like "1.0.0"/],
  [(y) => y.replace("caClass: none", "caClass: leaf"), /"leaf" is not one of/],
  [(y) => y.replace("title:", "titel:"), /unknown key "titel" – did you mean "title"/],
  [(y) => y.replace("script/v1", "script/v2"), /script\/v1/],
];

for (const [change, problem] of SHAPES) {
  test(`Q13: a script is refused: ${problem.source}`, (t) => {
    assert.match(texts(change(enrolment(WHO, FIXED)), { who: "fay" }, t).join("\n"), problem);
  });
}
