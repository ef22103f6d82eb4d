/**
 * The steps of one ceremony as its entries tell them: attempts, people, results, items. It follows what
 * the fold has taken and says what is out of the plan's order; who may say what is judged by the fold alone.
 */

import type { Entry } from "../ledger/entry.ts";
import { isJsonObject, type JsonObject } from "../lib/json.ts";
import type { Vocabulary } from "./action.ts";
import type { StepConformance, StepPerson, Violation } from "./conformance-report.ts";
import type { RecordedPlan, RecordedStep } from "./plan-document.ts";
import { stringOf } from "./record.ts";
import { CLOSE } from "./script.ts";
import type { StepItems } from "./step-items.ts";

/** One step while its ceremony is open; `StepConformance` in the making. */
export interface StepState {
  readonly planned: RecordedStep;
  readonly control: StepConformance["control"];
  readonly always: boolean;
  outcome: StepConformance["outcome"];
  attempts: number;
  opened: Moment | null;
  begun: Moment | null;
  ended: Moment | null;
  people: readonly StepPerson[];
  readonly facts: Set<string>;
  items: { completed: number; failed: number; expected: number | null } | null;
  /** The fold's own account of the batch while the step is begun. */
  batch: StepItems | null;
  /** Newest code with which it ended without success. */
  code: string | null;
}

export interface Moment {
  readonly seq: number;
  readonly time: string;
}

export type OrderProblem = Pick<Violation, "code" | "text">;

export class CeremonySteps {
  readonly #byId = new Map<string, StepState>();
  #all: readonly StepState[];
  readonly #drill: boolean;
  /** Highest number of a step that was opened to be performed. */
  #highest = 0;

  constructor(plan: RecordedPlan | undefined, document: JsonObject, vocabulary: Vocabulary) {
    this.#drill = document["drill"] === true;
    const always = alwaysOf(document);
    this.#all = (plan?.steps ?? []).map((planned) =>
      newStep(planned, vocabulary, always.has(planned.n)),
    );
    for (const step of this.#all) this.#byId.set(step.planned.id, step);
  }

  get all(): readonly StepState[] {
    return this.#all;
  }

  /** What all steps came to; of the steps themselves nothing is kept. */
  conclude(): readonly StepConformance[] {
    const final = this.#all.map(stepReport);
    this.#all = [];
    this.#byId.clear();
    return final;
  }

  get drill(): boolean {
    return this.#drill;
  }

  get(id: string | null): StepState | undefined {
    return id === null ? undefined : this.#byId.get(id);
  }

  /** Why the plan has no such step, or it may not be performed any more; for an entry the fold refused. */
  whyNotOpened(entry: Entry): Violation["code"] {
    const step = this.get(entry.step);
    if (step?.planned.n !== entry.data["n"]) return "extra-step";
    return step?.outcome === "completed" ? "repeated-step" : "order";
  }

  /**
   * Takes the opening of a step to be performed, which the fold has taken.
   * @param again the step is performed anew because an interruption ended what it had activated
   * @returns what is out of order about it
   */
  open(step: StepState, at: Moment, again: boolean): readonly OrderProblem[] {
    const problems = again ? [] : this.#outOfOrder(step);
    step.attempts += 1;
    step.opened = at;
    step.begun = null;
    step.ended = null;
    step.outcome = "opened";
    step.code = null;
    step.people = [];
    this.#highest = Math.max(this.#highest, step.planned.n);
    return problems;
  }

  #outOfOrder({ planned: { n, id }, outcome, code, always }: StepState): readonly OrderProblem[] {
    const problems: OrderProblem[] = [];
    const before = this.#all.find((one) => one.planned.n < n && !this.#isOver(one));
    if (before !== undefined) {
      const { planned } = before;
      problems.push({
        code: "reordered-step",
        text: `step ${n} (${id}) was opened before step ${planned.n} (${planned.id}), which was ${before.outcome}`,
      });
    }
    if (n < this.#highest && code !== "halted.undone") {
      problems.push({
        code: "repeated-step",
        text: `step ${n} (${id}) was opened once more after step ${this.#highest}; it was ${outcome}`,
      });
    }
    if (this.#drill && !always && this.#hasFailedBefore(n)) {
      const text = `step ${n} (${id}) was performed although the drill had failed before it`;
      problems.push({ code: "order", text });
    }
    return problems;
  }

  #isOver({ outcome }: StepState): boolean {
    if (outcome === "completed") return true;
    return this.#drill && (outcome === "failed" || outcome === "refused" || outcome === "skipped");
  }

  #hasFailedBefore(n: number): boolean {
    return this.#all.some(
      ({ planned, outcome, code }) =>
        planned.n < n &&
        code !== "halted.undone" &&
        (outcome === "failed" || outcome === "refused"),
    );
  }

  /** Why a step may not be left out, or undefined: only a drill that has failed leaves steps out. */
  whyNotSkipped(step: StepState): string | undefined {
    const { n, id } = step.planned;
    const was = `step ${n} (${id}) was left out`;
    if (!this.#drill) return `${was}, which only a drill may do`;
    if (step.always) return `${was} although the script says always`;
    if (!this.#hasFailedBefore(n)) return `${was} although no step before it had failed`;
    return undefined;
  }

  /** Steps that have not ended as the script wants when the ceremony is closed; the close apart. */
  unperformed(): readonly StepState[] {
    return this.#all.filter((step) => step.planned.action !== CLOSE && !this.#isOver(step));
  }
}

function newStep(planned: RecordedStep, vocabulary: Vocabulary, always: boolean): StepState {
  const control = planned.action === CLOSE ? "everyone" : vocabulary.get(planned.action)?.control;
  return {
    planned,
    control: control ?? "unknown",
    always,
    outcome: "not performed",
    attempts: 0,
    opened: null,
    begun: null,
    ended: null,
    people: [],
    facts: new Set(),
    items: null,
    batch: null,
    code: null,
  };
}

function alwaysOf({ steps }: JsonObject): ReadonlySet<number> {
  const list = Array.isArray(steps) ? (steps as readonly JsonObject[]) : [];
  const numbers = list.flatMap((step) =>
    isJsonObject(step) && step["always"] === true && typeof step["n"] === "number"
      ? [step["n"]]
      : [],
  );
  return new Set(numbers);
}

/** The people whose agreements counted, each with the time at which the agreement expired. */
export function withExpiry(
  agreed: readonly { readonly person: string; readonly role: string }[],
  notes: readonly string[],
): readonly StepPerson[] {
  // Most people who agree to a step do so with the same time: it is kept once.
  let last: string | null = null;
  return agreed.map(({ person, role }) => {
    const note = notes.find((one) => one.includes(`\nperson ${person}\n`));
    const found = /\nexpires (\S+)\n/.exec(note ?? "")?.[1];
    // Cut out of the note it would keep the whole note in memory.
    if (found === undefined) last = null;
    else if (found !== last) last = apart(found);
    return { person: word(person), role: word(role), expires: last };
  });
}

function apart(text: string): string {
  return Buffer.from(text).toString();
}

// Names and roles are the same few words again and again.
const MOST_WORDS = 1000;
const words = new Map<string, string>();

function word(text: string): string {
  const known = words.get(text);
  if (known !== undefined) return known;
  const own = apart(text);
  if (words.size < MOST_WORDS) words.set(own, own);
  return own;
}

/** How many items people agreed to, as the intent of a batch says; null where it does not. */
export function itemsAgreed(entry: Entry): number | null {
  const { intent } = entry.data;
  if (!isJsonObject(intent)) return null;
  for (const part of [intent, ...Object.values(intent)]) {
    if (!isJsonObject(part) || typeof part["keyList"] !== "string") continue;
    const { keys, count } = part;
    if (typeof keys === "number") return keys;
    if (typeof count === "number") return count;
  }
  return null;
}

const NO_FACTS: readonly string[] = [];

/** A step as reports state it. */
export function stepReport(step: StepState): StepConformance {
  const { n, id, action, instruction, by } = step.planned;
  const { control, outcome, attempts, people, facts, items } = step;
  return {
    n,
    id,
    action,
    instruction,
    control,
    by,
    outcome,
    attempts,
    openedSeq: step.opened?.seq ?? null,
    begunSeq: step.begun?.seq ?? null,
    endedSeq: step.ended?.seq ?? null,
    openedAt: step.opened?.time ?? null,
    begunAt: step.begun?.time ?? null,
    endedAt: step.ended?.time ?? null,
    people,
    facts: facts.size === 0 ? NO_FACTS : [...facts],
    items: items === null ? null : { ...items },
  };
}

/** Code and message of an entry that says why a step ended. */
export function whyEnded({ data }: Entry): string {
  return `${stringOf(data, "code") ?? "no code"}: ${stringOf(data, "message") ?? "no message"}`;
}
