/**
 * An extractable key is an open obligation: planning, the room and the fold each refuse to leave it
 * behind, unless people put on record that they do and why.
 */

import assert from "node:assert/strict";
import { describe, test, type TestContext } from "node:test";
import { ACTIONS } from "../../src/actions/index.ts";
import { defineAction } from "../../src/ceremony/action.ts";
import { keyLabelled } from "../../src/ceremony/copies-query.ts";
import { label } from "../../src/ceremony/words.ts";
import { sha256Hex } from "../../src/lib/encoding.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { z } from "../../src/lib/schema.ts";
import { Hand, as } from "../support/hand.ts";
import {
  CAST,
  DEVIATION,
  foundedStage,
  INITIALIZE,
  script,
  STEP,
} from "../support/stage-scripts.ts";
import { assertFound, objections, stageTests } from "../support/stage-tests.ts";
import type { Stage } from "../support/stage.ts";
import { softKey } from "../support/pki.ts";

const KEY_BYTES = softKey("p-256").spki;

/** Says that it locks a key; on the token nothing happens, and it may say so or not. */
function pretendLock(says: boolean) {
  return defineAction<{ token: string; key: string }, JsonObject, { readonly spki: string }>({
    name: "pretend-lock",
    control: "dual",
    params: () => z.strictObject({ token: label, key: label }),
    facts: ["key.locked"],
    instruction: (p) => `Pretend to lock key ${p.key}.`,
    forecast: (p, custody) => ({ spki: keyLabelled(custody, p.token, p.key)?.spki ?? "" }),
    establishes: (p, { spki }) =>
      spki === "" ? [] : [{ kind: "key.locked", spki, token: p.token }],
    owes: () => (says ? ["key.locked"] : []),
    run: (p, room) =>
      Promise.resolve({
        spki: says ? (keyLabelled(room.custody, p.token, p.key)?.spki ?? "") : "",
      }),
  });
}

/** Says that a token is not active any more, and asks nothing first. */
const pretendDeactivation = defineAction<{ token: string }, JsonObject, JsonObject>({
  name: "pretend-deactivation",
  control: "single",
  params: () => z.strictObject({ token: label }),
  facts: ["token.deactivated"],
  instruction: (p) => `Pretend to deactivate token ${p.token}.`,
  forecast: () => ({}),
  establishes: (p) => [{ kind: "token.deactivated", token: p.token }],
  run: () => Promise.resolve({}),
});

const TWO = "[ceremony-administrator, internal-witness]";
const WRAP = STEP.generate.replace("never", "wrap");
const OTHER = WRAP.replace("root-g1", "root-g2").replace("id: generate", "id: other");
const LOCK = `id: lock, action: pretend-lock, by: ${TWO}, with: { token: alpha, key: root-g1 }`;
const WAIVE = STEP.deviation + ", with: { rule: extractable-key }";

const initialized = await stageTests(async (stage) => {
  stage.clock.time += 60_000;
  await stage.run(INITIALIZE, CAST);
});

function fork(t: TestContext): Stage {
  const stage = initialized(t);
  stage.actions = [...ACTIONS, pretendLock(true)];
  stage.judge();
  return stage;
}

describe("planning a script that leaves a key extractable", () => {
  const left = (step: string, key = "root-g1"): RegExp =>
    new RegExp(
      `step ${step}: key ${key} on token alpha is still extractable by then: lock it with lock-key, or record the deviation extractable-key$`,
    );
  const cases: Readonly<
    Record<string, readonly [steps: readonly string[], texts: readonly RegExp[]]>
  > = {
    "is refused when nothing locks it": [
      [STEP.activate, WRAP, STEP.deactivate],
      [left("deactivate"), left("close")],
    ],
    "is refused when the token is deactivated before the lock": [
      [STEP.activate, WRAP, STEP.deactivate, LOCK],
      [left("deactivate")],
    ],
    "is refused when one of two keys is locked": [
      [STEP.activate, WRAP, OTHER, LOCK, STEP.deactivate],
      [left("deactivate", "root-g2"), left("close", "root-g2")],
    ],
    "is refused when a deviation names another rule": [
      [STEP.activate, WRAP, WAIVE.replace("extractable-key", "last-copy"), STEP.deactivate],
      [left("deactivate"), left("close")],
    ],
    "is refused when the rule is only known in the room": [
      [STEP.activate, WRAP, STEP.deviation, STEP.deactivate],
      [left("deactivate"), left("close")],
    ],
    "is refused when the deviation comes too late": [
      [STEP.activate, WRAP, STEP.deactivate, WAIVE],
      [left("deactivate")],
    ],
    "is possible when it is locked in the same script": [
      [STEP.activate, WRAP, LOCK, STEP.deactivate],
      [],
    ],
    "is possible under a deviation that names the rule": [
      [STEP.activate, WRAP, WAIVE, STEP.deactivate],
      [],
    ],
    "is no question for a key that never leaves, or leaves by the vendor's tools": [
      [STEP.activate, STEP.generate, OTHER.replace("wrap", "native"), STEP.deactivate],
      [],
    ],
  };
  for (const [what, [steps, texts]] of Object.entries(cases)) {
    test(what, (t) => {
      const found = objections(fork(t), script(steps));
      assert.equal(found.length, texts.length, JSON.stringify(found));
      texts.forEach((text, i) => {
        assert.match(found[i] ?? "", text);
      });
    });
  }
});

const JOB = script([STEP.activate, WRAP, LOCK, STEP.deviation, STEP.deactivate]);

/** The ceremony by hand up to its generated key; the fact says that it is extractable. */
function generated(stage: Stage): { readonly hand: Hand; readonly spki: string } {
  const hand = Hand.upTo(stage, JOB, "activate");
  const bytes = KEY_BYTES;
  const spki = sha256Hex(bytes);
  const data = { ckaId: "a1b2c3d4", serial: "serial of alpha" };
  const key = { token: "alpha", label: "root-g1", algorithm: "p-256", purpose: "ca-signing" };
  const fact = { kind: "key.generated", spki, ckaId: data.ckaId, backup: "wrap", ...key };
  const attached = [{ mediaType: "application/pkix-spki", bytes }];
  hand.perform("generate", { who: as("ana", "eve"), data, facts: [fact], attached });
  return { hand, spki };
}

function deviate(hand: Hand, rule: string): void {
  const data = { rule, reason: "the token refuses" };
  const facts = [{ kind: "deviation.recorded", ...data }];
  hand.perform("deviation", { who: as("ana", "eve"), data, facts });
}

describe("a host whose owner closes all the same", () => {
  const LEFT =
    /custody: .* it closes a ceremony although key root-g1 on token alpha is extractable and no dev/;

  test("H20: is found", (t) => {
    const stage = fork(t);
    const { hand } = generated(stage);
    hand.perform("deactivate");
    assertFound(stage, hand.close(), LEFT);
  });

  test("is found when the deviation on record is from another rule", (t) => {
    const stage = fork(t);
    const { hand } = generated(stage);
    deviate(hand, "last-copy");
    assertFound(stage, hand.close(), LEFT);
  });

  test("is found when the lock is claimed without anybody's agreement", (t) => {
    const stage = fork(t);
    const { hand, spki } = generated(stage);
    const facts = [{ kind: "key.locked", spki, token: "alpha" }];
    const claim = hand.perform("lock", { who: as("ana"), facts });
    assertFound(stage, claim.completed, /given no authority/);
    assertFound(stage, hand.close(), LEFT);
  });

  test("is believed when the key is locked, or the deviation recorded", (t) => {
    for (const honest of [
      ({ hand, spki }: ReturnType<typeof generated>) =>
        hand.perform("lock", {
          who: as("ana", "eve"),
          facts: [{ kind: "key.locked", spki, token: "alpha" }],
        }),
      ({ hand }: ReturnType<typeof generated>) => {
        deviate(hand, "extractable-key");
      },
    ]) {
      const stage = fork(t);
      const made = generated(stage);
      honest(made);
      made.hand.perform("deactivate");
      made.hand.close();
      assert.deepEqual(stage.findings, []);
    }
  });
});

describe("the ceremony after one that left a key extractable", () => {
  const owing = (t: TestContext): Stage => {
    const stage = fork(t);
    const { hand } = generated(stage);
    deviate(hand, "extractable-key");
    hand.perform("deactivate");
    hand.close();
    assert.deepEqual(stage.findings, []);
    stage.clock.time += 60_000;
    return stage;
  };

  test("generates and issues nothing on that token", (t) => {
    const stage = owing(t);
    const found = objections(
      stage,
      script([STEP.activate, OTHER.replace("wrap", "never"), STEP.certify, LOCK, STEP.deactivate]),
    );
    assert.equal(found.length, 2, JSON.stringify(found));
    assert.match(found[0] ?? "", /step other: token alpha was left with an extractable key/);
    assert.match(found[1] ?? "", /step certify: token alpha was left with an extractable key/);
  });

  test("may lock it, and nothing is owed from then on", (t) => {
    const stage = owing(t);
    assert.deepEqual(objections(stage, script([STEP.activate, LOCK, STEP.deactivate])), []);
    const hand = Hand.upTo(stage, script([STEP.activate, LOCK, STEP.deactivate]), "activate");
    const spki = sha256Hex(KEY_BYTES);
    const facts = [{ kind: "key.locked", spki, token: "alpha" }];
    hand.perform("lock", { who: as("ana", "eve"), facts });
    hand.perform("deactivate");
    hand.close();
    assert.deepEqual(stage.findings, []);
    const next = script([
      STEP.activate,
      OTHER,
      LOCK.replace("root-g1", "root-g2"),
      STEP.deactivate,
    ]);
    assert.deepEqual(objections(stage, next), []);
  });

  test("may not touch the token and leave it as it was", (t) => {
    const stage = owing(t);
    const touch = script([STEP.activate, STEP.deactivate]);
    assert.equal(objections(stage, touch).length, 2);
    const hand = Hand.upTo(stage, script([STEP.activate, LOCK, STEP.deactivate]), "activate");
    hand.perform("deactivate");
    assertFound(stage, hand.close(), /although key root-g1 on token alpha is extractable/);
  });

  test("closes as ever when it has nothing to do with the token", async (t) => {
    const stage = owing(t);
    await stage.run(DEVIATION, CAST);
    assert.deepEqual(stage.findings, []);
  });
});

describe("in the room", () => {
  // The lock is planned, agreed to and performed, but the token does not take it.
  const refusals = {
    deactivate: [
      STEP.deactivate,
      /step deactivate cannot be performed: key root-g1 on token alpha/,
    ],
    close: [
      STEP.deactivate.replace("deactivate-token", "pretend-deactivation"),
      /the ceremony cannot be closed: key root-g1 on token alpha is still extractable/,
    ],
  } as const;
  for (const [step, [last, says]] of Object.entries(refusals)) {
    test(`${step} is refused while the key is extractable`, async (t) => {
      const stage = await foundedStage();
      t.after(() => {
        stage.remove();
      });
      stage.clock.time += 60_000;
      await stage.run(INITIALIZE, CAST);
      stage.actions = [...ACTIONS, pretendLock(false), pretendDeactivation];
      stage.judge();
      const answers = { "fingerprint-heard": "yes", again: "stop" };
      const run = stage.run(script([STEP.activate, WRAP, LOCK, last]), { ...CAST, answers });
      await assert.rejects(run, { code: "script.refused", message: says });
      assert.equal(stage.history.open?.state, "open");
      assert.deepEqual(stage.findings, []);
    });
  }
});
