/** The track of ceremonies on its own: entries that move it, without a ledger and people around them. */

import assert from "node:assert/strict";
import { ACTIONS } from "../../src/actions/index.ts";
import { vocabularyOf } from "../../src/ceremony/action.ts";
import { noteActivation } from "../../src/ceremony/ceremony-record.ts";
import { CeremonyTrack } from "../../src/ceremony/ceremony-track.ts";
import type { CeremonyRecord } from "../../src/ceremony/history.ts";
import type { BegunStep, OpenedStep } from "../../src/ceremony/step-authority.ts";
import { StepItems } from "../../src/ceremony/step-items.ts";
import type { Entry, EntryType } from "../../src/ledger/entry.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { CEREMONY, plainEntry, plainPlan, plainStep } from "./plain-entry.ts";

export const STEPS = [
  plainStep(1, "roll-call", "roll-call"),
  plainStep(2, "clock", "attest-clock"),
  plainStep(3, "activate", "activate-token"),
  plainStep(4, "make", "generate-key"),
  plainStep(5, "deactivate", "deactivate-token"),
] as const;
export const PLAN = plainPlan(STEPS);
export const VOCABULARY = vocabularyOf(ACTIONS);
export const ROOT = new Uint8Array([1, 2, 3]);
const ACTIVATED = {
  kind: "token.activated",
  token: "alpha",
  people: [],
  set: "s",
  generation: 1,
} as const;

/** A track with the entries that move it; each has the next index. */
export class Course {
  readonly track = new CeremonyTrack(VOCABULARY);
  seq = 0;

  constructor(plan: typeof PLAN | undefined = PLAN) {
    this.begin(CEREMONY, plan);
  }

  entry(type: EntryType, changes: Partial<Entry> = {}): Entry {
    const entry = plainEntry(type, this.seq, changes);
    this.seq += 1;
    return entry;
  }

  begin(ceremony: string | null, plan: typeof PLAN | undefined = PLAN): void {
    const data = { title: "A title" };
    this.track.begin(this.entry("ceremony.opened", { ceremony, data }), plan);
  }

  open(id: string, data: JsonObject = {}): boolean {
    const n = STEPS.find((step) => step.id === id)?.n ?? 0;
    const nonce = `nonce ${this.seq}`;
    const entry = this.entry("step.opened", {
      step: id,
      data: { n, purpose: "step", nonce, ...data },
    });
    return this.track.openStep(entry, () => ROOT);
  }

  beginStep(
    id: string,
    decision: BegunStep["decision"] = "agree",
    items = new StepItems(),
  ): number {
    const entry = this.entry("step.begun", { step: id });
    const begun = { seq: entry.seq, decision, items, admits: null, agreed: [], candidate: null };
    this.track.beginStep(entry, { ...begun, intent: { key: "k" } });
    return entry.seq;
  }

  end(id: string, outcome: "completed" | "failed" | "refused", data: JsonObject = {}): void {
    this.track.endStep(this.entry(`step.${outcome}`, { step: id, data }), outcome);
  }

  /** Performs a step from its opening to its completion. */
  perform(...ids: readonly string[]): void {
    for (const id of ids) {
      assert.ok(this.open(id), id);
      this.beginStep(id);
      this.end(id, "completed");
    }
  }

  /** A token was activated by the newest entry of this step. */
  activated(step: string | null): void {
    noteActivation(this.record, step, ACTIVATED);
  }

  why(id: string): unknown {
    const to = this.track.toBegin(plainEntry("step.begun", this.seq, { step: id }));
    return typeof to === "string" ? to : to.step.id;
  }

  get record(): CeremonyRecord {
    return this.track.open ?? assert.fail("no ceremony is open");
  }

  get opened(): OpenedStep {
    return this.track.step ?? assert.fail("no step is open");
  }

  get outcomes(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.record.steps);
  }
}
