/**
 * History: what a fold over the ledger's entries yields – custody, the ceremonies, and what is open, in
 * doubt, unexplained or claimed without authority.
 */

import type { JsonObject } from "../lib/json.ts";
import type { Doubt, Vocabulary } from "./action.ts";
import type { StepProgress } from "./capabilities.ts";
import type { Attending, Custody } from "./custody.ts";
import type { Genesis } from "./genesis.ts";
import type { CosignatureSource } from "./heads.ts";
import type { LedgerActs } from "./ledger-acts.ts";
import type { RecordedPlan } from "./plan-document.ts";
import type { Policy } from "./policy.ts";
import type { Tail } from "./standing.ts";

/** What the fold needs besides the entries themselves. */
export interface HistorySources {
  readonly genesis: Genesis;
  readonly vocabulary: Vocabulary;
  readonly attachment: (sha256: string) => Uint8Array | undefined;
  readonly cosignatures: CosignatureSource;
  /** A policy that was read already: the same bytes need not be read twice. */
  readonly policy?: Policy;
}

/** A claim of the ledger that is given no authority, or a rule it breaks. */
export interface HistoryFinding {
  readonly code: "authority" | "order" | "custody" | "attachment";
  readonly seq: number;
  readonly text: string;
}

/** A step that was begun and is not completed, and that nobody has taken back. */
export interface StepInDoubt extends Doubt<JsonObject> {
  readonly n: number;
  readonly id: string;
  readonly action: string;
  /** The newest entry with which it was begun. */
  readonly begunSeq: number;
  readonly time: string;
  /** Number of the newest group of its batch; 0 before the first. */
  readonly groups: number;
}

/** A doubt as entries and reports state it: of a batch only where its newest group stands, and a count. */
export function doubtJson(doubt: StepInDoubt): JsonObject {
  const { n, id, action, begunSeq, time, intent, group, done } = doubt;
  return { n, id, action, begunSeq, time, intent, group: group?.seq ?? null, done: done.size };
}

export type StepOutcome = "opened" | "begun" | "completed" | "failed" | "refused";

export interface CeremonyRecord {
  readonly id: string;
  readonly title: string;
  readonly script: string;
  readonly version: string;
  readonly openedSeq: number;
  readonly openedAt: string;
  /** With the software, bindings and modules that people last agreed to go on with. */
  plan: RecordedPlan | undefined;
  state: "open" | "closed" | "abandoned";
  closedAt: string | null;
  /** It was to judge a restore, and was abandoned before it had. */
  unjudged: boolean;
  /** The entry that ended it. */
  endedSeq: number | null;
  attending: readonly Attending[];
  /** Outcome by step id, newest. */
  readonly steps: Map<string, StepOutcome>;
  /** Times and codes by step id, of the newest attempt. */
  readonly progress: Map<string, StepTimes>;
  deviations: number;
  /** Every step that was begun and has neither success nor been undone, by step id. */
  readonly unsettled: Map<string, StepInDoubt>;
  /** The first of them that has no outcome at all. */
  doubt: StepInDoubt | null;
  /** Tokens that were activated and not deactivated: by which step, and whether its session may last. */
  readonly activations: Map<string, Activation>;
  /** Completed steps that a long interruption has people perform once more. */
  readonly again: Set<string>;
  /** How often people agreed to go on after an interruption. */
  resumptions: number;
}

export interface Activation {
  readonly step: string;
  /** False after an interruption: a new process has no session. */
  readonly lasts: boolean;
}

/** When the newest attempt at a step went on, and how it ended. */
export type StepTimes = Omit<StepProgress, "id" | "action" | "outcome">;

export interface History {
  readonly size: number;
  readonly lastTime: string | null;
  readonly custody: Custody;
  /** What call journals tell of each token and no device log has shown. */
  readonly acts: Pick<LedgerActs, "of">;
  readonly policy: Policy | null;
  readonly ceremonies: readonly CeremonyRecord[];
  readonly open: CeremonyRecord | null;
  /** Size of the newest checkpoint that two or more enrolled people cosigned; 0 when none is. */
  readonly cosigned: number;
  /**
   * Entries before this one are explained: people cosigned them at the end of a ceremony, or read and
   * adopted them. The rest is the tail that the next roll call has to adopt.
   */
  readonly explained: number;
  /** Entries that the open ceremony found unexplained and that nobody has adopted yet. */
  readonly tail: Tail | null;
  /** The clock jumped and nobody has attested it since. */
  readonly clockGap: boolean;
  readonly findings: readonly HistoryFinding[];
}
