/** The record of one ceremony while the fold fills it: outcomes, times, doubts, tokens in use. */

import type { Entry } from "../ledger/entry.ts";
import type { JsonObject } from "../lib/json.ts";
import type { Vocabulary } from "./action.ts";
import type { Fact } from "./facts.ts";
import type { CeremonyRecord, StepInDoubt, StepOutcome, StepTimes } from "./history.ts";
import type { RecordedPlan, RecordedStep } from "./plan-document.ts";
import { stringOf } from "./record.ts";
import type { StepItems } from "./step-items.ts";

/** A ceremony as its opening tells it. */
export function newCeremony(entry: Entry, plan: RecordedPlan | undefined): CeremonyRecord {
  return {
    id: entry.ceremony ?? "",
    title: stringOf(entry.data, "title") ?? "",
    script: plan?.script.name ?? "",
    version: plan?.script.version ?? "",
    openedSeq: entry.seq,
    openedAt: entry.time,
    plan,
    state: "open",
    closedAt: null,
    unjudged: false,
    endedSeq: null,
    attending: [],
    steps: new Map(),
    progress: new Map(),
    deviations: 0,
    unsettled: new Map(),
    doubt: null,
    activations: new Map(),
    again: new Set(),
    resumptions: 0,
  };
}

const NOTHING_YET: StepTimes = {
  openedAt: null,
  begunAt: null,
  endedAt: null,
  code: null,
  message: null,
};

/** Marks what became of a step, and when. */
export function markStep(
  record: CeremonyRecord,
  step: string,
  outcome: StepOutcome,
  { time, data }: Entry,
): void {
  record.steps.set(step, outcome);
  record.progress.set(step, times(record.progress.get(step) ?? NOTHING_YET, outcome, time, data));
  record.doubt = firstDoubt(record);
}

function firstDoubt({ steps, unsettled }: CeremonyRecord): StepInDoubt | null {
  return [...unsettled.values()].find(({ id }) => steps.get(id) === "begun") ?? null;
}

/** Nothing came of a step that had begun, and nothing can have: it is as if it had only been opened. */
export function forgetStep(record: CeremonyRecord, step: string): void {
  record.unsettled.delete(step);
  record.steps.set(step, "opened");
  record.doubt = firstDoubt(record);
}

function times(before: StepTimes, outcome: StepOutcome, time: string, data: JsonObject): StepTimes {
  switch (outcome) {
    case "opened":
      return { ...NOTHING_YET, openedAt: time };
    case "begun": {
      const begun = { ...before, begunAt: time, endedAt: null };
      return stringOf(data, "decision") === "undo"
        ? begun
        : { ...begun, code: null, message: null };
    }
    case "completed":
      return { ...before, endedAt: time };
    case "failed":
    case "refused": {
      const code = stringOf(data, "code") ?? null;
      // Why it had failed still holds when what it left is taken back: a drill does not pass by that.
      if (code === "halted.undone" && before.code !== null) return { ...before, endedAt: time };
      return { ...before, endedAt: time, code, message: stringOf(data, "message") ?? null };
    }
  }
}

/** Whether a ceremony was to judge a restore and has not: what its script promised to whoever counts on backups. */
export function lacksVerdict(
  { plan, steps }: Pick<CeremonyRecord, "plan" | "steps">,
  vocabulary: Vocabulary,
): boolean {
  const judges = (plan?.steps ?? []).filter(
    ({ action }) => vocabulary.get(action)?.facts.includes("drill.concluded") === true,
  );
  return judges.some(({ id }) => steps.get(id) !== "completed");
}

/** A step that was begun just now. */
export function inDoubt(
  { n, id, action }: RecordedStep,
  { seq, time }: Entry,
  intent: JsonObject,
  items: StepItems,
): StepInDoubt {
  return {
    n,
    id,
    action,
    begunSeq: seq,
    time,
    intent,
    // Read when somebody asks: a batch goes on while the step is in doubt.
    get group() {
      return items.group;
    },
    get done() {
      return items.done;
    },
    get groups() {
      return items.groups;
    },
  };
}

/** Keeps in mind which step activated a token: after an interruption it is performed anew. */
export function noteActivation(record: CeremonyRecord, step: string | null, fact: Fact): void {
  if (fact.kind === "token.activated" && step !== null) {
    record.activations.set(fact.token, { step, lasts: true });
  }
  if (fact.kind === "clock.attested") record.again.clear();
  if (fact.kind === "token.deactivated" || fact.kind === "token.retired") {
    record.activations.delete(fact.token);
  }
}

/** An interruption ended every session. */
export function loseActivations(record: CeremonyRecord): void {
  for (const [token, { step }] of record.activations) {
    record.activations.set(token, { step, lasts: false });
  }
}

/**
 * Whether a completed step is performed anew: the token it activated was lost with its process, or so much time
 * has passed that the clock it attested has to be attested again.
 */
export function reactivates(record: CeremonyRecord, step: string): boolean {
  if (record.again.has(step)) return true;
  return [...record.activations.values()].some((one) => one.step === step && !one.lasts);
}

/** The first step of a plan that attests the clock and is completed; its session of people is long over. */
export function clockStep(
  { plan, steps }: Pick<CeremonyRecord, "plan" | "steps">,
  vocabulary: Vocabulary,
): string | undefined {
  return plan?.steps.find(
    ({ id, action }) =>
      steps.get(id) === "completed" &&
      vocabulary.get(action)?.facts.includes("clock.attested") === true,
  )?.id;
}
