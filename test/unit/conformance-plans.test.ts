/** Plans that do not come out of the script they name, and openings that do not say what their plan says. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { sha256Hex, utf8 } from "../../src/lib/encoding.ts";
import { canonicalJson, type JsonObject } from "../../src/lib/json.ts";
import type { CeremonyConformance } from "../../src/ceremony/conformance.ts";
import { conformed, newest } from "../support/conformed.ts";
import { ALL, refused, YAML } from "../support/forged-ceremony.ts";
import { Hand } from "../support/hand.ts";
import { script, STEP } from "../support/stage-scripts.ts";
import { stageTests } from "../support/stage-tests.ts";
import type { Stage } from "../support/stage.ts";

const fork = await stageTests();

type PlanJson = JsonObject & { readonly steps: readonly JsonObject[]; readonly script: JsonObject };

/** Everybody agrees to a plan that was changed like this, and performs it to its end. */
function planned(
  stage: Stage,
  change: (plan: PlanJson) => JsonObject,
  steps: readonly string[] = ALL,
  opening: JsonObject = {},
): { readonly hand: Hand; readonly opened: number } {
  const opened = stage.history.size;
  const alter = (text: string): string => canonicalJson(change(JSON.parse(text) as PlanJson));
  const hand = new Hand(stage, YAML, alter, opening);
  for (const step of steps) hand.perform(step);
  hand.close();
  return { hand, opened };
}

const step =
  (n: number, change: JsonObject) =>
  (plan: PlanJson): JsonObject => ({
    ...plan,
    steps: plan.steps.map((one) => (one["n"] === n ? { ...one, ...change } : one)),
  });

/** The plan without its step `n`, numbered anew. */
const without =
  (n: number) =>
  (plan: PlanJson): JsonObject => {
    const left = plan.steps.filter((one) => one["n"] !== n);
    return { ...plan, steps: left.map((one, index) => ({ ...one, n: index + 1 })) };
  };

const ALTERED: readonly (readonly [string, (plan: PlanJson) => JsonObject, string, RegExp])[] = [
  [
    "other people in a step",
    step(4, { by: ["custodian", "custodian"] }),
    "adopt 4",
    /its by is not/,
  ],
  [
    "other parameters of a step",
    step(4, { with: { token: "gamma" } }),
    "adopt 4",
    /its with is not/,
  ],
  ["a step of another control", step(3, { control: "dual" }), "attest 3", /its control is not/],
  ["a step that serves other rules", step(2, { policyRefs: ["BR:1"] }), "clock 2", /policyRefs/],
  ["a step that is always performed", step(5, { always: true }), "policy 5", /its always is not/],
  [
    "fewer people at the roll call",
    (plan) => ({ ...plan, roles: {} }),
    "- -",
    /plan's roles are not/,
  ],
  ["a drill", (plan) => ({ ...plan, drill: true }), "- -", /plan's drill are not/],
  ["a parameter more", (plan) => ({ ...plan, params: { key: "x" } }), "- -", /no parameter "key"/],
  [
    "another version of the script",
    (plan) => ({ ...plan, script: { ...plan.script, version: "2.0.0" } }),
    "- -",
    /by another name, version or digest/,
  ],
];

for (const [what, change, where, text] of ALTERED) {
  test(`Q12: a plan with ${what} than its script`, (t) => {
    const stage = fork(t);
    // What the fold does not believe of it is named besides.
    const { opened } = planned(stage, change);
    refused(stage, `plan ${where} ${opened}`);
    const { violations, script: named } = newest(conformed(stage));
    assert.ok(violations.some((one) => one.seq === opened && text.test(one.text)));
    assert.equal(named.asWritten, false);
  });
}

test("Q12: a plan from which a step of the script was left out, although everybody agreed to it", (t) => {
  const stage = fork(t);
  const { opened } = planned(
    stage,
    without(3),
    ALL.filter((one) => one !== "attest"),
  );
  refused(stage, `plan adopt 3 ${opened}`, `plan - 6 ${opened}`);
});

test("Q12: another script than the plan's is attached as the one that was approved", (t) => {
  const stage = fork(t);
  const other = utf8(script([STEP.clock]));
  stage.append({ type: "auth.failed", outcome: "failure", description: "Noise." }, [
    { mediaType: "application/yaml", bytes: other },
  ]);
  const hand = new Hand(stage, YAML, undefined, { script: sha256Hex(other) });
  refusedAtOpening(stage, hand);
});

function refusedAtOpening(stage: Stage, hand: Hand): void {
  const { violations, openedSeq } = newest(conformed(stage));
  assert.equal(hand.ceremony, newest(conformed(stage)).id);
  assert.ok(violations.some(({ code, seq }) => code === "plan" && seq === openedSeq));
  assert.equal(newest(conformed(stage)).verdict, "DOES NOT CONFORM");
}

const STATED: Readonly<Record<string, JsonObject>> = {
  "another build": { software: { name: "keyrite", version: "0", sha256: sha256Hex("other") } },
  "other bindings": { bindings: sha256Hex("other") },
  "another policy": { policy: sha256Hex("other") },
  "another assurance": { assurance: "production" },
};

for (const [what, opening] of Object.entries(STATED)) {
  test(`an opening that states ${what} than its plan`, (t) => {
    const stage = fork(t);
    const { opened } = planned(stage, (plan) => plan, ALL, opening);
    refused(stage, `plan - - ${opened}`);
  });
}

for (const member of ["custody", "policy", "origin", "assurance"]) {
  test(`Q10: a plan made for another ${member} than the ledger's`, (t) => {
    const stage = fork(t);
    const { opened } = planned(stage, (plan) => ({ ...plan, [member]: sha256Hex("other") }));
    refused(stage, `plan - - ${opened}`);
  });
}

test("an opening that shows another title or class of CA than its script", (t) => {
  for (const opening of [{ title: "Harmless" }, { caClass: "root" }]) {
    const stage = fork(t);
    const { opened } = planned(stage, (plan) => plan, ALL, opening);
    refused(stage, `script - - ${opened}`);
  }
});

test("C17: a ceremony that quotes no head before it, or one that is none of this ledger", (t) => {
  for (const previous of [null, "nothing", "example.org/dc1/test\n3\nAAAA\n\n— x AAAA\n"]) {
    const stage = fork(t);
    const { opened } = planned(stage, (plan) => plan, ALL, { previous });
    refused(stage, `head - - ${opened}`);
  }
});

test("Q13: what was read out differs from the build's words: a note, or a violation under this very build", (t) => {
  const stage = fork(t);
  planned(stage, step(4, { instruction: "Look at token beta." }));
  const report = newest(conformed(stage));
  assert.equal(report.verdict, "CONFORMS", JSON.stringify(report.violations));
  const wording = report.exceptions.find(({ kind }) => kind === "wording");
  assert.match(wording?.text ?? "", /step 4 was read out as: Look at token beta/);
  const own = newest(conformed(stage, { build: stage.software.sha256 }));
  assert.equal(own.verdict, "DOES NOT CONFORM");
  assert.match(own.violations[0]?.text ?? "", /this very build words it otherwise/);
  assert.deepEqual([own.violations[0]?.code, own.violations[0]?.n], ["plan", 4]);
});

test("without the script or the action nobody can tell: never that it conforms", (t) => {
  const stage = fork(t);
  const { hand } = planned(stage, (plan) => plan);
  const scriptless = conformed(stage, { without: [hand.plan.script.sha256] });
  assert.deepEqual(
    [newest(scriptless).verdict, scriptless.verdict],
    ["CANNOT TELL", "CANNOT TELL"],
  );
  assert.equal(newest(scriptless).missing[0]?.code, "attachment");
  assert.equal(newest(scriptless).missing[0]?.remedy, "ask the site for the whole ledger file");
  assert.equal(newest(scriptless).script.asWritten, null);
  const planless = conformed(stage, { without: [hand.recorded.sha256] });
  assert.notEqual(newest(planless).verdict, "CONFORMS");
  const older = newest(conformed(stage, { unknown: ["attest"] }));
  assert.equal(older.script.asWritten, null);
  const lacking = older.missing.find(({ code }) => code === "vocabulary");
  assert.match(lacking?.text ?? "", /step attest has the action attest, which this build does not/);
  assert.match(lacking?.remedy ?? "", /with the build of keyrite that conducted it/);
});

test("Q12: what was attached as the script is none", (t) => {
  const stage = fork(t);
  const other = utf8("keyrite: script/v1\nname: nothing\n");
  stage.append({ type: "auth.failed", outcome: "failure", description: "Noise." }, [
    { mediaType: "application/yaml", bytes: other },
  ]);
  const hand = new Hand(stage, YAML, undefined, { script: sha256Hex(other) });
  const { violations, script: named, openedSeq } = newest(conformed(stage));
  assert.equal(hand.ceremony, newest(conformed(stage)).id);
  const found = violations.find(({ code }) => code === "script");
  assert.equal(found?.seq, openedSeq);
  assert.match(found.text, /^its script is none: /);
  assert.equal(named.asWritten, false);
});

const TYPED = script(
  [STEP.clock],
  [
    "params: { note: { type: text, about: a note }, count: { type: integer, about: a number }, mode: { type: enum, of: [slow, fast], about: a mode }, paper: { type: file, about: a file } }",
  ],
);
const GIVEN = { note: "as agreed", count: "4", mode: "slow", paper: "paper.txt" };

/** Opens a ceremony whose plan gives these values to the script's parameters. */
function given(stage: Stage, params: JsonObject): CeremonyConformance {
  stage.lent.set("paper.txt", utf8("a paper"));
  const alter = (text: string): string => {
    const plan = JSON.parse(text) as JsonObject;
    return canonicalJson({ ...plan, params: { ...(plan["params"] as JsonObject), ...params } });
  };
  const hand = new Hand(stage, TYPED, alter, {}, GIVEN);
  assert.equal(hand.ceremony, newest(conformed(stage)).id);
  return newest(conformed(stage));
}

const VALUES: readonly (readonly [JsonObject, RegExp])[] = [
  [{ count: "4" }, /parameter "count" has a value of another type/],
  [{ count: true }, /parameter "count" has a value of another type/],
  [{ note: ["as agreed"] }, /parameter "note" has a value of another type/],
  [{ mode: "sideways" }, /parameter "mode" has a value that /],
  [{ paper: "paper.txt" }, /parameter "paper" is no digest of a file/],
  [{ paper: 7 }, /parameter "paper" is no digest of a file/],
];

for (const [params, text] of VALUES) {
  test(`Q12: a plan whose parameters are ${JSON.stringify(params)}, which its script does not take`, (t) => {
    const { violations, openedSeq, script: named } = given(fork(t), params);
    assert.ok(
      violations.some((one) => one.code === "plan" && one.seq === openedSeq && text.test(one.text)),
      JSON.stringify(violations),
    );
    assert.equal(named.asWritten, false);
  });
}

test("values that the script takes are no violation, and a file that nobody attached is named", (t) => {
  const stage = fork(t);
  const paper = sha256Hex("another paper");
  const { violations, missing, script: named } = given(stage, { paper });
  assert.deepEqual(
    violations.filter(({ code }) => code === "plan"),
    [],
  );
  assert.equal(named.asWritten, true);
  const lacking = missing.find(({ text }) => text.includes(paper));
  assert.equal(lacking?.code, "attachment");
  assert.match(lacking.text, /a profile or file of its plan is not attached/);
});
