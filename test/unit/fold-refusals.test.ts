/**
 * What a fold refuses to believe although every signature is good: a host that owns the ledger's key
 * completes agreed steps with other facts than people agreed to.
 */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ACTIONS } from "../../src/actions/index.ts";
import { vocabularyOf } from "../../src/ceremony/action.ts";
import { readGenesis } from "../../src/ceremony/genesis.ts";
import type { History } from "../../src/ceremony/history.ts";
import { HistoryFold } from "../../src/ceremony/history-fold.ts";
import { stringOf } from "../../src/ceremony/record.ts";
import { decodeEntry, type Entry } from "../../src/ledger/entry.ts";
import { Frontier, leafHash } from "../../src/ledger/merkle.ts";
import { LedgerStore } from "../../src/ledger/store.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { siteAt } from "../support/rehearsed-site.ts";

const ledger = LedgerStore.open(siteAt("generated").file("ledger.db"));
const texts = [...ledger.entries()];

/** Folds the ledger with every entry that `change` returns put in its place. */
function fold(change: (entry: Entry) => Entry): History {
  const attachment = (sha256: string): Uint8Array | undefined => ledger.attachment(sha256)?.bytes;
  const [first = ""] = texts;
  const genesis = attachment(stringOf(decodeEntry(first).data, "genesis") ?? "");
  assert.ok(genesis);
  const folded = new HistoryFold({
    genesis: readGenesis(genesis),
    vocabulary: vocabularyOf(ACTIONS),
    attachment,
    cosignatures: {
      checkpoint: (size) => ledger.checkpoint(size),
      cosignatures: (size) => ledger.cosignatures(size).map(({ line }) => line),
    },
  });
  const frontier = new Frontier();
  for (const text of texts) {
    frontier.append(leafHash(text));
    folded.take(change(decodeEntry(text)), () => frontier.root());
  }
  return folded.history;
}

/** Changes members of every fact of a kind. */
function withFact(kind: string, members: JsonObject) {
  return (entry: Entry): Entry => ({
    ...entry,
    facts: entry.facts.map((fact) => (fact.kind === kind ? { ...fact, ...members } : fact)),
  });
}

const OTHER = "ab".repeat(32);

describe("facts other than people agreed to", () => {
  test("the ledger as it is holds no such claim", () => {
    const { findings, custody, cosigned, size } = fold((entry) => entry);
    assert.deepEqual(findings, []);
    assert.deepEqual([custody.keys.size, custody.certificates.size, cosigned], [1, 1, size]);
  });

  for (const [kind, members] of [
    ["people.present", { bindings: OTHER }],
    ["clock.attested", { offsetSeconds: 5 }],
    ["clock.attested", { source: "another clock" }],
    ["token.bound", { module: OTHER }],
    ["token.bound", { token: "beta" }],
    ["token.bound", { activation: "vendor" }],
    ["share-set.made", { generation: 2 }],
    ["share-set.made", { holders: ["ben", "cleo"] }],
    ["share-set.made", { set: "sother" }],
    ["token.activated", { generation: 2 }],
    ["token.activated", { people: ["ben", "dan"] }],
    ["key.generated", { ckaId: "00ff" }],
    ["key.generated", { algorithm: "p-256" }],
    ["key.generated", { label: "root-g2" }],
    ["certificate.issued", { subject: "CN=Other" }],
    ["certificate.issued", { serial: "01ff" }],
    ["certificate.issued", { notAfter: "2099-01-01T00:00:00Z" }],
    ["certificate.issued", { notBefore: "2020-01-01T00:00:00Z" }],
    ["certificate.issued", { spki: OTHER, issuerSpki: OTHER }],
    ["certificate.issued", { file: "other" }],
    ["certificate.issued", { tbs: OTHER }],
    ["certificate.issued", { profileSha256: OTHER }],
    ["certificate.issued", { ca: false }],
  ] as const) {
    test(`${kind} with another ${Object.keys(members).join(" and ")} is not taken`, () => {
      const { findings } = fold(withFact(kind, members));
      const [first] = findings;
      assert.match(first?.text ?? "", new RegExp(`${kind} is not what people agreed to`));
      assert.equal(first?.code, "authority");
    });
  }

  test("a step without a subject begins with no intent, so nobody slips one in", () => {
    const candidate = { person: "eve", card: OTHER };
    const { findings } = fold((entry) =>
      entry.type === "step.begun" && entry.step === "deactivate"
        ? { ...entry, data: { ...entry.data, intent: { candidate } } }
        : entry,
    );
    assert.match(findings[0]?.text ?? "", /its intent is not what was shown and agreed to/);
  });

  test("a close that states another custody is found", () => {
    const { findings } = fold((entry) =>
      entry.type === "ceremony.closed"
        ? { ...entry, data: { ...entry.data, custody: OTHER } }
        : entry,
    );
    const closes = texts.filter((text) => decodeEntry(text).type === "ceremony.closed");
    assert.equal(findings.length, closes.length);
    assert.match(findings[0]?.text ?? "", /custody it states/);
  });
});
