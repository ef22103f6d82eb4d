/** Outcomes of a group between their end and their record, which they share with the next group's intent. */

import type { Act, BatchItem, ItemOutcome } from "../../ceremony/action.ts";
import type { JsonObject } from "../../lib/json.ts";

export class Ended {
  readonly #act: Act<JsonObject>;
  #outcomes: readonly ItemOutcome[] = [];

  constructor(act: Act<JsonObject>) {
    this.#act = act;
  }

  /** Outcomes of items that were intended. */
  add(outcomes: readonly ItemOutcome[]): void {
    this.#outcomes = [...this.#outcomes, ...outcomes];
  }

  /** Records them and intends the next group. @throws KeyriteError halted.* */
  recordWith(next: readonly BatchItem[]): void {
    this.#act.batch.intend(next, this.#taken());
  }

  /** Records them, when no further group is to come. @throws KeyriteError halted.* */
  record(): void {
    this.#act.batch.record(this.#taken());
  }

  // Given away before they are tried: what the ledger refused once it is not asked to take again.
  #taken(): readonly ItemOutcome[] {
    const outcomes = this.#outcomes;
    this.#outcomes = [];
    return outcomes;
  }
}
