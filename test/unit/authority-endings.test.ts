/**
 * Destruction, retirement, custody and drills: people agreed to one thing, and the host's owner records
 * another – a drill that passed, another copy destroyed, other holders.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { FactKind } from "../../src/ceremony/facts.ts";
import { keyListBytes } from "../../src/ceremony/key-list.ts";
import { ACTIONS } from "../../src/actions/index.ts";
import { hex, sha256Hex, utf8 } from "../../src/lib/encoding.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { as, Hand } from "../support/hand.ts";
import { handKey } from "../support/hand-steps.ts";
import { script, STEP } from "../support/stage-scripts.ts";
import { assertFound, believed, stageTests } from "../support/stage-tests.ts";

const TWO = "[ceremony-administrator, internal-witness]";
const SPKI = handKey();
const OTHER = sha256Hex("other");
const SERIAL = "serial of alpha";
const NOT_AGREED = /no authority: .* is not what people agreed to/;
const fork = await stageTests();

const CUSTODY = `id: custody, action: record-custody, by: ${TWO}, with: { place: token, name: alpha }`;
const DESTROY = `id: destroy, action: destroy-key, by: ${TWO}, with: { key: root-g1, everywhere: true }`;
const RETIRE =
  "id: retire, action: retire-token, by: [custodian, custodian], with: { token: alpha }";
const DRILL = `id: drill, action: conclude-drill, by: ${TWO}, with: { token: alpha, backup: newest, from: onsite, keys: all-ca-keys }`;
const YAML = script([
  STEP.clock,
  STEP.initialize,
  STEP.activate,
  STEP.generate,
  CUSTODY,
  DRILL,
  DESTROY,
  STEP.deactivate,
  RETIRE,
]);

interface Ending {
  /** The last step before it. */
  readonly after: string;
  readonly who: ReturnType<typeof as>;
  /** What was agreed to. */
  readonly data: JsonObject;
  readonly facts: readonly JsonObject[];
}

const moved = {
  place: "token",
  name: "alpha",
  vault: "alpha",
  site: "data centre 1",
  offSite: false,
  container: "TEB-1",
  holders: ["ben", "cleo"],
};
const drill = {
  drill: "rehearsal",
  verdict: "fail",
  token: "alpha",
  backup: "none",
  keys: 0,
  seconds: 12,
  reasons: ["no key was restored"],
  report: sha256Hex("the report"),
};
const copy = { place: "token", name: "alpha", ckaId: hex(new Uint8Array(16).fill(7)), vaults: [] };
const everywhere = {
  spki: SPKI,
  key: "root-g1",
  reason: "it is old",
  copies: [{ ...copy, retained: null }],
};
const gone = { kind: "copy.destroyed", spki: SPKI, place: "token", name: "alpha" };
const end = { kind: "key.destroyed", spki: SPKI, reason: "it is old" };
const retired = { token: "alpha", serial: SERIAL, reason: "end of lease" };

const ENDINGS: Readonly<Record<string, Ending>> = {
  custody: {
    after: "generate",
    who: as("ana", "eve"),
    data: { ...moved, before: null },
    facts: [{ kind: "copy.moved", ...moved }],
  },
  drill: {
    after: "custody",
    who: as("ana", "eve"),
    data: drill,
    facts: [{ kind: "drill.concluded", ...drill }],
  },
  destroy: {
    after: "drill",
    who: as("ana", "eve"),
    data: { onToken: null, everywhere },
    facts: [gone, end],
  },
  retire: {
    after: "deactivate",
    who: as("ben", "cleo"),
    data: {
      ...retired,
      set: "sofficer",
      generation: 1,
      people: ["ben", "cleo"],
      keyList: OTHER,
      keks: [],
    },
    facts: [{ kind: "token.retired", ...retired }],
  },
};

/** The ceremony by hand, honest up to this step of ours. */
function handBefore(stage: ReturnType<typeof fork>, step: string): Hand {
  const hand = new Hand(stage, YAML);
  for (const { id } of hand.recorded.steps) {
    if (id === step) return hand;
    hand.perform(id, ENDINGS[id] ?? {});
  }
  throw new Error(`the script has no step ${step}`);
}

test("what people agreed to is believed: moved, judged, destroyed, retired", (t) => {
  const stage = fork(t);
  const hand = handBefore(stage, "close");
  hand.close();
  stage.judge();
  assert.deepEqual(stage.findings, []);
  const { custody } = stage.history;
  assert.equal(custody.copies.get(SPKI)?.destroyed, true);
  assert.equal(custody.copies.get(SPKI)?.tokens.size, 0);
  assert.equal(custody.tokens.has("alpha"), false);
  assert.deepEqual(
    custody.drills.map(({ verdict, drill: kind }) => [kind, verdict]),
    [["rehearsal", "fail"]],
  );
  // With the token its place is gone too.
  assert.equal(custody.places.size, 0);
});

/** Members of a step's facts that were agreed to and are recorded otherwise. */
const LIES: readonly (readonly [step: string, kind: FactKind, lie: JsonObject])[] = [
  ["custody", "copy.moved", { holders: ["ben", "eve"] }],
  ["custody", "copy.moved", { holders: ["ben"] }],
  ["custody", "copy.moved", { site: "data centre 2" }],
  ["custody", "copy.moved", { offSite: true }],
  ["custody", "copy.moved", { container: "TEB-2" }],
  ["custody", "copy.moved", { vault: "onsite" }],
  ["custody", "copy.moved", { place: "backup" }],
  ["drill", "drill.concluded", { verdict: "pass", reasons: [], keys: 3 }],
  ["drill", "drill.concluded", { verdict: "pass" }],
  ["drill", "drill.concluded", { drill: "drill" }],
  ["drill", "drill.concluded", { token: "beta" }],
  ["drill", "drill.concluded", { backup: "backup-20261123-abcd" }],
  ["drill", "drill.concluded", { keys: 10_000 }],
  ["drill", "drill.concluded", { seconds: 1 }],
  ["drill", "drill.concluded", { reasons: ["the coffee was cold"] }],
  ["drill", "drill.concluded", { report: OTHER }],
  ["destroy", "copy.destroyed", { spki: OTHER }],
  ["destroy", "copy.destroyed", { name: "beta" }],
  ["destroy", "copy.destroyed", { place: "backup" }],
  ["destroy", "key.destroyed", { spki: OTHER }],
  ["destroy", "key.destroyed", { reason: "because" }],
  ["retire", "token.retired", { token: "beta" }],
  ["retire", "token.retired", { serial: "another serial" }],
  ["retire", "token.retired", { reason: "it was stolen" }],
];

for (const [step, kind, lie] of LIES) {
  test(`agreed to in ${step}, recorded otherwise: ${kind} with another ${Object.keys(lie).join(", ")}`, (t) => {
    const stage = fork(t);
    const hand = handBefore(stage, step);
    const before = believed(stage);
    const honest = ENDINGS[step];
    assert.ok(honest);
    const facts = honest.facts.map((fact) => (fact["kind"] === kind ? { ...fact, ...lie } : fact));
    const { completed } = hand.perform(step, { ...honest, facts });
    assertFound(stage, completed, NOT_AGREED);
    assert.equal(believed(stage), before);
  });
}

test("a copy that people agreed to destroy cannot be recorded as retained, nor the other way round", (t) => {
  const retainedPlan = { ...everywhere, copies: [{ ...copy, retained: "nobody can reach it" }] };
  const kept = { kind: "copy.retained", spki: SPKI, place: "token", name: "alpha" };
  for (const [plan, facts] of [
    [everywhere, [{ ...kept, reason: "nobody can reach it" }, end]],
    [retainedPlan, [gone, end]],
    [retainedPlan, [{ ...kept, reason: "it is needed" }, end]],
  ] as const) {
    const stage = fork(t);
    const hand = handBefore(stage, "destroy");
    const before = believed(stage);
    const data = { onToken: null, everywhere: plan };
    const { completed } = hand.perform("destroy", { who: as("ana", "eve"), data, facts });
    assertFound(stage, completed, NOT_AGREED);
    assert.equal(believed(stage), before);
  }
});

test("Q12: of a list, no copy counts that is not of the attached list, and none without the list", (t) => {
  const ckaId = hex(new Uint8Array(16).fill(7));
  const list = (spki: string): Uint8Array => keyListBytes([{ spki, label: "root-g1", ckaId }]);
  const waiver = { rule: "last-copy", reason: "it is made anew" };
  const yaml = script([
    STEP.clock,
    STEP.initialize,
    STEP.activate,
    STEP.generate,
    `id: deviation, action: record-deviation, by: ${TWO}, with: { rule: last-copy }`,
    `id: destroy, action: destroy-key, by: ${TWO}, with: { token: alpha, keys: root-g1 }`,
    STEP.deactivate,
  ]);
  const cases: readonly (readonly [bytes: Uint8Array, attached: boolean, believed: boolean])[] = [
    [list(SPKI), true, true],
    [list(OTHER), true, false],
    [list(SPKI), false, false],
    [utf8("[]"), true, false],
    [utf8("no list"), true, false],
  ];
  for (const [bytes, attached, taken] of cases) {
    const stage = fork(t);
    const hand = new Hand(stage, yaml);
    for (const { id } of hand.recorded.steps) {
      if (id === "destroy") break;
      const data = { data: waiver, facts: [{ kind: "deviation.recorded", ...waiver }] };
      hand.perform(id, id === "deviation" ? data : {});
    }
    assert.deepEqual(stage.findings, []);
    const onToken = { token: "alpha", serial: SERIAL, keyList: sha256Hex(bytes), count: 1 };
    const { completed } = hand.perform("destroy", {
      who: as("ana", "eve"),
      data: { onToken, everywhere: null },
      facts: [gone],
      attached: attached ? [{ mediaType: "application/json", bytes }] : [],
    });
    const { tokens } = stage.history.custody.copies.get(SPKI) ?? assert.fail();
    assert.equal(tokens.has("alpha"), !taken);
    if (taken) assert.deepEqual(stage.findings, []);
    else assertFound(stage, completed, NOT_AGREED);
  }
});

test("a key is not destroyed while a copy is neither destroyed nor retained", (t) => {
  const stage = fork(t);
  const hand = handBefore(stage, "destroy");
  const { who, data } = ENDINGS["destroy"] ?? assert.fail();
  const { completed } = hand.perform("destroy", { who, data, facts: [end] });
  assertFound(stage, completed, /copies of key .* are left: token alpha/);
  assert.equal(stage.history.custody.copies.get(SPKI)?.destroyed, false);
});

test("one person, onlookers and the host alone end nothing", (t) => {
  for (const step of Object.keys(ENDINGS)) {
    for (const who of [[], as("ana"), as("ben"), as("olga", "xan")]) {
      const stage = fork(t);
      const hand = handBefore(stage, step);
      const before = believed(stage);
      const { completed } = hand.perform(step, { ...ENDINGS[step], who });
      assertFound(stage, completed, /authority|agree/);
      assert.equal(believed(stage), before, `${step} by ${who.map((one) => one.person).join()}`);
    }
  }
});

test("no other action establishes an end, a move or a verdict", () => {
  const kinds: Readonly<Partial<Record<FactKind, readonly string[]>>> = {
    "copy.destroyed": ["destroy-key"],
    "copy.retained": ["destroy-key"],
    "key.destroyed": ["destroy-key"],
    "token.retired": ["retire-token"],
    "copy.moved": ["record-custody"],
    "drill.concluded": ["conclude-drill"],
  };
  for (const [kind, names] of Object.entries(kinds)) {
    const able = ACTIONS.filter(({ facts }) => facts.includes(kind as FactKind));
    assert.deepEqual(
      able.map(({ name, control }) => [name, control]),
      names.map((name) => [name, "dual"]),
      kind,
    );
  }
});
