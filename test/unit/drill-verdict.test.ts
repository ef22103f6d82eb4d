/** How a verdict is formed: what is a reason, what only follows from one, and what a drill is called where. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { gatherDrill } from "../../src/actions/lib/drill.ts";
import type { Room } from "../../src/ceremony/action.ts";
import type { DrillReport, DrillStep } from "../../src/ceremony/drill-report.ts";
import { line } from "../../src/ceremony/words.ts";
import { at, step, STEPS } from "../support/drill-report.ts";

const CEREMONY = "20261123-restore-drill-abcd";
const NOW = Date.parse(at(500));
const DAY_MS = 86_400_000;
const BACKUP = {
  backup: "backup-20261101-abcd",
  kek: "main",
  generation: 1,
  sha256: "cd".repeat(32),
  keys: 1,
  vaults: ["onsite"],
  signers: ["ana", "eve"],
  made: new Date(NOW - 3 * DAY_MS).toISOString(),
  ceremony: "earlier",
};
const COPY = { token: "alpha", label: "root-g1", ckaId: "aa", origin: "generated" };
const KEY = { spki: "11", token: "alpha", label: "root-g1", ckaId: "aa", algorithm: "p-256" };

interface Told {
  readonly assurance?: string;
  readonly steps?: readonly DrillStep[];
  readonly drills?: object;
  readonly backups?: readonly object[];
  /** Whether the key was restored in this very ceremony. */
  readonly restored?: boolean;
  /** Out of which backup it was restored. */
  readonly from?: string;
  readonly copies?: ReadonlyMap<string, object>;
  readonly keys?: ReadonlyMap<string, object>;
  readonly active?: readonly string[];
  readonly inventory?: () => Promise<readonly object[]>;
}

/** A verdict over what a room tells, all well unless said otherwise. */
function verdict(told: Told = {}): Promise<DrillReport> {
  const {
    restored = true,
    from = BACKUP.backup,
    backups = [BACKUP],
    steps = STEPS,
    active = [],
  } = told;
  const key = {
    tokens: new Map([["alpha", { ...COPY, proved: BACKUP.made }]]),
    backups: new Map([[BACKUP.backup, {}]]),
    retained: new Map(),
    restored: restored ? { ceremony: CEREMONY, backup: from } : null,
    destroyed: false,
  };
  const custody = {
    tokens: new Map([["gamma", { serial: "1", manufacturer: "M", model: "X", firmware: "1" }]]),
    copies: told.copies ?? new Map([["11", key]]),
    keys: told.keys ?? new Map([["11", { ...KEY, backup: "wrap" }]]),
    backups: new Map(backups.map((one) => [BACKUP.backup, one])),
    transports: new Map([["gamma", { ckaId: "fe" }]]),
    places: new Map(),
    active: new Set(active),
  };
  const room = {
    step: "conclude",
    ceremony: CEREMONY,
    origin: "pki.example.org/dc1",
    assurance: told.assurance ?? "production",
    policy: { sha256: "ab".repeat(32), drills: told.drills ?? { maxAgeDays: 90 } },
    people: { attending: [{ person: "ana", role: "ceremony-administrator" }] },
    clock: { now: () => NOW },
    custody,
    tokens: { session: () => ({ inventory: told.inventory }) },
    progress: () => [...steps, step("conclude-drill", 490, 490, 490, { id: "conclude" })],
  };
  const choice = { token: "gamma", backup: "newest", from: "onsite", keys: "all-ca-keys" };
  return gatherDrill(room as unknown as Room, choice);
}

test("on a production site it is a drill, on a test site a rehearsal, and both say what they left open", async () => {
  const drill = await verdict();
  assert.deepEqual([drill.kind, drill.verdict, drill.reasons], ["drill", "pass", []]);
  assert.ok(drill.notProved.every((line) => !line.includes("rehearsal")));
  assert.ok(drill.notProved.length >= 5);
  const rehearsal = await verdict({ assurance: "test" });
  assert.equal(rehearsal.kind, "rehearsal");
  assert.match(rehearsal.notProved.join(), /never counts as a drill/);
});

test("the concluding step is not judged by itself", async () => {
  const { steps } = await verdict();
  assert.ok(steps.every(({ id }) => id !== "conclude"));
});

test("what follows from a failure is no reason of its own; a refusal before any failure is one", async () => {
  const skipped = { outcome: "refused", code: "halted.step-skipped", message: "left out" };
  const cannot = { outcome: "refused", code: "script.refused", message: "not on token gamma" };
  const failed = { outcome: "failed", code: "hsm.wrong-kek", message: "another check value" };
  const { reasons } = await verdict({
    restored: false,
    steps: [
      ...STEPS.slice(0, 3),
      step("load-kek", 1, 2, 3, failed),
      step("restore-key", 1, 2, 3, skipped),
      step("destroy-key", 1, 2, 3, cannot),
    ],
  });
  assert.deepEqual(reasons, [
    "step load (load-kek) failed: hsm.wrong-kek: another check value",
    "no key was restored",
  ]);
  const first = await verdict({
    steps: [...STEPS.slice(0, 5), step("destroy-key", 1, 2, 3, cannot)],
  });
  assert.match(first.reasons.join(), /^step destroy .* script\.refused/);
});

test("A8: a step that was left out, or has no end on record, is a reason when nothing failed before", async () => {
  const skipped = { outcome: "refused", code: "halted.step-skipped", message: "left out" };
  const nameless = { outcome: "refused", code: null, message: null };
  const open = { outcome: "begun", code: null, message: null, endedAt: null };
  const reasonsFor = async (end: Partial<DrillStep>): Promise<readonly string[]> =>
    (await verdict({ steps: [...STEPS.slice(0, 5), step("destroy-key", 1, 2, 3, end)] })).reasons;
  assert.match(
    (await reasonsFor(skipped)).join(),
    /^step destroy .*was refused: halted\.step-skip/,
  );
  assert.match((await reasonsFor(nameless)).join(), /^step destroy .*was refused: no code/);
  assert.match((await reasonsFor(open)).join(), /^step destroy .*came to no end \(begun\)/);
});

test("H18: a key that came back out of another backup proves nothing of this one", async () => {
  const { keys, reasons } = await verdict({ from: "backup-20260101-aaaa" });
  assert.deepEqual([keys.expected, keys.restored], [1, 0]);
  assert.deepEqual(reasons, ["no key was restored"]);
});

test("nothing in custody to restore from, and nothing restored, are reasons", async () => {
  for (const backups of [[], [{ ...BACKUP, sha256: null }]]) {
    const { reasons, backup } = await verdict({ backups });
    assert.equal(backup, null);
    assert.match(reasons.join(), /custody knows no backup newest of these keys in vault onsite/);
  }
  const { reasons, proved } = await verdict({ restored: false });
  assert.deepEqual(reasons, ["no key was restored"]);
  assert.ok(proved.every((line) => !line.includes("came back")));
});

test("what is found on the token counts more than what custody says", async () => {
  const own = { objectClass: "private", ckaId: "fe", onToken: true };
  const stray = { objectClass: "private", ckaId: "aa", onToken: true };
  const passing = { objectClass: "private", ckaId: "ab", onToken: false };
  const active = ["gamma"];
  const clean = await verdict({ active, inventory: () => Promise.resolve([own, passing]) });
  assert.equal(clean.verdict, "pass");
  const left = await verdict({ active, inventory: () => Promise.resolve([own, stray]) });
  assert.deepEqual(left.reasons, ["copies are still on token gamma: 1"]);
  const gone = (): Promise<never> => Promise.reject(new Error("the token is \u202e gone"));
  const blind = await verdict({ active, inventory: gone });
  assert.match(blind.reasons.join(), /^token gamma could not be listed: the token is /);
  assert.ok(!blind.reasons.join().includes("\u202e"));
});

test("whatever an error says, its reason is one line that a fact can hold", async () => {
  const message = `e\u0301\n\u202e\u0007 ${"\u{1f511}".repeat(600)}`;
  const failed = step("restore-key", 1, 2, 3, {
    outcome: "failed",
    code: "hsm.bad-output",
    message,
  });
  const { reasons } = await verdict({ steps: [...STEPS.slice(0, 4), failed] });
  for (const reason of reasons) assert.ok(line.safeParse(reason).success, reason);
  assert.ok(reasons[0]?.isWellFormed());
});

test("time and age are judged only where the policy has a rule", async () => {
  const none = await verdict();
  assert.deepEqual([none.recovery.met, none.recoveryPoint.met], [null, null]);
  const met = await verdict({ drills: { rtoMinutes: 7, rpoDays: 3 } });
  assert.deepEqual([met.recovery.met, met.recoveryPoint.met, met.verdict], [true, true, "pass"]);
  const slow = await verdict({ drills: { rtoMinutes: 6 } });
  assert.deepEqual(slow.reasons, [
    "recovery took 6.7 min, the policy allows 6 min (drills.rtoMinutes)",
  ]);
  const old = await verdict({ drills: { rpoDays: 2 } });
  assert.match(old.reasons.join(), /^the backup is 3 days old, the policy allows 2/);
});

test("H20: a key that no backup holds is lost, once it is older than the policy allows, wherever it is", async () => {
  const born = (days: number, on = ["alpha"]): Told => {
    const proved = new Date(NOW - days * DAY_MS).toISOString();
    const tokens = new Map(on.map((token) => [token, { ...COPY, token, proved }]));
    const alone = {
      tokens,
      backups: new Map(),
      retained: new Map(),
      restored: null,
      destroyed: false,
    };
    const held = {
      ...alone,
      backups: new Map([[BACKUP.backup, {}]]),
      restored: { ceremony: CEREMONY, backup: BACKUP.backup },
    };
    return {
      drills: { rpoDays: 5 },
      copies: new Map<string, object>([
        ["11", held],
        ["22", alone],
      ]),
      keys: new Map([
        ["11", { ...KEY, backup: "wrap" }],
        ["22", { ...KEY, spki: "22", label: "sub-a", backup: "wrap" }],
      ]),
    };
  };
  assert.equal((await verdict(born(4))).verdict, "pass");
  const { recoveryPoint, reasons } = await verdict(born(6));
  assert.deepEqual(recoveryPoint.lost, ["sub-a"]);
  assert.match(reasons.join(), /^key sub-a is older than drills\.rpoDays and in no backup/);
  // It was cloned, and its first copy was destroyed.
  assert.deepEqual((await verdict(born(6, ["beta"]))).recoveryPoint.lost, ["sub-a"]);
  assert.equal((await verdict(born(4, ["beta"]))).verdict, "pass");
});
