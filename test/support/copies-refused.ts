/** Tests that a fact is not taken, and changes nothing. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { custodyDigest } from "../../src/ceremony/custody-json.ts";
import type { Fact, FactKind } from "../../src/ceremony/facts.ts";
import { BACKED_UP, CopiesDesk } from "./copies-desk.ts";

export interface Contradiction {
  /** Taken after BACKED_UP. */
  readonly after?: readonly Fact[];
  readonly fact: Fact;
  readonly says: RegExp;
}

/** @param kinds what the contradictions are about: each of them can be contradicted */
export function refused(
  contradictions: Readonly<Record<string, Contradiction>>,
  kinds: readonly FactKind[],
): void {
  test(`contradicted: ${kinds.join(", ")}`, () => {
    const contradicted = new Set(Object.values(contradictions).map(({ fact }) => fact.kind));
    assert.deepEqual([...contradicted].sort(), [...kinds].sort());
  });

  for (const [what, { after = [], fact, says }] of Object.entries(contradictions)) {
    test(what, () => {
      const desk = new CopiesDesk([...BACKED_UP, ...after]);
      const before = custodyDigest(desk.custody);
      assert.match(desk.refusal(fact) ?? "it was taken", says);
      assert.equal(custodyDigest(desk.custody), before);
    });
  }
}
