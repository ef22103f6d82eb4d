/** Drill reports: time goes to the phase it belongs to, nothing is measured twice, pages escape what they show. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  drillReportBytes,
  elapsedMilliseconds,
  phasesOf,
  readDrillReport,
  recoveryMilliseconds,
} from "../../src/ceremony/drill-report.ts";
import { utf8 } from "../../src/lib/encoding.ts";
import { drillPage } from "../../src/report/drill-page.ts";
import { durationText, ticks } from "../../src/report/duration.ts";
import { at, sampleReport, step, STEPS } from "../support/drill-report.ts";

/** `name people machine` of every phase, in seconds. */
function phases(steps = STEPS): readonly string[] {
  return phasesOf(steps).map(
    ({ name, people, machine }) => `${name} ${people / 1000} ${machine / 1000}`,
  );
}

describe("phases", () => {
  test("each second goes to one phase: looking before a step is opened, people until it is begun, then the act", () => {
    assert.deepEqual(phases(), [
      "room 115 15.2",
      "activation 80 23.8",
      "kek 22 9",
      "checks 25 25",
      "restore 0 87",
      "destruction 21 17",
    ]);
    const sum = phasesOf(STEPS).reduce((ms, { people, machine }) => ms + people + machine, 0);
    assert.equal(sum, elapsedMilliseconds(STEPS));
  });

  test("a refused restore is all checks, and none of it restore", () => {
    const refused = step("restore-key", 0, 0, 300, {
      outcome: "refused",
      openedAt: null,
      begunAt: null,
      endedAt: at(300),
      code: "ledger.backup-stale",
    });
    const steps = [...STEPS.slice(0, 4), refused];
    assert.ok(phases(steps).includes("checks 0 35"));
    assert.ok(phases(steps).every((phase) => !phase.startsWith("restore")));
  });

  test("two activations and two kinds of destruction are one phase each", () => {
    const steps = [
      step("activate-token", 0, 1, 2),
      step("activate-token", 2, 4, 5),
      step("destroy-key", 5, 6, 7),
      step("retire-token", 7, 8, 10),
    ];
    assert.deepEqual(phases(steps), ["activation 3 2", "destruction 2 3"]);
  });

  test("nothing measured is nothing shown; a clock that went back makes no negative time", () => {
    assert.deepEqual(phases([]), []);
    assert.equal(elapsedMilliseconds([]), 0);
    const back = [step("roll-call", 10, 12, 14), step("activate-token", 13, 14, 15)];
    for (const { people, machine } of phasesOf(back)) assert.ok(people >= 0 && machine >= 0);
  });
});

describe("recovery", () => {
  test("is over when the last key is proved, whatever follows", () => {
    assert.equal(recoveryMilliseconds(STEPS), 402_000);
    assert.equal(recoveryMilliseconds(STEPS.slice(0, 5)), 402_000);
    const second = step("restore-key", 500, 510, 600);
    assert.equal(recoveryMilliseconds([...STEPS, second]), 600_000);
  });

  test("never came when a restore failed, was refused, or was not tried", () => {
    assert.equal(recoveryMilliseconds(STEPS.slice(0, 4)), null);
    assert.equal(recoveryMilliseconds([]), null);
    for (const outcome of ["failed", "refused", "begun"]) {
      const broken = step("restore-key", 500, 510, 600, { outcome });
      assert.equal(recoveryMilliseconds([...STEPS, broken]), null, outcome);
    }
  });
});

describe("the file", () => {
  test("reads back as it was written, and nothing else reads as one", () => {
    const report = sampleReport();
    assert.deepEqual(readDrillReport(drillReportBytes(report)), report);
    for (const text of [
      "",
      "[]",
      "{",
      "null",
      '{"schema":"keyrite/drill-report/v2"}',
      '{"verdict":"pass"}',
    ]) {
      assert.equal(readDrillReport(utf8(text)), undefined, text);
    }
  });
});

describe("the page", () => {
  test("carries verdict, reasons and limits in words, not by colour alone", () => {
    const reasons = ["step restore (restore-key) was refused: ledger.backup-stale: older"];
    const text = drillPage(sampleReport({ verdict: "fail", reasons, kind: "drill" }));
    assert.match(text, /<b>FAIL<\/b>/);
    assert.ok(text.includes("ledger.backup-stale: older"));
    assert.ok(!text.includes("REHEARSAL"));
    const rehearsal = drillPage(sampleReport());
    assert.match(rehearsal, /<b>PASS<\/b>/);
    assert.match(rehearsal, /<span class="brand">REHEARSAL<\/span>/);
    assert.match(rehearsal, /never counts as a drill/);
    assert.match(rehearsal, /allowed 8 min/);
  });

  test("draws a bar for each phase, one of each kind, on a time line", () => {
    const text = drillPage(sampleReport());
    assert.equal(text.match(/<rect\s+class="machine"/g)?.length, 6);
    // Nobody is asked while keys are restored.
    assert.equal(text.match(/<rect\s+class="people"/g)?.length, 5);
    const far = sampleReport({
      recovery: { milliseconds: 402_000, rtoMinutes: 600, met: true },
    });
    assert.match(drillPage(far), /allowed 10 h lie beyond the right edge/);
    assert.ok(!drillPage(far).includes('class="limit"'));
    assert.match(drillPage(sampleReport({ phases: [] })), /No phase was measured/);
  });

  test("claims nothing that no rule asked for, and a long name stays inside of the page", () => {
    const judged = (text: string): number => text.match(/not judged/g)?.length ?? 0;
    assert.equal(judged(drillPage(sampleReport())), 0);
    const none = { ageDays: 1, rpoDays: null, met: null, lost: [] };
    const text = drillPage(sampleReport({ recoveryPoint: none }));
    assert.equal(judged(text), 2);
    assert.match(text, /at most 1 day</);
    assert.match(text, /td\.outcome, \.verdict li \{ overflow-wrap: anywhere/);
    assert.equal(text.match(/<td class="outcome">/g)?.length, STEPS.length);
  });

  test("escapes whatever came from tokens, people and errors, and fetches nothing", () => {
    const evil = `<img src=x onerror=alert(1)>"'&\u202e`;
    const text = drillPage(
      sampleReport({
        reasons: [evil],
        notProved: [evil],
        origin: evil,
        token: {
          name: evil,
          serial: evil,
          manufacturer: evil,
          model: evil,
          firmware: evil,
        },
        steps: [step("restore-key", 0, 1, 2, { code: evil, message: evil, outcome: "failed" })],
      }),
    );
    assert.ok(!text.includes("<img"));
    assert.ok(!text.includes("\u202e"));
    assert.ok(text.includes("&lt;img src=x onerror=alert(1)&gt;"));
    assert.ok(!/(src|href)=/.test(text.replaceAll("src=x", "")));
    assert.match(text, /default-src 'none'/);
  });

  test("bars stay inside of the drawing, however uneven the phases are", () => {
    const steps = [step("roll-call", 0, 0.001, 0.002), step("restore-key", 0.002, 9000, 9000.001)];
    const text = drillPage(sampleReport({ steps, phases: phasesOf(steps) }));
    for (const [, x = "", width = ""] of text.matchAll(
      /<rect\s+class="(?:people|machine)"\s+x="([\d.]+)"[^>]*?\swidth="([\d.]+)"/g,
    )) {
      assert.ok(Number(x) >= 210 && Number(x) + Number(width) <= 790, `${x} + ${width}`);
    }
  });
});

describe("spans of time", () => {
  test("are told in the units people use", () => {
    const told: readonly (readonly [number, string])[] = [
      [0, "0 ms"],
      [999, "999 ms"],
      [1000, "1.0 s"],
      [59_999, "59.9 s"],
      [60_000, "1 min"],
      [125_000, "2 min 5 s"],
      [3_600_000, "1 h"],
      [7_500_000, "2 h 5 min"],
    ];
    for (const [ms, text] of told) assert.equal(durationText(ms), text);
  });

  test("have few marks, at round times, from zero and not beyond the end", () => {
    for (const total of [1, 7, 950, 4200, 61_000, 480_000, 5_000_000, 300_000_000]) {
      const marks = ticks(total);
      assert.equal(marks[0], 0);
      assert.ok(marks.length >= 2 && marks.length <= 7, `${total}: ${marks.join()}`);
      assert.ok((marks.at(-1) ?? 0) <= total);
    }
  });
});
