/** A device's log beside the record: what fits, what does not, and how long that is of concern. */

import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { attachDeviceLog } from "../../src/actions/attach-device-log.ts";
import { concerns } from "../../src/ceremony/concerns.ts";
import { deviceLogOf } from "../../src/cli/demo-device.ts";
import type { JournalRow } from "../../src/hsm/journal.ts";
import type { Hsm } from "../../src/hsm/token.ts";
import { utf8 } from "../../src/lib/encoding.ts";
import { KeyriteError } from "../../src/lib/errors.ts";
import { examined } from "../support/stage-planning.ts";
import { CAST, foundedStage, INITIALIZE, script, STEP } from "../support/stage-scripts.ts";
import { objections } from "../support/stage-tests.ts";
import type { Stage } from "../support/stage.ts";

const TWO = "by: [ceremony-administrator, internal-witness]";
const ATTACH = script(
  [
    `id: log, action: attach-device-log, ${TWO}, with: { token: alpha, format: yubihsm, log: $log, reader: none }`,
  ],
  ["params: { log: { type: file, about: the log } }"],
);
const EXPLAIN = script([
  STEP.clock,
  `id: why, action: record-deviation, ${TWO}, with: { rule: device-log alpha }`,
]);
const SET = { log: "alpha.log" };

const LOGIN = [0x03, 0x04] as const;
const SIGN = 0x56;
/** What the ledger says was done on the token: two logins, and two signatures. */
const CALLS: readonly JournalRow[] = [
  ["FAKE0001", "C_Login", "-", "CKR_OK", 2],
  ["FAKE0001", "C_Sign", "CKM_ECDSA", "CKR_OK", 2],
  ["FAKE0001", "C_CreateObject", "-", "CKR_OK", 1],
];
const FITS = [...LOGIN, ...LOGIN, SIGN, SIGN];

/** The token in memory keeps no journal: here it says once what the test wants. */
function journaling(hsm: Hsm, rows: readonly JournalRow[]): Hsm {
  const left = [...rows];
  return new Proxy(hsm, {
    get(target, name) {
      if (name === "journal") return () => left.splice(0);
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}

const founded = await foundedStage();

async function initialized(t: TestContext): Promise<Stage> {
  const stage = founded.fork();
  t.after(() => {
    stage.remove();
  });
  await stage.run(INITIALIZE, CAST, { hall: { hsm: journaling(stage.rig.hsm, CALLS) } });
  return stage;
}

async function attach(stage: Stage, text: string): Promise<string> {
  stage.lent.set("alpha.log", utf8(text));
  await stage.run(ATTACH, CAST, { set: SET });
  assert.deepEqual(stage.judge().findings, []);
  return stage.console.shown.join("\n");
}

function open({ history }: Stage): readonly number[] {
  const log = history.custody.deviceLogs.get("alpha") ?? assert.fail("no log is in custody");
  return [log.unexplained, log.missing, log.problems];
}

function concern({ history }: Stage): string {
  return concerns(history, [])
    .filter((text) => text.includes("device log"))
    .join("\n");
}

test("the calls stand in the outcome of the step, and in no other", async (t) => {
  const stage = await initialized(t);
  const told = stage.entries().filter(({ data }) => data["calls"] !== undefined);
  assert.deepEqual(
    told.map(({ type, data }) => [type, data["calls"]]),
    [["step.completed", CALLS]],
  );
});

test("the calls of a step that was refused stand in its refusal", async (t) => {
  const stage = founded.fork();
  t.after(() => {
    stage.remove();
  });
  stage.changed = "site.yaml";
  const hall = { hsm: journaling(stage.rig.hsm, CALLS) };
  await assert.rejects(stage.run(INITIALIZE, CAST, { hall }), /site.yaml is not the file/);
  const refusals = stage.entries().filter(({ type }) => type === "step.refused");
  assert.deepEqual(
    refusals.map(({ data }) => data["calls"]),
    [CALLS],
  );
  assert.deepEqual(stage.judge().findings, []);
  assert.equal(stage.history.acts.of("FAKE0001").get("login")?.done, 2);
});

test("a log that fits is recorded, attached, and of no concern", async (t) => {
  const stage = await initialized(t);
  const shown = await attach(stage, deviceLogOf(FITS));
  assert.match(shown, /sign +2 +2 +fits/);
  assert.match(shown, /The log and the ledger tell the same/);
  assert.deepEqual(open(stage), [0, 0, 0]);
  const { last, sha256 } = stage.history.custody.deviceLogs.get("alpha") ?? assert.fail();
  assert.equal(last, 8);
  assert.ok(stage.ledger.attachment(sha256));
  assert.equal(concern(stage), "");
});

test("an act that the ledger does not explain is of concern until a deviation says why", async (t) => {
  const stage = await initialized(t);
  const rogue = [...FITS, SIGN];
  const shown = await attach(stage, deviceLogOf(rogue));
  assert.match(shown, /sign +3 +2 +1 UNEXPLAINED/);
  assert.match(shown, /3 x sign ECDSA 0x0064/);
  assert.match(shown, /record a deviation from the rule "device-log alpha"/);
  assert.match(concern(stage), /^RED: the device log of token alpha, up to item 9, has 1 act that/);
  // A later log that fits does not explain the earlier one.
  assert.match(
    await attach(stage, deviceLogOf([...rogue, 0x00])),
    /The log before it ended at item 9/,
  );
  assert.deepEqual(open(stage), [1, 0, 0]);
  await stage.run(EXPLAIN, CAST);
  assert.deepEqual(open(stage), [0, 0, 0]);
  assert.equal(concern(stage), "");
  assert.deepEqual(stage.judge().findings, []);
});

test("an act that the device does not know is of concern until a later log shows it", async (t) => {
  const stage = await initialized(t);
  const short = [...LOGIN, ...LOGIN, SIGN];
  assert.match(await attach(stage, deviceLogOf(short)), /1 MISSING on the device/);
  assert.deepEqual(open(stage), [0, 1, 0]);
  assert.match(concern(stage), /1 act of the ledger missing/);
  await attach(stage, deviceLogOf(FITS));
  assert.deepEqual(open(stage), [0, 0, 0]);
  assert.equal(concern(stage), "");
});

test("C14: a log that does not go on from the one before says so, and so does one that was altered", async (t) => {
  const stage = await initialized(t);
  await attach(stage, deviceLogOf(FITS));
  const longer = deviceLogOf([...FITS, 0x00, 0x00, 0x00]);
  const gap = longer.split("\n").filter((line) => !/^item: +[1-9] /.test(line));
  assert.match(await attach(stage, gap.join("\n")), /after item 8 comes item 10: some are missing/);
  assert.deepEqual(open(stage), [0, 0, 1]);
  const other = await initialized(t);
  const altered = deviceLogOf(FITS).replace(/cmd: 0x56/, "cmd: 0x54");
  assert.match(await attach(other, altered), /item 7 does not follow from the one before/);
  assert.deepEqual(open(other), [0, 1, 1], "and the act that was hidden is missing");
  assert.match(concern(other), /1 problem/);
});

test("a log without anything new is refused, and what is no log is objected to before the day", async (t) => {
  const stage = await initialized(t);
  await attach(stage, deviceLogOf(FITS));
  const { size } = stage.ledger;
  stage.lent.set("alpha.log", utf8(deviceLogOf(FITS)));
  await assert.rejects(
    stage.run(ATTACH, CAST, { set: SET }),
    (error) =>
      error instanceof KeyriteError &&
      error.code === "usage.refused" &&
      error.message.includes("holds nothing after item 8"),
  );
  assert.ok(stage.ledger.size > size, "the refusal is on record");
  stage.lent.set("alpha.log", utf8("no log at all\n"));
  assert.match((await examined(stage, ATTACH, SET)).join(), /holds no item of a YubiHSM audit log/);
  const never = ATTACH.replace("token: alpha", "token: beta");
  stage.lent.set("alpha.log", utf8(deviceLogOf(FITS)));
  assert.match(objections(stage, never, SET).join(), /token beta is not/);
});

test("a host cannot record a kinder outcome than people saw", async (t) => {
  const stage = await initialized(t);
  await attach(stage, deviceLogOf([...FITS, SIGN]));
  const entries = stage.entries();
  const isLog = ({ facts }: (typeof entries)[number]): boolean =>
    facts.some(({ kind }) => kind === "device-log.attached");
  const end = entries.find(isLog) ?? assert.fail("no log is on record");
  const begun = entries[end.refs["begun"] ?? -1] ?? assert.fail("it was not begun");
  assert.ok(begun.agreements.length > 0);
  const facts = end.facts.map((fact) => ({ ...fact, unexplained: 0 }));
  stage.rewrite(entries.map((entry) => (entry === end ? { ...end, facts } : entry)));
  assert.match(stage.findings.join("\n"), /given no authority/);
  assert.equal(stage.history.custody.deviceLogs.size, 0);
});

test("its parameters are judged", () => {
  const good = { token: "alpha", format: "yubihsm", log: "0".repeat(64), reader: "0x0002" };
  assert.ok(attachDeviceLog.params.safeParse(good).success);
  for (const wrong of [{ format: "nshield" }, { log: "x" }, { reader: "2" }, { token: "" }]) {
    assert.ok(!attachDeviceLog.params.safeParse({ ...good, ...wrong }).success);
  }
});
