/**
 * What the owner of the host writes into the completion of an agreed step about KEKs: other envelopes,
 * ids, values, tokens. Everything that people could know beforehand is pinned by what they agreed to.
 */

import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { Attending } from "../../src/ceremony/custody.ts";
import type { EnvelopeCustody } from "../../src/ceremony/custody-copies.ts";
import { sha256Hex } from "../../src/lib/encoding.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { Hand } from "../support/hand.ts";
import {
  ESCROW_POLICY,
  ESTABLISH_KEK,
  FOR_BOTH,
  kekStage,
  kekStep,
  withTokens,
} from "../support/kek-stage.ts";
import { CAST } from "../support/stage-scripts.ts";
import { assertFound } from "../support/stage-tests.ts";
import type { Stage } from "../support/stage.ts";

const base = await kekStage(ESCROW_POLICY);
await base.run(ESTABLISH_KEK, CAST);

const TWO: readonly Attending[] = [
  { person: "ana", role: "ceremony-administrator" },
  { person: "eve", role: "internal-witness" },
];
const CKA_ID = "0707070707070707";
const VALUE = "0123456789abcdef";
const OTHER = sha256Hex("the transport key of somebody else");

const transports = base.history.custody.transports;
const spkiOf = (token: string): string => transports.get(token)?.spki ?? assert.fail(token);
const opener = (token: string): JsonObject => ({ token, spki: spkiOf(token), oaep: ["sha256"] });
const envelope = (token: string): EnvelopeCustody => ({
  token,
  spki: spkiOf(token),
  oaep: "sha256",
  sha256: sha256Hex(`envelope for ${token}`),
});
const known = base.history.custody.keks.get("backup-kek.g1") ?? assert.fail("no KEK");

interface Case {
  readonly token: string;
  readonly step: string;
  readonly data: JsonObject;
  readonly facts: readonly JsonObject[];
}

/** A KEK that no proof of any other site speaks of. */
const ADOPTED = {
  kind: "kek.adopted",
  ...{ kek: "theirs", generation: 1, origin: "example.org/dc2/test", mode: "hsm-to-hsm" },
  ...{ checkValue: VALUE, envelopes: [] },
};
const NEW_KEK = { kek: "second-kek", token: "alpha" };
const SET = { set: "skekset", threshold: 2, holders: ["ben", "cleo", "dan"] };

const CASES: Readonly<Record<string, Case>> = {
  "establish-kek": {
    token: "alpha",
    step: kekStep("establish-kek", FOR_BOTH.replace("backup-kek", "second-kek")),
    data: {
      ...{ kek: "second-kek", generation: 1, mode: "hsm-to-hsm", ckaId: CKA_ID, serial: "s" },
      openers: [opener("alpha"), opener("beta")],
      ...{ fingerprintsHeardBy: ["ana", "eve"], shareSet: null },
    },
    facts: [
      {
        kind: "kek.established",
        ...{ ...NEW_KEK, generation: 1, mode: "hsm-to-hsm", ckaId: CKA_ID, checkValue: VALUE },
        envelopes: [{ ...envelope("alpha") }, { ...envelope("beta") }],
      },
    ],
  },
  "rotate-kek": {
    token: "alpha",
    step: kekStep("rotate-kek", FOR_BOTH),
    data: {
      ...{ kek: "backup-kek", generation: 2, mode: "hsm-to-hsm", ckaId: CKA_ID, serial: "s" },
      openers: [opener("alpha"), opener("beta")],
      ...{ fingerprintsHeardBy: ["ana", "eve"], shareSet: null },
    },
    facts: [
      {
        kind: "kek.established",
        ...{ kek: "backup-kek", token: "alpha", generation: 2, mode: "hsm-to-hsm" },
        ...{ ckaId: CKA_ID, checkValue: VALUE },
        envelopes: [{ ...envelope("alpha") }, { ...envelope("beta") }],
      },
    ],
  },
  escrow: {
    token: "alpha",
    step: kekStep("establish-kek", "kek: second-kek, token: alpha, escrow: true"),
    data: {
      ...{ kek: "second-kek", generation: 1, mode: "escrowed", ckaId: CKA_ID, serial: "s" },
      ...{ openers: [], fingerprintsHeardBy: ["ana", "eve"], shareSet: SET },
    },
    facts: [
      {
        kind: "share-set.made",
        ...{ ...SET, generation: 1, purpose: "kek", token: "alpha" },
        ...{ sha256: sha256Hex(`{"set":"skekset"}`), sealed: sha256Hex("sealed") },
      },
      {
        kind: "kek.established",
        ...{ ...NEW_KEK, generation: 1, mode: "escrowed", ckaId: CKA_ID, checkValue: VALUE },
        envelopes: [],
      },
      { kind: "kek.escrowed", kek: "second-kek", generation: 1, set: "skekset", setGeneration: 1 },
    ],
  },
  "load-kek": {
    token: "beta",
    step: kekStep("load-kek", "kek: backup-kek, token: beta"),
    data: {
      ...{ kek: "backup-kek", generation: 1, checkValue: known.checkValue, ckaId: CKA_ID },
      ...{
        serial: "s",
        envelope: known.envelopes.get("beta")?.sha256 ?? null,
        holders: [],
        adopt: null,
      },
    },
    facts: [
      {
        kind: "kek.loaded",
        ...{ kek: "backup-kek", generation: 1, token: "beta", ckaId: CKA_ID },
        checkValue: known.checkValue,
      },
    ],
  },
  "send-kek": {
    token: "alpha",
    step: kekStep("send-kek", "kek: backup-kek, from: alpha, to: gamma"),
    data: {
      ...{ kek: "backup-kek", generation: 1, checkValue: known.checkValue },
      ...{ to: opener("gamma"), fingerprintsHeardBy: ["ana", "eve"] },
    },
    facts: [
      {
        kind: "kek.sent",
        ...{ kek: "backup-kek", generation: 1, from: "alpha" },
        envelope: { ...envelope("gamma") },
      },
    ],
  },
  "destroy-kek": {
    token: "alpha",
    step: kekStep("destroy-kek", "kek: backup-kek, generation: 1, token: alpha"),
    data: { ckaId: known.tokens.get("alpha") ?? "", checkValue: known.checkValue, serial: "s" },
    facts: [{ kind: "kek.destroyed", kek: "backup-kek", generation: 1, token: "alpha" }],
  },
};

/** Performs one step by hand, all honest but for its facts; returns the index of its completion. */
function completed(stage: Stage, one: Case, facts: readonly JsonObject[]): number {
  const hand = new Hand(stage, withTokens([one.token], [one.step]));
  hand.perform("roll-call");
  const ref = stage.history.custody.tokens.get(one.token)?.sets.activation;
  const active = { token: one.token, set: ref?.set ?? "", generation: 1, people: ["ben", "cleo"] };
  hand.perform(`activate-token-${one.token}`, {
    who: active.people.map((person) => ({ person, role: "custodian" }) as const),
    data: { ...active, serial: "s" },
    facts: [{ kind: "token.activated", ...active }],
  });
  const id = /id: ([a-z-]+)/.exec(one.step)?.[1] ?? "";
  return hand.perform(id, { who: TWO, data: one.data, facts }).completed;
}

function forked(t: TestContext): Stage {
  const stage = base.fork();
  stage.clock.time += 60_000;
  t.after(() => {
    stage.remove();
  });
  return stage;
}

for (const [name, one] of Object.entries(CASES)) {
  test(`${name}: what was agreed to is believed`, (t) => {
    const stage = forked(t);
    completed(stage, one, one.facts);
    assert.deepEqual(stage.findings, []);
    stage.judge();
    assert.deepEqual(stage.findings, []);
  });
}

const ENVELOPES: Readonly<Record<string, readonly EnvelopeCustody[]>> = {
  "to another transport key": [envelope("alpha"), { ...envelope("beta"), spki: OTHER }],
  "to one more token": [envelope("alpha"), envelope("beta"), envelope("gamma")],
  "to a token that nobody knows": [
    envelope("alpha"),
    envelope("beta"),
    { ...envelope("gamma"), token: "mallory", spki: OTHER },
  ],
  "to one token fewer": [envelope("alpha")],
  "to other tokens": [envelope("alpha"), envelope("gamma")],
  "under another token's name": [envelope("alpha"), { ...envelope("gamma"), token: "beta" }],
  "with a hash that was not agreed to": [envelope("alpha"), { ...envelope("beta"), oaep: "sha1" }],
};

/** Case, which of its facts, its members as the host's owner writes them. */
const FORGED: readonly (readonly [string, number, JsonObject])[] = [
  ["establish-kek", 0, { ckaId: "0909" }],
  ["establish-kek", 0, { kek: "third-kek" }],
  ["establish-kek", 0, { generation: 2 }],
  ["establish-kek", 0, { token: "beta" }],
  ["establish-kek", 0, { mode: "escrowed", envelopes: [] }],
  ...Object.values(ENVELOPES).map(
    (envelopes) => ["establish-kek", 0, { envelopes: envelopes.map((e) => ({ ...e })) }] as const,
  ),
  ["rotate-kek", 0, { generation: 3 }],
  ["rotate-kek", 0, { generation: 1 }],
  ["rotate-kek", 0, { kek: "second-kek", generation: 1 }],
  ["rotate-kek", 0, { ckaId: "0909" }],
  ["escrow", 0, { holders: ["ben", "cleo", "mallory"] }],
  ["escrow", 0, { threshold: 3 }],
  ["escrow", 0, { set: "sother" }],
  ["escrow", 0, { purpose: "activation" }],
  ["escrow", 0, { token: "beta" }],
  ["escrow", 1, { mode: "hsm-to-hsm", envelopes: [{ ...envelope("alpha") }] }],
  ["escrow", 1, { ckaId: "0909" }],
  ["escrow", 2, { set: "sother" }],
  ["escrow", 2, { kek: "backup-kek" }],
  ["escrow", 2, { setGeneration: 2 }],
  ["load-kek", 0, { checkValue: VALUE }],
  ["load-kek", 0, { ckaId: "0909" }],
  ["load-kek", 0, { token: "gamma" }],
  ["load-kek", 0, { kek: "second-kek" }],
  ["load-kek", 0, { generation: 2 }],
  ["load-kek", 0, ADOPTED],
  ["send-kek", 0, { envelope: { ...envelope("gamma"), spki: OTHER } }],
  ["send-kek", 0, { envelope: { ...envelope("gamma"), token: "mallory" } }],
  ["send-kek", 0, { envelope: { ...envelope("gamma"), oaep: "sha1" } }],
  ["send-kek", 0, { from: "beta" }],
  ["send-kek", 0, { kek: "second-kek" }],
  ["send-kek", 0, { generation: 2 }],
  ["destroy-kek", 0, { token: "beta" }],
  ["destroy-kek", 0, { kek: "second-kek" }],
  ["destroy-kek", 0, { generation: 2 }],
];

test("facts about KEKs that nobody agreed to are not believed", async (t) => {
  for (const [name, at, changes] of FORGED) {
    await t.test(`${name} ${JSON.stringify(changes).slice(0, 80)}`, (t2) => {
      const one = CASES[name] ?? assert.fail(name);
      const stage = forked(t2);
      const facts = one.facts.map((fact, i) =>
        i !== at ? fact : "kind" in changes ? changes : { ...fact, ...changes },
      );
      const seq = completed(stage, one, facts);
      assertFound(stage, seq, /is not what people agreed to/);
      assert.equal(stage.history.custody.keks.size, 1);
      assert.deepEqual(
        [...(stage.history.custody.keks.get("backup-kek.g1")?.tokens ?? [])],
        [...known.tokens],
      );
    });
  }
});
