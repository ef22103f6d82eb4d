/** The authority of an item of a batch: to which begun step it belongs, and which facts it bears. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Fact } from "../../src/ceremony/facts.ts";
import { batchStep, isOfBatch, strayFromItem } from "../../src/ceremony/item-authority.ts";
import type { OpenedStep } from "../../src/ceremony/step-authority.ts";
import { FACT } from "../support/copies-desk.ts";
import { begunBy, opened } from "../support/plain-authority.ts";
import { plainEntry } from "../support/plain-entry.ts";

const ATTESTED: Fact = { kind: "clock.attested", source: "radio", offsetSeconds: 0 };

test("to which begun step an entry of a batch belongs", () => {
  const data = { n: 4, group: 1 };
  const of = (changes: object, step: OpenedStep | null = opened({ begun: begunBy([]) })): unknown =>
    batchStep(
      plainEntry("step.completed", 12, { step: "make", data, refs: { begun: 9 }, ...changes }),
      step,
    );
  const step = opened({ begun: begunBy([]) });
  assert.deepEqual(of({}, step), { opened: step, begun: step.begun });
  const none = "it is of a batch of a step that was not begun";
  assert.equal(of({}, null), none);
  assert.equal(of({}, opened()), none);
  assert.equal(of({ step: "other" }), none);
  assert.equal(of({ data: { n: 3, group: 1 } }), none);
  assert.equal(of({ refs: { begun: 8 } }), "it refers to another beginning than the open one");
  assert.equal(
    of({}, opened({ begun: begunBy([], { decision: "undo" }) })),
    "people agreed to undo the step",
  );
  assert.equal(isOfBatch(plainEntry("step.begun", 1, { data })), true);
  assert.equal(isOfBatch(plainEntry("step.begun", 1)), false);
});

test("the facts of an item are about its key and the CKA_ID that was intended", () => {
  const key = "ab".repeat(32);
  const fact = (spki: string, ckaId: string): Fact =>
    ({ ...FACT.generated("x"), spki, ckaId }) as Fact;
  const stray = (item: string, ...facts: readonly Fact[]): string | undefined =>
    strayFromItem({ item, ckaId: "01" }, facts);
  assert.equal(stray(key, fact(key, "01")), undefined);
  assert.equal(
    stray(key, fact(key, "01"), fact("cd".repeat(32), "01")),
    "key.generated is about another key than the item",
  );
  assert.equal(stray(key, fact(key, "02")), "key.generated has another CKA_ID than was intended");
  assert.equal(stray("a name", fact(key, "01")), undefined);
  assert.equal(stray(`${key}0`, fact("cd", "01")), undefined);
  assert.equal(stray(key, ATTESTED), undefined);
});
