/** Dates of people in reports: as JSON, Markdown and page, and what the page judges by renewals that came before it. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { History } from "../../src/ceremony/history.ts";
import { evidenceOf } from "../../src/report/evidence.ts";
import { reportMarkdown } from "../../src/report/report-markdown.ts";
import { reportModel } from "../../src/report/report-model.ts";
import { reportPage } from "../../src/report/report-page.ts";
import { Hand } from "../support/hand.ts";
import { judged, problemsOf } from "../support/report-page.ts";
import { CAST, script, STEP } from "../support/stage-scripts.ts";
import { stageTests } from "../support/stage-tests.ts";
import type { Stage } from "../support/stage.ts";

const LAST = "2026-11-25";
const renew = (person: string, dates: string): string =>
  STEP.renew
    .replace("id: renew", `id: renew-${person}`)
    .replace("ben, vettedUntil: 2027-11-30", `${person}, ${dates}`);

const fork = await stageTests(async (stage) => {
  const steps = [
    renew("eve", `vettedUntil: ${LAST}, trainedUntil: 2027-05-31`),
    renew("olga", "vettedUntil: 2027-01-01"),
  ];
  await stage.run(script([STEP.clock, ...steps]), CAST);
});

function modelOf(stage: Stage, ceremony: string | null): ReturnType<typeof reportModel> {
  const history: History = stage.judge();
  const { ledger, site } = stage;
  return reportModel({ genesis: site.genesis, ledger, history, conformance: null, ceremony });
}

test("Q10: a report states dates where they are stated, also of whoever is off the roster", async (t) => {
  const stage = fork(t);
  await stage.run(script([STEP.clock, STEP.revoke]), CAST);
  const { report, reach } = modelOf(stage, null);
  const datesOf = (name: string): unknown => {
    const { vettedUntil, trainedUntil } =
      report.people.find(({ person }) => person === name) ?? assert.fail(name);
    return [vettedUntil, trainedUntil];
  };
  assert.deepEqual(datesOf("eve"), [LAST, "2027-05-31"]);
  assert.deepEqual(datesOf("olga"), ["2027-01-01", undefined]);
  const ana = report.people.find(({ person }) => person === "ana") ?? assert.fail();
  assert.equal(Object.hasOwn(ana, "vettedUntil"), false);
  const text = reportMarkdown(report);
  assert.match(text, /\(eve\); vetting until 2026-11-25, training until 2027-05-31 \|/);
  assert.match(text, /\(olga\); vetting until 2027-01-01 \|/);
  assert.match(text, /\(ana\) \|/);
  const page = reportPage(report, evidenceOf(stage.ledger, reach), "");
  const dated = "eve vetting until 2026-11-25, training until 2027-05-31";
  assert.ok(page.includes(`May act by their records: ${dated}.`));
  assert.equal(page.includes("olga vetting until"), false);
});

test("Q10: a page without dates says nothing of them", (t) => {
  const stage = fork(t);
  const { report, reach } = modelOf(stage, null);
  const people = report.people.filter(({ person }) => !["eve", "olga"].includes(person));
  const page = reportPage({ ...report, people }, evidenceOf(stage.ledger, reach), "");
  assert.equal(page.includes("May act by their records"), false);
});

test("Q10: the page of one ceremony carries the renewals before it, and judges by them", async (t) => {
  const stage = fork(t);
  stage.clock.time = Date.parse(`${LAST}T23:50:00.000Z`);
  const hand = Hand.upTo(stage, script([STEP.adopt]), "roll-call");
  stage.clock.time = Date.parse("2026-11-26T00:00:00.000Z");
  const { begun } = hand.perform("adopt");
  hand.close();
  const { reach } = modelOf(stage, hand.ceremony);
  assert.ok(reach.first > 0);
  const problems = problemsOf(await judged(evidenceOf(stage.ledger, reach)));
  assert.deepEqual(
    problems.filter((text) => text.includes("could not act")),
    [
      `agreements: entry ${begun}: eve, who agrees, could not act any more: vetting was good until ${LAST}`,
    ],
  );
});
