/** I07: the clock jumps at any of its readings in a ceremony, and stands in other years: the order never depends on it. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { KeyriteError } from "../../src/lib/errors.ts";
import { figure, sampled } from "../support/fault-run.ts";
import { CAST, ESTABLISH, script, STEP } from "../support/stage-scripts.ts";
import { stageTests } from "../support/stage-tests.ts";
import { Stage } from "../support/stage.ts";

const SECOND = 1000;
const HOUR = 3600 * SECOND;
const DAY = 24 * HOUR;
const YAML = script([STEP.clock, STEP.attest, STEP.deviation]);
const JUMPS = [SECOND, HOUR, 400 * DAY].flatMap((by) => [by, -by]);

const fork = await stageTests();

/** Has the clock jump at its n-th reading; returns how often it was read. */
function jumping(stage: Stage, at: number, by: number): () => number {
  let read = 0;
  const { clock } = stage;
  Object.assign(clock, {
    now: () => {
      read += 1;
      if (read === at) clock.time += by;
      return clock.time;
    },
  });
  return () => read;
}

/** Conducts the script; the code of the refusal, or `completed`. */
async function outcomeOf(stage: Stage): Promise<string> {
  try {
    await stage.run(YAML, CAST);
    return "completed";
  } catch (error) {
    assert.ok(error instanceof KeyriteError, String(error));
    return error.code;
  }
}

/** Asserts that the ledger is in order, judged anew. */
function assertInOrder(stage: Stage, about: string): void {
  stage.judge();
  const entries = stage.entries();
  entries.forEach(({ seq, time }, i) => {
    assert.equal(seq, i, about);
    assert.ok(i === 0 || time >= (entries[i - 1]?.time ?? ""), about);
    assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, about);
  });
}

test("I07: whatever jump at whatever reading, entries stay in order and nothing stands that the clock forbids", async (t) => {
  const clean = fork(t);
  const reads = jumping(clean, 0, 0);
  assert.equal(await outcomeOf(clean), "completed");
  const all = Array.from({ length: reads() }, (_, i) => i + 1);
  const counts = { jumps: 0, refused: 0, completed: 0 };
  for (const by of JUMPS) {
    for (const at of sampled(all, 8)) {
      const stage = fork(t);
      const about = `${by} ms at reading ${at}`;
      const last = Date.parse(stage.history.lastTime ?? "");
      // A run begins an hour later, so that much back is behind nothing yet.
      const behind = stage.clock.time + HOUR + by < last;
      jumping(stage, at, by);
      const code = await outcomeOf(stage);
      assertInOrder(stage, about);
      counts.jumps += 1;
      if (code === "completed") {
        counts.completed += 1;
        assert.deepEqual(stage.findings, [], about);
        const opened = stage.entries().some(({ type }) => type === "ceremony.opened");
        assert.ok(opened && (by > 0 || !behind || at === all.length), about);
        continue;
      }
      counts.refused += 1;
      const codes = ["people.agreement-invalid", "halted.step-failed"];
      assert.ok(by < 0 ? code === "site.clock" : by > SECOND && codes.includes(code), about + code);
    }
  }
  figure("I07", "jumps of the clock at its readings in a ceremony", counts);
  assert.ok(counts.refused > counts.completed / 2);
});

test("I07: a site is founded and goes on in any year that a clock may show", async () => {
  const years = ["1970-01-01T00:00:01Z", "1999-12-31T23:59:59Z", "2038-01-19T03:14:07Z"];
  const counts = { years: 0, ceremonies: 0, findings: 0 };
  for (const year of [...years, "2100-02-28T23:59:59Z", "9998-12-31T00:00:00Z"]) {
    const stage = await Stage.create();
    try {
      stage.clock.time = Date.parse(year);
      await stage.run(ESTABLISH, CAST);
      assert.equal(await outcomeOf(stage), "completed", year);
      assertInOrder(stage, year);
      counts.findings += stage.findings.length;
      counts.ceremonies += 2;
      counts.years += 1;
    } finally {
      stage.remove();
    }
  }
  figure("I07", "sites in other years", counts);
  assert.equal(counts.findings, 0);
});
