/**
 * H12: no script can name a mechanism. Every mechanism we know, in every step that works on a token, as an algorithm
 * and as a member of its own, is refused when the script is planned.
 */

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { CKM } from "../../src/hsm/constants.ts";
import { figure } from "../support/fault-run.ts";
import { CAST, foundedStage, INITIALIZE, ROOT, script, STEP } from "../support/stage-scripts.ts";

const stage = await foundedStage();
after(() => {
  stage.remove();
});
await stage.run(INITIALIZE, CAST);

const AROUND = { before: STEP.activate, behind: STEP.deactivate };
const TWO = "[ceremony-administrator, internal-witness]";
/** Steps that work on a token, sound but for what is added to their values. */
const STEPS: readonly string[] = [
  STEP.inspect,
  STEP.generate,
  STEP.certify,
  `id: transport, action: make-transport-key, by: ${TWO}, with: { token: alpha }`,
  `id: kek, action: establish-kek, by: ${TWO}, with: { kek: backup-kek, token: alpha, for: [alpha] }`,
  `id: load, action: load-kek, by: ${TWO}, with: { kek: backup-kek, token: alpha }`,
  `id: back-up, action: back-up-key, by: ${TWO}, with: { token: alpha, keys: root-g1, under: backup-kek, to: [onsite] }`,
  `id: restore, action: restore-key, by: ${TWO}, with: { token: alpha, keys: root-g1, under: backup-kek, backup: newest, from: onsite }`,
  `id: lock, action: lock-key, by: ${TWO}, with: { token: alpha, keys: root-g1 }`,
];

function texts(yaml: string): readonly string[] {
  const planning = stage.planning(yaml);
  return planning.ok ? [] : planning.objections.map(({ text }) => text);
}

test("H12: a mechanism in a script is refused, whichever and wherever", () => {
  assert.deepEqual(texts(ROOT), [], "without one the script is sound");
  const counts = { mechanisms: 0, scripts: 0, refused: 0, accepted: 0 };
  for (const [name, number] of Object.entries(CKM)) {
    counts.mechanisms += 1;
    for (const word of [`CKM_${name}`, name, String(number), `0x${number.toString(16)}`]) {
      const asAlgorithm = STEP.generate.replace("algorithm: p-256", `algorithm: "${word}"`);
      const asMember = ["mechanism", "wrap", "format", "hash"].flatMap((member) =>
        STEPS.map((step) => step.replace("with: { ", `with: { ${member}: "${word}", `)),
      );
      for (const step of [asAlgorithm, ...asMember]) {
        counts.scripts += 1;
        // The step itself is objected to, and not only what it needs and does not find.
        const said = texts(script([AROUND.before, step, AROUND.behind]));
        const known = said.some((text) =>
          /mechanism|wrap|format|hash|is not one of rsa-3072/.test(text),
        );
        counts[known ? "refused" : "accepted"] += 1;
      }
    }
  }
  figure("H12", "mechanisms named in scripts", counts);
  assert.ok(counts.mechanisms > 20);
  assert.equal(counts.accepted, 0);
});
