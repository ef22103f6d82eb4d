/** A drill report as a real drill makes it, for tests of what reads one. */

import type { DrillReport, DrillStep } from "../../src/ceremony/drill-report.ts";
import { phasesOf, recoveryMilliseconds } from "../../src/ceremony/drill-report.ts";

/** Seconds after nine o'clock as RFC 3339; fractions are kept. */
export function at(seconds: number): string {
  return new Date(Date.UTC(2026, 10, 23, 9) + seconds * 1000).toISOString();
}

/** A completed step that was opened, begun and ended at these seconds. */
export function step(
  action: string,
  opened: number,
  begun: number,
  ended: number,
  changes: Partial<DrillStep> = {},
): DrillStep {
  const times = { openedAt: at(opened), begunAt: at(begun), endedAt: at(ended) };
  const id = action.split("-")[0] ?? action;
  return { id, action, outcome: "completed", ...times, code: null, message: null, ...changes };
}

export const STEPS: readonly DrillStep[] = [
  step("roll-call", 0, 95, 96),
  step("attest-clock", 110, 130, 130.2),
  step("activate-token", 150, 230, 234),
  step("load-kek", 240, 262, 265),
  step("restore-key", 290, 315, 402),
  step("destroy-key", 410, 431, 440),
];

/** A passed rehearsal of three keys, with changes. */
export function sampleReport(changes: Partial<DrillReport> = {}): DrillReport {
  const steps = changes.steps ?? STEPS;
  return {
    schema: "keyrite/drill-report/v1",
    kind: "rehearsal",
    verdict: "pass",
    reasons: [],
    origin: "pki.example.org/dc1/test",
    ceremony: "20261123-restore-drill-abcd",
    concludedAt: at(450),
    policy: "ab".repeat(32),
    people: [
      { person: "ana", role: "ceremony-administrator" },
      { person: "ben", role: "custodian" },
    ],
    token: {
      name: "gamma",
      serial: "4711",
      manufacturer: "SoftHSM project",
      model: "SoftHSM v2",
      firmware: "2.6",
    },
    backup: {
      id: "backup-20261101-abcd",
      sha256: "cd".repeat(32),
      madeAt: "2026-11-01T09:00:00.000Z",
      kek: "main.g1",
      keys: 3,
      vaults: ["onsite", "offsite"],
    },
    keys: { expected: 3, restored: 3, left: 0 },
    recovery: { milliseconds: recoveryMilliseconds(steps), rtoMinutes: 8, met: true },
    recoveryPoint: { ageDays: 22, rpoDays: 30, met: true, lost: [] },
    phases: phasesOf(steps),
    steps,
    proved: ["3 keys came back."],
    notProved: ["Media: only those that were inserted were read."],
    ...changes,
  };
}
