/**
 * The uncosigned tail: entries after the newest head that people cosigned and that no running ceremony
 * explains. Whoever owns the host could have appended them, so the room reads and adopts them.
 */

import { decodeEntry } from "../ledger/entry.ts";
import { digestOf, visible } from "../lib/encoding.ts";
import type { Participant } from "./action.ts";
import { decide } from "./decision.ts";
import type { Hall } from "./hall.ts";
import { whoMayAct } from "./people-dates.ts";
import type { Recorder } from "./recorder.ts";
import type { RecordedPlan, RecordedStep } from "./plan-document.ts";
import type { Tail } from "./standing.ts";

/** More lines than this are summed up: the room reads, the verifier has them all. */
const MOST_LINES = 50;

/** One line for each entry of the tail, as the roll call shows them. */
export function tailLines(recorder: Recorder, tail: Tail): readonly string[] {
  const count = tail.to - tail.from;
  const lines = [
    `${count} ${count === 1 ? "entry" : "entries"} after the last cosigned head (${tail.from} to ${tail.to - 1}):`,
  ];
  for (let seq = tail.from; seq < Math.min(tail.to, tail.from + MOST_LINES); seq += 1) {
    const entry = decodeEntry(recorder.ledger.entry(seq) ?? "");
    lines.push(`  ${seq}  ${entry.time}  ${entry.type}  ${visible(entry.description)}`);
    // A forger writes a good description: the room also reads what the verifier makes of the entry.
    for (const finding of recorder.history.findings.filter((one) => one.seq === seq)) {
      lines.push(`      NOT BELIEVED: ${visible(finding.text)}`);
    }
  }
  if (count > MOST_LINES) lines.push(`  … and ${count - MOST_LINES} more`);
  return lines;
}

export interface TailAdoption {
  readonly ceremony: string;
  readonly plan: RecordedPlan;
  readonly step: RecordedStep;
  readonly tail: Tail;
  readonly attending: readonly Participant[];
}

/** Has everybody at the roll call adopt the tail, on record. */
export async function adoptTail(
  hall: Hall,
  recorder: Recorder,
  { ceremony, plan, step, tail, attending }: TailAdoption,
): Promise<void> {
  const able = whoMayAct(hall, recorder.history.custody, attending);
  hall.console.warn("The ledger holds entries that nobody has cosigned");
  const shown = tailLines(recorder, tail);
  await decide(hall, recorder, {
    ceremony,
    plan,
    step,
    purpose: "adopt",
    decision: `adopt ${tail.to}`,
    shown,
    data: { from: tail.from, to: tail.to, shown: digestOf([...shown]) },
    people: able,
    question: "do you adopt these entries as explained?",
    type: "tail.adopted",
    description: `The people in the room adopted entries ${tail.from} to ${tail.to - 1}.`,
  });
}
