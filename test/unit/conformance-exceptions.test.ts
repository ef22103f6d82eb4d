/** Ceremonies that were out of their plain course, on record: what was is named, and the verdict says so. */

import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { ACTIONS } from "../../src/actions/index.ts";
import type { CeremonyConformance, Exception } from "../../src/ceremony/conformance.ts";
import { keyListBytes } from "../../src/ceremony/key-list.ts";
import { sha256Hex } from "../../src/lib/encoding.ts";
import { conformed, newest } from "../support/conformed.ts";
import { as, Hand } from "../support/hand.ts";
import { keysToMake, madeFact, makeKeys, newDevice, type Device } from "../support/make-keys.ts";
import { CAST, DEVIATION, INITIALIZE, ROLL, script, STEP } from "../support/stage-scripts.ts";
import { stageTests } from "../support/stage-tests.ts";
import { Stage } from "../support/stage.ts";

const TWO = "[ceremony-administrator, internal-witness]";
const MAKE = `id: make, action: make-keys, by: ${TWO}, with: { token: alpha, count: 4 }`;
const CLOCK = script([STEP.clock]);
const BATCH = script([STEP.activate, MAKE, STEP.deactivate]);
const DRILL = script(
  [STEP.activate, MAKE, STEP.inspect, `${STEP.deactivate}, always: true`],
  ["drill: true"],
);
const fork = await stageTests();

/** A stage whose token is initialized, and which knows `make-keys`. */
async function ready(t: TestContext): Promise<{ stage: Stage; device: Device }> {
  const stage = fork(t);
  await stage.run(INITIALIZE, CAST);
  const device = newDevice();
  stage.actions = [...ACTIONS, makeKeys(device)];
  stage.judge();
  return { stage, device };
}

/** `kind step` of what is out of the plain course, mistyped passphrases apart. */
function kinds({ exceptions }: CeremonyConformance): readonly string[] {
  return exceptions
    .filter(({ kind }) => kind !== "authentication")
    .map(({ kind, step }) => `${kind} ${step ?? "-"}`);
}

function only(stage: Stage, kind: Exception["kind"]): Exception {
  const [first, second] = newest(conformed(stage)).exceptions.filter((one) => one.kind === kind);
  assert.equal(second, undefined);
  return first ?? assert.fail(`there is no ${kind}`);
}

function deviates(stage: Stage, ...expected: readonly string[]): CeremonyConformance {
  const report = conformed(stage);
  const last = newest(report);
  assert.deepEqual(last.violations, []);
  assert.deepEqual(kinds(last), expected);
  assert.deepEqual([last.verdict, report.verdict], Array(2).fill("CONFORMS WITH DEVIATIONS"));
  return last;
}

test("a ceremony that the engine conducts conforms; a mistyped passphrase is named and no deviation", async (t) => {
  const stage = fork(t);
  await stage.run(CLOCK, {
    ...CAST,
    passphrase: (person, step, attempt) =>
      person === "eve" && step === "clock" && attempt === 1 ? "mistyped" : `${person} drill`,
  });
  const report = conformed(stage);
  assert.equal(report.verdict, "CONFORMS", JSON.stringify(newest(report)));
  const { step, text, deviates: does } = only(stage, "authentication");
  assert.deepEqual([step, does], ["clock", false]);
  assert.match(text, /eve could not open their identity \(attempt 1/);
  assert.equal(newest(report).steps[1]?.people.length, 2);
  assert.deepEqual(
    newest(report).head?.cosigners.map(({ person }) => person),
    Object.keys(ROLL),
  );
});

test("a recorded deviation, with its reason and who agreed to it", async (t) => {
  const stage = fork(t);
  await stage.run(DEVIATION, CAST);
  deviates(stage, "deviation deviation");
  const { people, seq } = only(stage, "deviation");
  assert.deepEqual(
    people.map(({ person }) => person),
    ["ana", "eve"],
  );
  assert.equal(stage.entries()[seq]?.facts[0]?.kind, "deviation.recorded");
});

test("a step that was refused, and then performed", async (t) => {
  const stage = fork(t);
  let declined = 0;
  await stage.run(CLOCK, {
    ...CAST,
    answers: { again: "again" },
    agrees: ({ step, to }) => step !== "clock" || to.person !== "eve" || (declined += 1) > 1,
  });
  const last = deviates(stage, "refusal clock");
  assert.match(only(stage, "refusal").text, /people\.declined/);
  assert.deepEqual([last.steps[1]?.attempts, last.steps[1]?.outcome], [2, "completed"]);
});

test("somebody who does not cosign", async (t) => {
  const stage = fork(t);
  const agrees: typeof CAST.agrees = ({ step, to }) => step !== "close" || to.person !== "dan";
  await stage.run(CLOCK, { ...CAST, agrees });
  deviates(stage, "not-cosigned close");
  assert.match(only(stage, "not-cosigned").text, /^dan \(custodian\).*declined to cosign/);
});

test("somebody whose cosignature is missing without a reason on record", (t) => {
  const stage = fork(t);
  const hand = new Hand(stage, CLOCK);
  hand.perform("roll-call");
  hand.perform("clock");
  hand.close(["ana", "ben", "eve"]);
  deviates(stage, "not-cosigned -", "not-cosigned -");
});

test("a head that fewer than two people cosigned cannot be told", (t) => {
  const stage = fork(t);
  const hand = new Hand(stage, CLOCK);
  hand.perform("roll-call");
  hand.perform("clock");
  hand.close(["ana"]);
  const report = conformed(stage);
  assert.deepEqual([newest(report).verdict, report.verdict], ["CANNOT TELL", "CANNOT TELL"]);
  assert.equal(newest(report).missing[0]?.code, "cosignature");
  assert.ok(report.missing.some(({ code }) => code === "cosignature"));
});

test("an abandoned ceremony: agreed to, with what was not performed", async (t) => {
  const stage = fork(t);
  const stop = { ...CAST, answers: { again: "stop" } };
  await assert.rejects(
    stage.run(DEVIATION, { ...stop, agrees: ({ step }) => step !== "deviation" }),
  );
  const open = conformed(stage);
  assert.equal(open.verdict, "CANNOT TELL");
  assert.match(newest(open).missing[0]?.text ?? "", /is open at step 3 \(deviation\)/);
  await stage.abandon({ present: { ana: "ceremony-administrator", eve: "internal-witness" } });
  deviates(stage, "refusal deviation", "abandonment -");
  const { text, people } = only(stage, "abandonment");
  assert.match(text, /not performed: step 3/);
  assert.deepEqual(
    people.map(({ person }) => person),
    ["ana", "eve"],
  );
});

test("a drill that failed is closed as its script says: failed, left out and performed steps are named", async (t) => {
  const { stage, device } = await ready(t);
  device.refuses.add(keysToMake(4)[2]?.spki ?? "");
  await stage.run(DRILL, CAST);
  const taken = ["undone make", "failure make"];
  const last = deviates(stage, "item-failure make", "failure make", ...taken, "skipped inspect");
  assert.deepEqual(last.steps[2]?.items, { completed: 3, failed: 0, expected: 4 });
  assert.deepEqual(
    last.steps.map(({ outcome }) => outcome),
    ["completed", "completed", "failed", "skipped", "completed", "closed"],
  );
});

test("an interruption: gone on with, the token activated anew, the step in doubt finished", async (t) => {
  const { stage, device } = await ready(t);
  let size = 0;
  device.cut = (at) => {
    if (at !== "acted") return;
    size = stage.ledger.size;
    throw new Error("the power is gone");
  };
  await assert.rejects(stage.run(BATCH, CAST), /the power is gone/);
  stage.rewrite(stage.entries().slice(0, size));
  device.cut = () => undefined;
  await stage.resume({ ...CAST, answers: { settle: "finish" } });
  const last = deviates(
    stage,
    "doubt make",
    "resumption make",
    "reactivation activate",
    "finished make",
  );
  assert.deepEqual(last.steps[2]?.items, { completed: 4, failed: 0, expected: 4 });
});

test("what nobody cosigned, read and adopted, with what of it nobody believes", (t) => {
  const stage = fork(t);
  const from = stage.history.size;
  stage.append({ type: "auth.failed", outcome: "failure", description: "Noise." });
  stage.append({ type: "step.refused", outcome: "refused", description: "More noise." });
  const alone = conformed(stage);
  assert.equal(alone.verdict, "DOES NOT CONFORM");
  assert.ok(alone.missing.some(({ text }) => text.includes(`entries ${from} to ${from + 1}`)));
  const hand = new Hand(stage, CLOCK);
  hand.perform("roll-call");
  hand.adoptTail(from, from + 2);
  hand.perform("clock");
  hand.close();
  const report = conformed(stage);
  assert.deepEqual(kinds(newest(report)), ["tail roll-call"]);
  assert.deepEqual(report.violations, []);
  assert.match(report.exceptions[0]?.text ?? "", /adopted unbelieved/);
  assert.equal(report.verdict, "CONFORMS WITH DEVIATIONS");
});

test("a batch that is said to be done with items missing, or without an outcome", async (t) => {
  for (const intended of [2, 4]) {
    const { stage } = await ready(t);
    const hand = Hand.upTo(stage, BATCH, "activate");
    const keys = keysToMake(4);
    const bytes = keyListBytes(keys);
    hand.attach({ mediaType: "application/json", bytes });
    const opening = hand.open("make", { data: { keyList: sha256Hex(bytes), count: 4 } });
    const notes = as("ana", "eve").map(({ person, role }) => hand.sign(opening, person, role));
    const refs = { begun: hand.begin(opening, notes) };
    const items = keys.slice(0, intended).map(({ spki, ckaId }) => ({ item: spki, ckaId }));
    const n = 3;
    hand.append({ type: "step.begun", step: "make", data: { n, group: 1, items }, refs });
    for (const key of keys.slice(0, 2)) {
      const data = { n, group: 1, item: key.spki, evidence: {} };
      hand.append({ type: "step.completed", step: "make", data, facts: [madeFact(key)], refs });
    }
    const seq = hand.complete(opening, []);
    hand.perform("deactivate");
    hand.close();
    const { violations, verdict } = newest(conformed(stage));
    assert.deepEqual(
      violations.map((one) => [one.code, one.step, one.seq]),
      [["batch", "make", seq]],
    );
    assert.equal(verdict, "DOES NOT CONFORM");
  }
});

test("what stands beside the ledger: without anchor or head, with what is missing, untrusted or foreign", (t) => {
  const stage = fork(t);
  const hand = new Hand(stage, CLOCK);
  hand.perform("roll-call");
  hand.perform("clock");
  hand.close();
  const { size } = stage.ledger;
  const { openedSeq } = newest(conformed(stage));
  assert.equal(conformed(stage).verdict, "CONFORMS");
  const lacks = (given: Parameters<typeof conformed>[1], code: string, text: RegExp): void => {
    const report = conformed(stage, given);
    assert.equal(report.verdict, "CANNOT TELL");
    const lacking = report.missing.find((one) => one.code === code);
    assert.match(lacking?.text ?? "", text);
    assert.ok((lacking?.remedy ?? "") !== "", "it says what to bring");
  };
  lacks({ anchored: false }, "anchor", /nothing says that this is the ledger of the site/);
  lacks({ heads: [] }, "head", /^no head held outside the site was given: a later ceremony may/);
  const foreign = conformed(stage, {
    heads: [],
    foreignHeads: ["other.note: it is of another ledger"],
  });
  assert.equal(foreign.verdict, "DOES NOT CONFORM");
  assert.match(
    foreign.missing.find(({ code }) => code === "head")?.text ?? "",
    /^no head that was given is one of this ledger: a later ceremony may/,
  );
  const stale = new RegExp(`newest head given is of size ${size - 1}, people cosigned .* ${size}:`);
  lacks({ heads: [3, size - 1] }, "head", stale);
  const unanchored = conformed(stage, { anchored: false });
  assert.deepEqual([...new Set(unanchored.ceremonies.map((one) => one.verdict))], ["CANNOT TELL"]);
  const text = "a card is not attached";
  lacks({ attachments: [{ text }] }, "attachment", /^a card is not/);
  const within = conformed(stage, {
    attachments: [{ seq: openedSeq + 1, text }],
  });
  assert.deepEqual([newest(within).verdict, within.verdict], Array(2).fill("CANNOT TELL"));
  assert.deepEqual(
    newest(within).missing.map((one) => [one.code, one.seq, one.text]),
    [["attachment", openedSeq + 1, text]],
  );
  for (const [code, given] of [
    ["trust", { untrusted: [text] }],
    ["head", { foreignHeads: [text] }],
    ["integrity", { integrity: [{ seq: 2, text }] }],
  ] as const) {
    const report = conformed(stage, given);
    assert.equal(report.verdict, "DOES NOT CONFORM");
    assert.deepEqual(
      report.violations.map((one) => [one.code, one.text]),
      [[code, text]],
    );
  }
});

test("a ledger without a ceremony has nothing to judge", async (t) => {
  const stage = await Stage.create();
  t.after(() => {
    stage.remove();
  });
  const report = conformed(stage);
  assert.deepEqual([report.verdict, report.ceremonies], ["CANNOT TELL", []]);
  const lacking = report.missing.find(({ code }) => code === "ceremony");
  assert.equal(lacking?.text, "the ledger holds no ceremony");
});
