/**
 * Records a batch while it goes on: the intent of a group is durable before the HSM hears of it, and its
 * outcomes share one transaction.
 */

import { KeyriteError } from "../lib/errors.ts";
import type { JsonObject } from "../lib/json.ts";
import { MOST_IN_GROUP, type Batch, type BatchItem, type ItemOutcome } from "./batch.ts";
import type { StepInDoubt } from "./history.ts";
import type { DraftParts } from "./record.ts";
import type { Recorder } from "./recorder.ts";

export interface BatchRecordParts {
  readonly recorder: Recorder;
  readonly ceremony: string;
  readonly step: { readonly n: number; readonly id: string };
  /** The entry with which people began the step. */
  readonly begun: number;
  /** What the fold knows of the batch. */
  readonly items: Pick<StepInDoubt, "groups" | "done">;
}

export class BatchRecord implements Batch {
  readonly #parts: BatchRecordParts;
  /** Taken once: what is completed from here on, the action knows itself. */
  readonly done: ReadonlySet<string>;
  /** Group of each item that was intended and has no outcome. */
  readonly #groups = new Map<string, number>();

  constructor(parts: BatchRecordParts) {
    this.#parts = parts;
    this.done = new Set(parts.items.done);
  }

  intend(items: readonly BatchItem[], ended: readonly ItemOutcome[] = []): void {
    const { groups } = this.#parts.items;
    if (items.length === 0 || items.length > MOST_IN_GROUP) {
      throw new KeyriteError("internal.bug", `a group of ${items.length} items was intended`);
    }
    const outcomes = ended.map((one) => this.#outcome(one));
    for (const { item } of items) this.#groups.set(item, groups + 1);
    try {
      this.#append([...outcomes, this.#intent(groups + 1, items)]);
    } catch (error) {
      // No room for what comes next: what has been done is on record before that is said.
      const full = error instanceof KeyriteError && error.code === "site.disk";
      if (full && outcomes.length > 0) this.#append(outcomes);
      throw error;
    }
  }

  record(outcomes: readonly ItemOutcome[]): void {
    if (outcomes.length > 0) this.#append(outcomes.map((one) => this.#outcome(one)));
  }

  #append(entries: readonly DraftParts[]): void {
    this.#requireTaken(this.#parts.recorder.appendAll(entries));
  }

  #intent(group: number, items: readonly BatchItem[]): DraftParts {
    return {
      ...this.#entry(),
      type: "step.begun",
      outcome: "pending",
      description: `Group ${group}: ${items.length} ${items.length === 1 ? "item" : "items"}.`,
      data: {
        n: this.#parts.step.n,
        group,
        items: items.map(({ item, ckaId }) => ({ item, ckaId })),
      },
    };
  }

  #outcome(outcome: ItemOutcome): DraftParts {
    const { item } = outcome;
    const group = this.#groups.get(item) ?? this.#parts.items.groups;
    this.#groups.delete(item);
    const data: JsonObject = { n: this.#parts.step.n, group, item };
    if ("code" in outcome) {
      return {
        ...this.#entry(),
        type: "step.failed",
        outcome: "failure",
        description: `Item ${item} failed.`,
        data: { ...data, code: outcome.code, message: outcome.problem.slice(0, 1000) },
      };
    }
    return {
      ...this.#entry(),
      type: "step.completed",
      description: `Item ${item} is done.`,
      facts: outcome.facts.map((fact) => ({ ...fact })),
      data: { ...data, evidence: outcome.evidence },
    };
  }

  #entry(): Pick<DraftParts, "ceremony" | "step" | "refs"> {
    const { ceremony, step, begun } = this.#parts;
    return { ceremony, step: step.id, refs: { begun } };
  }

  // What an auditor will not believe is not gone on with: the rest of thousands would be in vain too.
  #requireTaken(from: number): void {
    const finding = this.#parts.recorder.history.findings.at(-1);
    if (finding === undefined || finding.seq < from) return;
    throw new KeyriteError("halted.step-failed", `the batch was recorded in vain: ${finding.text}`);
  }
}
