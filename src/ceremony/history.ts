/**
 * History: what a fold over the ledger's entries yields – custody, the ceremonies, and what is open, in
 * doubt, unexplained or claimed without authority.
 */

import type { JsonObject } from "../lib/json.ts";
import type { Vocabulary } from "./action.ts";
import type { Attending, Custody } from "./custody.ts";
import type { Genesis } from "./genesis.ts";
import type { CosignatureSource } from "./heads.ts";
import type { RecordedPlan } from "./plan-document.ts";
import type { Policy } from "./policy.ts";

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

export interface StepInDoubt {
  readonly n: number;
  readonly id: string;
  readonly action: string;
  readonly begunSeq: number;
  readonly time: string;
  /** What the people agreed to, e.g. the CKA_ID of the key being generated. */
  readonly intent: JsonObject;
}

export interface CeremonyRecord {
  readonly id: string;
  readonly title: string;
  readonly script: string;
  readonly version: string;
  readonly openedSeq: number;
  readonly openedAt: string;
  readonly plan: RecordedPlan | undefined;
  state: "open" | "closed" | "abandoned";
  closedAt: string | null;
  attending: readonly Attending[];
  /** Outcome by step id, newest. */
  readonly steps: Map<string, "opened" | "begun" | "completed" | "failed" | "refused">;
  deviations: number;
  doubt: StepInDoubt | null;
}

export interface History {
  readonly size: number;
  readonly lastTime: string | null;
  readonly custody: Custody;
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
  /** The clock jumped and nobody has attested it since. */
  readonly clockGap: boolean;
  readonly findings: readonly HistoryFinding[];
}
