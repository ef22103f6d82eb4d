/**
 * The track of ceremonies through the ledger: which one is open, which step of its plan, and what that
 * step's outcome is. It keeps order only; who may say what is judged elsewhere.
 */

import type { Entry } from "../ledger/entry.ts";
import { hex } from "../lib/encoding.ts";
import type { CeremonyRecord } from "./history.ts";
import type { RecordedPlan, RecordedStep } from "./plan-document.ts";
import { integerOf, stringOf } from "./record.ts";
import type { BegunStep, OpenedStep } from "./step-authority.ts";

export class CeremonyTrack {
  readonly #ceremonies: CeremonyRecord[] = [];
  readonly #nonces = new Set<string>();
  #open: CeremonyRecord | null = null;
  #step: OpenedStep | null = null;

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

  /** The open ceremony when the entry belongs to it. */
  openedBy(entry: Entry): CeremonyRecord | null {
    return this.#open?.id === entry.ceremony ? this.#open : null;
  }

  /** Whether anything of the open ceremony went beyond being opened or refused. */
  get acted(): boolean {
    const outcomes = [...(this.#open?.steps.values() ?? [])];
    return outcomes.some((outcome) => outcome !== "opened" && outcome !== "refused");
  }

  begin(entry: Entry, plan: RecordedPlan | undefined): void {
    if (this.#open !== null) this.#open.state = "abandoned";
    this.#step = null;
    this.#open = {
      id: entry.ceremony ?? "",
      title: stringOf(entry.data, "title") ?? "",
      script: plan?.script.name ?? "",
      version: plan?.script.version ?? "",
      openedSeq: entry.seq,
      openedAt: entry.time,
      plan,
      state: "open",
      closedAt: null,
      attending: [],
      steps: new Map(),
      deviations: 0,
      doubt: null,
    };
    this.#ceremonies.push(this.#open);
  }

  /** Opens a step; false when the entry opens none of the plan's, or repeats a nonce. */
  openStep(entry: Entry, root: () => Uint8Array): boolean {
    const step = this.#planned(entry);
    const nonce = stringOf(entry.data, "nonce");
    this.#step = null;
    if (step === undefined || nonce === undefined || this.#nonces.has(nonce)) return false;
    this.#nonces.add(nonce);
    const shown = entry.data["shown"];
    this.#step = {
      seq: entry.seq,
      size: entry.seq + 1,
      root: hex(root()),
      nonce,
      step,
      subject: stringOf(entry.data, "subject") ?? null,
      shown: Array.isArray(shown) ? shown.map(String) : [],
      begun: null,
    };
    // Adopting a tail and abandoning open a step that has already ended: its outcome stays.
    if (stringOf(entry.data, "purpose") === "step") this.#open?.steps.set(step.id, "opened");
    return true;
  }

  #planned(entry: Entry): RecordedStep | undefined {
    const n = integerOf(entry.data, "n");
    const step = this.openedBy(entry)?.plan?.steps.find((s) => s.n === n);
    return step?.id === entry.step ? step : undefined;
  }

  /** From here on the step is in doubt until it has an outcome. */
  beginStep(entry: Entry, begun: BegunStep): void {
    if (this.#step === null || this.#open === null) return;
    this.#step.begun = begun;
    const { n, id, action } = this.#step.step;
    this.#open.steps.set(id, "begun");
    this.#open.doubt = {
      n,
      id,
      action,
      begunSeq: entry.seq,
      time: entry.time,
      intent: begun.intent,
    };
  }

  endStep(entry: Entry, outcome: "completed" | "failed" | "refused"): void {
    if (this.#open === null || this.#step === null || this.#step.step.id !== entry.step) return;
    // A refusal cannot end what has begun: only an outcome or a decision of people removes a doubt.
    if (outcome === "refused" && this.#step.begun !== null) return;
    this.#open.steps.set(this.#step.step.id, outcome);
    if (this.#step.begun !== null) this.#open.doubt = null;
    this.#step = null;
  }

  end(entry: Entry, state: "closed" | "abandoned"): void {
    if (this.#open === null) return;
    this.#open.state = state;
    this.#open.closedAt = entry.time;
    this.#open = null;
    this.#step = null;
  }
}
