/**
 * Batches: a long act on many keys, recorded group by group. Intents are durable before each group, and
 * every item has an outcome of its own.
 */

import type { ErrorCode } from "../lib/errors.ts";
import type { JsonObject } from "../lib/json.ts";
import type { Fact } from "./facts.ts";

/** Most items of one group: what is in doubt after a crash. */
export const MOST_IN_GROUP = 100;

/** One item of a batch as its intent entry names it; `item` is unique in the step (e.g. an SPKI digest). */
export interface BatchItem {
  readonly item: string;
  readonly ckaId: string;
}

/** What became of one item: an entry of its own. */
export type ItemOutcome =
  | {
      readonly item: string;
      readonly evidence: JsonObject;
      readonly facts: readonly Fact[];
    }
  | { readonly item: string; readonly code: ErrorCode; readonly problem: string };

/** The record of a long act, group by group: intents are durable before it, outcomes after. */
export interface Batch {
  /**
   * Items that were completed before an interruption; empty in a step that was not resumed. An item
   * that had failed is not among them: it may be tried again.
   */
  readonly done: ReadonlySet<string>;
  /**
   * One intent entry for a group of at most 100 items, durable when it returns. Outcomes of the group
   * before that are not on record yet share its transaction, since a disk takes as long for both as for one.
   */
  intend(items: readonly BatchItem[], ended?: readonly ItemOutcome[]): void;
  /** One entry an outcome, in one transaction; items must have been intended. */
  record(outcomes: readonly ItemOutcome[]): void;
}

/** A group of items that was intended; what of it has no outcome is in doubt. */
export interface BatchGroup {
  /** Entry of its intent. */
  readonly seq: number;
  readonly items: readonly BatchItem[];
}
