/** Who may decide that an interrupted ceremony goes on, and what becomes of the step in doubt. */

import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { ACTIONS } from "../../src/actions/index.ts";
import type { Decision } from "../../src/people/agreement.ts";
import { keyListBytes } from "../../src/ceremony/key-list.ts";
import { sha256Hex } from "../../src/lib/encoding.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { as, Hand, type Opening } from "../support/hand.ts";
import { keysToMake, madeFact, makeKeys, newDevice } from "../support/make-keys.ts";
import { script, STEP } from "../support/stage-scripts.ts";
import { assertFound, believed, stageTests } from "../support/stage-tests.ts";
import type { Stage } from "../support/stage.ts";

const KEYS = keysToMake(2);
const MAKE =
  "id: make, action: make-keys, by: [ceremony-administrator, internal-witness], with: { token: alpha, count: 2 }";
const YAML = script([STEP.initialize, STEP.activate, MAKE, STEP.deactivate]);
const fork = await stageTests();

/** A ceremony that stopped with `make` begun, its first key recorded and its second in doubt. */
class Halted {
  readonly stage: Stage;
  readonly hand: Hand;
  readonly begun: number;
  readonly intent: JsonObject;
  readonly #step: Opening;

  constructor(t: TestContext) {
    this.stage = fork(t);
    this.stage.actions = [...ACTIONS, makeKeys(newDevice())];
    this.stage.judge();
    this.hand = Hand.upTo(this.stage, YAML, "activate");
    const bytes = keyListBytes(KEYS);
    this.hand.attach({ mediaType: "application/json", bytes });
    this.intent = { keyList: sha256Hex(bytes), count: 2 };
    this.#step = this.hand.open("make", { data: this.intent });
    this.begun = this.hand.begin(this.#step, this.notes(this.#step));
    const items = KEYS.map(({ spki, ckaId }) => ({ item: spki, ckaId }));
    this.append("step.begun", { group: 1, items });
    this.item(1, 0);
  }

  notes(opening: Opening, who = as("ana", "eve")): readonly string[] {
    return who.map(({ person, role }) => this.hand.sign(opening, person, role));
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

  item(group: number, index: number, begun = this.begun): number {
    const key = KEYS[index];
    assert.ok(key);
    const data = { group, item: key.spki, evidence: {} };
    return this.append("step.completed", data, [madeFact(key)], begun);
  }

  /** Opens and signs a resumption; `changes` is what the host's owner puts into the entry instead. */
  resume(who = as("ana", "eve"), changes: JsonObject = {}, decision: Decision = "agree"): number {
    const { recorded, stage } = this.hand;
    const { bindings } = stage.hall();
    const data = { finding: ["stopped"], software: recorded.software, bindings: bindings.sha256 };
    const opening = this.hand.open("make", { data, purpose: "resume", decision });
    const agreements = this.notes(opening, who);
    const step = "make";
    return this.hand.append({
      type: "plan.amended",
      step,
      agreements,
      data: { ...data, ...changes },
    });
  }

  /** Opens a decision about a step; what it is about may be another attempt or another step. */
  settling(
    purpose: "finish" | "undo",
    about: JsonObject = { begun: this.begun, intent: this.intent, settled: { there: 1 } },
    id = "make",
  ): Opening {
    return this.hand.open(id, { data: about, purpose, decision: purpose });
  }

  begin(
    opening: Opening,
    decision: string,
    notes: readonly string[],
    changes: JsonObject = {},
  ): number {
    const data = { n: opening.step.n, decision, ...opening.data, ...changes };
    return this.hand.begin(opening, notes, { data });
  }

  complete(): number {
    return this.hand.complete(this.#step, []);
  }

  /** Asserts that the step is as much in doubt as before, that nothing is believed, and why. */
  refuses(forge: () => number, text: RegExp): void {
    const before = believed(this.stage);
    const doubt = JSON.stringify(this.stage.history.open?.doubt);
    const seq = forge();
    assert.equal(believed(this.stage), before);
    assert.equal(JSON.stringify(this.stage.history.open?.doubt), doubt);
    assertFound(this.stage, seq, text);
    assert.equal(JSON.stringify(this.stage.history.open?.doubt), doubt);
  }
}

test("two people go on and finish: the rest is believed under their decision", (t) => {
  const halted = new Halted(t);
  halted.resume();
  assert.equal(halted.stage.history.custody.active.size, 0);
  halted.hand.perform("activate");
  const opening = halted.settling("finish");
  const begun = halted.begin(opening, "finish", halted.notes(opening));
  const [, second] = KEYS;
  assert.ok(second);
  const items = [{ item: second.spki, ckaId: second.ckaId }];
  halted.append("step.begun", { group: 2, items }, [], begun);
  halted.item(2, 1, begun);
  halted.complete();
  assert.deepEqual(halted.stage.findings, []);
  assert.equal(halted.stage.history.custody.keys.size, 2);
  assert.equal(halted.stage.history.open?.unsettled.size, 0);
});

test("one person, an onlooker, a stranger to the roll or another role do not resume", (t) => {
  const halted = new Halted(t);
  halted.refuses(() => halted.resume(as("ana")), /1 of 2 different people agreed/);
  halted.refuses(() => halted.resume([]), /0 of 2 different people agreed/);
  halted.refuses(() => halted.resume(as("ana", "ana")), /one person agreed twice/);
  const olga = { person: "olga", role: "auditor" } as const;
  halted.refuses(() => halted.resume([...as("ana"), olga]), /1 of 2 different people agreed/);
  const other = { person: "eve", role: "ceremony-administrator" } as const;
  halted.refuses(() => halted.resume([...as("ana"), other]), /does not hold the role/);
  assert.equal(halted.stage.history.open?.resumptions, 0);
});

test("what is resumed is what was shown, with the software, bindings and modules that people agreed to", (t) => {
  const halted = new Halted(t);
  const who = as("ana", "eve");
  const other = "0".repeat(64);
  halted.refuses(() => halted.resume(who, { finding: ["all is well"] }), /not what was shown/);
  halted.refuses(() => halted.resume(who, { software: other }), /another build of the software/);
  halted.refuses(() => halted.resume(who, { bindings: other }), /not what was shown/);
  const modules = [{ module: "soft", sha256: other }];
  halted.refuses(() => halted.resume(who, { modules }), /not what was shown/);
  for (const none of [{ software: 7 }, { bindings: "" }, { modules: ["soft"] }]) {
    halted.refuses(() => halted.resume(who, none), /does not say with what/);
  }
  halted.refuses(() => halted.resume(who, {}, "abandon"), /for another decision/);
  assert.equal(halted.stage.history.open?.resumptions, 0);
});

test("agreements to abandon or to perform do not resume", (t) => {
  const halted = new Halted(t);
  const { recorded } = halted.hand;
  const bindings = halted.stage.hall().bindings.sha256;
  const data = { finding: ["stopped"], software: recorded.software, bindings };
  for (const purpose of ["abandon", "adopt", "finish"]) {
    const opening = halted.hand.open("make", { data, purpose });
    const agreements = halted.notes(opening);
    const append = (): number =>
      halted.hand.append({ type: "plan.amended", step: "make", agreements, data });
    halted.refuses(append, /opened for something else/);
  }
});

test("a step is finished or undone only by the people it calls for", (t) => {
  const halted = new Halted(t);
  halted.resume();
  for (const decision of ["finish", "undo"] as const) {
    for (const [who, text] of [
      [as("ana"), /1 of 2 different people agreed/],
      [as("ben", "cleo"), /nobody agreed as ceremony-administrator/],
      [as("ana", "ben"), /nobody agreed as internal-witness/],
      [[], /0 of 2/],
    ] as const) {
      halted.refuses(() => {
        const opening = halted.settling(decision);
        return halted.begin(opening, decision, halted.notes(opening, who));
      }, text);
    }
  }
});

test("a finding about another attempt, another step or other data settles nothing", (t) => {
  const halted = new Halted(t);
  halted.resume();
  const { begun, intent } = halted;
  const settled = { there: 1 };
  const decide =
    (about: JsonObject, changes: JsonObject = {}, id = "make") =>
    (): number => {
      const opening = halted.settling("finish", about, id);
      return halted.begin(opening, "finish", halted.notes(opening), changes);
    };
  halted.refuses(decide({ begun: begun - 1, intent, settled }), /another attempt/);
  const other = { ...intent, count: 3 };
  halted.refuses(decide({ begun, intent: other, settled }), /another attempt/);
  halted.refuses(
    decide({ begun, intent, settled }, { settled: { there: 0 } }),
    /not what was shown/,
  );
  halted.refuses(decide({ begun, intent, settled }, { decision: "undo" }), /something else/);
  halted.refuses(decide({ begun, intent, settled }, {}, "deactivate"), /not in doubt/);
  halted.refuses(decide({ begun, intent, settled }, {}, "activate"), /not in doubt/);
});

test("an agreement to finish is not one to undo, to perform or to resume, nor the other way round", (t) => {
  const halted = new Halted(t);
  halted.resume();
  const opening = halted.settling("finish");
  for (const decision of ["agree", "undo", "abandon"] as const) {
    const notes = as("ana", "eve").map(({ person, role }) =>
      halted.hand.sign(opening, person, role, { decision }),
    );
    halted.refuses(() => halted.begin(opening, "finish", notes), /for another decision/);
  }
});

test("an old agreement to finish is worth nothing after another opening, a failure or a new nonce", (t) => {
  const halted = new Halted(t);
  halted.resume();
  const old = halted.settling("finish");
  const notes = halted.notes(old);
  const again = halted.settling("finish");
  halted.refuses(() => halted.begin(again, "finish", notes), /for another head|for another nonce/);
  const begun = halted.begin(halted.settling("finish"), "finish", []);
  assertFound(halted.stage, begun, /0 of 2/);
  const opening = halted.settling("finish");
  const honest = halted.begin(opening, "finish", halted.notes(opening));
  halted.append("step.failed", { code: "hsm.call-failed", message: "no" }, [], honest);
  assert.equal(halted.stage.history.open?.unsettled.get("make")?.begunSeq, honest);
  const replayed = halted.begin(opening, "finish", halted.notes(opening));
  assertFound(halted.stage, replayed, /begins a step that is not open/);
  const stale = halted.settling("finish");
  const about = halted.begin(stale, "finish", halted.notes(stale));
  assertFound(halted.stage, about, /another attempt/);
});

test("what people agreed to undo is not completed, nor are items of it", (t) => {
  const halted = new Halted(t);
  halted.resume();
  const opening = halted.settling("undo");
  const begun = halted.begin(opening, "undo", halted.notes(opening));
  halted.refuses(() => halted.complete(), /agreed to undo/);
  halted.refuses(() => halted.item(1, 1, begun), /agreed to undo/);
  const items = [{ item: KEYS[1]?.spki ?? "", ckaId: "00" }];
  halted.refuses(
    () => halted.append("step.begun", { group: 2, items }, [], begun),
    /agreed to undo/,
  );
});

test("nothing is undone that nobody agreed to undo", (t) => {
  const halted = new Halted(t);
  halted.append("step.failed", { code: "halted.undone", message: "trust me" });
  assert.equal(halted.stage.history.open?.unsettled.has("make"), true);
  const opening = halted.settling("undo");
  halted.begin(opening, "undo", halted.notes(opening));
  halted.append("step.failed", { code: "hsm.call-failed", message: "no" });
  assert.equal(halted.stage.history.open.unsettled.has("make"), true);
  const begun = halted.stage.history.open.unsettled.get("make")?.begunSeq ?? 0;
  const once = halted.settling("undo", { begun, intent: halted.intent, settled: {} });
  halted.begin(once, "undo", halted.notes(once));
  halted.append("step.failed", { code: "halted.undone", message: "undone" });
  assert.equal(halted.stage.history.open.unsettled.has("make"), false);
});

test("over a doubt only the token that was lost is activated anew, and only after people went on", (t) => {
  const halted = new Halted(t);
  halted.refuses(() => halted.hand.perform("activate").begun, /begins a step that is not open/);
  halted.resume();
  halted.refuses(() => halted.hand.perform("deactivate").begun, /begins a step that is not open/);
  halted.refuses(() => halted.hand.perform("make").begun, /begins a step that is not open/);
  halted.hand.perform("activate");
  assert.equal(halted.stage.history.custody.active.has("alpha"), true);
  halted.refuses(() => halted.hand.perform("activate").begun, /begins a step that is not open/);
});

test("a ceremony is not closed over what was settled only half", (t) => {
  const halted = new Halted(t);
  halted.resume();
  const opening = halted.settling("undo");
  halted.begin(opening, "undo", halted.notes(opening));
  halted.refuses(() => halted.hand.close(), /cannot be closed/);
});
