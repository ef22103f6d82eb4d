/** Planning: every objection at once, each with its place in the script, and nothing planned besides. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Hand } from "../support/hand.ts";
import { ROOT, script, STEP } from "../support/stage-scripts.ts";
import { objections, stageTests } from "../support/stage-tests.ts";

const JOB = script([STEP.clock, STEP.initialize, STEP.activate, STEP.generate, STEP.deactivate]);

// Token alpha is bound and holds the key root-g1; token beta is blank.
const fork = await stageTests((stage) => {
  stage.clock.time += 60_000;
  Hand.upTo(stage, JOB, "deactivate").close();
});

/** A step, the word that is blamed, and what is said of it. */
const STEPS: Readonly<Record<string, readonly [step: string, word: string, objection: string]>> = {
  "an action that is not in the vocabulary": [
    STEP.inspect.replace("inspect-token", "inspect-tokne"),
    "inspect-tokne",
    'there is no action "inspect-tokne" – did you mean "inspect-token"?',
  ],
  "an action that is like none": [
    STEP.inspect.replace("inspect-token", "juggle"),
    "juggle",
    'there is no action "juggle"',
  ],
  "a misspelt parameter of an action": [
    STEP.generate.replace("algorithm: p-256", "algoritm: p-256"),
    "p-256",
    'unknown key "algoritm" – did you mean "algorithm"?',
  ],
  "a token without a binding": [
    STEP.inspect.replace("alpha", "alhpa"),
    "alhpa",
    'token "alhpa" has no binding in site.yaml – did you mean "alpha"?',
  ],
  "a role that is not a role": [
    STEP.clock.replace("internal-witness", "witness"),
    "witness",
    '"witness" is not one of ceremony-administrator, custodian',
  ],
  "one role where two people are needed": [
    STEP.deviation.replace("[ceremony-administrator, internal-witness]", "[internal-witness]"),
    "[internal-witness]",
    "record-deviation is under dual control: name at least two people's roles",
  ],
  "everyone where a list is needed": [
    STEP.deviation.replace("[ceremony-administrator, internal-witness]", "everyone"),
    "everyone",
    "record-deviation needs a list of roles, not everyone",
  ],
  "more people of a role than the roll call asks for": [
    STEP.activate.replace("[custodian, custodian]", "[custodian, custodian, custodian, custodian]"),
    "[custodian",
    'step "activate" needs 4 × custodian, the roll call asks for 3 – raise custodian under roles',
  ],
  "a key on a token that is not active": [
    STEP.generate.replace("root-g1", "root-g2"),
    "alpha",
    "step generate: token alpha is not active by then",
  ],
  "a token that is bound already": [
    STEP.initialize,
    "alpha",
    "step initialize: token alpha is already bound to serial serial of alpha",
  ],
  "a person who is enrolled already": [
    STEP.enroll.replace("fay", "ben"),
    "ben",
    "step enroll: ben is already enrolled",
  ],
  "a blank token to be activated": [
    STEP.activate.replace("alpha", "beta"),
    "beta",
    "step activate: token beta is not initialized by then",
  ],
};

for (const [what, [step, word, text]] of Object.entries(STEPS)) {
  test(`planning objects to ${what}, where it stands`, (t) => {
    const stage = fork(t);
    const yaml = script([step]);
    const found = objections(stage, yaml);
    const blamed = yaml.indexOf(step);
    const line = yaml.slice(0, blamed).split("\n").length;
    const col = (yaml.split("\n")[line - 1] ?? "").indexOf(word) + 1;
    assert.ok(
      found.some(
        (objection) => objection.startsWith(`${line}:${col} `) && objection.includes(text),
      ),
      `${line}:${col} ${text}: ${JSON.stringify(found)}`,
    );
  });
}

const ACTIVE = [STEP.activate, STEP.deactivate] as const;

/** Steps of a script and everything that planning says of them. */
const SCRIPTS: Readonly<
  Record<string, readonly [steps: readonly string[], texts: readonly RegExp[]]>
> = {
  "a label that is taken": [
    [STEP.activate, STEP.generate, STEP.deactivate],
    [/^10:.* step generate: token alpha already holds a key labelled root-g1$/],
  ],
  "a label that an earlier step takes": [
    [
      STEP.activate,
      STEP.generate.replace("root-g1", "root-g2"),
      STEP.generate.replace("root-g1", "root-g2").replace("id: generate", "id: again"),
      STEP.deactivate,
    ],
    [/^11:.* step again: token alpha already holds a key labelled root-g2$/],
  ],
  "a key that is not there": [
    [STEP.activate, STEP.certify.replace("root-g1", "root-g9"), STEP.deactivate],
    [/^10:.* step certify: key root-g9 is not on token alpha by then$/],
  ],
  "a file that an earlier step writes": [
    [
      STEP.activate,
      STEP.certify,
      STEP.certify.replace("id: certify", "id: again"),
      STEP.deactivate,
    ],
    [/^11:.* step again: the file root-ca is already written by an earlier step$/],
  ],
  "a token that is active at the close": [
    [STEP.activate],
    [/^10:\d+ step close: token alpha is still active by then – deactivate it/],
  ],
  "a token activated twice": [
    [STEP.activate, STEP.activate.replace("id: activate", "id: again"), STEP.deactivate],
    [/^10:.* step again: token alpha is already active by then$/],
  ],
  "a token used after it was deactivated": [
    [...ACTIVE, STEP.certify],
    [/^11:.* step certify: token alpha is not active by then$/],
  ],
  "a token deactivated that was not active": [
    [STEP.deactivate],
    [/^9:.* step deactivate: token alpha is not active by then$/],
  ],
  "an algorithm that the policy does not allow": [
    [
      STEP.activate,
      STEP.generate.replace("root-g1", "g2").replace("p-256", "p-521"),
      STEP.deactivate,
    ],
    [/^10:.* step generate: the policy does not allow p-521$/],
  ],
  "a subject that is no name, at the position in it": [
    [STEP.activate, STEP.certify.replace("CN=Root G1,O=", "CN=Root G1,,O="), STEP.deactivate],
    [/^10:.* step certify: .*character 12: unknown attribute type/],
  ],
  "auditors and external witnesses who authorise": [
    [
      STEP.deviation.replace("internal-witness", "auditor"),
      STEP.clock.replace("internal-witness", "external-witness"),
    ],
    [
      /^9:.* auditor looks on and cannot authorise record-deviation$/,
      /^10:.* external-witness looks on and cannot authorise attest-clock$/,
    ],
  ],
  "a mistake in each of four steps, all at once": [
    [
      STEP.deactivate,
      STEP.inspect.replace("alpha", "gamma"),
      STEP.enroll.replace("fay", "ben"),
      STEP.clock.replace("attest-clock", "attest-clack"),
    ],
    [
      /^9:.* token alpha is not active by then$/,
      /^10:.* token "gamma" has no binding in site.yaml – bound there: alpha, beta$/,
      /^11:.* ben is already enrolled$/,
      /^12:.* there is no action "attest-clack" – did you mean "attest-clock"\?$/,
    ],
  ],
};

for (const [what, [steps, texts]] of Object.entries(SCRIPTS)) {
  test(`planning objects to ${what}`, (t) => {
    const stage = fork(t);
    const roles =
      "roles: { ceremony-administrator: 1, custodian: 3, internal-witness: 1, auditor: 1, external-witness: 1 }";
    const yaml = script(steps).replace(
      /roles: \{ ceremony-administrator: 1, custodian: 3.*/,
      roles,
    );
    const found = objections(stage, yaml);
    assert.equal(found.length, texts.length, JSON.stringify(found));
    texts.forEach((text, i) => {
      assert.match(found[i] ?? "", text);
    });
  });
}

test("a step that cannot hold today can hold after the steps before it", (t) => {
  const stage = fork(t);
  const beta = JOB.replaceAll("alpha", "beta");
  assert.deepEqual(objections(stage, beta), []);
  assert.deepEqual(objections(stage, ROOT.replaceAll("root-g1", "root-g2")), []);
});
