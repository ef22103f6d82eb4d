/** What a verifier needs of an entry: a missing attachment makes a verdict impossible, never a good one. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { citedDigests, CITING_MEMBERS } from "../../src/ceremony/citations.ts";
import { FACT_MEMBERS } from "../../src/ceremony/facts.ts";
import type { Entry, EntryType } from "../../src/ledger/entry.ts";
import { sha256Hex } from "../../src/lib/encoding.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { FACT } from "../support/copies-desk.ts";

const LIST = sha256Hex("a list");

function entry(type: EntryType, data: JsonObject, facts: readonly object[] = []): Entry {
  return {
    ...{ v: 1, origin: "example.org/dc1", seq: 7, time: "2026-01-01T00:00:00.000Z", type },
    ...{ outcome: "success", source: "auto", ceremony: "c", step: "s", actors: [] },
    ...{ description: "", policyRefs: [], agreements: [], refs: {}, data },
    facts: facts as Entry["facts"],
  };
}

const FACTS: Readonly<Record<string, object>> = {
  "transport.generated": FACT.transport("alpha"),
  "key.generated": FACT.generated("root-g1"),
  "key.restored": FACT.restored("root-g1", "beta"),
  "backup.completed": FACT.completed(),
  "site.trusted": FACT.trusted(),
  "drill.concluded": FACT.drilled(),
  "share-set.made": FACT.escrowSet(),
};

for (const [kind, fact] of Object.entries(FACTS)) {
  test(`${kind} cites its attachments, and nothing else`, () => {
    const members = new Map(Object.entries(fact));
    const cited = (CITING_MEMBERS[kind as keyof typeof CITING_MEMBERS] ?? []).map((name) =>
      String(members.get(name)),
    );
    assert.ok(cited.length > 0 && cited.every((digest) => /^[0-9a-f]{64}$/.test(digest)));
    assert.deepEqual(citedDigests(entry("step.completed", {}, [fact])), cited);
    // Where no facts are believed none are cited.
    assert.deepEqual(citedDigests(entry("step.failed", {}, [fact])), []);
  });
}

for (const fact of [FACT.locked("x"), FACT.backedUp("x"), FACT.loaded("alpha"), FACT.moved()]) {
  test(`${fact.kind} cites nothing: wrapped keys and envelopes are no attachments`, () => {
    assert.deepEqual(citedDigests(entry("step.completed", {}, [fact])), []);
  });
}

test("only members that a fact has are cited", () => {
  for (const [kind, members] of Object.entries(CITING_MEMBERS)) {
    const known = FACT_MEMBERS.get(kind) ?? [];
    for (const member of members) assert.ok(known.includes(member), `${kind}.${member}`);
  }
});

test("a step cites the list of keys that people agreed to, wherever its intent names it", () => {
  const cited = (intent: JsonObject): readonly string[] =>
    citedDigests(entry("step.begun", { n: 1, intent }));
  assert.deepEqual(cited({ keyList: LIST, keys: 2 }), [LIST]);
  assert.deepEqual(cited({ onToken: { token: "alpha", keyList: LIST }, everywhere: null }), [LIST]);
  assert.deepEqual(cited({ token: "alpha" }), []);
  assert.deepEqual(cited({ keyList: null }), []);
});

test("facts of no kind, and of names that JavaScript knows, cite nothing", () => {
  for (const kind of ["constructor", "__proto__", "toString", "no.such"]) {
    assert.deepEqual(citedDigests(entry("step.completed", {}, [{ kind, sha256: LIST }])), []);
  }
});
