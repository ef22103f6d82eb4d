/**
 * The power goes before every act of a ceremony in turn, whether it is an entry, a file or a call that changes a
 * token. Two people resume it each time: it is closed, nothing is there twice, nothing is missing, and the verifier
 * names the interruption and no violation.
 */

import { after, describe, test } from "node:test";
import { Interruption, type Interrupted } from "../support/interrupted.ts";
import { CAST, ESTABLISH, script, STEP } from "../support/stage-scripts.ts";
import { Stage } from "../support/stage.ts";

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
};

for (const [name, about] of Object.entries(CASES)) {
  describe(`C02: the power goes in ${name}`, async () => {
    const interruption = new Interruption(about);
    for (const [i, act] of (await interruption.rehearse()).entries()) {
      const choices = i % 2 === 0 ? (["finish", "undo"] as const) : (["undo", "finish"] as const);
      test(`before act ${i + 1}, ${act}: ${choices[0]}`, () => interruption.at(i + 1, choices));
    }
  });
}
