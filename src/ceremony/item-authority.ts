/** Authority of one item of a batch: it was intended, it is agreed to, and its facts are about it. */

import type { Entry } from "../ledger/entry.ts";
import type { BatchItem } from "./batch.ts";
import type { Fact } from "./facts.ts";
import type { BegunStep, OpenedStep } from "./step-authority.ts";

/** Whether an entry is about a group or an item of a batch, not about its step. */
export function isOfBatch({ data }: Entry): boolean {
  return data["group"] !== undefined;
}

/** The begun step whose batch an entry belongs to, or why there is none. */
export function batchStep(
  { step, data, refs }: Entry,
  opened: OpenedStep | null,
): { readonly opened: OpenedStep; readonly begun: BegunStep } | string {
  const begun = opened?.begun;
  if (opened === null || begun == null || step !== opened.step.id || data["n"] !== opened.step.n) {
    return "it is of a batch of a step that was not begun";
  }
  if (refs["begun"] !== begun.seq) return "it refers to another beginning than the open one";
  if (begun.decision === "undo") return "people agreed to undo the step";
  return { opened, begun };
}

/** Why facts are not those of an item, or undefined. Items named by a key's digest bear only its facts. */
export function strayFromItem(
  { item, ckaId }: BatchItem,
  facts: readonly Fact[],
): string | undefined {
  for (const fact of facts) {
    const ofKey = "spki" in fact && /^[0-9a-f]{64}$/.test(item);
    if (ofKey && fact.spki !== item) return `${fact.kind} is about another key than the item`;
    if ("ckaId" in fact && fact.ckaId !== ckaId) {
      return `${fact.kind} has another CKA_ID than was intended`;
    }
  }
  return undefined;
}
