/** The index by control: where proofs stand, that others are missing, and that no class is forgotten. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { FACT_MEMBERS } from "../../src/ceremony/facts.ts";
import { completeEntry, ENTRY_TYPES, type Entry, type EntryDraft } from "../../src/ledger/entry.ts";
import { EVENT_CLASSES } from "../../src/report/control-classes.ts";
import { ControlIndexer, controlIndexJson } from "../../src/report/control-index.ts";
import { CONTROLS } from "../../src/report/control-requirements.ts";
import { draft, ORIGIN } from "../support/ledger-fixture.ts";

const TIME = "2026-11-24T04:00:00.000Z";
const CEREMONY = "20261124-generate-root-ca-abcd";

function entry(seq: number, changes: Partial<EntryDraft>): Entry {
  const about = { ceremony: CEREMONY, policyRefs: [], facts: [], ...changes };
  return completeEntry(draft(`entry ${seq}`, about), { origin: ORIGIN, seq, time: TIME });
}

function indexOf(...entries: readonly Partial<EntryDraft>[]): ControlIndexer {
  const indexer = new ControlIndexer();
  for (const [seq, one] of entries.entries()) indexer.take(entry(seq, one));
  return indexer;
}

const GENERATED = { facts: [{ kind: "key.generated", label: "root-g1" }] };

test("every kind of fact belongs to a class, and every class is wanted or stands for itself", () => {
  const known = new Set(EVENT_CLASSES.flatMap(({ facts = [] }) => facts));
  assert.deepEqual(
    [...FACT_MEMBERS.keys()].filter((kind) => !known.has(kind as never)),
    [],
  );
  const ids = EVENT_CLASSES.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
  const wanted = CONTROLS.flatMap(({ classes }) => classes);
  assert.deepEqual(
    wanted.filter((id) => !ids.includes(id)),
    [],
  );
  const types = new Set(EVENT_CLASSES.flatMap(({ types: some = [] }) => some));
  // An opened step says nothing yet; the clock is attested by a fact.
  const silent = ENTRY_TYPES.filter((type) => !types.has(type));
  assert.deepEqual(silent, ["clock.attested"]);
});

test("LG-1: without entries everything is missing, and each says why or whom to ask", () => {
  const { classes, controls, cited } = indexOf().index;
  for (const row of classes) {
    assert.equal(row.status, "missing");
    assert.match(row.missing ?? "", /^nothing on record|^not in this ledger; ask for /);
    assert.equal(row.last, null);
  }
  assert.ok(
    controls.every(
      ({ status, classes: all, missing }) => status === "missing" && missing.length === all.length,
    ),
  );
  assert.deepEqual(cited, []);
});

test("a proof names ceremony and entry; a control with some of its classes is proved in part", () => {
  const { index } = indexOf({ type: "step.opened", data: {} }, GENERATED);
  const row = index.classes.find(({ id }) => id === "key.generated");
  assert.deepEqual(row?.first, [{ ceremony: CEREMONY, seq: 1, what: "key.generated root-g1" }]);
  assert.equal(row.missing, null);
  const control = index.controls.find(({ id }) => id === "GEN-6.5.1-04");
  assert.equal(control?.status, "in part");
  assert.deepEqual(control.missing, ["roll.called", "auth.succeeded"]);
});

test("refusals and failures are proofs of their own classes, never of what they failed to do", () => {
  const { index } = indexOf(
    { type: "step.refused", outcome: "refused" },
    { type: "auth.failed", outcome: "failure" },
    { type: "step.failed", outcome: "failure" },
  );
  const proved = index.classes.filter(({ status }) => status === "proved").map(({ id }) => id);
  assert.deepEqual(proved.sort(), ["auth.failed", "authz.refused", "step.failed"]);
});

test("a clause that a script cites is proved by completed steps, and open where none completed", () => {
  const ref = { policyRefs: ["CPS:6.1.1"], step: "generate" };
  const open = indexOf({ type: "step.opened", ...ref }, { type: "step.begun", ...ref }).index.cited;
  assert.equal(open[0]?.status, "missing");
  assert.deepEqual(
    open[0].open.map(({ seq }) => seq),
    [0],
  );
  const done = indexOf({ type: "step.opened", ...ref }, { type: "step.completed", ...ref }).index
    .cited;
  assert.equal(done[0]?.status, "proved");
  assert.deepEqual(done[0].open, []);
  assert.equal(done[0].last?.seq, 1);
});

test("of many proofs the first, the last and their number are kept", () => {
  const row = indexOf(...Array.from({ length: 1000 }, () => GENERATED)).index.classes.find(
    ({ id }) => id === "key.generated",
  );
  assert.equal(row?.count, 1000);
  assert.equal(row.first.length, 12);
  assert.equal(row.last?.seq, 999);
});

test("as JSON it names the ledger it is of", () => {
  const json = controlIndexJson(indexOf(GENERATED).index, { origin: ORIGIN, size: 1 });
  assert.equal(json["keyrite"], "controls/v1");
  assert.equal(json["origin"], ORIGIN);
  assert.equal((json["classes"] as readonly unknown[]).length, EVENT_CLASSES.length);
});
