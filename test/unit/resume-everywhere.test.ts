/**
 * The power goes before every act of a ceremony in turn, whether it is an entry, a file or a call that changes a
 * token. Two people resume it each time: it is closed, nothing is there twice, nothing is missing, and the verifier
 * names the interruption and no violation.
 */

import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { Interruption, type Interrupted } from "../support/interrupted.ts";
import { CAST, ESTABLISH, INITIALIZE, script, STEP } from "../support/stage-scripts.ts";
import { BINDINGS, MODULE_FILE, POLICY } from "../support/stage-site.ts";
import { secret } from "../support/rig.ts";
import { Stage } from "../support/stage.ts";

const NEXT_POLICY = POLICY.replace("minutes: 10", "minutes: 9");

const founded = await Stage.create();
await founded.run(ESTABLISH, CAST);
after(() => {
  founded.remove();
});

const fork = (): Promise<Stage> => Promise.resolve(founded.fork());

const CASES: Readonly<Record<string, Interrupted>> = {
  "the founding": { yaml: ESTABLISH, from: () => Stage.create() },
  "statements and deviations": {
    yaml: script([STEP.clock, STEP.attest, STEP.deviation]),
    from: fork,
  },
  "an enrolment and a change of policy": {
    yaml: script([STEP.clock, STEP.enroll, STEP.policy]),
    from: async () => {
      const stage = await fork();
      writeFileSync(join(stage.folder, "policy.next.yaml"), NEXT_POLICY);
      return stage;
    },
    check: ({ folder, history }) => {
      assert.equal(readFileSync(join(folder, "policy.yaml"), "utf8"), NEXT_POLICY);
      assert.equal(history.policy?.agreement.minutes, 9);
      assert.equal(history.custody.people.get("fay")?.reference, "file 4711");
    },
  },
  "the renewal of a person's dates": {
    yaml: script([STEP.renew]),
    from: fork,
    check: ({ history: { custody } }) => {
      assert.equal(custody.people.get("ben")?.vettedUntil, "2027-11-30");
    },
  },
  "the revocation of a person": {
    yaml: script([STEP.revoke]),
    from: fork,
    check: ({ history: { custody } }) => {
      assert.equal(custody.people.has("olga"), false);
      assert.equal(custody.former.get("olga")?.revoked.reference, "file 4712");
    },
  },
  "the adoption of a token": {
    yaml: script([STEP.adopt]),
    from: async () => {
      const stage = await fork();
      const { hsm, module } = stage.rig;
      await hsm.initialize(
        { ...module, path: join(stage.folder, MODULE_FILE) },
        "beta",
        secret("so-pin-of-the-vendor"),
        secret("pin-of-the-vendor"),
      );
      writeFileSync(
        join(stage.folder, "site.yaml"),
        BINDINGS.replace(
          "beta: { module: soft, serial: blank",
          "beta: { module: soft, serial: FAKE0001",
        ),
      );
      return stage;
    },
  },
  "the initialization of a token": { yaml: INITIALIZE, from: fork, check: usable },
};

/** Every set that custody knows opens, nothing else of it lies anywhere, and the token is activated with it. */
async function usable(stage: Stage): Promise<void> {
  const { tokens, shareSets } = stage.history.custody;
  assert.equal(tokens.get("alpha")?.label, "alpha");
  const sets = [...shareSets.keys()].sort();
  assert.equal(sets.length, 2);
  assert.deepEqual(readdirSync(join(stage.folder, "share-sets")).sort(), sets);
  for (const person of ["ben", "cleo", "dan"]) {
    const medium = join(stage.folder, "media", person);
    const names = (ending: string): string[] => sets.map((set) => `${set}${ending}`);
    assert.deepEqual(readdirSync(join(medium, "shares")).sort(), names(".share.age"));
    assert.deepEqual(readdirSync(join(medium, "sealed")).sort(), names(".age"));
  }
  await stage.run(script([STEP.activate, STEP.deactivate]), CAST);
}

for (const [name, about] of Object.entries(CASES)) {
  describe(`C02: the power goes in ${name}`, async () => {
    const interruption = new Interruption(about);
    for (const [i, act] of (await interruption.rehearse()).entries()) {
      const choices = i % 2 === 0 ? (["finish", "undo"] as const) : (["undo", "finish"] as const);
      test(`before act ${i + 1}, ${act}: ${choices[0]}`, () => interruption.at(i + 1, choices));
    }
  });
}
