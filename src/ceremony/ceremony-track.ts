/**
 * The track of ceremonies through the ledger: which one is open, which step of its plan, and what that
 * step's outcome is. It keeps order only; who may say what is judged elsewhere.
 */

import type { Entry, EntryType } from "../ledger/entry.ts";
import { hex } from "../lib/encoding.ts";
import {
  clockStep,
  forgetStep,
  inDoubt,
  lacksVerdict,
  loseActivations,
  markStep,
  newCeremony,
  reactivates,
} from "./ceremony-record.ts";
import type { Vocabulary } from "./action.ts";
import type { GivenUp } from "./copies-unproved.ts";
import type { CeremonyRecord, StepInDoubt } from "./history.ts";
import type { RecordedPlan, RecordedStep } from "./plan-document.ts";
import { integerOf, stringOf } from "./record.ts";
import { isSettling, STEP_PURPOSES, type BegunStep, type OpenedStep } from "./step-authority.ts";
import { StepItems } from "./step-items.ts";
import type { Tail } from "./standing.ts";

/** What only an open ceremony explains: of another one, or of none, such an entry does nothing. */
const IN_CEREMONY: readonly EntryType[] = [
  "step.opened",
  "step.begun",
  "step.completed",
  "step.failed",
  "step.refused",
  "ceremony.closed",
  "ceremony.abandoned",
  "tail.adopted",
  "deviation.recorded",
  "plan.amended",
];

export class CeremonyTrack {
  readonly #ceremonies: CeremonyRecord[] = [];
  readonly #nonces = new Set<string>();
  /** The batches of the open ceremony's unsettled steps, by step id. */
  readonly #items = new Map<string, StepItems>();
  #open: CeremonyRecord | null = null;
  #step: OpenedStep | null = null;
  #explained = 0;
  #tail: Tail | null = null;
  #founding: string | null = null;
  readonly #vocabulary: Vocabulary;

  constructor(vocabulary: Vocabulary) {
    this.#vocabulary = vocabulary;
  }

  get ceremonies(): readonly CeremonyRecord[] {
    return this.#ceremonies;
  }

  get open(): CeremonyRecord | null {
    return this.#open;
  }

  /** The step that `step.opened` opened last and that has no outcome yet. */
  get step(): OpenedStep | null {
    return this.#step;
  }

  /** Entries before this one were cosigned at the end of a ceremony, or adopted. */
  get explained(): number {
    return this.#explained;
  }

  /** Entries that the present ceremony found unexplained and that nobody has adopted yet. */
  get tail(): Tail | null {
    return this.#tail;
  }

  /** Whether the entry may do something: it is of the open ceremony, or needs none. */
  belongs({ type, ceremony }: Entry): boolean {
    return !IN_CEREMONY.includes(type) || (this.#open !== null && this.#open.id === ceremony);
  }

  /** Whether anything of the open ceremony went beyond being opened or refused. */
  get acted(): boolean {
    const outcomes = [...(this.#open?.steps.values() ?? [])];
    return outcomes.some((outcome) => outcome !== "opened" && outcome !== "refused");
  }

  /** The open ceremony as it is when people give it up. */
  get givenUp(): GivenUp {
    const { id = "", openedAt = "", unsettled } = this.#open ?? {};
    const left = [...(unsettled?.values() ?? [])].flatMap(({ done }) => [...done]);
    return { id, openedAt, left };
  }

  /** The founding is explained by the ceremony it belongs to. */
  found(entry: Entry): void {
    this.#founding = entry.ceremony;
  }

  /** Everything before `size` is explained, unless a tail before it still waits to be adopted. */
  explain(size: number): void {
    if (this.#tail === null) this.#explained = size;
  }

  adoptTail(): void {
    if (this.#tail === null) return;
    this.#explained = this.#tail.to;
    this.#tail = null;
  }

  /** Why the entry begins no ceremony, or undefined. */
  whyNotBegun({ ceremony }: Entry): string | undefined {
    if (ceremony === null) return "it opens a ceremony without an id";
    if (this.#open !== null) return `a ceremony is opened while ${this.#open.id} is open`;
    const known = this.#ceremonies.some(({ id }) => id === ceremony);
    return known ? `the ceremony id ${ceremony} was used before` : undefined;
  }

  begin(entry: Entry, plan: RecordedPlan | undefined): void {
    this.#step = null;
    const founds = this.#founding === entry.ceremony && this.#ceremonies.length === 0;
    const explained = this.#explained === entry.seq || founds;
    this.#tail = explained ? null : { from: this.#explained, to: entry.seq };
    this.#open = newCeremony(entry, plan);
    this.#ceremonies.push(this.#open);
  }

  /**
   * Opens a step; false when the entry opens none of the plan's, repeats a nonce, or would leave a step
   * behind that is in doubt. What is open then stays open.
   */
  openStep(entry: Entry, root: () => Uint8Array): boolean {
    const step = this.#planned(entry);
    const nonce = stringOf(entry.data, "nonce");
    const purpose = STEP_PURPOSES.find((one) => one === entry.data["purpose"]);
    if (step === undefined || nonce === undefined || purpose === undefined) return false;
    if (purpose === "step" && (this.#leavesDoubt(step) || this.#isOver(step))) return false;
    if (this.#nonces.has(nonce)) return false;
    this.#nonces.add(nonce);
    const shown = entry.data["shown"];
    this.#step = {
      seq: entry.seq,
      size: entry.seq + 1,
      root: hex(root()),
      nonce,
      step,
      purpose,
      subject: stringOf(entry.data, "subject") ?? null,
      shown: Array.isArray(shown) ? shown.map(String) : [],
      begun: null,
    };
    // A decision opens a step that has already ended: its outcome stays.
    if (purpose === "step" && this.#open !== null) markStep(this.#open, step.id, "opened", entry);
    return true;
  }

  // Only the tokens that an interruption took away are activated anew before a doubt is settled.
  #leavesDoubt({ id }: RecordedStep): boolean {
    const open = this.#open;
    if (open?.doubt == null) return false;
    return open.unsettled.has(id) || !reactivates(open, id);
  }

  // Whoever owns the host would otherwise have a completed step performed once more when people go on.
  #isOver({ id }: RecordedStep): boolean {
    const open = this.#open;
    return open?.steps.get(id) === "completed" && !reactivates(open, id);
  }

  #planned(entry: Entry): RecordedStep | undefined {
    const n = integerOf(entry.data, "n");
    const { steps = [] } = this.#open?.plan ?? {};
    const [guess] = n === undefined ? [] : steps.slice(n - 1, n);
    const step = guess?.n === n ? guess : steps.find((s) => s.n === n);
    return step?.id === entry.step ? step : undefined;
  }

  #callsRoll(action: string): boolean {
    return this.#vocabulary.get(action)?.control === "everyone";
  }

  /** The open step that the entry begins, or why it begins none. */
  toBegin(entry: Entry): OpenedStep | string {
    const step = this.#step;
    const settles = isSettling(step?.purpose);
    if (step?.begun !== null || step.step.id !== entry.step) {
      return "it begins a step that is not open";
    }
    if (!settles && step.purpose !== "step") return "it begins a step that is not open";
    if (settles && this.unsettled === undefined) return "it settles a step that is not in doubt";
    if (this.#tail === null || this.#callsRoll(step.step.action)) return step;
    return `entries ${this.#tail.from} to ${this.#tail.to - 1} were not adopted before it`;
  }

  /** What is known of the open step from before an interruption or a failure. */
  get unsettled(): StepInDoubt | undefined {
    return this.#open?.unsettled.get(this.#step?.step.id ?? "");
  }

  /** The batch of the open step: a new one, or that of the attempt that people decided to settle. */
  itemsToBegin(): StepItems {
    const items = this.#items.get(this.#step?.step.id ?? "");
    return items !== undefined && isSettling(this.#step?.purpose) ? items : new StepItems();
  }

  /** From here on the step is in doubt until it has an outcome. */
  beginStep(entry: Entry, begun: BegunStep): void {
    if (this.#step === null || this.#open === null) return;
    this.#step.begun = begun;
    const { step } = this.#step;
    begun.items.resume();
    this.#items.set(step.id, begun.items);
    this.#open.unsettled.set(step.id, inDoubt(step, entry, begun.intent, begun.items));
    markStep(this.#open, step.id, "begun", entry);
  }

  /**
   * People agreed to go on after an interruption, on the machine that this plan names. A roll call that was
   * in doubt has called nobody.
   * @param long whether so much time has passed that the clock is attested once more
   */
  resume(plan: RecordedPlan, long: boolean): void {
    this.#step = null;
    if (this.#open === null) return;
    const clock = long ? clockStep(this.#open, this.#vocabulary) : undefined;
    if (clock !== undefined) this.#open.again.add(clock);
    this.#open.plan = plan;
    this.#open.resumptions += 1;
    loseActivations(this.#open);
    for (const { id, action } of [...this.#open.unsettled.values()]) {
      if (!this.#callsRoll(action)) continue;
      this.#items.delete(id);
      forgetStep(this.#open, id);
    }
  }

  /** The agreements of a decision were used: they take no other. */
  endDecision(): void {
    this.#step = null;
  }

  endStep(entry: Entry, outcome: "completed" | "failed" | "refused"): void {
    if (this.#open === null) return;
    if (this.#step?.step.id !== entry.step) {
      // Refused before it was even opened, e.g. for want of a role: shown, and nothing else changes.
      const { step } = entry;
      const planned = this.#open.plan?.steps.some(({ id }) => id === step) === true;
      if (outcome === "refused" && step !== null && planned && !this.#open.steps.has(step)) {
        markStep(this.#open, step, "refused", entry);
      }
      return;
    }
    const { begun, purpose } = this.#step;
    if (begun === null && purpose !== "step") {
      this.#step = null;
      return;
    }
    // A refusal cannot end what has begun: only an outcome or a decision of people removes a doubt.
    if (outcome === "refused" && begun !== null) return;
    const { id } = this.#step.step;
    const undone = begun?.decision === "undo" && entry.data["code"] === "halted.undone";
    if (outcome === "completed" || undone) {
      this.#open.unsettled.delete(id);
      this.#items.delete(id);
    }
    markStep(this.#open, id, outcome, entry);
    this.#step = null;
  }

  end(entry: Entry, state: "closed" | "abandoned"): void {
    if (this.#open === null) return;
    this.#open.unjudged =
      state === "abandoned" && this.acted && lacksVerdict(this.#open, this.#vocabulary);
    this.#open.state = state;
    this.#open.closedAt = entry.time;
    this.#open.endedSeq = entry.seq;
    // Of thousands of ceremonies nobody asks any more when each step stood where, but why one failed.
    for (const [step, { code }] of this.#open.progress) {
      if (code === null) this.#open.progress.delete(step);
    }
    this.#open = null;
    this.#step = null;
    this.#items.clear();
  }
}
