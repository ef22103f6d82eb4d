/** What a verifier needs of an entry: a missing attachment makes a verdict impossible, never a good one. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { citedDigests, citedTypes, CITING_MEMBERS } from "../../src/ceremony/citations.ts";
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

const YAML = "application/yaml";
const JSON_TYPE = "application/json";
const SPKI = "application/pkix-spki";

/** Every kind of fact that cites: which of its members, and as what the attachment is stored. */
const CITING: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "policy.adopted": { sha256: YAML },
  "share-set.made": { sha256: JSON_TYPE },
  "certificate.issued": { sha256: "application/pkix-cert", profileSha256: YAML },
  "certificate.imported": { sha256: "application/pkix-cert" },
  "csr.made": { sha256: "application/pkcs10" },
  "crl.issued": { sha256: "application/pkix-crl", tbs: "application/octet-stream" },
  "device-log.attached": { sha256: "application/octet-stream" },
  "person.enrolled": { card: JSON_TYPE },
  "key.generated": { spki: SPKI },
  "key.restored": { spki: SPKI },
  "transport.generated": { spki: SPKI },
  "backup.completed": { sha256: JSON_TYPE },
  "site.trusted": { genesis: JSON_TYPE, checkpoint: "text/plain" },
  "drill.concluded": { report: JSON_TYPE },
};

test("these kinds of fact cite, and no others", () => {
  assert.deepEqual(Object.keys(CITING_MEMBERS).sort(), Object.keys(CITING).sort());
});

for (const [kind, types] of Object.entries(CITING)) {
  test(`what ${kind} cites, and as what it is stored`, () => {
    const members = Object.keys(types);
    const fact = {
      kind,
      ...Object.fromEntries(members.map((name) => [name, `digest of ${name}`])),
    };
    const completed = entry("step.completed", {}, [fact, { kind: "no.such", sha256: LIST }]);
    const cited = members.map((name) => `digest of ${name}`);
    assert.deepEqual(citedDigests(completed), cited);
    assert.deepEqual(
      [...citedTypes(completed)],
      Object.entries(types).map(([name, type]) => [`digest of ${name}`, type]),
    );
    assert.deepEqual(citedDigests(entry("ledger.created", {}, [fact])), cited);
  });
}

const NAMED = ["genesis", "script", "plan", "bindings", "policy", "transcript"];
const EVERYTHING: JsonObject = Object.fromEntries<string>([
  ...NAMED.map((name): [string, string] => [name, name]),
  ["custody", "custody"],
]);
const DATA_TYPES: readonly (readonly [string, string])[] = [
  ["genesis", JSON_TYPE],
  ["script", YAML],
  ["plan", JSON_TYPE],
  ["bindings", YAML],
  ["policy", YAML],
  ["transcript", "text/plain"],
];

/** What the data of an entry cites when it names all that any entry could name. */
const DATA: Readonly<Record<EntryType, readonly string[]>> = {
  "ledger.created": ["genesis"],
  "ceremony.opened": ["script", "plan", "bindings", "policy"],
  "ceremony.closed": ["transcript"],
  "ceremony.abandoned": ["transcript"],
  "plan.amended": ["bindings"],
  "step.opened": [],
  "step.begun": [],
  "step.completed": [],
  "step.failed": [],
  "step.refused": [],
  "auth.failed": [],
  "tail.adopted": [],
  "deviation.recorded": [],
  "clock.attested": [],
};

for (const [type, cited] of Object.entries(DATA)) {
  test(`what the data of ${type} cites, and as what`, () => {
    const about = entry(type as EntryType, EVERYTHING);
    assert.deepEqual(citedDigests(about), cited);
    const bears = ["step.begun", "step.completed"].includes(type);
    assert.deepEqual([...citedTypes(about)], bears ? [] : DATA_TYPES);
    assert.deepEqual(citedDigests(entry(type as EntryType, { script: 7, genesis: null })), []);
  });
}

test("a list that people agreed to is stored as JSON", () => {
  const begun = entry("step.begun", { intent: { part: { keyList: LIST } } });
  assert.deepEqual([...citedTypes(begun)], [[LIST, JSON_TYPE]]);
  assert.deepEqual(citedDigests(entry("step.begun", { intent: LIST })), []);
  const odd = entry("step.completed", {}, [{ kind: "constructor", sha256: LIST }]);
  assert.deepEqual([...citedTypes(odd)], []);
});
