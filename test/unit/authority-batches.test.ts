/** What the owner of the host could write into a batch that people agreed to: nothing of it is believed. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { ACTIONS } from "../../src/actions/index.ts";
import { keyListBytes } from "../../src/ceremony/key-list.ts";
import { sha256Hex } from "../../src/lib/encoding.ts";
import { ForgedBatch, key, KEYS, YAML } from "../support/forged-batch.ts";
import { as, Hand } from "../support/hand.ts";
import { keysToMake, madeFact, makeKeys, newDevice } from "../support/make-keys.ts";
import { assertFound, believed, stageTests } from "../support/stage-tests.ts";

const fork = await stageTests();

test("an honest batch is believed, item by item, and its end adds nothing", (t) => {
  const batch = new ForgedBatch(fork(t));
  batch.intend(1, KEYS.slice(0, 3));
  for (const one of KEYS.slice(0, 3)) batch.honest(1, one);
  batch.intend(2, [key(3)]);
  batch.honest(2, key(3));
  batch.end();
  assert.deepEqual(batch.stage.findings, []);
  assert.equal(batch.stage.history.custody.keys.size, 4);
  assert.equal(batch.stage.history.open?.unsettled.size, 0);
});

test("an item whose fact custody refuses is not done: it stays in doubt until somebody has looked", (t) => {
  const doubled = { ...key(1), ckaId: key(0).ckaId };
  const batch = new ForgedBatch(fork(t), [key(0), doubled]);
  batch.intend(1, [key(0), doubled]);
  batch.honest(1, key(0));
  const seq = batch.honest(1, doubled);
  assertFound(batch.stage, seq, /key\.generated is not taken: .*CKA_ID/);
  const doubt = batch.stage.history.open?.doubt ?? assert.fail("nothing is in doubt");
  assert.deepEqual([...doubt.done], [key(0).spki]);
  assert.deepEqual(
    doubt.group?.items.map(({ item }) => item),
    [doubled.spki],
  );
});

test("an item is believed only once it was intended in the open group", (t) => {
  const batch = new ForgedBatch(fork(t));
  batch.refuses(() => batch.honest(1, key(0)), /not intended in the open group/);
  batch.intend(1, [key(0), key(1)]);
  batch.refuses(() => batch.honest(1, key(2)), /not intended in the open group/);
  batch.refuses(() => batch.honest(2, key(0)), /not intended in the open group/);
  batch.honest(1, key(0));
  batch.refuses(() => batch.honest(1, key(0)), /not intended in the open group/);
});

test("C14: an item that is called done without a fact is not done: whoever goes on does not skip it", (t) => {
  const batch = new ForgedBatch(fork(t));
  batch.intend(1, [key(0)]);
  batch.refuses(() => batch.complete(1, key(0), []), /it bears no fact/);
  assert.equal(batch.stage.history.open?.doubt?.done.size, 0);
  batch.honest(1, key(0));
});

test("an item has one outcome: neither success after failure nor the other way round", (t) => {
  const batch = new ForgedBatch(fork(t));
  batch.intend(1, [key(0), key(1)]);
  batch.append("step.failed", { group: 1, item: key(0).spki, code: "hsm.call-failed" });
  batch.refuses(() => batch.honest(1, key(0)), /not intended in the open group/);
  batch.honest(1, key(1));
  batch.refuses(
    () => batch.append("step.failed", { group: 1, item: key(1).spki, code: "hsm.call-failed" }),
    /not intended in the open group/,
  );
  batch.refuses(() => batch.intend(2, [key(0)]), /has an outcome already/);
  batch.refuses(() => batch.intend(2, [key(1)]), /has an outcome already/);
});

test("a key that is not on the agreed list is not believed", (t) => {
  const batch = new ForgedBatch(fork(t));
  const spki = sha256Hex("a key of the host's owner");
  const foreign = { spki, label: "made-9", ckaId: spki.slice(0, 32) };
  batch.intend(1, [foreign, key(0), key(1)]);
  batch.refuses(() => batch.honest(1, foreign), /not what people agreed to/);
  batch.refuses(
    () => batch.complete(1, key(0), [{ ...madeFact(key(0)), label: "made-1" }]),
    /not what people agreed to/,
  );
  batch.refuses(
    () => batch.complete(1, key(0), [{ kind: "policy.adopted", sha256: "0".repeat(64) }]),
    /make-keys cannot establish policy.adopted/,
  );
  batch.refuses(() => batch.complete(1, key(0), [{ kind: "nonsense" }]), /malformed/);
  // What was refused has no outcome: the honest one is still taken.
  batch.honest(1, key(0));
  assert.equal(batch.stage.history.custody.keys.has(key(0).spki), true);
});

test("an item bears no facts about another key, nor with another CKA_ID than was intended", (t) => {
  const batch = new ForgedBatch(fork(t));
  batch.intend(1, [key(0), { ...key(1), ckaId: "ff" }]);
  batch.refuses(() => batch.complete(1, key(0), [madeFact(key(2))]), /about another key/);
  batch.refuses(
    () => batch.complete(1, key(0), [madeFact(key(0)), madeFact(key(2))]),
    /about another key/,
  );
  batch.refuses(() => batch.honest(1, key(1)), /another CKA_ID than was intended/);
});

test("a group of more than 100, of none, with one item twice or with a wrong number is no group", (t) => {
  const batch = new ForgedBatch(fork(t));
  const many = keysToMake(101);
  batch.refuses(() => batch.intend(1, many), /at most 100 items/);
  batch.refuses(() => batch.intend(1, []), /intends no items/);
  batch.refuses(() => batch.intend(1, [key(0), key(0)]), /is in it twice/);
  batch.refuses(() => batch.intend(2, [key(0)]), /the next group is number 1/);
  batch.refuses(() => batch.intend(1, [], { items: [{ item: 7, ckaId: "00" }] }), /malformed/);
  batch.refuses(() => batch.intend(1, [], { items: "all" }), /intends no items/);
  batch.refuses(() => batch.honest(1, key(0)), /not intended in the open group/);
  batch.intend(1, many.slice(0, 100));
  assert.equal(batch.stage.history.open?.doubt?.group?.items.length, 100);
});

test("no more than 100 items are under way at a time, in however many groups", (t) => {
  const many = keysToMake(102);
  const batch = new ForgedBatch(fork(t), many);
  const [first, last] = [many[0] ?? key(0), many[100] ?? key(0)];
  batch.intend(1, many.slice(0, 60));
  batch.refuses(() => batch.intend(2, many.slice(60, 101)), /60 items of earlier groups have no/);
  batch.honest(1, first);
  batch.refuses(() => batch.intend(2, many.slice(1, 3)), /was intended already/);
  batch.intend(2, many.slice(60, 101));
  batch.refuses(() => batch.honest(1, last), /not intended in the open group/);
  batch.refuses(() => batch.honest(2, many[1] ?? first), /not intended in the open group/);
  batch.refuses(() => batch.intend(3, many.slice(101)), /100 items of earlier groups have no/);
  assert.equal(batch.stage.history.open?.doubt?.group?.items.length, 100);
  batch.honest(2, last);
  batch.honest(1, many[1] ?? first);
  assert.equal(batch.stage.history.open.doubt.group.items.length, 98);
});

test("nothing of a batch is believed before its step has begun, after it ended, or of another step", (t) => {
  const batch = new ForgedBatch(fork(t));
  batch.refuses(
    () => batch.append("step.begun", { group: 1, items: [] }, [], batch.begun - 1),
    /another beginning than the open one/,
  );
  const { hand } = batch;
  const elsewhere = (): number => {
    const items = [{ item: key(0).spki, ckaId: key(0).ckaId }];
    const refs = { begun: batch.begun };
    const data = { n: 5, group: 1, items };
    return hand.append({ type: "step.begun", step: "deactivate", data, refs });
  };
  batch.refuses(elsewhere, /a step that was not begun/);
  batch.intend(1, [key(0), key(1)]);
  batch.honest(1, key(0));
  batch.end();
  batch.refuses(() => batch.honest(1, key(1)), /a step that was not begun/);
  batch.refuses(() => batch.intend(2, [key(2)]), /a step that was not begun/);
  batch.refuses(
    () => batch.append("step.failed", { group: 1, item: key(1).spki }),
    /a step that was not begun/,
  );
});

test("an item does not end its step, and a failed item leaves the step in doubt", (t) => {
  const batch = new ForgedBatch(fork(t));
  batch.intend(1, [key(0), key(1)]);
  batch.honest(1, key(0));
  batch.append("step.failed", { group: 1, item: key(1).spki, code: "hsm.call-failed" });
  const { open } = batch.stage.history;
  assert.equal(open?.doubt?.id, "make");
  assert.deepEqual([...open.doubt.done], [key(0).spki]);
  assert.equal(open.doubt.group, null);
  assert.equal(open.steps.get("make"), "begun");
});

test("without enough agreements the group and its items count for nothing", (t) => {
  const stage = fork(t);
  stage.actions = [...ACTIONS, makeKeys(newDevice())];
  stage.judge();
  const hand = Hand.upTo(stage, YAML, "activate");
  const bytes = keyListBytes(KEYS);
  hand.attach({ mediaType: "application/json", bytes });
  const opening = hand.open("make", { data: { keyList: sha256Hex(bytes), count: 4 } });
  const begun = hand.begin(opening, [hand.sign(opening, "ana", "ceremony-administrator")]);
  const { n } = hand.step("make");
  const refs = { begun };
  const items = [{ item: key(0).spki, ckaId: key(0).ckaId }];
  hand.append({ type: "step.begun", step: "make", data: { n, group: 1, items }, refs });
  const before = believed(stage);
  const data = { n, group: 1, item: key(0).spki, evidence: {} };
  const facts = [madeFact(key(0))];
  const seq = hand.append({ type: "step.completed", step: "make", facts, data, refs });
  assert.equal(believed(stage), before);
  assertFound(stage, begun, /1 of 2 different people agreed/);
  assertFound(stage, seq, /of a batch of a step that was not begun/);
});

test("judging 1,000 items parses the list and the parameters once", (t) => {
  const stage = fork(t);
  let read = 0;
  const counted = makeKeys(newDevice());
  stage.actions = [
    ...ACTIONS,
    {
      ...counted,
      params: counted.params,
      admitting: (params, intent, cited) => {
        read += 1;
        return counted.admitting(params, intent, cited);
      },
    },
  ];
  stage.judge();
  const keys = keysToMake(1_000);
  const hand = Hand.upTo(stage, YAML.replace("count: 4", "count: 1000"), "activate");
  const bytes = keyListBytes(keys);
  hand.attach({ mediaType: "application/json", bytes });
  const opening = hand.open("make", { data: { keyList: sha256Hex(bytes), count: 1_000 } });
  const notes = as("ana", "eve").map(({ person, role }) => hand.sign(opening, person, role));
  const refs = { begun: hand.begin(opening, notes) };
  const { n } = hand.step("make");
  for (let at = 0; at < keys.length; at += 100) {
    const group = at / 100 + 1;
    const part = keys.slice(at, at + 100);
    const items = part.map(({ spki, ckaId }) => ({ item: spki, ckaId }));
    hand.append({ type: "step.begun", step: "make", data: { n, group, items }, refs });
    stage.recorder().appendAll(
      part.map((one) => ({
        type: "step.completed",
        description: "An item.",
        ceremony: hand.ceremony,
        step: "make",
        facts: [madeFact(one)],
        data: { n, group, item: one.spki, evidence: {} },
        refs,
      })),
    );
  }
  assert.equal(stage.history.custody.keys.size, 1_000);
  assert.deepEqual(stage.findings, []);
  assert.equal(read, 1);
  stage.judge();
  assert.equal(read, 2);
  assert.equal(stage.history.custody.keys.size, 1_000);
});
