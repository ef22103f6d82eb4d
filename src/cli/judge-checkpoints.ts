/** Checkpoints that are no longer in the file: nothing else speaks of them, so they are counted. */

import type { Sizes } from "../ceremony/transactions.ts";
import { Rows } from "../ledger/rows.ts";
import type { LedgerStore } from "../ledger/store.ts";
import type { JudgedFinding } from "./judge.ts";

/** No more are named: whoever took them all out shows by the first ones. */
const MOST_NAMED = 100;

/** The sizes without the checkpoint that a transaction ended with. */
export function checkpointFindings(
  ledger: LedgerStore,
  ended: readonly Sizes[],
): readonly JudgedFinding[] {
  const rows = new Rows(ledger.database);
  const findings: JudgedFinding[] = [];
  for (const { from, to } of ended) {
    if (rows.checkpointCount(from, to) === to - from + 1) continue;
    for (let size = from; size <= to && findings.length < MOST_NAMED; size += 1) {
      if (rows.checkpoint(size) !== undefined) continue;
      const seq = size - 1;
      const text = `entry ${seq} ended a transaction, and no checkpoint stands right after it`;
      findings.push({ code: "checkpoint.missing", seq, text });
    }
  }
  return findings;
}
