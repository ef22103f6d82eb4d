/** A plan held against the script that it names: every member that is another is named, with its step. */

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { ACTIONS } from "../../src/actions/index.ts";
import { vocabularyOf } from "../../src/ceremony/action.ts";
import {
  planDocumentOf,
  ScriptChecker,
  type ScriptCheck,
} from "../../src/ceremony/conformance-script.ts";
import { sha256Hex, utf8 } from "../../src/lib/encoding.ts";
import type { Json, JsonObject } from "../../src/lib/json.ts";
import { foundedStage, script, STEP } from "../support/stage-scripts.ts";

const VOCABULARY = vocabularyOf(ACTIONS);
const PARAMS =
  "params: { note: { type: text, about: x }, count: { type: integer, about: x, max: 9 }, who: { type: person, about: x }, paper: { type: file, about: x } }";
const YAML = script([STEP.clock, STEP.attest], [PARAMS]);
const SHA256 = sha256Hex(YAML);
const PAPER = sha256Hex("a paper");

const stage = await foundedStage();
after(() => {
  stage.remove();
});
stage.lent.set("paper.txt", utf8("a paper"));
const GIVEN = { note: "so", count: "4", who: "ana", paper: "paper.txt" };
const PLAN = JSON.parse(JSON.stringify(stage.plan(YAML, GIVEN).document)) as JsonObject & {
  readonly steps: readonly JsonObject[];
  readonly params: JsonObject;
};
const DRILL = script([STEP.clock], ["drill: true"]);

const texts = new Map([YAML, DRILL, "no script"].map((text) => [sha256Hex(text), text]));
const source = {
  reads: 0,
  attachment: (sha256: string): Uint8Array | undefined => {
    source.reads += 1;
    const text = texts.get(sha256);
    return text === undefined ? undefined : utf8(text);
  },
};

const checked = (document: JsonObject, sha256 = SHA256, vocabulary = VOCABULARY): ScriptCheck =>
  new ScriptChecker(source, vocabulary).check(document, sha256);

const CHECK: ScriptCheck = {
  asWritten: true,
  differences: [],
  problem: null,
  reworded: [],
  missing: null,
};

const step = (n: number, change: JsonObject): JsonObject => ({
  ...PLAN,
  steps: PLAN.steps.map((one) => (one["n"] === n ? { ...one, ...change } : one)),
});
const params = (change: JsonObject): JsonObject => ({
  ...PLAN,
  params: { ...PLAN.params, ...change },
});
const without = (object: JsonObject, name: string): JsonObject =>
  Object.fromEntries(Object.entries(object).filter(([key]) => key !== name));

test("a plan of its script is as written", () => {
  assert.deepEqual(checked(PLAN), CHECK);
  assert.deepEqual(PLAN.params, { note: "so", count: 4, who: "ana", paper: PAPER });
});

test("without its script nothing is said, and what is no script is told", () => {
  const other = sha256Hex("other");
  const missing = { code: "attachment", text: `the script ${other} is not attached` } as const;
  assert.deepEqual(checked(PLAN, other), { ...CHECK, asWritten: null, missing });
  const none = checked(PLAN, sha256Hex("no script"));
  assert.equal(none.asWritten, false);
  assert.match(none.problem ?? "", /^script\.yaml/);
  assert.deepEqual({ ...none, problem: null }, { ...CHECK, asWritten: false });
});

test("with an action that this build does not know nothing is said; the close is no action", () => {
  const older = new Map([...VOCABULARY].filter(([name]) => name !== "attest"));
  const text = "step attest has the action attest, which this build does not know";
  const missing = { code: "vocabulary", text } as const;
  assert.deepEqual(checked(PLAN, SHA256, older), { ...CHECK, asWritten: null, missing });
});

const NAMED = "the plan names the script by another name, version or digest";
const ROLES = "the plan's roles are not those of the script";

/** Plans that are not what the script says, and what is said: `n: text`, n being that of the step. */
const OTHERS: readonly (readonly [what: string, plan: JsonObject, said: readonly string[]])[] = [
  [
    "another script's name",
    { ...PLAN, script: { name: "other", version: "1.0.0", sha256: SHA256 } },
    [`-: ${NAMED}`],
  ],
  [
    "another version",
    { ...PLAN, script: { name: "staged", version: "1.0.1", sha256: SHA256 } },
    [`-: ${NAMED}`],
  ],
  [
    "another digest",
    { ...PLAN, script: { name: "staged", version: "1.0.0", sha256: PAPER } },
    [`-: ${NAMED}`],
  ],
  ["no script", without(PLAN, "script"), [`-: ${NAMED}`]],
  ["other roles", { ...PLAN, roles: { custodian: 3 } }, [`-: ${ROLES}`]],
  ["no roles", without(PLAN, "roles"), [`-: ${ROLES}`]],
  ["a drill", { ...PLAN, drill: true }, ["-: the plan's drill are not those of the script"]],
  [
    "a drill that is none",
    { ...PLAN, drill: false },
    ["-: the plan's drill are not those of the script"],
  ],
  ["a parameter more", params({ key: "x" }), ['-: the script has no parameter "key"']],
  [
    "two parameters more",
    params({ key: "x", lock: "y" }),
    ['-: the script has no parameter "key"'],
  ],
  [
    "a parameter less",
    { ...PLAN, params: without(PLAN.params, "note") },
    ['-: parameter "note" has no value'],
  ],
  [
    "a number as text",
    params({ count: "4" }),
    ['-: parameter "count" has a value of another type'],
  ],
  ["a text as number", params({ note: 4 }), ['-: parameter "note" has a value of another type']],
  ["a list", params({ note: ["so"] }), ['-: parameter "note" has a value of another type']],
  [
    "too large a number",
    params({ count: 10 }),
    ['-: parameter "count" has a value that is above 9'],
  ],
  ["nobody", params({ who: true }), ['-: parameter "who" has a value of another type']],
  ["a path", params({ paper: "paper.txt" }), ['-: parameter "paper" is no digest of a file']],
  [
    "a longer digest",
    params({ paper: `${PAPER}0` }),
    ['-: parameter "paper" is no digest of a file'],
  ],
  [
    "a digest behind a blank",
    params({ paper: ` ${PAPER}` }),
    ['-: parameter "paper" is no digest of a file'],
  ],
  ["a number for a file", params({ paper: 7 }), ['-: parameter "paper" is no digest of a file']],
  [
    "other people in a step",
    step(2, { by: ["custodian"] }),
    ["2: step 2: its by is not what the script says"],
  ],
  ["a member more", step(3, { note: "x" }), ["3: step 3: its note is not what the script says"]],
  [
    "a step less",
    { ...PLAN, steps: PLAN.steps.slice(0, 3) },
    ["4: step 4 of the script is not in the plan"],
  ],
  [
    "a step that is none",
    { ...PLAN, steps: [...PLAN.steps.slice(0, 3), "close"] },
    ["4: step 4 of the script is not in the plan"],
  ],
  [
    "two steps more",
    { ...PLAN, steps: [...PLAN.steps, {}, {}] },
    ["5: the plan has a step 5, the script has 4", "6: the plan has a step 6, the script has 4"],
  ],
  [
    "no steps",
    { ...PLAN, steps: "none" },
    [1, 2, 3, 4].map((n) => `${n}: step ${n} of the script is not in the plan`),
  ],
];

const said = ({ differences }: ScriptCheck): readonly string[] =>
  differences.map(({ n, text }) => `${n ?? "-"}: ${text}`);

for (const [what, plan, differences] of OTHERS) {
  test(`a plan with ${what}`, () => {
    const check = checked(plan);
    assert.deepEqual(said(check), differences);
    assert.deepEqual({ ...check, differences: [] }, { ...CHECK, asWritten: false });
  });
}

test("everything that is another is said, in the order of the document", () => {
  const plan = { ...step(2, { by: "everyone", control: "none" }), roles: {}, drill: true };
  assert.deepEqual(said(checked(plan)), [
    `-: ${ROLES}`,
    "-: the plan's drill are not those of the script",
    "2: step 2: its control is not what the script says",
    "2: step 2: its by is not what the script says",
  ]);
});

test("other words of the same step are no difference, and are named", () => {
  const plan = { ...step(2, { instruction: "Look at the clock." }) };
  assert.deepEqual(checked(plan), { ...CHECK, reworded: [2] });
  const both = checked(step(3, { instruction: "Say so.", with: {} }));
  assert.deepEqual(
    [said(both), both.reworded],
    [["3: step 3: its with is not what the script says"], [3]],
  );
});

test("a drill's plan says so", () => {
  const plan = JSON.parse(JSON.stringify(stage.plan(DRILL).document)) as JsonObject;
  assert.deepEqual(checked(plan, sha256Hex(DRILL)), CHECK);
  assert.deepEqual(said(checked(without(plan, "drill"), sha256Hex(DRILL))), [
    "-: the plan's drill are not those of the script",
  ]);
});

test("a script is read once, and a plan of the same content compared once", () => {
  const checker = new ScriptChecker(source, VOCABULARY);
  source.reads = 0;
  const first = checker.check(PLAN, SHA256);
  assert.equal(checker.check({ ...PLAN, custody: "other" }, SHA256), first);
  assert.notEqual(checker.check({ ...PLAN, drill: true }, SHA256), first);
  assert.equal(checker.script(SHA256), checker.script(SHA256));
  assert.equal(source.reads, 1);
  // What is not attached may come later.
  assert.equal(checker.script(PAPER), undefined);
  texts.set(PAPER, "no script");
  assert.equal(typeof checker.script(PAPER), "string");
  texts.delete(PAPER);
});

test("64 plans are kept, and of more the oldest is forgotten", () => {
  const checker = new ScriptChecker(source, VOCABULARY);
  const check = (key: number): ScriptCheck => checker.check(params({ note: `${key}` }), SHA256);
  const first = check(0);
  const second = check(1);
  for (let key = 2; key < 64; key += 1) check(key);
  assert.equal(check(0), first);
  check(64);
  assert.equal(check(1), second);
  assert.notEqual(check(0), first);
});

test("a plan's document is the attached JSON object, and else there is none", () => {
  const of = (text: string | undefined): unknown =>
    planDocumentOf(
      { attachment: (sha256) => (sha256 === "d" && text !== undefined ? utf8(text) : undefined) },
      "d",
    );
  assert.deepEqual(of('{"a":1}'), { a: 1 });
  const none: readonly (string | undefined)[] = ["[1]", "7", "null", "{", undefined];
  assert.deepEqual(
    none.map(of),
    none.map(() => undefined),
  );
});

/** Never anything that the script would not have taken, whatever stands in the plan. */
const ODD: readonly Json[] = [null, 7, "none", []];

test("parameters that are no object have no values", () => {
  for (const odd of ODD) {
    const check = checked({ ...PLAN, params: odd });
    assert.equal(check.asWritten, false);
    assert.ok(check.differences.length > 0);
  }
});
