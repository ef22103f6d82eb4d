/**
 * Decisions that are no step of their own: adopting an uncosigned tail, resuming or abandoning a ceremony.
 * Two or more people agree to exactly what they were shown, with a nonce of its own.
 */

import { KeyriteError, messageOf } from "../lib/errors.ts";
import type { JsonObject } from "../lib/json.ts";
import type { EntryType } from "../ledger/entry.ts";
import { timestamp } from "../lib/clock.ts";
import type { Decision } from "../people/agreement.ts";
import type { Participant } from "./action.ts";
import { collectAgreements, requireFresh } from "./gate.ts";
import type { Hall } from "./hall.ts";
import { openStep } from "./open-step.ts";
import { PeopleInStep } from "./people-in-step.ts";
import { runOutAmong } from "./people-dates.ts";
import type { RecordedPlan, RecordedStep } from "./plan-document.ts";
import type { DraftParts } from "./record.ts";
import { mayRecord, type Recorder, type Attached } from "./recorder.ts";
import { expectedOf, subjectDigest } from "./step-authority.ts";

export interface DecisionParts {
  readonly ceremony: string;
  readonly plan: RecordedPlan;
  /** The step the decision is about. */
  readonly step: RecordedStep;
  readonly purpose: "adopt" | "abandon" | "resume";
  /** By what name people are asked, where that is not the step's. */
  readonly ask?: string;
  readonly decision: Decision;
  readonly shown: readonly string[];
  readonly data: JsonObject;
  readonly people: readonly Participant[];
  readonly question: string;
  readonly type: EntryType;
  readonly description: string;
  /** What the entry cites. */
  readonly attached?: readonly Attached[];
  /** Called with the identities still open, after the decision is recorded. */
  readonly after?: (people: PeopleInStep) => Promise<void>;
}

/**
 * Shows, asks everybody, and appends the entry that carries their agreements.
 * @throws KeyriteError people.declined, people.authentication-failed, people.agreement-invalid
 */
export async function decide(hall: Hall, recorder: Recorder, parts: DecisionParts): Promise<void> {
  const { ceremony, plan, step, shown, data } = parts;
  const at = timestamp(hall.clock.now());
  const runOut = runOutAmong(recorder.history.custody, parts.people, at);
  if (runOut !== undefined) throw new KeyriteError("people.quorum-not-met", runOut);
  for (const line of shown) hall.console.tell(line);
  const { purpose, description } = parts;
  const subject = subjectDigest(data, shown);
  const opening = { ceremony, step, purpose, description, subject, shown };
  const opened = openStep(recorder, hall.random, opening);
  const { custody } = recorder.history;
  const people = new PeopleInStep({
    console: hall.console,
    recorder,
    ceremony,
    step: step.id,
    medium: (person, name) => hall.medium(person, name),
    attending: parts.people,
    performers: parts.people,
  });
  const minutes = (recorder.history.policy ?? hall.policy).agreement.minutes;
  try {
    const gate = {
      console: hall.console,
      clock: hall.clock,
      people,
      step: parts.ask ?? step.id,
      minutes,
      question: parts.question,
    };
    const expected = expectedOf(opened, plan, ceremony, custody, parts.decision);
    const agreements = await collectAgreements(gate, parts.people, expected);
    requireFresh(agreements, hall.clock, minutes);
    const decided: DraftParts = {
      type: parts.type,
      ceremony,
      step: step.id,
      actors: parts.people.map(({ person, role }) => ({ person, role, part: "authorized" })),
      description: parts.description,
      agreements: agreements.map((agreement) => agreement.note),
      data,
      refs: { opened: opened.seq },
    };
    requireTaken(recorder, recorder.append(decided, parts.attached));
  } catch (error) {
    if (mayRecord(error)) recordRefusal(recorder, parts, opened.seq, error);
    people.end();
    throw error;
  }
  try {
    await parts.after?.(people);
  } finally {
    people.end();
  }
}

// What an auditor will not believe was decided is not acted on.
function requireTaken(recorder: Recorder, seq: number): void {
  const finding = recorder.history.findings.find((one) => one.seq === seq);
  if (finding === undefined) return;
  throw new KeyriteError("people.agreement-invalid", `it was decided in vain: ${finding.text}`);
}

function recordRefusal(
  recorder: Recorder,
  { ceremony, step, people }: DecisionParts,
  opened: number,
  error: unknown,
): void {
  recorder.append({
    type: "step.refused",
    outcome: "refused",
    ceremony,
    step: step.id,
    actors: people.map(({ person, role }) => ({ person, role, part: "authorized" })),
    description: "The decision was not taken.",
    data: {
      n: step.n,
      code: error instanceof KeyriteError ? error.code : "internal.bug",
      message: messageOf(error).slice(0, 1000),
    },
    refs: { opened },
  });
}
