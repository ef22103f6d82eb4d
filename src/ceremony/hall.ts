/** What a site lends to the engine for one ceremony: the real parts, wired by the command line. */

import type { OperatorConsole } from "../console/console.ts";
import type { Hsm } from "../hsm/token.ts";
import type { LedgerStore } from "../ledger/store.ts";
import type { Clock, Random } from "../lib/clock.ts";
import type { Medium } from "../people/medium.ts";
import type { Outbox, SiteFiles, Vaults, Vocabulary } from "./action.ts";
import type { Bindings } from "./bindings.ts";
import type { Genesis } from "./genesis.ts";
import type { Software } from "./plan.ts";
import type { PublicKeysFromNewProcess } from "./token-room.ts";
import type { Policy } from "./policy.ts";

/** What is kept of the screen of one ceremony. */
export interface TerminalRecord {
  /** From now on it is kept for this ceremony, after what an interrupted process left of it. */
  begin(ceremony: string): void;
  /** Everything so far: lines of UTF-8 text, each with its time. No secret, no refused answer. */
  bytes(): Uint8Array;
}

export interface Hall {
  readonly genesis: Genesis;
  readonly genesisBytes: Uint8Array;
  readonly policy: Policy;
  readonly policyBytes: Uint8Array;
  readonly bindings: Bindings;
  readonly ledger: LedgerStore;
  readonly console: OperatorConsole;
  readonly terminal: TerminalRecord;
  readonly hsm: Hsm;
  readonly clock: Clock;
  readonly random: Random;
  readonly vocabulary: Vocabulary;
  readonly software: Software;
  /** A person's medium, asked for when it is not known. @throws KeyriteError people.medium */
  medium(person: string, name: string): Promise<Medium>;
  readonly files: SiteFiles;
  outbox(ceremony: string): Outbox;
  readonly vaults: Vaults;
  readonly publicKeysFromNewProcess: PublicKeysFromNewProcess;
  /**
   * The first input file (script, site.yaml, policy.yaml) that is not any more what was read at the
   * start, or undefined: what was agreed is what runs.
   */
  changedInput(): string | undefined;
  /** True once somebody pressed Ctrl-C while no prompt was open. */
  interrupted(): boolean;
}
