/**
 * The report of a restore drill: what was measured, what it is compared with, the verdict and its reasons.
 * Pure functions; times come from the ledger's entries. Format: docs/formats/drill-report.md.
 */

import { fromUtf8, utf8 } from "../lib/encoding.ts";
import { canonicalJson, isJsonObject, type Json, type JsonObject } from "../lib/json.ts";
import { stringOf } from "./record.ts";

export const DRILL_SCHEMA = "keyrite/drill-report/v1";
export const DRILL_FILE = "drill-report.json";

/** Parts of a drill, in the order in which they follow each other. */
export const PHASES = ["room", "activation", "kek", "checks", "restore", "destruction"] as const;
export type PhaseName = (typeof PHASES)[number];

export interface DrillPhase extends JsonObject {
  readonly name: PhaseName;
  /** Milliseconds in which people agreed and opened their identities. */
  readonly people: number;
  /** Milliseconds of everything else: reading, checking, and the act itself. */
  readonly machine: number;
}

export interface DrillStep extends JsonObject {
  readonly id: string;
  readonly action: string;
  readonly outcome: string;
  readonly openedAt: string | null;
  readonly begunAt: string | null;
  readonly endedAt: string | null;
  readonly code: string | null;
  readonly message: string | null;
}

/** What is judged: everything but the judgement. */
export interface DrillFindings {
  readonly schema: typeof DRILL_SCHEMA;
  /** A drill counts for the policy's `drills.maxAgeDays`; a rehearsal on a test site never does. */
  readonly kind: "drill" | "rehearsal";
  readonly origin: string;
  readonly ceremony: string;
  /** RFC 3339. */
  readonly concludedAt: string;
  /** SHA-256 of the policy in force. */
  readonly policy: string;
  readonly people: readonly { readonly person: string; readonly role: string }[];
  readonly token: {
    readonly name: string;
    readonly serial: string;
    readonly manufacturer: string;
    readonly model: string;
    readonly firmware: string;
  };
  /** Null when there is no such backup in custody. */
  readonly backup: {
    readonly id: string;
    readonly sha256: string;
    readonly madeAt: string;
    readonly kek: string;
    readonly keys: number;
    readonly vaults: readonly string[];
  } | null;
  readonly keys: {
    readonly expected: number;
    readonly restored: number;
    /** Objects still on the drill token at the end. */
    readonly left: number;
  };
  readonly recovery: {
    /** From the first step of the ceremony to the last key proved; null when it never came to that. */
    readonly milliseconds: number | null;
    readonly rtoMinutes: number | null;
    readonly met: boolean | null;
  };
  readonly recoveryPoint: {
    /** Age of the backup in whole days, rounded up. */
    readonly ageDays: number | null;
    readonly rpoDays: number | null;
    readonly met: boolean | null;
    /** Labels of keys older than that which no backup holds. */
    readonly lost: readonly string[];
  };
  readonly phases: readonly DrillPhase[];
  readonly steps: readonly DrillStep[];
}

export interface DrillReport extends DrillFindings, JsonObject {
  readonly verdict: "pass" | "fail";
  /** One sentence each; empty for a pass. */
  readonly reasons: readonly string[];
  readonly proved: readonly string[];
  readonly notProved: readonly string[];
}

/** The bytes of a report, the same for the same report. */
export function drillReportBytes(report: DrillReport): Uint8Array {
  return utf8(`${canonicalJson(report)}\n`);
}

/** Reads a report that the ledger vouches for; undefined for anything else. */
export function readDrillReport(bytes: Uint8Array): DrillReport | undefined {
  let raw: Json;
  try {
    raw = JSON.parse(fromUtf8(bytes)) as Json;
  } catch {
    return undefined;
  }
  if (!isJsonObject(raw) || stringOf(raw, "schema") !== DRILL_SCHEMA) return undefined;
  // Its digest is in a fact that people agreed to, so whoever wrote it was this very module.
  return raw as DrillReport;
}

/** Where the time of a step belongs: before it began and in the act. */
const BY_ACTION: Readonly<Record<string, readonly [PhaseName, PhaseName]>> = {
  "activate-token": ["activation", "activation"],
  "load-kek": ["kek", "kek"],
  // What is checked before anything is unwrapped happens before people agree to the restore.
  "restore-key": ["checks", "restore"],
  "destroy-key": ["destruction", "destruction"],
  "destroy-kek": ["destruction", "destruction"],
  "retire-token": ["destruction", "destruction"],
};

/** The phases that happened, with the time that each took. */
export function phasesOf(steps: readonly DrillStep[]): readonly DrillPhase[] {
  const sums = new Map<PhaseName, { people: number; machine: number }>();
  const add = (name: PhaseName, part: "people" | "machine", ms: number): void => {
    if (ms <= 0) return;
    const sum = sums.get(name) ?? { people: 0, machine: 0 };
    sums.set(name, { ...sum, [part]: sum[part] + ms });
  };
  let before: number | null = null;
  for (const step of steps) {
    const [opened, begun, ended] = [step.openedAt, step.begunAt, step.endedAt].map(millis);
    const [prepared, acted] = BY_ACTION[step.action] ?? (["room", "room"] as const);
    const start = before ?? opened ?? ended;
    const last = ended ?? begun ?? opened;
    if (start == null || last == null) continue;
    // What was refused has no begin: all of its time went into looking and asking.
    add(prepared, "machine", (opened ?? last) - start);
    add(prepared, "people", (begun ?? last) - (opened ?? last));
    add(acted, "machine", last - (begun ?? last));
    before = last;
  }
  return PHASES.flatMap((name) => {
    const sum = sums.get(name);
    return sum === undefined ? [] : [{ name, ...sum }];
  });
}

function millis(time: string | null | undefined): number | null {
  return time == null ? null : Date.parse(time);
}

/** From the first step to the end of the last restore; null unless every restore was completed. */
export function recoveryMilliseconds(steps: readonly DrillStep[]): number | null {
  const start = steps.map(({ openedAt }) => millis(openedAt)).find((time) => time !== null);
  const restores = steps.filter(({ action }) => action === "restore-key");
  const last = millis(restores.at(-1)?.endedAt);
  const complete = restores.every(({ outcome }) => outcome === "completed");
  return start == null || last === null || !complete ? null : last - start;
}

/** Time from the first step to the last that is known. */
export function elapsedMilliseconds(steps: readonly DrillStep[]): number {
  const times = steps.flatMap(({ openedAt, begunAt, endedAt }) =>
    [openedAt, begunAt, endedAt].map(millis).filter((time) => time !== null),
  );
  return times.length === 0 ? 0 : Math.max(...times) - Math.min(...times);
}
