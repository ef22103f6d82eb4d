/** The match of a device's acts with the ledger's: what is explained, what is not, and what cannot be told. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { matchDevice, type Acts } from "../../src/ceremony/device-match.ts";
import { LedgerActs } from "../../src/ceremony/ledger-acts.ts";
import type { Fact } from "../../src/ceremony/facts.ts";
import type { DeviceAct, DeviceActKind } from "../../src/hsm/device-log.ts";
import type { Entry } from "../../src/ledger/entry.ts";
import type { Json } from "../../src/lib/json.ts";

let items = 0;

function act(kind: DeviceActKind, more: Partial<DeviceAct> = {}): DeviceAct {
  items += 1;
  return { item: items, kind, command: kind, object: "0x0064", ok: true, ...more };
}

function acts(counts: Readonly<Partial<Record<DeviceActKind, readonly [number, number]>>>): Acts {
  return new Map(
    Object.entries(counts).map(([kind, [done, failed]]) => [
      kind as DeviceActKind,
      { done, failed },
    ]),
  );
}

function verdicts(device: readonly DeviceAct[], ledger: Acts, reader?: string): unknown {
  const { rows, unexplained, missing } = matchDevice(device, ledger, reader);
  return [unexplained, missing, rows.map((row) => [row.kind, row.unexplained, row.missing])];
}

test("what both know of fits, in vain or not", () => {
  const device = [act("login"), act("sign"), act("sign"), act("wrap", { ok: false })];
  const ledger = acts({ login: [1, 0], sign: [2, 0], wrap: [0, 1] });
  assert.deepEqual(verdicts(device, ledger), [
    0,
    0,
    [
      ["login", 0, 0],
      ["sign", 0, 0],
      ["wrap", 0, 0],
    ],
  ]);
});

test("an act on the device beyond the ledger's is not explained, not even by one in vain", () => {
  assert.deepEqual(verdicts([act("sign"), act("sign")], acts({ sign: [1, 5] })), [
    1,
    0,
    [["sign", 1, 0]],
  ]);
  assert.deepEqual(verdicts([act("wrap", { ok: false })], acts({ wrap: [1, 0] })), [
    1,
    1,
    [["wrap", 1, 1]],
  ]);
});

test("a kind that only one of the two knows of is told", () => {
  assert.deepEqual(verdicts([act("unwrap")], acts({ generate: [2, 0] })), [
    1,
    2,
    [
      ["generate", 0, 2],
      ["unwrap", 1, 0],
    ],
  ]);
});

test("of objects that no device logs the ledger may have more, and never fewer", () => {
  const ledger = acts({ import: [9, 0], destroy: [9, 0] });
  assert.deepEqual(verdicts([act("import")], ledger), [
    0,
    0,
    [
      ["import", 0, 0],
      ["destroy", 0, 0],
    ],
  ]);
  assert.deepEqual(verdicts([act("import"), act("import")], acts({ import: [1, 0] })), [
    1,
    0,
    [["import", 1, 0]],
  ]);
});

test("a call that failed may never have reached the device: it is not missing there", () => {
  assert.deepEqual(verdicts([], acts({ unwrap: [0, 7] })), [0, 0, [["unwrap", 0, 0]]]);
});

test("starts, resets, configuration and what Keyrite never does are named; the last is never explained", () => {
  const device = [act("boot"), act("configure"), act("reset"), act("foreign"), act("other")];
  const match = matchDevice(device, acts({ configure: [1, 0], reset: [1, 0], foreign: [1, 0] }));
  assert.deepEqual(
    match.named.map(({ kind }) => kind),
    ["boot", "configure", "reset", "foreign"],
  );
  assert.deepEqual([match.boots, match.others], [1, 1]);
  assert.equal(matchDevice(device, acts({})).unexplained, 3);
});

test("logins of the key that reads the log are counted apart, and nothing else of it is", () => {
  const device = [
    act("login", { object: "0x0002" }),
    act("sign", { object: "0x0002" }),
    act("login", { object: "0x0001" }),
  ];
  const match = matchDevice(device, acts({}), "0x0002");
  assert.deepEqual([match.readings, match.unexplained], [1, 2]);
  assert.equal(matchDevice(device, acts({})).unexplained, 3);
});

// The ledger's side.

const BOUND: Fact = {
  ...{ kind: "token.bound", token: "alpha", module: "0".repeat(64), profile: "generic" },
  ...{ serial: "S1", label: "alpha", manufacturer: "", model: "", firmware: "" },
  activation: "sealed",
} as const;

function outcome(type: Entry["type"], calls: Json): Entry {
  return {
    ...{ v: 1, origin: "x", seq: 9, time: "2026-11-24T00:00:00.000Z", type, ceremony: "c" },
    ...{ step: "s", actors: [], agreements: [], description: "", facts: [], outcome: "success" },
    ...{ policyRefs: [], refs: {}, source: "auto" },
    data: { n: 1, calls },
  };
}

function log(counts: Readonly<Partial<Record<DeviceActKind, number>>>): Fact {
  return {
    ...{ kind: "device-log.attached", token: "alpha", sha256: "0".repeat(64), format: "yubihsm" },
    ...{ first: 1, last: 9, lastDigest: "0".repeat(32), unexplained: 0, missing: 0, problems: 0 },
    acts: Object.entries(counts).map(([kind, done]) => ({
      ...{ act: kind as DeviceActKind, done, failed: 0 },
    })),
  } as const;
}

function ledgerActs(): LedgerActs {
  const ledger = new LedgerActs();
  ledger.fact(BOUND);
  return ledger;
}

const CALLS: Json = [
  ["S1", "C_Login", "-", "CKR_OK", 1],
  ["S1", "C_Sign", "CKM_ECDSA", "CKR_OK", 3],
  ["S1", "C_Sign", "CKM_ECDSA", "CKR_DEVICE_ERROR", 1],
  ["S1", "C_DestroyObject", "-", "CKR_OK", 2],
  ["S1", "C_FindObjects", "-", "CKR_OK", 50],
  ["S2", "C_Sign", "CKM_ECDSA", "CKR_OK", 8],
];

test("outcomes of steps tell what was done on each token; other entries and broken rows tell nothing", () => {
  const ledger = ledgerActs();
  ledger.take(outcome("step.completed", CALLS));
  ledger.take(outcome("step.failed", [["S1", "C_Sign", "-", "CKR_OK", 1]]));
  ledger.take(outcome("ceremony.closed", CALLS));
  ledger.take(
    outcome("step.completed", [["S1", "C_Sign"], "x", ["S1", "C_Sign", "-", "CKR_OK", -4]]),
  );
  ledger.take(outcome("step.completed", { S1: 1 }));
  assert.deepEqual(ledger.of("S1"), acts({ login: [1, 0], sign: [4, 1], destroy: [2, 0] }));
  assert.deepEqual(ledger.of("S3"), new Map());
});

test("what a log has not shown is awaited, where a call is an act; elsewhere for one more log", () => {
  const ledger = ledgerActs();
  ledger.take(outcome("step.completed", CALLS));
  ledger.fact(log({ login: 1, sign: 1 }));
  assert.deepEqual(ledger.of("S1"), acts({ login: [0, 0], sign: [2, 1], destroy: [2, 0] }));
  ledger.fact(log({}));
  assert.deepEqual(ledger.of("S1"), acts({ login: [0, 0], sign: [2, 0], destroy: [0, 0] }));
  ledger.fact(log({ sign: 2 }));
  assert.deepEqual(ledger.of("S1").get("sign"), { done: 0, failed: 0 });
  assert.deepEqual(ledger.of("S2"), acts({ sign: [8, 0] }), "the other token's are untouched");
});

test("a deviation ends what is awaited of its token, and nothing that came after the log", () => {
  const ledger = ledgerActs();
  ledger.take(outcome("step.completed", CALLS));
  ledger.fact(log({ login: 1 }));
  ledger.take(outcome("step.completed", [["S1", "C_Sign", "-", "CKR_OK", 1]]));
  for (const rule of ["device-log beta", "device-log", "alpha"]) {
    ledger.fact({ kind: "deviation.recorded", rule, reason: "looked into" });
    assert.deepEqual(ledger.of("S1").get("sign"), { done: 4, failed: 1 });
  }
  ledger.fact({ kind: "deviation.recorded", rule: "device-log alpha", reason: "looked into" });
  assert.deepEqual(ledger.of("S1").get("sign"), { done: 1, failed: 0 });
});

test("a token that was retired owes no log any more", () => {
  const ledger = ledgerActs();
  ledger.take(outcome("step.completed", CALLS));
  ledger.fact({ kind: "token.retired", token: "alpha", serial: "S1", reason: "old" });
  assert.deepEqual(ledger.of("S1"), new Map());
});
