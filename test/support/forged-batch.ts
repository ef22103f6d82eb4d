/** A batch that people agreed to, and whatever the owner of the host appends to it. */

import assert from "node:assert/strict";
import { ACTIONS } from "../../src/actions/index.ts";
import { keyListBytes, type KeyListItem } from "../../src/ceremony/key-list.ts";
import { sha256Hex } from "../../src/lib/encoding.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { as, Hand, type Opening } from "./hand.ts";
import { keysToMake, madeFact, makeKeys, newDevice } from "./make-keys.ts";
import { script, STEP } from "./stage-scripts.ts";
import { assertFound, believed } from "./stage-tests.ts";
import type { Stage } from "./stage.ts";

export const KEYS = keysToMake(4);
export const MAKE =
  "id: make, action: make-keys, by: [ceremony-administrator, internal-witness], with: { token: alpha, count: 4 }";
export const YAML = script([STEP.initialize, STEP.activate, MAKE, STEP.deactivate]);

export function key(index: number): KeyListItem {
  const found = KEYS[index];
  assert.ok(found);
  return found;
}

/** A batch that people agreed to, and what anybody at the host can append to it. */
export class ForgedBatch {
  readonly stage: Stage;
  readonly hand: Hand;
  readonly begun: number;
  readonly #opening: Opening;

  constructor(stage: Stage, keys: readonly KeyListItem[] = KEYS) {
    this.stage = stage;
    this.stage.actions = [...ACTIONS, makeKeys(newDevice())];
    this.stage.judge();
    this.hand = Hand.upTo(this.stage, YAML, "activate");
    const bytes = keyListBytes(keys);
    this.hand.attach({ mediaType: "application/json", bytes });
    const data = { keyList: sha256Hex(bytes), count: keys.length };
    this.#opening = this.hand.open("make", { data });
    const notes = as("ana", "eve").map(({ person, role }) =>
      this.hand.sign(this.#opening, person, role),
    );
    this.begun = this.hand.begin(this.#opening, notes);
  }

  intend(group: number, keys: readonly KeyListItem[], data: JsonObject = {}): number {
    const items = keys.map(({ spki, ckaId }) => ({ item: spki, ckaId }));
    return this.append("step.begun", { group, items, ...data });
  }

  complete(group: number, { spki }: KeyListItem, facts: readonly JsonObject[], data = {}): number {
    return this.append("step.completed", { group, item: spki, evidence: {}, ...data }, facts);
  }

  honest(group: number, one: KeyListItem): number {
    return this.complete(group, one, [madeFact(one)]);
  }

  append(
    type: "step.begun" | "step.completed" | "step.failed",
    data: JsonObject,
    facts: readonly JsonObject[] = [],
    begun = this.begun,
  ): number {
    const { n } = this.hand.step("make");
    return this.hand.append({ type, step: "make", facts, data: { n, ...data }, refs: { begun } });
  }

  end(facts: readonly JsonObject[] = []): number {
    return this.hand.complete(this.#opening, facts);
  }

  /** Asserts that nothing is believed of what `forge` appends, and why. */
  refuses(forge: () => number, text: RegExp): void {
    const before = believed(this.stage);
    const seq = forge();
    assert.equal(believed(this.stage), before);
    assertFound(this.stage, seq, text);
    assert.equal(believed(this.stage), before);
  }
}
