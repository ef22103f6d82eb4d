/** What needs attention of a ceremony that is open, or was abandoned with something in doubt. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { concerns } from "../../src/ceremony/concerns.ts";
import { findingLines } from "../../src/ceremony/finding.ts";
import type { CeremonyRecord, StepInDoubt } from "../../src/ceremony/history.ts";
import type { StatusCeremony, StatusHistory } from "../../src/ceremony/status-history.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { BACKED_UP, CopiesDesk, FACT } from "../support/copies-desk.ts";

const desk = new CopiesDesk(BACKED_UP);
const LATER = "2100-01-01T00:00:00.000Z";
const alpha = desk.custody.tokens.get("alpha") ?? assert.fail("there is no token alpha");

function said(changes: Partial<StatusHistory>): readonly string[] {
  const history: StatusHistory = {
    ...{ size: 9, lastTime: desk.now(), custody: desk.custody, ceremonies: [], open: null },
    ...{ cosigned: 9, findings: [], ...changes },
  };
  return concerns(history, []);
}

/** What is said because of the changes, and not of the site as it is. */
function added(changes: Partial<StatusHistory>): readonly string[] {
  const before = said({});
  return said(changes).filter((text) => !before.includes(text));
}

function doubt(intent: JsonObject, more: Partial<StepInDoubt> = {}): StepInDoubt {
  return {
    ...{ n: 4, id: "make", action: "make-it", begunSeq: 31, time: desk.now(), groups: 0 },
    ...{ intent, group: null, done: new Set<string>(), ...more },
  };
}

function abandoned(
  step: StepInDoubt | null,
  state: StatusCeremony["state"] = "abandoned",
): StatusCeremony {
  return {
    ...{ id: "20261123-staged-ab12", title: "Staged", script: "staged", version: "1.0.0", state },
    ...{ openedAt: desk.now(), closedAt: desk.now(), deviations: 0, doubt: step },
    ...{ unsettled: new Map(step === null ? [] : [[step.id, step]]), unjudged: false },
  };
}

const AT =
  /^RED: ceremony 20261123-staged-ab12 was abandoned with step 4 \(make, make-it\) in doubt at entry 31: /;

test("a site that is not founded, and entries that nobody cosigned", () => {
  assert.ok(
    said({ size: 0, cosigned: 0 }).includes(
      "the site is not founded yet: keyrite run establish-site",
    ),
  );
  assert.deepEqual(added({ cosigned: 7 }), [
    "entries 7 to 8 are not cosigned; the next roll call shows them",
  ]);
});

test("what the fold refused is said in its own words", () => {
  const text = "entry 5 claims what nobody agreed to";
  assert.deepEqual(added({ findings: [{ code: "authority", seq: 5, text }] }), [text]);
});

test("an object that an abandoned step may have left is named with its token", () => {
  const left = doubt({ serial: alpha.serial, ckaId: "aa01" });
  const [text = "", ...more] = added({ ceremonies: [abandoned(left)] });
  assert.match(text, AT);
  assert.match(
    text,
    /token alpha may hold objects with CKA_ID aa01, which nobody owns; look there, or retire the token$/,
  );
  assert.deepEqual(more, []);
});

test("C03: what a step that failed may have left is named as well, in doubt or not", () => {
  const failed = doubt({ serial: alpha.serial, ckaId: "aa01" });
  const other = doubt({ serial: alpha.serial, ckaId: "bb02" }, { id: "other", n: 5 });
  const unsettled = new Map([failed, other].map((one) => [one.id, one]));
  for (const inDoubt of [null, other]) {
    const texts = added({ ceremonies: [{ ...abandoned(inDoubt), unsettled }] });
    assert.equal(texts.length, 2);
    assert.match(texts[0] ?? "", AT);
    assert.match(texts[0] ?? "", /token alpha may hold objects with CKA_ID aa01, which nobody/);
    assert.match(texts[1] ?? "", /step 5 .*token alpha may hold objects with CKA_ID bb02/);
  }
});

test("what custody has on the token is owned, although a step that failed was about it", () => {
  const kek = [...desk.custody.keks.values()].flatMap(({ tokens }) => tokens.get("alpha") ?? []);
  const keys = [...desk.custody.copies.values()].map(({ tokens }) => tokens.get("alpha")?.ckaId);
  const transport = desk.custody.transports.get("alpha")?.ckaId;
  for (const ckaId of [kek[0], keys[0], transport]) {
    assert.ok(ckaId !== undefined);
    const failed = doubt({ serial: alpha.serial, ckaId });
    assert.deepEqual(added({ ceremonies: [abandoned(failed)] }), []);
  }
});

test("of a group of objects four are named, the rest is counted", () => {
  const items = ["01", "02", "03", "04", "05", "06"].map((ckaId) => ({ item: ckaId, ckaId }));
  const left = doubt({ serial: alpha.serial }, { group: { seq: 33, items } });
  const [text = ""] = added({ ceremonies: [abandoned(left)] });
  assert.match(text, /objects with CKA_ID 01, 02, 03, 04, 2 more, which nobody owns/);
  const few = doubt({ serial: alpha.serial }, { group: { seq: 33, items: items.slice(0, 4) } });
  assert.match(added({ ceremonies: [abandoned(few)] })[0] ?? "", /CKA_ID 01, 02, 03, 04, which/);
});

test("nothing is said of a token that is gone, of a step that leaves no object, and of a ceremony that ended well", () => {
  const elsewhere = doubt({ serial: "another serial", ckaId: "aa01" });
  const nothing = doubt({ serial: alpha.serial });
  const real = doubt({ serial: alpha.serial, ckaId: "aa01" });
  assert.deepEqual(added({ ceremonies: [abandoned(elsewhere)] }), []);
  assert.deepEqual(added({ ceremonies: [abandoned(nothing)] }), []);
  assert.deepEqual(added({ ceremonies: [abandoned(null)] }), []);
  assert.deepEqual(added({ ceremonies: [abandoned(real, "closed")] }), []);
});

test("what a CA key may have signed is named: the certificate to look for, the CRL to supersede", () => {
  const by = { issuerSpki: "spki-1", scheme: "ecdsa-sha256" };
  const serial = added({ ceremonies: [abandoned(doubt({ ...by, serial: "4f" }))] });
  assert.equal(serial.length, 1);
  assert.match(serial[0] ?? "", AT);
  assert.match(
    serial[0] ?? "",
    /a certificate with serial 4f may have been signed by key spki-1; look into its outbox$/,
  );
  const crl = added({ ceremonies: [abandoned(doubt({ ...by, number: 12 }))] });
  assert.match(crl[0] ?? "", /CRL number 12 may have been signed by key spki-1; the next one/);
  for (const intent of [by, { serial: "4f" }, { issuerSpki: "spki-1", number: 12 }]) {
    assert.deepEqual(added({ ceremonies: [abandoned(doubt(intent))] }), []);
  }
});

test("an open ceremony is told step by step, with what is in doubt and where to look", () => {
  const group = { seq: 33, items: [{ item: "x", ckaId: "01" }] };
  const step = doubt(
    { label: "root\u001b[2Jg1", ckaId: "aa01", count: 4 },
    { group, done: new Set(["a", "b"]) },
  );
  const open = {
    ...abandoned(step, "open"),
    openedSeq: 27,
    plan: {
      steps: [
        { n: 1, id: "roll-call" },
        { n: 4, id: "make" },
      ],
    },
    progress: new Map([["make", { openedAt: desk.now(), begunAt: LATER, endedAt: null }]]),
    steps: new Map([
      ["roll-call", "completed"],
      ["make", "begun"],
    ]),
  } as unknown as CeremonyRecord;
  const lines = findingLines(open);
  assert.deepEqual(added({ open, cosigned: 7 }), lines);
  for (const line of [
    "Ceremony 20261123-staged-ab12: Staged",
    `Opened ${desk.now()} at entry 27.`,
    "  step roll-call: completed",
    "  step make: begun",
    "  step make: completed of its batch 2 items",
    "  step make: without outcome, of the group at entry 33, 1 item",
    `IN DOUBT: step 4 (make, make-it) was begun at ${desk.now()} and has no outcome.`,
    "  What people agreed to, at entry 31:",
    "    count: 4",
    "  look on the token for an object with CKA_ID aa01 before going on",
  ])
    assert.ok(lines.includes(line), `${line}\nnot in\n${lines.join("\n")}`);
  assert.ok(!lines.join("").includes("\u001b"), "nothing of the record moves the cursor");
  const calm = findingLines({ ...open, doubt: null, unsettled: new Map() });
  assert.deepEqual(calm.slice(-2), [
    "No step is in doubt.",
    `Paused at step 4 (make) since ${LATER}.`,
  ]);
  // It failed, and may have left something: nobody reads aloud that all is well.
  assert.deepEqual(findingLines({ ...open, doubt: null }).slice(-2), [
    "Step 4 (make) had begun: what it left is looked at before anything else.",
    `Stopped at step 4 (make) since ${LATER}.`,
  ]);
});

test("shares of whoever was revoked: what they open, and what is to be done", () => {
  const { custody } = desk;
  const kek = [...custody.keks.values()][0] ?? assert.fail("there is no KEK");
  const set = { set: "kset", generation: 1 };
  const made = { ...set, purpose: "kek", token: "alpha", threshold: 2 } as const;
  const holders = ["ben", "cleo", "dan"];
  const shareSets = new Map([["kset.g1", { ...made, holders, sha256: "ab".repeat(32) }]]);
  const texts = added({
    custody: {
      ...custody,
      former: new Map([["dan", {}]]) as unknown as typeof custody.former,
      keks: new Map([["paper.g1", { ...kek, mode: "escrowed", escrow: set }]]),
      shareSets: shareSets as unknown as typeof custody.shareSets,
    },
  });
  const text = texts.find((one) => one.includes("kset.g1"));
  assert.equal(
    text,
    "dan, off the roster, had 1 share of set kset.g1 of a KEK: counted as lost, 2 of 3 are left and 2 open it; rotate that KEK",
  );
});

test("a drill that was abandoned before its verdict is told until one has passed since", () => {
  const drill = { ...abandoned(null), unjudged: true };
  const told = added({ ceremonies: [drill] });
  assert.deepEqual(told, [
    `RED: ceremony 20261123-staged-ab12 (staged) was abandoned at ${drill.closedAt ?? ""} before it judged the restore; hold it again`,
  ]);
  for (const [verdict, at, count] of [
    ["pass", LATER, 0],
    ["pass", drill.closedAt ?? "", 1],
    ["fail", LATER, 1],
  ] as const) {
    const failed = FACT.drilled({ verdict: "fail", keys: 0, reasons: ["no key came back"] });
    const { custody } = new CopiesDesk([...BACKED_UP, failed]);
    const drills = custody.drills.map((one) => ({ ...one, verdict, at }));
    const texts = said({ ceremonies: [drill], custody: { ...custody, drills } });
    assert.equal(texts.filter((text) => text === told[0]).length, count, `${verdict} ${at}`);
  }
});
