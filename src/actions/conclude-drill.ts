/**
 * Concludes a restore drill: what happened is measured from the ledger, compared with the policy, judged,
 * and agreed to. The verdict is on record whatever it is; nothing here can make a failed step a success.
 */

import { defineAction, type Room } from "../ceremony/action.ts";
import { DRILL_FILE, drillReportBytes, type DrillReport } from "../ceremony/drill-report.ts";
import type { FactOf } from "../ceremony/facts.ts";
import { digestLines } from "../ceremony/spoken.ts";
import { label } from "../ceremony/words.ts";
import { digestOf } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import type { JsonObject } from "../lib/json.ts";
import { z } from "../lib/schema.ts";
import { drillSeconds, gatherDrill } from "./lib/drill.ts";
import { keyChoice } from "./lib/key-lists.ts";
import { fileLines, lookAtFile, removeTorn, type Left } from "./lib/outputs.ts";

/** The same choice as in the step that restores. */
const params = () =>
  z.strictObject({ token: label, backup: label, from: label, keys: keyChoice() });
type Params = z.infer<ReturnType<typeof params>>;

interface Concluded extends JsonObject {
  readonly drill: "drill" | "rehearsal";
  readonly verdict: "pass" | "fail";
  readonly token: string;
  readonly backup: string;
  readonly keys: number;
  readonly seconds: number;
  readonly reasons: readonly string[];
  /** SHA-256 of drill-report.json, which is attached. */
  readonly report: string;
}

/** Stands for a backup that does not exist. */
const NO_BACKUP = "none";

export const concludeDrill = defineAction<Params, Concluded, Concluded>({
  name: "conclude-drill",
  control: "dual",
  params,
  facts: ["drill.concluded"],
  instruction: (p) =>
    `Conclude the restore drill on token ${p.token}: measure it, compare it with the policy, give the verdict.`,
  forecast: (p, { assurance }) => ({
    drill: assurance === "production" ? "drill" : "rehearsal",
    verdict: "pass",
    token: p.token,
    backup: p.backup,
    keys: 1,
    seconds: 0,
    reasons: [],
    report: "0".repeat(64),
  }),
  establishes: (_, concluded) => [factOf(concluded)],
  admits: (_, subject, fact) =>
    fact.kind === "drill.concluded" && digestOf({ ...fact }) === digestOf({ ...factOf(subject) }),
  async subject(p, room) {
    const report = await gatherDrill(room, p);
    const bytes = drillReportBytes(report);
    const sha256 = room.attach("application/json", bytes);
    return {
      data: {
        drill: report.kind,
        verdict: report.verdict,
        token: p.token,
        backup: report.backup?.id ?? NO_BACKUP,
        keys: report.keys.restored,
        seconds: drillSeconds(report),
        reasons: report.reasons,
        report: sha256,
      },
      shown: [...reportLines(report), ...digestLines("Drill report, SHA-256", sha256)],
    };
  },
  async run(_, room, { subject, settled }) {
    const bytes = agreedReport(room, subject);
    const left = settled as Left | null;
    if (left !== null) await removeTorn(room, left);
    if (left?.kept == null) await room.outbox.writeOnce(DRILL_FILE, bytes);
    const word = subject.drill === "drill" ? "DRILL" : "REHEARSAL";
    room.console.tell(
      `${word} ${subject.verdict.toUpperCase()}. The report is outbox/${room.ceremony}/${DRILL_FILE}.`,
    );
    return subject;
  },
  async settle(_, room, { intent }) {
    const left = await lookAtFile(room, DRILL_FILE, agreedReport(room, intent));
    return {
      shown: [
        `The verdict that was agreed to is ${intent.verdict}; only its record is missing.`,
        ...fileLines(left),
      ],
      data: left,
      choices: left.foreign.length === 0 ? ["finish"] : [],
    };
  },
});

function agreedReport(room: Room, { report }: Concluded): Uint8Array {
  const bytes = room.attachment(report);
  if (bytes !== undefined) return bytes;
  throw new KeyriteError("ledger.damaged", `the drill report ${report} is not attached`);
}

function factOf(concluded: Concluded): FactOf<"drill.concluded"> {
  const { drill, verdict, token, backup, keys, seconds, reasons, report } = concluded;
  return {
    kind: "drill.concluded",
    ...{ drill, verdict, token, backup, keys, seconds, reasons: [...reasons], report },
  };
}

/** What the room hears before it agrees. */
function reportLines(report: DrillReport): readonly string[] {
  const { kind, verdict, keys, recovery, recoveryPoint, phases, reasons, notProved } = report;
  const word = kind === "drill" ? "DRILL" : "REHEARSAL, which never counts as a drill";
  const rto = recovery.rtoMinutes === null ? "no rule" : `${recovery.rtoMinutes} min`;
  const rpo = recoveryPoint.rpoDays === null ? "no rule" : days(recoveryPoint.rpoDays);
  const { ageDays } = recoveryPoint;
  const age = ageDays === null ? "no backup" : `at most ${days(ageDays)}`;
  return [
    `${word}: ${verdict.toUpperCase()}`,
    ...reasons.map((reason) => `  because ${reason}`),
    `Keys restored and proved: ${keys.restored} of ${keys.expected}; left on the token: ${keys.left}.`,
    `Recovery, from roll call to the last key proved: ${seconds(recovery.milliseconds)} (allowed: ${rto}).`,
    `Age of the backup: ${age} (allowed: ${rpo}).`,
    ...phases.map(
      ({ name, people, machine }) =>
        `  ${name.padEnd(11)} ${seconds(people + machine)}, of which people ${seconds(people)}`,
    ),
    "Not proved:",
    ...notProved.map((line) => `  ${line}`),
  ];
}

function days(count: number): string {
  return count === 1 ? "1 day" : `${count} days`;
}

function seconds(milliseconds: number | null): string {
  return milliseconds === null ? "never" : `${(milliseconds / 1000).toFixed(1)} s`;
}
