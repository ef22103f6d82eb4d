/** What status says of people's dates: before one is over, once it is, and before nobody could renew anybody. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { concerns } from "../../src/ceremony/concerns.ts";
import { CAST, script, STEP } from "../support/stage-scripts.ts";
import { stageTests } from "../support/stage-tests.ts";

const LAST = "2026-11-25";
const ON_TIME = `${LAST}T23:59:59.999Z`;
const LATE = "2026-11-26T00:00:00.000Z";
const WITNESS = STEP.enroll.replace(
  "[custodian], reference: file 4711",
  `[internal-witness], reference: file 4711, vettedUntil: ${LAST}`,
);
const fork = await stageTests(async (stage) => {
  await stage.run(script([WITNESS]), CAST);
});

test("Q10: status warns 30 days before a date is over, and in red afterwards and before nobody could renew anybody", async (t) => {
  const stage = fork(t);
  const said = (now: string): readonly string[] =>
    concerns(stage.history, [], undefined, Date.parse(now)).filter((text) =>
      text.includes("renew-person"),
    );
  const soon = `the vetting of fay is good until ${LAST} only: hold ceremony renew-person`;
  assert.deepEqual(said("2026-10-26T23:59:59.999Z"), []);
  assert.deepEqual(said("2026-10-27T00:00:00.000Z"), [soon]);
  assert.deepEqual(said(ON_TIME), [soon]);
  const over = `the vetting of fay was good until ${LAST}: hold ceremony renew-person`;
  assert.deepEqual(said(LATE), [`RED: ${over}`]);
  const all = ["ana", "ben", "cleo", "dan"].map((person) =>
    STEP.renew
      .replace("id: renew", `id: renew-${person}`)
      .replace("ben, vettedUntil: 2027-11-30", `${person}, vettedUntil: ${LAST}`),
  );
  await stage.run(script(all), CAST);
  const last = `RED: after ${LAST} no two people could act, and nobody could be renewed: hold ceremony renew-person before`;
  const texts = said(ON_TIME);
  assert.equal(texts.length, 6);
  assert.equal(texts[0], last);
  assert.equal(said(LATE).length, 5);
});
