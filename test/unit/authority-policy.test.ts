/** A policy that requires dates of people: adopted only when enough have them, and in force from then on. */

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { init } from "../../src/cli/init.ts";
import { formatCard } from "../../src/people/card.ts";
import { as, Hand } from "../support/hand.ts";
import { CAST, ROLL, script, STEP } from "../support/stage-scripts.ts";
import { POLICY } from "../support/stage-site.ts";
import { assertFound, believed, stageTests } from "../support/stage-tests.ts";
import type { Stage } from "../support/stage.ts";

const REQUIRED = `${POLICY}people: { training: required }\n`;
const ADOPT = script([STEP.clock, STEP.policy]);
const renew = (person: string, dates: string): string =>
  STEP.renew
    .replace("id: renew", `id: renew-${person}`)
    .replace("ben, vettedUntil: 2027-11-30", `${person}, ${dates}`);
const fork = await stageTests((stage) => {
  writeFileSync(join(stage.folder, "policy.next.yaml"), REQUIRED);
  return Promise.resolve();
});

/** Ana, Ben, Cleo, Dan and Eve are trained; Olga and Xan have no date. */
async function adopted(stage: Stage): Promise<void> {
  const steps = Object.keys(ROLL).map((person) => renew(person, "trainedUntil: 2027-05-31"));
  await stage.run(script(steps), CAST);
  await stage.run(ADOPT, CAST);
}

const LACKS = (person: string): string =>
  `the policy requires a date of training, and ${person} has none: hold ceremony renew-person`;

test("Q10: a policy is refused under which no two people could act, and it is said who lacks what", async (t) => {
  const stage = fork(t);
  const { policy } = stage.history.custody;
  const refused = async (message: string, ...lacking: readonly string[]): Promise<void> => {
    await assert.rejects(stage.run(ADOPT, CAST), (error: Error & { hints?: readonly string[] }) => {
      assert.equal(error.message, message);
      assert.deepEqual(error.hints?.slice(0, lacking.length), lacking.map(LACKS));
      return true;
    });
    await stage.abandon(CAST);
  };
  const all = Object.keys(ROLL);
  await refused("under the new policy no two people could act", ...all, "olga", "xan");
  await stage.run(script([renew("ana", "trainedUntil: 2027-05-31")]), CAST);
  await refused("under the new policy no two people could act", ...all.slice(1));
  await stage.run(script([renew("ben", "trainedUntil: 2027-05-31")]), CAST);
  await refused("under the new policy no internal-witness could act", ...all.slice(2));
  await stage.run(script([renew("eve", "vettedUntil: 2027-05-31")]), CAST);
  await refused("under the new policy no internal-witness could act", ...all.slice(2));
  assert.equal(stage.judge().custody.policy, policy);
  assert.deepEqual(stage.findings, []);
  await stage.run(script([renew("eve", "trainedUntil: 2027-05-31")]), CAST);
  await stage.run(ADOPT, CAST);
  assert.notEqual(stage.judge().custody.policy, policy);
  assert.deepEqual(stage.findings, []);
});

test("Q10: from its entry on nobody acts without a required date; the people of that ceremony close it", async (t) => {
  const stage = fork(t);
  await adopted(stage);
  await stage.run(script([STEP.clock, STEP.enroll]), CAST);
  assert.deepEqual([stage.history.cosigned, stage.findings], [stage.ledger.size, []]);
  const hand = Hand.upTo(stage, script([STEP.adopt]), "roll-call");
  const before = believed(stage);
  const fay = { person: "fay", role: "custodian" } as const;
  const { begun, completed } = hand.perform("adopt", { who: [...as("ana"), fay] });
  assertFound(stage, begun, new RegExp(LACKS("fay")));
  assertFound(stage, completed, /no authority/);
  assert.equal(believed(stage), before);
  const { cosigned } = stage.history;
  hand.close(["olga", "xan", "fay", "ana"]);
  assert.equal(stage.judge().cosigned, cosigned);
});

test("Q10: nobody whom a required date lets act is taken back or off the roster as the last", async (t) => {
  const stage = fork(t);
  await adopted(stage);
  const stop = script([renew("eve", "trainedUntil: 2026-11-22")]);
  const needed = /eve is the last internal-witness/;
  const planning = stage.planning(stop);
  assert.ok(!planning.ok);
  assert.match(planning.objections.map(({ text }) => text).join(), /eve/);
  assert.match(planning.objections.map(({ text }) => text).join(), needed);
});

test("Q10: init refuses a policy that requires dates, which no founder has, and writes nothing", (t) => {
  const stage = fork(t);
  const folder = mkdtempSync(join(tmpdir(), "keyrite-init-"));
  t.after(() => {
    rmSync(folder, { recursive: true });
  });
  const founder = ["ana", "eve"].map((person) => {
    const file = join(folder, `${person}.json`);
    writeFileSync(file, formatCard(stage.person(person).card));
    return `${file}=${person === "ana" ? "custodian" : "auditor"}`;
  });
  const site = join(folder, "site");
  const origin = "example.org/dc1/test";
  const policy = join(folder, "policy.yaml");
  const rest = { module: [], token: [], medium: [], vault: [], founder };
  for (const [dates, wanting] of [
    ["{ training: required }", "training"],
    ["{ vetting: required, training: required }", "vetting or training"],
  ] as const) {
    writeFileSync(policy, `${POLICY}people: ${dates}\n`);
    assert.throws(() => void init({ site, origin, policy, ...rest }), {
      code: "script.refused",
      message: `no founder has a date of ${wanting} yet`,
    });
    assert.equal(existsSync(site), false);
  }
});
