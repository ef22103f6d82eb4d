/**
 * The power goes before the acts of ceremonies that sign, in turn: keys, certificates, a CRL and their files. Two
 * people resume it each time, and everything is there once. The short form takes a sample of the acts.
 */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { sha256Hex } from "../../src/lib/encoding.ts";
import { HIERARCHY } from "../support/certificate-stage.ts";
import { figure, sampled } from "../support/fault-run.ts";
import { Interruption, type Interrupted } from "../support/interrupted.ts";
import { CAST, ESTABLISH, INITIALIZE, script, STEP } from "../support/stage-scripts.ts";
import { Stage } from "../support/stage.ts";

const founded = await Stage.create();
await founded.run(ESTABLISH, CAST);
after(() => {
  founded.remove();
});

async function initialized(): Promise<Stage> {
  const stage = founded.fork();
  await stage.run(INITIALIZE, CAST);
  return stage;
}

/** Every file that a fact names lies in the outbox as the fact says, and no other; each key is on the token once. */
async function assertIssued(stage: Stage): Promise<void> {
  const facts = stage.entries().flatMap((entry) => entry.facts);
  const files = facts.flatMap(
    ({ files: list = [] }) => list as readonly { readonly file: string; readonly sha256: string }[],
  );
  const { id } = stage.history.ceremonies.at(-1) ?? assert.fail("no ceremony");
  for (const { file, sha256 } of files) {
    assert.equal(sha256Hex(readFileSync(join(stage.folder, "outbox", id, file))), sha256, file);
  }
  assert.equal(stage.issued().length, files.length);
  const path = join(stage.folder, "fake-module.so");
  const keys = await stage.rig.hsm.publicKeys({ ...stage.rig.module, path }, "FAKE0001", "alpha");
  assert.deepEqual(
    keys.map(({ spkiSha256 }) => spkiSha256).sort(),
    [...stage.history.custody.keys.keys()].sort(),
  );
}

const CASES: Readonly<Record<string, Interrupted>> = {
  "a hierarchy": { yaml: HIERARCHY, from: initialized, check: assertIssued },
  "a token initialized and used": {
    yaml: script([STEP.clock, STEP.initialize, STEP.activate, STEP.generate, STEP.deactivate]),
    from: () => Promise.resolve(founded.fork()),
    check: assertIssued,
  },
};

for (const [name, about] of Object.entries(CASES)) {
  test(`C03: the power goes in ${name}, and two people resume it`, async () => {
    const interruption = new Interruption(about);
    const acts = await interruption.rehearse();
    const cuts = sampled(
      acts.flatMap((act, i) =>
        (["finish", "undo"] as const).map((first) => ({ act, at: i + 1, first })),
      ),
      12,
    );
    for (const { act, at, first } of cuts) {
      try {
        await interruption.at(at, first === "finish" ? ["finish", "undo"] : ["undo", "finish"]);
      } catch (error) {
        throw new Error(`before act ${at}, ${act}: ${first}`, { cause: error });
      }
    }
    figure("C03", `resumed at an act of ${name}`, { acts: acts.length, cuts: cuts.length });
  });
}
